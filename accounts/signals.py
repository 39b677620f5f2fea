"""Logins, failures, lock-outs and logouts go to the audit log (等保 8.1.4.3; ASVS 16.3.1)."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import devices
from accounts.lockout import client_username
from accounts.middleware import SEEN, STARTED
from accounts.models import LoginSession, User
from core.audit import record, register_actions

register_actions(
    {
        "account.login": "登录",
        "account.login_failed": "登录失败",
        "account.locked": "账号锁定",
        "account.logout": "退出登录",
        "account.password_changed": "修改密码",
        "account.second_factor_failed": "动态口令错误",
        "account.second_factor_added": "绑定双因素认证",
        "account.second_factor_removed": "解除双因素认证",
        "account.role_switched": "切换身份",
        "account.sessions_ended": "退出全部登录",
        "account.create": "建立账号",
        "account.disable": "停用账号",
        "account.enable": "启用账号",
        "account.password_reset": "重置密码",
        "account.session_ended": "结束一处登录",
        "account.second_factor_lifted": "解除他人的双因素认证",
    }
)


@receiver(user_logged_in)
def on_login(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    # A second login in the same browser may keep the session: its limits count from now all the same.
    request.session[STARTED] = request.session[SEEN] = int(time.time())
    devices.begin(request, user)
    record("account.login", actor=user, obj=user)


@receiver(user_logged_out)
def on_logout(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None:
        row = request.session.get(devices.ROW, 0)
        LoginSession.objects.filter(pk=row, ended_at=None).update(ended_at=timezone.now())
        record("account.logout", actor=user, obj=user)


@receiver(user_login_failed)
def on_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    name = client_username(request, credentials) if request is not None else str(credentials.get("username", ""))
    record("account.login_failed", actor=None, detail={"username": name}, result="refused")


@receiver(user_locked_out)
def on_lockout(sender: Any, request: HttpRequest, username: str, **kwargs: Any) -> None:
    record("account.locked", actor=None, detail={"username": username}, result="refused")


@receiver(password_changed)
def on_password(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    # Django voids every other session with the old password.
    devices.close_rows(user, keep=request.session.get(devices.ROW))
    record("account.password_changed", actor=user, obj=user)


@receiver(authentication_failed)
def on_second_factor_failure(sender: Any, user: Any, **kwargs: Any) -> None:
    record("account.second_factor_failed", actor=user, obj=user, result="refused")


@receiver(authenticator_added)
def on_second_factor(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    User.objects.filter(pk=user.pk).update(must_enrol_second_factor=False)
    record("account.second_factor_added", actor=user, obj=user, detail={"type": authenticator.type})


@receiver(authenticator_removed)
def on_second_factor_gone(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    record("account.second_factor_removed", actor=user, obj=user, detail={"type": authenticator.type})
