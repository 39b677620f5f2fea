"""Dry runs of a local decision: every subject's year counted again under the values that the decision would set.

A report and nothing else: no figure, contract or version is written. Numbers are those of the same tally that makes
the kept figures (`worklogs.services.trials`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

if TYPE_CHECKING:
    from accounts.models import User


class PolicyTrialQuerySet(models.QuerySet["PolicyTrial"]):
    def visible_to(self, user: User) -> PolicyTrialQuerySet:
        """Whoever prepares decisions there: the bureau."""
        from accounts.roles import Role
        from districts.access import access_of

        access = access_of(user)
        if not access.is_role(Role.BUREAU):
            return self.none()
        return self.filter(decision__locality_id__in=access.locality_ids)


class PolicyTrial(models.Model):
    """One dry run of one decision for one year. `fingerprint`: of the decision and the versions that it rests on.

    `report`: counts and sums (see `services.trials.Report`), once `finished`.
    """

    decision = models.ForeignKey("districts.PolicyDecision", on_delete=models.CASCADE, related_name="trials")
    year = models.PositiveSmallIntegerField("年度")
    as_of = models.DateField("截至")
    fingerprint = models.CharField(max_length=64, editable=False)
    report = models.JSONField("结果", default=dict)
    job = models.ForeignKey("core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField("试算时间", auto_now_add=True)
    finished = models.DateTimeField("完成时间", null=True, blank=True)

    objects = PolicyTrialQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "制度试算"
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.decision} {self.year}年试算"

    def get_absolute_url(self) -> str:
        return reverse("worklogs:trial", args=[self.pk])


def _number(label: str) -> models.DecimalField:
    """A figure that is null while it is 未设定, or the subject does not exist on that side."""
    return models.DecimalField(label, max_digits=12, decimal_places=2, null=True, blank=True)


class PolicyTrialRowQuerySet(models.QuerySet["PolicyTrialRow"]):
    def visible_to(self, user: User) -> PolicyTrialRowQuerySet:
        return self.filter(trial__in=PolicyTrial.objects.visible_to(user))


class PolicyTrialRow(models.Model):
    """One subject of the tally, as it counts now and as it would.

    A subject may stand on one side alone: a decision on whose quota it is makes other subjects (`side`).
    `applies`: the decision reaches the contract; else the contract keeps the version that it was signed under, and the
    numbers say what the new values would mean for it. `change`: of the deduction, 0 where either is not known.
    `unset_before`, `unset_after`: for each open figure the policy keys that keep it open.
    """

    class Side(models.TextChoices):
        BOTH = "both", "前后都有"
        BEFORE = "before", "仅现行"
        AFTER = "after", "仅新值"

    trial = models.ForeignKey(PolicyTrial, on_delete=models.CASCADE, related_name="rows")
    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="+", db_index=False)
    subject = models.CharField(max_length=80, editable=False)
    label = models.CharField("对象", max_length=240)
    sort_key = models.CharField(max_length=255, editable=False)
    search_text = models.CharField(max_length=600, editable=False)
    side = models.CharField("所在", max_length=6, choices=Side, default=Side.BOTH)
    applies = models.BooleanField("受本决定约束", default=False)
    planners = models.JSONField("成员", default=list)

    required_days_before = _number("应完成天数（现行）")
    required_days_after = _number("应完成天数（新值）")
    days_before = _number("服务天数（现行）")
    days_after = _number("服务天数（新值）")
    shortfall_days_before = _number("天数不足（现行）")
    shortfall_days_after = _number("天数不足（新值）")
    required_visits_before = _number("应走访次数（现行）")
    required_visits_after = _number("应走访次数（新值）")
    visits_before = _number("走访次数（现行）")
    visits_after = _number("走访次数（新值）")
    shortfall_visits_before = _number("次数不足（现行）")
    shortfall_visits_after = _number("次数不足（新值）")
    deduction_before = _number("扣减（现行）")
    deduction_after = _number("扣减（新值）")
    unset_before = models.JSONField("未设定（现行）", default=dict)
    unset_after = models.JSONField("未设定（新值）", default=dict)
    short_before = models.BooleanField("现行不达标", default=False)
    short_after = models.BooleanField("新值不达标", default=False)
    # Any number, or what keeps it open, is another one afterwards.
    differs = models.BooleanField("有变化", default=False)
    change = models.DecimalField("扣减变化", max_digits=12, decimal_places=2, default=0)

    objects = PolicyTrialRowQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "制度试算行"
        ordering = ["sort_key", "pk"]
        default_permissions = ()
        indexes = [models.Index(fields=["trial", "sort_key", "id"], name="trial_row_order")]
        constraints = [models.UniqueConstraint(fields=["trial", "subject"], name="trial_row_once")]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("worklogs:trial-row", args=[self.pk])

    FIGURES = (
        "required_days", "days", "shortfall_days", "required_visits", "visits", "shortfall_visits", "deduction",
    )  # fmt: skip
