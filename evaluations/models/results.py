"""What a round comes to: computed results, what the working group changed and why, and its minutes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from evaluations.querysets import OfRoundQuerySet, ResultQuerySet

PERSON = settings.AUTH_USER_MODEL


class Result(models.Model):
    """A subject's result. `score` and `grade` are computed and never typed; `final_*` follow adjustments.

    `figures` explains it down to single answers (`scoring.Score` as JSON) for those entitled. Once published it is
    never edited: a correction is the next version.
    """

    class State(models.TextChoices):
        COMPUTED = "computed", "已测算"
        SETTLED = "settled", "已审定"
        PUBLISHED = "published", "已生效"

    subject = models.ForeignKey("evaluations.Subject", on_delete=models.PROTECT, related_name="results")
    version = models.PositiveIntegerField("版次", default=1)
    state = models.CharField("状态", max_length=12, choices=State, default=State.COMPUTED)
    score = models.DecimalField("得分", max_digits=5, decimal_places=2, null=True, blank=True)
    by_score = models.CharField("按分数线的等级", max_length=20, blank=True)
    grade = models.CharField("测算等级", max_length=20, blank=True)
    rank = models.PositiveIntegerField("名次", null=True, blank=True)
    note = models.CharField("说明", max_length=300, blank=True)
    unset = models.JSONField("未设定", default=list)
    figures = models.JSONField("计算过程", default=dict)
    final_score = models.DecimalField("审定得分", max_digits=5, decimal_places=2, null=True, blank=True)
    final_grade = models.CharField("审定等级", max_length=20, blank=True)
    computed_at = models.DateTimeField("测算时间", auto_now=True)
    letter = models.ForeignKey("core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )

    objects = ResultQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评估结果"
        ordering = ["subject", "-version"]
        constraints = [models.UniqueConstraint(fields=["subject", "version"], name="result_once")]

    def __str__(self) -> str:
        return f"{self.subject}：{self.final_grade or self.grade or '未定'}"


class Adjustment(models.Model):
    """A change by deliberation or upon an objection; always with a reason, never changed or removed."""

    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="adjustments")
    objection = models.ForeignKey(
        "evaluations.Objection", null=True, blank=True, on_delete=models.PROTECT, related_name="adjustments"
    )
    from_score = models.DecimalField("原得分", max_digits=5, decimal_places=2, null=True, blank=True)
    to_score = models.DecimalField("调整后得分", max_digits=5, decimal_places=2, null=True, blank=True)
    from_grade = models.CharField("原等级", max_length=20, blank=True)
    to_grade = models.CharField("调整后等级", max_length=20, blank=True)
    reason = models.CharField("理由", max_length=500)
    made_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "结果调整"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="adjustment_has_reason", violation_error_message="请填写调整理由。"
            )
        ]


class Deliberation(models.Model):
    """The meeting of whoever approves (evaluation.approval), with its minutes; several where one is adjourned."""

    round = models.ForeignKey("evaluations.Round", on_delete=models.PROTECT, related_name="deliberations")
    body = models.CharField("审议机构", max_length=80)
    held_on = models.DateField("审议日期")
    attendees = models.TextField("出席人员", blank=True)
    minutes = models.TextField("审议意见", blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = OfRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "审议"
        ordering = ["round", "held_on", "pk"]
