"""Replies to results, the yearly review of the system itself, supervision of districts and circulars about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from evaluations.querysets.oversight import CircularQuerySet, InspectionQuerySet, ReplyQuerySet, ReviewQuerySet

PERSON = settings.AUTH_USER_MODEL


class ResultReply(models.Model):
    """The subject's word on its result: read, and what it has to say. Once; whoever disagrees objects."""

    result = models.OneToOneField("evaluations.Result", on_delete=models.PROTECT, related_name="reply")
    text = models.TextField("回复", blank=True)
    replied_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    replied_at = models.DateTimeField("回复时间", auto_now_add=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "结果回复"
        ordering = ["-pk"]


class SystemReview(models.Model):
    """制度评估: how the system itself did in a year and what is to be improved (聊政办 三(一)). Settled it stands; what
    comes later is a new version."""

    class State(models.TextChoices):
        DRAFT = "draft", "起草"
        SETTLED = "settled", "已定稿"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField("年度")
    version = models.PositiveSmallIntegerField("版次", default=1)
    state = models.CharField("状态", max_length=8, choices=State, default=State.DRAFT)
    # What the portal counted on the day it was settled: [{"label", "value", "unit", "note"}].
    facts = models.JSONField("数据", default=list)
    findings = models.TextField("主要问题", blank=True)
    proposals = models.TextField("改进建议", blank=True)
    revision = models.PositiveIntegerField(default=0)
    drafted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    settled_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField("定稿时间", null=True, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "制度评估"
        ordering = ["-year", "locality", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["locality", "year", "version"], name="system_review_once"),
            models.UniqueConstraint(
                fields=["locality", "year"], condition=Q(state="draft"), name="system_review_one_draft",
                violation_error_message="该年度的制度评估正在起草。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.locality}{self.year}年度制度评估"


class Inspection(models.Model):
    """督查: what whoever supervises found in a locality, or in one office of it; what is asked by when; what was done."""

    class State(models.TextChoices):
        OPEN = "open", "待整改"
        ANSWERED = "answered", "已反馈"
        CLOSED = "closed", "已办结"
        CANCELLED = "cancelled", "已撤销"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        "districts.Organisation", verbose_name="受督查单位", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    by_city = models.BooleanField("市级督查", default=False)
    number = models.CharField("编号", max_length=30, unique=True)
    held_on = models.DateField("督查日期")
    findings = models.TextField("督查发现")
    demands = models.TextField("整改要求")
    due_on = models.DateField("整改期限")
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    made_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField("登记时间", auto_now_add=True)
    answer = models.TextField("整改情况", blank=True)
    answered_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField("反馈时间", null=True, blank=True)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "督查"
        ordering = ["-held_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["answered", "closed"]) | ~Q(answer=""), name="inspection_answered_says_what",
                violation_error_message="请填写整改情况。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"督查 {self.number}"


class Circular(models.Model):
    """通报: a circular about how localities, units and offices carry the system out; its table is the portal's own."""

    class State(models.TextChoices):
        DRAFT = "draft", "拟稿"
        OUT = "out", "已印发"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT, related_name="+")
    title = models.CharField("标题", max_length=100)
    start = models.DateField("期间起")
    end = models.DateField("期间止")
    text = models.TextField("通报内容")
    # [{"label", "planners", "logs", ...}] as it stood when it went out.
    rows = models.JSONField("落实情况", default=list)
    state = models.CharField("状态", max_length=8, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    out_at = models.DateTimeField("印发时间", null=True, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = CircularQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通报"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end__gte=models.F("start")), name="circular_dates_in_order",
                violation_error_message="期间止不能早于期间起。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title
