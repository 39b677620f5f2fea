"""Password rules as named profiles (`PASSWORD_PROFILE`): 等保 asks for what ASVS forbids, so one of them is chosen.

`dengbao`: 等保 2.0 8.1.4.1 a): complexity, no reuse, regular change. `asvs`: ASVS 5.0 6.2: length, nothing forced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, is_password_usable
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class PasswordProfile:
    """`classes`: how many of upper case, lower case, digits and symbols must occur. `history`: how many former
    passwords may not come back. `max_age_days`: None never forces a change."""

    min_length: int
    classes: int
    history: int
    max_age_days: int | None


def profile() -> PasswordProfile:
    """The profile in force. Raises ImproperlyConfigured for an unknown name."""
    try:
        chosen: Any = settings.PASSWORD_PROFILES[settings.PASSWORD_PROFILE]
    except KeyError as exc:
        known = "、".join(settings.PASSWORD_PROFILES)
        raise ImproperlyConfigured(f"PORTAL_PASSWORD_PROFILE 只能是：{known}。") from exc
    return PasswordProfile(**chosen)


class ProfileLengthValidator:
    """At least as long as the profile says."""

    def validate(self, password: str, user: User | None = None) -> None:
        least = profile().min_length
        if len(password) < least:
            raise ValidationError(f"密码太短，至少 {least} 个字符。", code="password_too_short")

    def get_help_text(self) -> str:
        return f"至少 {profile().min_length} 个字符。"


class ComplexityValidator:
    """As many kinds of characters as the profile says."""

    def validate(self, password: str, user: User | None = None) -> None:
        kinds = (
            any(c.isupper() for c in password),
            any(c.islower() for c in password),
            any(c.isdigit() for c in password),
            any(not c.isalnum() for c in password),
        )
        if sum(kinds) < profile().classes:
            raise ValidationError(self.get_help_text(), code="password_too_simple")

    def get_help_text(self) -> str:
        classes = profile().classes
        return f"须包含大写字母、小写字母、数字、符号中的至少 {classes} 类。" if classes > 1 else ""


class HistoryValidator:
    """Refuses the present password and the last ones; remembers each new one."""

    def validate(self, password: str, user: User | None = None) -> None:
        depth = profile().history
        if not depth or user is None or user.pk is None:
            return
        former = user.password_records.order_by("-set_at", "-pk").values_list("hash", flat=True)[:depth]
        if any(check_password(password, kept) for kept in {user.password, *former}):
            raise ValidationError(f"不能与最近 {depth} 次使用过的密码相同。", code="password_reused")

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Called by Django when a user with a new password has been saved."""
        if user is None or user.pk is None:
            return
        now = timezone.now()
        former, records = user.former_hash, user.password_records
        if former and is_password_usable(former) and not records.filter(hash=former).exists():
            records.create(hash=former, set_at=user.password_set_at or user.date_joined)
        records.create(hash=user.password, set_at=now)
        type(user).objects.filter(pk=user.pk).update(password_set_at=now, must_change_password=False)
        user.password_set_at, user.must_change_password = now, False

    def get_help_text(self) -> str:
        depth = profile().history
        return f"不能与最近 {depth} 次使用过的密码相同。" if depth else ""


class NotPersonalValidator(UserAttributeSimilarityValidator):
    """Unlike the user name, the person's name and the e-mail address."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("username", "name", "email"))

    def get_help_text(self) -> str:
        return "不能与用户名、姓名等个人信息相近。"


class NotCommonValidator(CommonPasswordValidator):
    """Not one of the 20,000 that are tried first."""

    def get_help_text(self) -> str:
        return "不能是常见的弱密码。"
