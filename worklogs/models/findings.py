"""What deserves a second look in a log, kept beside it; and what somebody noted about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from worklogs.plausibility import CODES, sentence, title
from worklogs.querysets import LogFindingQuerySet


class LogFinding(models.Model):
    """A finding of `worklogs.plausibility` about one log. Evidence never changes on a row: other evidence is another
    row (by its fingerprint). One that no longer holds goes, unless it was noted: then it stays, no longer `current`."""

    class State(models.TextChoices):
        OPEN = "open", "待核对"
        NOTED = "noted", "已核对"

    log = models.ForeignKey("worklogs.WorkLog", on_delete=models.CASCADE, related_name="findings")
    code = models.CharField("提示", max_length=16, choices=CODES.items())
    fingerprint = models.CharField(max_length=32, editable=False)
    facts = models.JSONField("依据", default=dict)
    current = models.BooleanField(default=True)
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)
    note = models.CharField("核对说明", max_length=200, blank=True)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="核对人", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    noted_at = models.DateTimeField("核对时间", null=True, blank=True)
    found_at = models.DateTimeField("提示时间", auto_now_add=True)

    objects = LogFindingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "核对提示"
        ordering = ["log", "code", "pk"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["state", "code", "log"], condition=Q(current=True), name="finding_current"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["log", "code", "fingerprint"], name="finding_once"),
            models.CheckConstraint(
                condition=~Q(state="noted") | (Q(noted_at__isnull=False) & ~Q(note="")), name="finding_noted_has_note"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def locality(self) -> Any:
        return self.log.locality

    @property
    def title(self) -> str:
        return title(self.code)

    @property
    def sentence(self) -> str:
        return sentence(self.code, self.facts)


class CheckTouch(models.Model):
    """A planner's month to be looked through again: written with the change, gone once that is done."""

    planner = models.ForeignKey("planners.Planner", on_delete=models.CASCADE, related_name="+")
    month = models.DateField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "待核对的月份"
        default_permissions = ()


class PhotoBand(models.Model):
    """One of the eight parts of a photo's fingerprint: nearly the same pictures are found through an equal one."""

    photo = models.ForeignKey("worklogs.LogPhoto", on_delete=models.CASCADE, related_name="bands")
    band = models.PositiveIntegerField(db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "图像指纹分段"
        default_permissions = ()
