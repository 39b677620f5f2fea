"""People who can log in."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.querysets import AccountManager, LoginSessionQuerySet


class User(AbstractUser):
    """A person with a login. What a person may do comes from memberships (districts.Membership), never from here."""

    name = models.CharField("姓名", max_length=60, blank=True)
    # The membership a person with several roles works under; checked against validity on each request.
    active_membership_id = models.BigIntegerField("当前身份", null=True, blank=True)
    # Where the account is kept: its administrators look after it. The roles, and where they reach, are memberships.
    locality_code = models.CharField("所属地方", max_length=6, blank=True, default="", db_index=True)
    is_demo = models.BooleanField("示例账号", default=False)
    password_set_at = models.DateTimeField("密码设置时间", null=True, blank=True)
    # For a password that somebody else has seen: handed out, or set by an administrator.
    must_change_password = models.BooleanField("下次登录须修改密码", default=False)

    # Set when a lost second factor is lifted: nothing else opens until another one is bound, whatever the role.
    must_enrol_second_factor = models.BooleanField("须重新绑定双因素认证", default=False)

    # Part of what a session is checked against: raising it ends every session of this person.
    session_epoch = models.PositiveIntegerField("会话批次", default=0)

    former_hash = ""

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        verbose_name = verbose_name_plural = "账号"

    def __str__(self) -> str:
        return self.name or self.username

    def set_password(self, raw_password: str | None) -> None:
        # Kept until the save, so that a password that was set past the rules (handed out, seeded) is remembered too.
        self.former_hash = self.password
        super().set_password(raw_password)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "accounts.User.session", f"{self.password}:{self.session_epoch}", secret=secret, algorithm="sha256"
        ).hexdigest()

    def password_due(self) -> str:
        """Why the password has to be changed now, worded for its owner; empty when it has not."""
        from accounts.validators import profile

        if self.is_demo and settings.DEMO:
            return ""
        if self.must_change_password:
            return "请先修改初始密码。"
        days = profile().max_age_days
        if days is not None and timezone.now() - (self.password_set_at or self.date_joined) > timedelta(days=days):
            return f"密码已使用超过 {days} 天，请修改后继续。"
        return ""


class LoginSession(models.Model):
    """One login on one device, from then until it ends; what its owner sees of it and can end (ASVS 7.5.2)."""

    user = models.ForeignKey(User, verbose_name="账号", on_delete=models.CASCADE, related_name="login_sessions")
    # By which the session itself is found and deleted. It changes under way; the session then brings the new one.
    key = models.CharField(max_length=40, blank=True, default="", db_index=True)
    device = models.CharField("设备", max_length=100, blank=True)
    address = models.CharField("来源地址", max_length=45, blank=True)
    started_at = models.DateTimeField("登录时间", default=timezone.now)
    seen_at = models.DateTimeField("最近使用", default=timezone.now)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    objects = LoginSessionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "登录设备"
        ordering = ["-seen_at", "-pk"]
        indexes = [models.Index(fields=["user", "-seen_at"], name="login_session_recent")]

    def __str__(self) -> str:
        return self.device or "未知设备"


class PasswordRecord(models.Model):
    """The hash of a password once used, kept so that it does not come back."""

    user = models.ForeignKey(User, verbose_name="账号", on_delete=models.CASCADE, related_name="password_records")
    hash = models.CharField("密码摘要", max_length=128)
    set_at = models.DateTimeField("设置时间", default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "历史密码"
        indexes = [models.Index(fields=["user", "-set_at"])]

    def __str__(self) -> str:
        return f"{self.user} {self.set_at:%Y-%m-%d}"
