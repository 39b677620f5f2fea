"""Kept figures: what the tally gives for each subject and year, ready to be listed, filtered and sorted.

Never a source: always what a recount gives (see worklogs.services.figures).
"""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from worklogs.querysets import DutyFigureQuerySet


def _number(label: str) -> models.DecimalField:
    """A figure that is null while a rule it hangs on is unset; which one stands in `unset`."""
    return models.DecimalField(label, max_digits=12, decimal_places=2, null=True, blank=True)


class DutyFigure(models.Model):
    """One subject's year (履职统计). The subject is whoever the quota is of: person, group, or team in a unit.

    `atoms`: counts of each month, from which every figure follows; `months`: the twelve months as shown;
    `unset`: for each open figure the policy keys that keep it open; `signature`: of all that the figures are made of.
    Shortfall of visits and deduction are those of `as_of`.
    """

    # Locality, contract and charge lead indexes below; every further index is written at each recount.
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT, db_index=False)
    contract = models.ForeignKey(
        "planners.Contract", verbose_name="聘用合同", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    charge = models.ForeignKey(
        "districts.Charge",
        db_index=False,
        verbose_name="责任单元（项目）",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="figures",
    )
    planner = models.ForeignKey(
        "planners.Planner",
        verbose_name="规划师",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="figures",
    )
    group = models.ForeignKey(
        "planners.Group", verbose_name="小组", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Contract, charge, planner and group in one word: nulls do not collide in a unique constraint.
    subject = models.CharField(max_length=80, editable=False)
    year = models.PositiveSmallIntegerField("年度")
    label = models.CharField("对象", max_length=240)
    # Pinyin of the label, so that lists sort the same on every database.
    sort_key = models.CharField(max_length=255, editable=False)
    # Label, full pinyin and initials in one line (core.name_search).
    search_text = models.CharField(max_length=600, editable=False)
    day_kind = models.CharField("计量单位", max_length=10, blank=True)

    days = _number("天数")
    required_days = _number("应完成天数")
    shortfall_days = _number("天数不足")
    visits = _number("走访次数")
    principal_met = _number("会见主要负责人次数")
    required_visits = _number("应走访次数")
    shortfall_visits = _number("次数不足")
    deduction = _number("扣减（元）")
    logs = models.PositiveIntegerField("记录数", default=0)
    waiting = models.PositiveIntegerField("待确认", default=0)
    unset = models.JSONField("未设定", default=dict)
    months = models.JSONField("各月", default=list)
    atoms = models.JSONField(default=dict)
    start = models.DateField("服务起", null=True)
    end = models.DateField("服务止", null=True)
    final = models.BooleanField("年度已结束", default=False)
    as_of = models.DateField("截至")
    signature = models.CharField(max_length=40, editable=False)

    objects = DutyFigureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "履职统计"
        ordering = ["-year", "sort_key", "pk"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["locality", "year", "sort_key", "id"], name="figure_locality_year"),
            models.Index(fields=["contract", "year"], name="figure_contract_year"),
            models.Index(fields=["charge", "year"], name="figure_charge_year"),
        ]
        constraints = [models.UniqueConstraint(fields=["year", "subject"], name="figure_once")]

    def __str__(self) -> str:
        return f"{self.label} {self.year}年"

    def get_absolute_url(self) -> str:
        return reverse("worklogs:figure", args=[self.pk])


class FigureTouch(models.Model):
    """A contract's year to be recounted: written with the change itself, gone once a recount that began later is done.

    Rows, because the broker may forget a message.
    """

    contract = models.ForeignKey("planners.Contract", on_delete=models.CASCADE, related_name="+")
    year = models.PositiveSmallIntegerField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "待重算"
        default_permissions = ()
