"""A cycle: one round of a locality, with the period and the document that its pack names."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from evaluations.querysets import CycleQuerySet


class Cycle(models.Model):
    """First form: carries the year-end (or half-yearly) documents. Process values come from the version in force
    when the cycle opened, so that version is kept here."""

    class Period(models.TextChoices):
        YEAR = "year", "年度"
        HALF_YEAR = "half_year", "半年"
        TERM = "term", "任期"

    class State(models.TextChoices):
        OPEN = "open", "进行中"
        CLOSED = "closed", "已截止"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", verbose_name="适用的制度版本", on_delete=models.PROTECT, related_name="cycles"
    )
    title = models.CharField("名称", max_length=120)
    period_kind = models.CharField("周期", max_length=12, choices=Period)
    start = models.DateField("期间起")
    end = models.DateField("期间止")
    # What the pack calls the document (report.document_kind, report.title), as it was when the cycle opened.
    document_kind = models.CharField("文书类别", max_length=40)
    document_title = models.CharField("文书名称", max_length=60)
    through_team = models.BooleanField("经团队汇总", default=False)
    recipient = models.CharField("报送对象", max_length=80, blank=True)
    is_required = models.BooleanField("制度要求", default=True)
    endorsed_by_lead = models.BooleanField("由领衔审核", default=True)
    due_on = models.DateField("截止日期", null=True, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField("开启时间", auto_now_add=True)

    objects = CycleQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "述职周期"
        ordering = ["-start", "locality"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "document_kind", "start", "end"],
                name="cycle_once",
                violation_error_message="该期间的周期已开启。",
            ),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")),
                name="cycle_dates_in_order",
                violation_error_message="期间止不能早于期间起。",
            ),
        ]

    def __str__(self) -> str:
        return self.title
