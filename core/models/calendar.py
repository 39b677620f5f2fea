"""China's working calendar: a row per day, per year whether its notice is out, and the notices as entered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class CalendarYearQuerySet(models.QuerySet["CalendarYear"]):
    def visible_to(self, user: Any) -> CalendarYearQuerySet:
        """The calendar is everybody's who works here: each figure of workdays rests on it."""
        return self if getattr(user, "is_authenticated", False) and user.is_active else self.none()


class CalendarYear(models.Model):
    """A year of the calendar and where it comes from."""

    class Status(models.TextChoices):
        PUBLISHED = "published", "已公布"
        # The State Council's notice is not out: statutory holidays alone, without 调休.
        PROVISIONAL = "provisional", "尚未公布"

    year = models.PositiveSmallIntegerField("年份", primary_key=True)
    status = models.CharField("状态", max_length=12, choices=Status)
    source = models.CharField("依据", max_length=200)
    notice_number = models.CharField("通知文号", max_length=60, blank=True)
    # Entered by a person: loading the built-in table again leaves it alone.
    is_manual = models.BooleanField("人工录入", default=False)
    updated = models.DateTimeField("更新时间", auto_now=True)

    objects = CalendarYearQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "节假日年度"
        ordering = ["-year"]

    def __str__(self) -> str:
        return f"{self.year}年（{self.get_status_display()}）"


class CalendarNotice(models.Model):
    """What was published for a year, once: a correction is the next number and says why. Rows are never changed.

    `holidays`, `makeup`: {ISO date: name of the holiday}; days at the end of the year before may be among them.
    """

    year = models.ForeignKey(CalendarYear, verbose_name="年份", on_delete=models.PROTECT, related_name="notices")
    number = models.PositiveSmallIntegerField("版本")
    title = models.CharField("通知名称", max_length=200)
    notice_number = models.CharField("通知文号", max_length=60, blank=True)
    notice_date = models.DateField("发文日期", null=True, blank=True)
    text = models.TextField("通知文字", blank=True)
    holidays = models.JSONField("放假")
    makeup = models.JSONField("调休上班")
    reason = models.CharField("更正原因", max_length=300, blank=True)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Nobody: entered by a command on the server.
    published_by: models.ForeignKey[User | None, User | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="公布人", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    published = models.DateTimeField("公布时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "节假日通知"
        ordering = ["-year", "-number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["year", "number"], name="calendar_notice_numbered_once")]

    def __str__(self) -> str:
        return f"{self.year_id}年第 {self.number} 版"

    def days_off(self) -> dict[date, str]:
        return _days(self.holidays)

    def days_worked(self) -> dict[date, str]:
        return _days(self.makeup)


def _days(kept: Mapping[str, str]) -> dict[date, str]:
    return {date.fromisoformat(day): name for day, name in kept.items()}


class CalendarDay(models.Model):
    """One date: is it worked, and why."""

    class Kind(models.TextChoices):
        WORKDAY = "workday", "工作日"
        WEEKEND = "weekend", "周末"
        HOLIDAY = "holiday", "放假"
        MAKEUP = "makeup", "调休上班"

    date = models.DateField("日期", primary_key=True)
    is_workday = models.BooleanField("工作日")
    kind = models.CharField("类别", max_length=8, choices=Kind)
    name = models.CharField("名称", max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "日历"
        ordering = ["date"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_workday=True, kind__in=["workday", "makeup"])
                | models.Q(is_workday=False, kind__in=["weekend", "holiday"]),
                name="calendar_day_kind_agrees",
                violation_error_message="类别与是否工作日不一致。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name or self.get_kind_display()}"
