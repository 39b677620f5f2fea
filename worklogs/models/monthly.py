"""The monthly report (工作月报): drawn up from a month's logs, completed by its author, locked with the month."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from worklogs.querysets_monthly import MonthlyReportQuerySet


class MonthlyReport(models.Model):
    """One account of one month at one charge under one contract: a planner's, or (`is_team`) the team's by its lead.

    `texts` is what the author judges, by section code; `facts` what the portal drew up, kept when the report is handed
    in and for good when the month is closed. A locked report is never edited: a new version supersedes it.
    `title`, `is_required` and `due_on` are what the pack asked for when the report was opened.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "未提交"
        SUBMITTED = "submitted", "待接受"
        RETURNED = "returned", "已退回"
        ACCEPTED = "accepted", "已接受"
        LOCKED = "locked", "已锁定"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="monthly_reports")
    charge = models.ForeignKey("districts.Charge", on_delete=models.PROTECT, related_name="monthly_reports")
    author = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="monthly_reports")
    is_team = models.BooleanField("团队月报", default=False)
    month = models.DateField("月份", help_text="该月第一天。")
    title = models.CharField("名称", max_length=40)
    is_required = models.BooleanField("须报送", default=False)
    due_on = models.DateField("报送期限", null=True, blank=True)

    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    version = models.PositiveIntegerField("版次", default=1)
    revision = models.PositiveIntegerField(default=0, help_text="每次保存加一，用于发现两处同时修改。")
    texts = models.JSONField("撰写内容", default=dict)
    facts = models.JSONField("当月数据", default=dict)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    accepted_at = models.DateTimeField("接受时间", null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="接受人", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    locked_at = models.DateTimeField("锁定时间", null=True, blank=True)
    return_reason = models.CharField("退回原因", max_length=300, blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    correction_reason = models.CharField("更正原因", max_length=300, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    objects = MonthlyReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "工作月报"
        ordering = ["-month", "-pk"]
        indexes = [
            models.Index(fields=["locality", "-month", "-id"], name="monthly_locality_recent"),
            models.Index(fields=["charge", "month"], name="monthly_charge_month"),
            models.Index(fields=["author", "-month"], name="monthly_author_recent"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["charge", "contract", "month", "version"], condition=Q(is_team=True), name="monthly_team_once",
                violation_error_message="该月的团队月报已存在。",
            ),
            models.UniqueConstraint(
                fields=["charge", "contract", "author", "month", "version"], condition=Q(is_team=False),
                name="monthly_once", violation_error_message="该月的月报已存在。",
            ),
            models.CheckConstraint(
                condition=Q(supersedes=None) | ~Q(correction_reason=""), name="monthly_version_has_reason",
                violation_error_message="更正须写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(state="locked") | Q(locked_at__isnull=False), name="monthly_locked_has_time"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.charge.name}{self.month:%Y年%-m月}{self.title}"

    def get_absolute_url(self) -> str:
        return reverse("worklogs:monthly", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Is it in its author's hands?"""
        return self.state in (self.State.DRAFT, self.State.RETURNED)
