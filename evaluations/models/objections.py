"""Objections to a result, and what a department does about its own."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from evaluations.querysets import ObjectionQuerySet, ResponseQuerySet

PERSON = settings.AUTH_USER_MODEL


class Objection(models.Model):
    """异议: within the period, with evidence; reviewed by somebody who had no part before; then final."""

    class State(models.TextChoices):
        RAISED = "raised", "待受理"
        REVIEWING = "reviewing", "复核中"
        UPHELD = "upheld", "异议成立"
        REJECTED = "rejected", "维持原结果"
        WITHDRAWN = "withdrawn", "已撤回"

    result = models.ForeignKey("evaluations.Result", on_delete=models.PROTECT, related_name="objections")
    state = models.CharField("状态", max_length=12, choices=State, default=State.RAISED)
    raised_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField("提出时间", auto_now_add=True)
    grounds = models.TextField("异议理由")
    evidence = models.ForeignKey("core.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decision = models.TextField("复核意见", blank=True)
    decided_at = models.DateTimeField("复核时间", null=True, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "异议"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["result"],
                condition=Q(state__in=["raised", "reviewing"]),
                name="objection_one_open",
                violation_error_message="对该结果的异议正在处理。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["upheld", "rejected"]) | (~Q(decision="") & Q(reviewer__isnull=False)),
                name="objection_decided_says_why",
                violation_error_message="复核须写明意见和复核人。",
            ),
        ]


class DepartmentResponse(models.Model):
    """What a department answers to its result, what it will improve by when, and whether it did."""

    class State(models.TextChoices):
        ASKED = "asked", "待回应"
        ANSWERED = "answered", "改进中"
        DONE = "done", "已改进"
        CONFIRMED = "confirmed", "已确认"

    result = models.OneToOneField("evaluations.Result", on_delete=models.PROTECT, related_name="response")
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    statement = models.TextField("回应", blank=True)
    measures = models.TextField("改进措施", blank=True)
    due_on = models.DateField("改进期限", null=True, blank=True)
    outcome = models.TextField("改进情况", blank=True)
    answered_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField("回应时间", null=True, blank=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "主管单位回应"
        ordering = ["-pk"]
