"""Who somebody is at this request: `request.membership` (the role they work under) and `request.memberships`."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from districts.access import current_membership, valid_memberships

Handler = Callable[[HttpRequest], HttpResponse]


class MembershipMiddleware:
    """Both are lazy and read the memberships valid today, once a request: a revoked role is gone at the next one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without the cookie nobody is logged in: asking the session would mark a public page as varying by cookie.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            user = request.user
            request.membership = SimpleLazyObject(lambda: current_membership(user))  # type: ignore[attr-defined]
            request.memberships = SimpleLazyObject(lambda: valid_memberships(user))  # type: ignore[attr-defined]
        else:
            request.membership, request.memberships = None, []  # type: ignore[attr-defined]
        return self.get_response(request)
