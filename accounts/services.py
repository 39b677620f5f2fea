"""Acts on accounts."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from accounts.devices import close, close_rows
from accounts.models import LoginSession, User
from accounts.passwords import one_time_password
from accounts.permissions import (
    can_create_account_in,
    can_disable_account,
    can_enable_account,
    can_end_session,
    can_end_sessions_of,
    can_lift_second_factor,
    can_reset_password,
)
from core.audit import record
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked


@transaction.atomic
def end_sessions(user: User, *, actor: User, keep: int | None = None) -> User:
    """End every session of `user`, on all devices, at its next request.

    Side effects: audit entry. The caller keeps its own session by `update_session_auth_hash`, and says with `keep`
    which `LoginSession` that is.
    """
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    close_rows(user, keep=keep)
    record("account.sessions_ended", actor=actor, obj=user)
    return user


@transaction.atomic
def end_session(session: LoginSession, *, actor: User) -> LoginSession:
    """End one's login on one device, at its next request.

    Side effects: audit entry. Raises Refused, StaleState (over already).
    """
    require(can_end_session(actor, session))
    if not close(session):
        raise StaleState("该登录已经结束，请刷新后查看。")
    record("account.session_ended", actor=actor, obj=session.user, detail={"device": session.device})
    return session


@transaction.atomic
def end_sessions_of(account: User, *, actor: User, reason: str) -> User:
    """A security administrator ends every login of somebody, at its next request.

    Side effects: audit entry with the reason. Raises Refused, ValidationError (no reason).
    """
    require(can_end_sessions_of(actor, account))
    reason = _reason(reason)
    User.objects.filter(pk=account.pk).update(session_epoch=F("session_epoch") + 1)
    account.refresh_from_db(fields=["session_epoch"])
    close_rows(account)
    record("account.sessions_ended", actor=actor, obj=account, detail={"reason": reason})
    return account


@transaction.atomic
def lift_second_factor(account: User, *, actor: User, reason: str) -> User:
    """Take a lost second factor off: its codes and recovery codes are void, and its owner binds another one before
    anything else opens.

    Side effects: every session of the account ends, audit entries, notice. Raises Refused, ValidationError (no reason).
    """
    account = User.objects.select_for_update().get(pk=account.pk)
    require(can_lift_second_factor(actor, account))
    reason = _reason(reason)
    Authenticator.objects.filter(user=account).delete()
    account.must_enrol_second_factor = True
    account.save(update_fields=["must_enrol_second_factor"])
    record("account.second_factor_lifted", actor=actor, obj=account, detail={"reason": reason})
    end_sessions(account, actor=actor)
    text = "您的双因素认证已由安全管理员解除，请重新绑定。如非您本人申请，请立即联系安全管理员。"
    notify(account, kind="account", text=text, url=reverse("mfa_index"))
    return account


@transaction.atomic
def create_account(*, username: str, name: str, locality_code: str, actor: User) -> tuple[User, str]:
    """A new account, without any role, and its one-time password, which is kept nowhere else.

    Side effects: audit entry. Raises Refused, and ValidationError (the user name is taken in whatever case).
    """
    require(can_create_account_in(actor, locality_code))
    return _new_account(username=username, name=name, locality_code=locality_code, actor=actor)


@transaction.atomic
def create_first_account(*, username: str, name: str, locality_code: str) -> tuple[User, str]:
    """An account made by the operator of the server, before there is any administrator. Side effects: audit entry.

    Raises ValidationError like `create_account`.
    """
    return _new_account(username=username, name=name, locality_code=locality_code, actor=None)


def _new_account(*, username: str, name: str, locality_code: str, actor: User | None) -> tuple[User, str]:
    username = username.strip().lower()
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": "该用户名已被使用，请换一个。"})
    user = User(username=username, name=name.strip(), locality_code=locality_code)
    password = one_time_password(user)
    user.set_password(password)
    save_checked(user)
    _must_change(user)
    record("account.create", actor=actor, obj=user, detail={"username": username})
    return user, password


@transaction.atomic
def disable_account(account: User, *, actor: User, reason: str) -> User:
    """Shut an account: no login, and out at its next request. Its roles and records stay.

    Side effects: audit entry. Raises Refused, ValidationError (no reason), StaleState (somebody was first).
    """
    require(can_disable_account(actor, account))
    return _set_active(account, False, actor=actor, reason=reason, action="account.disable")


@transaction.atomic
def enable_account(account: User, *, actor: User, reason: str) -> User:
    """Open a shut account again, with the password it had. Sessions from before stay ended.

    Side effects: audit entry. Raises Refused, ValidationError (no reason), StaleState (somebody was first).
    """
    require(can_enable_account(actor, account))
    return _set_active(account, True, actor=actor, reason=reason, action="account.enable")


def _set_active(account: User, active: bool, *, actor: User, reason: str, action: str) -> User:
    reason = _reason(reason)
    epoch = F("session_epoch") + (0 if active else 1)
    if not User.objects.filter(pk=account.pk, is_active=not active).update(is_active=active, session_epoch=epoch):
        raise StaleState
    account.refresh_from_db(fields=["is_active", "session_epoch"])
    if not active:
        close_rows(account)
    record(action, actor=actor, obj=account, detail={"reason": reason})
    return account


@transaction.atomic
def reset_password(account: User, *, actor: User, reason: str) -> str:
    """Replace a forgotten password by a one-time password, which is returned and kept nowhere else.

    Side effects: every session of the account ends, it must choose a password of its own at the next login, audit
    entries. Raises Refused and ValidationError (no reason).
    """
    account = User.objects.select_for_update().get(pk=account.pk)
    require(can_reset_password(actor, account))
    reason = _reason(reason)
    password = one_time_password(account)
    account.set_password(password)
    account.save(update_fields=["password"])
    _must_change(account)
    record("account.password_reset", actor=actor, obj=account, detail={"reason": reason})
    end_sessions(account, actor=actor)
    return password


def _must_change(user: User) -> None:
    # After the save: setting a password clears the mark, since it cannot tell who set it.
    User.objects.filter(pk=user.pk).update(must_change_password=True)
    user.must_change_password = True


def _reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) < 2:
        raise ValidationError({"reason": "请写明原因。"})
    return reason
