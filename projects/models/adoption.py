"""What became of each item: 采纳, 部分采纳, 不采纳, by whom, until when, and the proof."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from projects.querysets import ItemAnswerQuerySet

_USER = settings.AUTH_USER_MODEL


class ItemAnswer(models.Model):
    """The answer to one item. Never edited: a changed answer is the next version and says why.

    `asker` is who answered on the day: where a body was dissolved since, its answers stay counted as its own.
    """

    class Decision(models.TextChoices):
        ADOPTED = "adopted", "采纳"
        PARTLY = "partly", "部分采纳"
        REFUSED = "refused", "不采纳"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    item = models.ForeignKey("projects.OpinionItem", on_delete=models.PROTECT, related_name="answers")
    version = models.PositiveSmallIntegerField("版次", default=1)
    decision = models.CharField("采纳情况", max_length=8, choices=Decision)
    reason = models.CharField("理由", max_length=500, blank=True)
    owner = models.CharField("落实责任人", max_length=80, blank=True)
    due_on = models.DateField("落实期限", null=True, blank=True)
    asker = models.ForeignKey("districts.Organisation", on_delete=models.PROTECT, related_name="+")
    answered_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(auto_now_add=True)
    change_reason = models.CharField("变更原因", max_length=300, blank=True)
    is_current = models.BooleanField(default=True)
    escalation = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = ItemAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "采纳反馈"
        ordering = ["item", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "version"], name="item_answer_version_once", violation_error_message="已被他人反馈。"
            ),
            models.UniqueConstraint(fields=["item"], condition=Q(is_current=True), name="item_one_current_answer"),
            models.CheckConstraint(
                condition=Q(decision="adopted") | ~Q(reason=""), name="item_refusal_has_reason",
                violation_error_message="部分采纳和不采纳须写明理由。",
            ),
            models.CheckConstraint(
                condition=Q(decision="refused") | (~Q(owner="") & Q(due_on__isnull=False)),
                name="item_adopted_has_owner", violation_error_message="采纳和部分采纳须写明落实责任人和期限。",
            ),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(change_reason=""), name="item_change_has_reason",
                violation_error_message="变更须写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.item} {self.get_decision_display()}"


class ItemProof(models.Model):
    """That what was adopted was done: when, and the evidence."""

    answer = models.ForeignKey(ItemAnswer, on_delete=models.PROTECT, related_name="proofs")
    done_on = models.DateField("落实日期")
    text = models.CharField("落实情况", max_length=500)
    file = models.ForeignKey(
        "core.StoredFile", verbose_name="佐证", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "落实佐证"
        ordering = ["answer", "pk"]

    def __str__(self) -> str:
        return f"{self.done_on} 已落实"
