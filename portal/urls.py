from django.urls import path

from .views import audit, home, measures, notices, public

app_name = "portal"

urlpatterns = [
    path("", public.front, name="front"),
    path("home/", home.home, name="home"),
    path("notices/", notices.notice_list, name="notice-list"),
    path("notices/<int:pk>/", notices.notice, name="notice"),
    path("audit/", audit.AuditList.as_view(), name="audit"),
    path("measures/", measures.measures, name="measures"),
]
