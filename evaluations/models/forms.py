"""Evaluation forms as data: what is asked, on which scale, with which weight and which evidence beside it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Form(models.Model):
    """The form of one direction in one step. Frozen when the round opens: from then on nothing of it changes.

    `digest` is of everything a rater sees; a recount compares it.
    """

    class Direction(models.TextChoices):
        PLANNER = "planner", "评估责任规划师"
        DEPARTMENT = "department", "评价主管单位"

    class State(models.TextChoices):
        DRAFT = "draft", "编制中"
        FROZEN = "frozen", "已锁定"

    step = models.ForeignKey("evaluations.RoundStep", on_delete=models.CASCADE, related_name="forms")
    direction = models.CharField("方向", max_length=12, choices=Direction)
    title = models.CharField("名称", max_length=80)
    note = models.TextField("填写说明", blank=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=0, help_text="每次修改加一，用于发现两处同时修改。")
    digest = models.CharField(max_length=64, blank=True, editable=False)
    copied_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "评估表样"
        ordering = ["step", "direction"]
        constraints = [models.UniqueConstraint(fields=["step", "direction"], name="form_once")]

    def __str__(self) -> str:
        return self.title


class Indicator(models.Model):
    """One line of a form. Weights are the pack's (evaluation.*_weights), written here when the form is frozen."""

    class Kind(models.TextChoices):
        SCORE = "score", "打分"
        YES_NO = "yes_no", "是否"
        COUNT = "count", "由系统数据计分"
        TEXT = "text", "文字"

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="indicators")
    order = models.PositiveSmallIntegerField("序号", default=0)
    code = models.CharField("代码", max_length=40)
    title = models.CharField("指标", max_length=60)
    note = models.CharField("说明", max_length=300, blank=True)
    kind = models.CharField("方式", max_length=8, choices=Kind, default=Kind.SCORE)
    weight = models.DecimalField("权重", max_digits=5, decimal_places=2, null=True, blank=True)
    low = models.DecimalField("最低分", max_digits=6, decimal_places=2, default=0)
    high = models.DecimalField("最高分", max_digits=6, decimal_places=2, default=100)
    increment = models.DecimalField("分档", max_digits=6, decimal_places=2, default=1)
    # Of a count: which evidence gives it, and what counts as full.
    source = models.CharField("数据来源", max_length=40, blank=True)
    full_at = models.DecimalField("满分对应的数值", max_digits=10, decimal_places=2, null=True, blank=True)
    # A comment is owed at or beyond these points (of 100); empty: never.
    comment_at_most = models.DecimalField("得分不高于时须说明", max_digits=5, decimal_places=2, null=True, blank=True)
    comment_at_least = models.DecimalField("得分不低于时须说明", max_digits=5, decimal_places=2, null=True, blank=True)
    # Codes of the evidence shown beside it (evaluations.evidence).
    evidence = models.JSONField("旁列数据", default=list, blank=True)
    is_required = models.BooleanField("必填", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "评估指标"
        ordering = ["form", "order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["form", "code"], name="indicator_once", violation_error_message="指标代码重复。"
            ),
            models.CheckConstraint(
                condition=~Q(kind="score") | (Q(high__gt=F("low")) & Q(increment__gt=0)),
                name="indicator_scale_in_order",
                violation_error_message="最高分须大于最低分，分档须大于零。",
            ),
            models.CheckConstraint(
                condition=~Q(kind="count") | (~Q(source="") & Q(full_at__gt=0)),
                name="indicator_count_has_source",
                violation_error_message="由系统数据计分的指标须写明数据来源和满分对应的数值。",
            ),
        ]

    def __str__(self) -> str:
        return self.title
