"""Inspections (施工巡查): a work log with what was found, photos pinned to a drawing, and what is to be mended."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from projects.models import Rectification
from worklogs.querysets import InspectionQuerySet

from .logs import LogPhoto, WorkLog


class Inspection(models.Model):
    """One to one with a work log of kind 施工巡查 that names its project; day, hours and state are the log's.

    A correction of the log is another log: what was found stays with the first version.
    """

    log = models.OneToOneField(WorkLog, on_delete=models.CASCADE, related_name="inspection")
    created = models.DateTimeField(auto_now_add=True)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "施工巡查"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.log.date} 巡查"


class InspectionFinding(models.Model):
    """One thing found (京核心区 四(二): 整体风貌、重要节点、建筑和公共空间的关系). With `demand` it becomes a rectification
    when the log is handed in; what becomes of it then is kept by projects."""

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name="findings")
    position = models.PositiveSmallIntegerField("序号")
    subject = models.CharField("类别", max_length=16, choices=Rectification.Subject)
    text = models.TextField("发现", max_length=2000)
    demand = models.TextField("整改意见", max_length=2000, blank=True)
    basis = models.CharField("依据", max_length=300, blank=True)
    contractor = models.ForeignKey(
        "projects.ProjectParty", verbose_name="整改单位", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    due_on = models.DateField("整改期限", null=True, blank=True)
    rectification = models.OneToOneField(
        "projects.Rectification", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "巡查发现"
        ordering = ["inspection", "position"]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "position"], name="finding_position_once"),
            models.CheckConstraint(
                condition=Q(demand="") | Q(contractor__isnull=False), name="finding_demand_has_contractor",
                violation_error_message="提出整改意见须写明整改单位。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"发现 {self.position}"


class FindingPhoto(models.Model):
    """A photo of the log that shows the finding; `plan`, `x`, `y`: where, in per mille of the drawing."""

    finding = models.ForeignKey(InspectionFinding, on_delete=models.CASCADE, related_name="photos")
    photo = models.OneToOneField(LogPhoto, on_delete=models.CASCADE, related_name="found")
    plan = models.ForeignKey(
        "projects.ProjectFileVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    x = models.PositiveSmallIntegerField(null=True, blank=True)
    y = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "发现的照片"
        ordering = ["finding", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan=None, x=None, y=None)
                | Q(plan__isnull=False, x__isnull=False, y__isnull=False, x__lte=1000, y__lte=1000),
                name="finding_pin_is_whole",
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding} 照片"
