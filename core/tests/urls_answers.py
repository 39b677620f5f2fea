"""Pages that go wrong in each known way, next to the portal's own."""

from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from config.urls import urlpatterns as portal
from core import audit
from core.errors import Refused, StaleState


def refused(request: HttpRequest, pk: int = 0) -> HttpResponse:
    audit.record("x.before", actor=request.user)
    with transaction.atomic():
        audit.record("x.inside", actor=request.user)
        raise Refused("仅团队负责人可以审核")


def stale(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        audit.record("x.inside", actor=request.user)
        raise StaleState


def outage(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection unexpectedly")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


def quiet(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("ok")


def telling(request: HttpRequest) -> HttpResponse:
    audit.record("x.told", actor=request.user)
    return HttpResponse("ok")


def forbidden(request: HttpRequest) -> HttpResponse:
    return HttpResponseForbidden("no")


urlpatterns = [
    path("t/refused/<int:pk>/", refused, name="t-refused"),
    path("t/stale/", stale),
    path("t/outage/", outage),
    path("t/broken/", broken),
    path("t/quiet/<int:pk>/", quiet, name="t-quiet"),
    path("t/telling/", telling),
    path("t/forbidden/", forbidden),
    *portal,
]
