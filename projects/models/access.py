"""Who keeps out of a project, and who may read what: recusals and planners' requests for data (R56)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.querysets import DataRequestQuerySet, RecusalQuerySet

if TYPE_CHECKING:
    from districts.models import Locality

_USER = settings.AUTH_USER_MODEL


class Recusal(models.Model):
    """A planner keeps out of a project: declared, or because their institution designs or builds it."""

    class Ground(models.TextChoices):
        INSTITUTION = "institution", "所在单位参与该项目"
        DECLARED = "declared", "本人申请回避"
        OTHER = "other", "其他利害关系"

    project = models.ForeignKey("projects.Project", on_delete=models.PROTECT, related_name="recusals")
    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="recusals")
    ground = models.CharField("原因类别", max_length=12, choices=Ground)
    reason = models.CharField("说明", max_length=300)
    replaced_by = models.ForeignKey(
        "planners.Planner", verbose_name="由谁接替", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField("登记时间", auto_now_add=True)
    ended_at = models.DateTimeField("解除时间", null=True, blank=True)
    end_reason = models.CharField("解除原因", max_length=300, blank=True)

    objects = RecusalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "回避"
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "planner"], condition=Q(ended_at=None), name="recusal_once",
                violation_error_message="该规划师已登记回避。",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | ~Q(end_reason=""), name="recusal_end_has_reason",
                violation_error_message="解除回避须写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.planner.name} 回避"

    @property
    def locality(self) -> Locality:
        """Where it is kept, for the audit log."""
        return self.project.locality


class DataRequest(models.Model):
    """A planner asks for data (京核心区 六(一)2, 通州 三(三)2): granted or refused with a reason, by confidentiality."""

    class Level(models.TextChoices):
        PUBLIC = "public", "公开"
        INTERNAL = "internal", "内部"
        CONFIDENTIAL = "confidential", "须签保密协议"

    class State(models.TextChoices):
        ASKED = "asked", "待答复"
        GRANTED = "granted", "已提供"
        REFUSED = "refused", "未提供"
        WITHDRAWN = "withdrawn", "已撤回"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="data_requests")
    project = models.ForeignKey(
        "projects.Project", null=True, blank=True, on_delete=models.PROTECT, related_name="data_requests"
    )
    what = models.CharField("所需资料", max_length=200)
    purpose = models.CharField("用途", max_length=300)
    level = models.CharField("资料级别", max_length=12, choices=Level, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    answer = models.CharField("答复说明", max_length=300, blank=True)
    answered_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateField("可查阅至", null=True, blank=True)
    created = models.DateTimeField("申请时间", auto_now_add=True)

    objects = DataRequestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资料申请"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(answer=""), name="data_refusal_has_reason",
                violation_error_message="不提供须写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(state="granted") | ~Q(level=""), name="data_granted_has_level",
                violation_error_message="请选择资料级别。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return reverse("projects:data-request", args=[self.pk])


class DataRequestFile(models.Model):
    """A file handed over."""

    request = models.ForeignKey(DataRequest, on_delete=models.PROTECT, related_name="files")
    file = models.ForeignKey("core.StoredFile", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "提供的资料"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.file.original_name
