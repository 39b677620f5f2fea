"""One line per app: each app owns its pages under its own prefix."""

from django.urls import include, path

from districts.views.memberships import switch

urlpatterns = [
    path("", include("core.urls")),
    path("accounts/switch/", switch, name="membership-switch"),
    path("accounts/", include("accounts.urls")),
    path("districts/", include("districts.urls")),
    path("planners/", include("planners.urls")),
    path("projects/", include("projects.urls")),
    path("r/", include("projects.urls_party")),
    path("worklogs/", include("worklogs.urls")),
    path("evaluations/", include("evaluations.urls")),
    path("", include("portal.urls")),
]

handler400 = "core.views.errors.bad_request"
handler403 = "core.views.errors.permission_denied"
handler404 = "core.views.errors.page_not_found"
handler500 = "core.views.errors.server_error"
