"""A row for each login, kept in step with its session: on which device, from where, used when."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.lockout import client_address
from accounts.models import LoginSession, User

ROW, KEY = "_login", "_login_key"

# What a browser calls itself → what people call it. The first that fits: later ones pretend to be earlier ones.
_BROWSERS = (
    ("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("wxwork", "企业微信"), ("Edg", "Edge"), ("OPR/", "Opera"),
    ("Firefox", "Firefox"), ("QQBrowser", "QQ 浏览器"), ("UCBrowser", "UC 浏览器"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"), ("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "安卓"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(agent: str) -> str:
    """“Edge · Windows” for a User-Agent header; “未知设备” for one that says neither."""
    names = (next((label for mark, label in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS))
    return " · ".join(filter(None, names)) or "未知设备"


def begin(request: HttpRequest, user: User) -> LoginSession:
    """Write the row of a login that has just happened, and note it in the session."""
    key = request.session.session_key or ""
    row = LoginSession.objects.create(
        user=user, key=key, device=device_of(request.META.get("HTTP_USER_AGENT", "")),
        address=client_address(request) or "",
    )  # fmt: skip
    request.session[ROW], request.session[KEY] = row.pk, key
    return row


def follow(request: HttpRequest, *, used: bool) -> bool:
    """Keep the row in step with its session; False when somebody has ended it. No query unless something is to be
    written: `used` (once a minute), or the session has a new key."""
    session = request.session
    if ROW not in session:
        begin(request, request.user)  # type: ignore[arg-type]
        return True
    changes: dict[str, Any] = {}
    if session[KEY] != session.session_key:
        changes["key"] = session[KEY] = session.session_key or ""
    if used:
        changes.update(seen_at=timezone.now(), address=client_address(request) or "")
    return not changes or bool(LoginSession.objects.filter(pk=session[ROW], ended_at=None).update(**changes))


def close(row: LoginSession) -> bool:
    """End one session, at its next request; False when it was over already."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not LoginSession.objects.filter(pk=row.pk, ended_at=None).update(ended_at=timezone.now()):
        return False
    if row.key:
        store(session_key=row.key).delete()
    return True


def close_rows(user: User, *, keep: int | None = None) -> None:
    """Mark every login of `user` as ended but `keep`: their sessions have become void by other means."""
    rows = LoginSession.objects.filter(user=user, ended_at=None)
    (rows.exclude(pk=keep) if keep else rows).update(ended_at=timezone.now())


def forget_old(before: datetime) -> int:
    """Delete the rows of logins last used before; what happened stays in the audit log."""
    return LoginSession.objects.filter(seen_at__lt=before).delete()[0]
