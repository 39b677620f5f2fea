"""Who or what a round evaluates."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from evaluations.querysets import SubjectQuerySet


class Subject(models.Model):
    """受评对象: on the planners' side a planner, group, team or institution under one account; on the other an office.

    Computed from contracts, assignments and pack (services.subjects); leaving one out takes a reason.
    """

    class Direction(models.TextChoices):
        PLANNER = "planner", "责任规划师"
        DEPARTMENT = "department", "主管单位"

    round = models.ForeignKey("evaluations.Round", on_delete=models.CASCADE, related_name="subjects")
    direction = models.CharField("方向", max_length=12, choices=Direction)
    # Who it is, in one word; nulls do not collide in a unique constraint.
    key = models.CharField(max_length=80, editable=False)
    label = models.CharField("受评对象", max_length=200)
    sort_key = models.CharField(max_length=255, editable=False)
    contract = models.ForeignKey(
        "planners.Contract", null=True, blank=True, on_delete=models.PROTECT, related_name="evaluated"
    )
    planner = models.ForeignKey(
        "planners.Planner", null=True, blank=True, on_delete=models.PROTECT, related_name="evaluated"
    )
    group = models.ForeignKey("planners.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("planners.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    institution = models.ForeignKey(
        "planners.Institution", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey("districts.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        "districts.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    charges = models.ManyToManyField("districts.Charge", through="SubjectCharge", related_name="+")
    served_from = models.DateField("服务起", null=True, blank=True)
    served_until = models.DateField("服务止", null=True, blank=True)
    served_days = models.PositiveIntegerField("服务天数（日历日）", default=0)
    left_out_reason = models.CharField("不参评的原因", max_length=300, blank=True)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "受评对象"
        ordering = ["round", "direction", "sort_key", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "direction", "key"], name="subject_once"),
            models.CheckConstraint(
                condition=Q(direction="department") | Q(contract__isnull=False),
                name="subject_planner_has_contract",
                violation_error_message="责任规划师一方的受评对象须有合同。",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SubjectCharge(models.Model):
    """A charge that the subject serves in the period, and on how many days: whose office rates it, with what share."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="service")
    charge = models.ForeignKey("districts.Charge", on_delete=models.PROTECT, related_name="+")
    days = models.PositiveIntegerField("服务天数（日历日）", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "服务的责任对象"
        ordering = ["subject", "charge"]
        constraints = [models.UniqueConstraint(fields=["subject", "charge"], name="subject_charge_once")]
