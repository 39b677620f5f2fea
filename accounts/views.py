"""Login, logout and a person's own account page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

from allauth.account import views as account
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import devices
from accounts.demo import demo_places, demo_roles
from accounts.middleware import STARTED
from accounts.models import LoginSession
from accounts.permissions import can_end_session
from accounts.services import end_session, end_sessions
from accounts.validators import profile
from core.http import PersonRequest
from core.permissions import get_for


class LoginView(account.LoginView):
    """allauth's login, with the invented people of the demo offered beside it in demo mode alone."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if settings.DEMO:
            context.update(demo_roles=demo_roles(), demo_places=demo_places())
        return context


login = LoginView.as_view()
logout = require_POST(account.logout)


def not_offered(request: HttpRequest) -> NoReturn:
    """Pages of allauth that its own code names but the portal does not offer."""
    raise Http404("本系统不提供此功能。")


@login_required
def me(request: PersonRequest) -> HttpResponse:
    """A person's own account: roles, password, second factor, sessions."""
    started = request.session.get(STARTED)
    return render(
        request,
        "accounts/me.html",
        {
            "password_max_age": profile().max_age_days,
            "second_factor": is_mfa_enabled(request.user),
            "started": datetime.fromtimestamp(started, tz=UTC) if started else timezone.now(),
            "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
            "absolute_hours": settings.SESSION_ABSOLUTE_SECONDS // 3600,
            "running": request.user.login_sessions.running(timezone.now()).count(),
        },
    )


@require_POST
@login_required
def end_other_sessions(request: PersonRequest) -> HttpResponse:
    """Log this person out everywhere else."""
    end_sessions(request.user, actor=request.user, keep=request.session.get(devices.ROW))
    update_session_auth_hash(request, request.user)
    messages.success(request, "其他设备上的登录已全部退出")
    return redirect("accounts-sessions")


@require_GET
@login_required
def session_list(request: PersonRequest) -> HttpResponse:
    """Where one is logged in, and the latest logins that are over."""
    rows, now = request.user.login_sessions, timezone.now()
    running = list(rows.running(now))
    return render(request, "accounts/sessions.html", {
        "running": running, "own": request.session.get(devices.ROW),
        "over": rows.exclude(pk__in=[row.pk for row in running])[:10],
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "absolute_hours": settings.SESSION_ABSOLUTE_SECONDS // 3600,
    })  # fmt: skip


@require_POST
@login_required
def session_end(request: PersonRequest, pk: int) -> HttpResponse:
    session = get_for(request.user, LoginSession, pk, can_end_session)
    end_session(session, actor=request.user)
    messages.success(request, f"“{session}”上的登录已结束")
    return redirect("accounts-sessions")
