"""Results and honours received: handed down by the evaluation, read by renewals, settlements and the register."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from planners.querysets import AssessmentQuerySet, HonourQuerySet


class Assessment(models.Model):
    """An evaluation's result about a contract: of its party as a whole, or of one of its holders.

    Never edited: a corrected result comes beside it and `superseded_by` says so. `source` names the record it came
    from, so that the same result handed down twice is one row.
    """

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="assessments")
    planner = models.ForeignKey(
        "planners.Planner", null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    group = models.ForeignKey(
        "planners.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    team = models.ForeignKey(
        "planners.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    institution = models.ForeignKey(
        "planners.Institution", null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    title = models.CharField("名称", max_length=120)
    start = models.DateField("期间起")
    end = models.DateField("期间止")
    score = models.DecimalField("得分", max_digits=5, decimal_places=2, null=True, blank=True)
    grade = models.CharField("等级", max_length=20, blank=True)
    decided_on = models.DateField("生效日期")
    source = models.CharField(max_length=80, unique=True, editable=False)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评估结果"
        ordering = ["-end", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="assessment_dates_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.grade or '未定'}"


class Honour(models.Model):
    """An honour or a credit bonus; it goes to whom the pack names (京核心区 六(一)3: the bonus to the institution)."""

    class Kind(models.TextChoices):
        TITLE = "title", "称号"
        AWARD = "award", "奖励"
        CREDIT = "credit", "信用加分"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    kind = models.CharField("类别", max_length=8, choices=Kind)
    planner = models.ForeignKey(
        "planners.Planner", null=True, blank=True, on_delete=models.PROTECT, related_name="honours"
    )
    team = models.ForeignKey("planners.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="honours")
    institution = models.ForeignKey(
        "planners.Institution", null=True, blank=True, on_delete=models.PROTECT, related_name="honours"
    )
    title = models.CharField("名称", max_length=120)
    issuer = models.CharField("授予单位", max_length=80, blank=True)
    given_on = models.DateField("授予日期")
    assessment = models.ForeignKey(Assessment, null=True, blank=True, on_delete=models.PROTECT, related_name="honours")
    article = models.CharField("依据", max_length=160, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = HonourQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "荣誉"
        ordering = ["-given_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(planner__isnull=False, team__isnull=True, institution__isnull=True)
                | Q(planner__isnull=True, team__isnull=False, institution__isnull=True)
                | Q(planner__isnull=True, team__isnull=True, institution__isnull=False),
                name="honour_one_recipient",
                violation_error_message="荣誉的对象只能有一个。",
            ),
        ]

    def __str__(self) -> str:
        return self.title
