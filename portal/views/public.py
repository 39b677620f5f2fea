"""The page before login: what the portal is, where it runs, how to check a document. Fields are listed, not dumped."""

from django.contrib.messages import get_messages
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from districts.models import Locality

# The same for everybody, and asked for by whoever passes by. Kept in the process, so that it stands without Redis.
_KEPT = LocMemCache("portal.public", {"TIMEOUT": 60})


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """Anybody may read it; somebody logged in is taken home."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    if len(get_messages(request)):
        return HttpResponse(_front(request))  # what is said to one is not kept for all
    page = _KEPT.get("front")
    if page is None:
        page = _front(request)
        _KEPT.set("front", page)
    return HttpResponse(page)


def _front(request: HttpRequest) -> str:
    # An explicit list of fields: a public page shows what was chosen to be public and nothing else.
    localities = (
        Locality.objects.filter(is_active=True, policyscope__isnull=False)
        .order_by("code")
        .distinct()
        .values("name", "code", "policyscope__pack__title")
    )
    return render_to_string("portal/front.html", {"localities": localities}, request)
