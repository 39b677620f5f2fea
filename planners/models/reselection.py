"""退出和再遴选: a charge whose planner was let go must be given to somebody chosen anew (晋市政办函〔2022〕24号 三(三))."""

from __future__ import annotations

from django.db import models

from planners.querysets import ReselectionQuerySet


class Reselection(models.Model):
    """One charge left behind by a contract that was ended, where the policy asks for a new choice.

    Who took over is not noted here but found: the first signed assignment to the charge after that day, under another
    contract (`with_successor`).
    """

    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="reselections")
    charge = models.ForeignKey("districts.Charge", on_delete=models.PROTECT, related_name="reselections")
    left_on = models.DateField("退出日期")
    ground = models.CharField("退出原因", max_length=300)
    article = models.CharField("依据", max_length=200, blank=True)
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ReselectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "再遴选"
        ordering = ["-left_on", "-pk"]
        constraints = [models.UniqueConstraint(fields=["contract", "charge"], name="reselection_once")]

    def __str__(self) -> str:
        return f"{self.charge.name}再遴选"
