"""Who may look after accounts, and why not. System administrators do, each in their own localities (等保 8.1.5)."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled

from accounts.models import LoginSession, User
from accounts.roles import THREE_ADMINISTRATORS, Role
from core.permissions import Decision
from core.roles import has_role, places_of, roles_held

_ONLY = "仅系统管理员可以维护账号"


def can_see_accounts(user: Any, _: Any = None) -> Decision:
    return Decision.of(
        has_role(user, *THREE_ADMINISTRATORS), otherwise="仅系统管理员、安全管理员和审计管理员可以查看账号"
    )


def can_create_accounts(user: Any, _: Any = None) -> Decision:
    return Decision.of(has_role(user, Role.SYSADMIN), otherwise=_ONLY)


def can_create_account_in(user: Any, code: str) -> Decision:
    """`code`: six-digit code of the locality that the account will be kept in."""
    if not (decision := can_create_accounts(user)):
        return decision
    return Decision.of(code in places_of(user), otherwise="只能在本地方及下级地方建立账号")


def can_manage_account(user: Any, account: User) -> Decision:
    """Disable, enable. An account with a role elsewhere is looked after from above: its locality may lie higher, and
    whoever resets a password could act in that role."""
    if not has_role(user, Role.SYSADMIN):
        return Decision.no(_ONLY)
    places = places_of(user)
    if account.locality_code not in places:
        return Decision.no("该账号不属于本地方")
    if account.pk == user.pk:
        return Decision.no("不能停用、启用自己的账号或重置自己的密码，请由其他系统管理员办理")
    elsewhere = any(held.place not in places for held in roles_held(account))
    return Decision.of(not elsewhere, otherwise="该账号在其他地方还有身份，请由上级地方的系统管理员办理")


def can_disable_account(user: Any, account: User) -> Decision:
    if not account.is_active:
        return Decision.no("该账号已停用")
    return can_manage_account(user, account)


def can_enable_account(user: Any, account: User) -> Decision:
    if account.is_active:
        return Decision.no("该账号正在使用，无需启用")
    return can_manage_account(user, account)


def can_reset_password(user: Any, account: User) -> Decision:
    """The password of another administrator opens their account to the one who resets it, unless a second factor
    stands behind it: so no administrator gains another's rights this way (等保 8.1.5)."""
    if not (decision := can_manage_account(user, account)):
        return decision
    if not account.is_active:
        return Decision.no("该账号已停用，请先启用")
    guarded = {str(role) for role in THREE_ADMINISTRATORS}
    if any(held.role in guarded for held in roles_held(account)) and not is_mfa_enabled(account):
        return Decision.no(
            "该账号是管理员账号且未绑定双因素认证，为防止代为登录，不能重置密码；请停用后另建账号重新授权"
        )
    return Decision.yes()


def can_end_session(user: Any, session: LoginSession) -> Decision:
    """One's own, from whichever device."""
    return Decision.of(session.user_id == user.pk, otherwise="只能结束自己的登录")


def can_secure_account(user: Any, account: User) -> Decision:
    """What security administrators do to the logins of others, where no role of these lies beyond their reach."""
    if not has_role(user, Role.SECADMIN):
        return Decision.no("仅安全管理员可以办理")
    places = places_of(user)
    if account.locality_code not in places:
        return Decision.no("该账号不属于本地方")
    if account.pk == user.pk:
        return Decision.no("不能对自己的账号办理，请由其他安全管理员办理")
    elsewhere = any(held.place not in places for held in roles_held(account))
    return Decision.of(not elsewhere, otherwise="该账号在其他地方还有身份，请由上级地方的安全管理员办理")


def can_see_sessions_of(user: Any, account: User) -> Decision:
    return can_secure_account(user, account)


def can_end_sessions_of(user: Any, account: User) -> Decision:
    return can_secure_account(user, account)


def can_lift_second_factor(user: Any, account: User) -> Decision:
    """Never behind a password that a system administrator has just handed out: the two together would open the account
    of another administrator (等保 8.1.5)."""
    if not (decision := can_secure_account(user, account)):
        return decision
    if not is_mfa_enabled(account):
        return Decision.no("该账号没有绑定双因素认证，无需解除")
    guarded = {str(role) for role in THREE_ADMINISTRATORS}
    if account.must_change_password and any(held.role in guarded for held in roles_held(account)):
        return Decision.no(
            "该管理员账号的密码刚由他人重置、本人尚未修改，为防止代为登录，不能解除；请停用后另建账号重新授权"
        )
    return Decision.yes()
