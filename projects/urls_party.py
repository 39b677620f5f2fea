"""One-time links under /r/: outside the login, for one matter each."""

from django.urls import re_path

from projects.views import party

app_name = "party"
_ADDRESS = r"(?P<token>[A-Za-z0-9_-]{43})"

urlpatterns = [
    re_path(rf"^{_ADDRESS}/$", party.link, name="link"),
    re_path(rf"^{_ADDRESS}/code/$", party.code, name="code"),
    re_path(rf"^{_ADDRESS}/reply/$", party.reply, name="reply"),
    re_path(rf"^{_ADDRESS}/done/$", party.done, name="done"),
    re_path(rf"^{_ADDRESS}/photos/(?P<pk>\d{{1,18}})/$", party.photo, name="photo"),
]
