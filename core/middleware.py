"""What every request gets: a number, an audit entry where one is due, the right answer to a refusal."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from core import audit, context
from core.errors import StaleState
from core.models import AuditEntry
from core.views import errors

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def client_ip(request: HttpRequest) -> str:
    """The address the request came from: of X-Forwarded-For only what our own proxies wrote is believed.

    With `PROXY_COUNT` = n the n-th entry from the right counts; with 0 the header is ignored.
    """
    address = request.META.get("REMOTE_ADDR", "")
    trusted = settings.PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if trusted and len(forwarded) >= trusted:
        address = forwarded[-trusted]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


class RequestContextMiddleware:
    """Gives the request its number and remembers where it came from (core.context); stands first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with context.bound(ip=client_ip(request)) as here:
            request.request_id = here.request_id  # type: ignore[attr-defined]
            response = self.get_response(request)
            response.headers["X-Request-ID"] = here.request_id
        return response


class AuditMiddleware:
    """One entry for each refusal, and for each changing request whose own code wrote none; both after any rollback.

    Stands last, so that it sees what views raise. It also turns the refusals of the service layer into their pages.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        refused = response.status_code == 403
        if refused or (request.method not in SAFE_METHODS and response.status_code != 503):
            self._record(request, response, refused=refused)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, StaleState):
            return errors.conflict(request, exception)
        if isinstance(exception, PermissionDenied):
            return errors.permission_denied(request, exception)
        if errors.is_outage(exception):
            log.error("service unavailable at %s", request.path, exc_info=exception)
            return errors.unavailable(request)
        return None

    def _record(self, request: HttpRequest, response: HttpResponse, *, refused: bool) -> None:
        match = request.resolver_match
        if match is None or (not refused and self._has_entry()):
            return
        view = match.view_name or match.route
        detail: dict[str, Any] = {"view": view, "method": request.method, "status": response.status_code}
        if reason := getattr(response, "refusal", ""):
            detail["reason"] = reason
        if "pk" in match.kwargs:
            detail["pk"] = str(match.kwargs["pk"])
        result = "refused" if refused else "ok" if response.status_code < 400 else "error"
        try:
            audit.record(
                "http.refused" if refused else "http.post", actor=_person(request), detail=detail, result=result
            )
        except DatabaseError:
            # The answer stands whatever happens here; the line in the server's log is what is left of the entry.
            log.exception("audit entry lost: %s %s", detail, context.current().request_id)

    @staticmethod
    def _has_entry() -> bool:
        """Did the request write an entry that was not rolled back with its change?"""
        ids = context.current().entry_ids
        return bool(ids) and AuditEntry.objects.filter(pk__in=ids).exists()


def _person(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None
