"""Forgets a draft once the form that it was of has been taken.

autosave.js sends the form's key along; an answer that leads on to another page means that the form was taken, a form
shown again with its errors does not. So no view has to think of it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from core.drafts import discard_draft

FIELD = "_draft_key"
COOKIE = "draft_taken"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class DraftClearingMiddleware:
    """Discards the draft named by `_draft_key` when a POST was answered by a redirect; a cookie tells the browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "POST" or not self._leads_on(response) or request.content_type not in _FORMS:
            return response
        key = request.POST.get(FIELD, "")
        if key and request.user.is_authenticated:
            try:
                discard_draft(request.user, key)
            except ValidationError:
                return response
            # Readable by script on purpose: it names a form, nothing else.
            response.set_cookie(COOKIE, key, max_age=600, samesite="Lax", secure=request.is_secure())
        return response

    @staticmethod
    def _leads_on(response: HttpResponse) -> bool:
        target = response.headers.get("Location", "") if response.status_code in (302, 303) else ""
        target = target or response.headers.get("HX-Redirect", "")
        # Being sent to log in is not being taken.
        return bool(target) and "/accounts/login" not in target
