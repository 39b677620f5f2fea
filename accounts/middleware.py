"""What is asked of every request of somebody logged in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts import devices

Handler = Callable[[HttpRequest], HttpResponse]
STARTED, SEEN, SECOND_FACTOR = "_started", "_seen", "_second_factor"


def _logged_in(request: HttpRequest) -> bool:
    # Without the cookie nobody is: asking the session would mark a public page as varying by cookie.
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated


def _send(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect of the whole page, also for a partial request and for scripts that ask for JSON."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    if "application/json" in request.headers.get("Accept", "") and "text/html" not in request.headers.get("Accept", ""):
        return HttpResponse(status=401)
    return HttpResponseRedirect(url)


class SessionLimitsMiddleware:
    """Ends a session after a while without use and after a fixed time however busy (ASVS 7.3; 等保 8.1.4.1 b).

    What a page asks by itself (progress, unread counts) carries the header `X-Passive` and is no use of it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _logged_in(request):
            reason = self._ended(request, int(time.time()))
            if reason:
                logout(request)
                messages.info(request, reason)
                query = {"next": request.get_full_path()} if request.method == "GET" and not _partial(request) else {}
                return _send(request, settings.LOGIN_URL + ("?" + urlencode(query) if query else ""))
        return self.get_response(request)

    def _ended(self, request: HttpRequest, now: int) -> str:
        session = request.session
        started, seen = session.get(STARTED), session.get(SEEN)
        if started is None or seen is None:
            session[STARTED], session[SEEN] = now, now
            started = seen = now
        if now - started > settings.SESSION_ABSOLUTE_SECONDS:
            return "登录时间已满，请重新登录。"
        if now - seen > settings.SESSION_IDLE_SECONDS:
            return "长时间未操作，已自动退出，请重新登录。"
        # Once a minute is enough: a session written at every request would double the cost of each.
        used = now - seen >= min(60, settings.SESSION_IDLE_SECONDS // 10) and "X-Passive" not in request.headers
        if used:
            session[SEEN] = now
        return "" if devices.follow(request, used=used) else "此设备上的登录已被结束，请重新登录。"


def _partial(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False)) or "X-Passive" in request.headers


class StandingMiddleware:
    """Nobody goes further with a password that is due for change, nor, in a role that demands a second factor, without
    one (等保 8.1.4.1 d; ASVS 6.3.3)."""

    OPEN = frozenset(
        {
            "account_change_password",
            "account_logout",
            "account_reauthenticate",
            "mfa_index",
            "mfa_activate_totp",
            "mfa_reauthenticate",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_download_recovery_codes",
            "membership-switch",
        }
    )

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in self.OPEN or not _logged_in(request):
            return None
        due = request.user.password_due() if request.user.is_authenticated else ""
        if due:
            messages.warning(request, due)
            return _send(request, reverse("account_change_password"))
        if self._lacks_second_factor(request):
            messages.warning(request, "当前身份要求双因素认证，请先绑定动态口令。")
            return _send(request, reverse("mfa_activate_totp"))
        return None

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        if settings.DEMO:
            return False
        membership: Any = getattr(request, "membership", None)
        demanded = bool(membership) and str(membership.role) in settings.MFA_REQUIRED_ROLES
        if not demanded and not getattr(request.user, "must_enrol_second_factor", False):
            return False
        from allauth.mfa.utils import is_mfa_enabled

        return not is_mfa_enabled(request.user)


class PrivateResponseMiddleware:
    """Pages of somebody logged in are not kept by any cache, nor by the back button after logging out."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Asked before the view: logging out is a private answer too.
        private = _logged_in(request)
        response = self.get_response(request)
        if private or _logged_in(request):
            response["Cache-Control"] = "private, no-store"
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(self), payment=(), usb=()")
        return response
