"""What became of units: renamed, merged, split, retired, handed over; by which document, from which day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.name_search import search_text

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Unit


class UnitChangeQuerySet(models.QuerySet["UnitChange"]):
    def visible_to(self, user: User) -> UnitChangeQuerySet:
        """Both sides of a hand-over see it; a unit's office sees what concerns its own unit."""
        from districts.access import access_of

        access = access_of(user)
        if access.unit_id is not None:
            rows = UnitSuccession.objects.filter(
                Q(predecessor_id__in=access.unit_ids) | Q(successor_id__in=access.unit_ids)
            )
            return self.filter(pk__in=rows.values("change_id"))
        places = access.locality_ids
        received = UnitSuccession.objects.filter(successor__locality_id__in=places).values("change_id")
        return self.filter(Q(locality_id__in=places) | Q(pk__in=received))


class UnitChange(models.Model):
    """One decision about units. It stands for good: a mistaken one is mended by a further one.

    `effective` is the first day of the new order. `effects` is what was carried over, row by row, as it was shown
    before the act (see services.unit_changes). Names, streets and contacts follow on the effective day (`settled`).
    """

    class Kind(models.TextChoices):
        RENAME = "rename", "更名"
        MERGE = "merge", "合并"
        SPLIT = "split", "拆分"
        RETIRE = "retire", "撤销"
        HANDOVER = "handover", "划转"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    kind = models.CharField("变更方式", max_length=10, choices=Kind)
    effective = models.DateField("生效日期")
    document_number = models.CharField("文号", max_length=60)
    document_date = models.DateField("文件日期")
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="文件扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField("说明", max_length=500, blank=True)
    effects = models.JSONField("随之变动", default=list, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="经办人", on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField("办理时间", auto_now_add=True)
    settled = models.DateTimeField("落实时间", null=True, editable=False)

    objects = UnitChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "责任单元变更"
        ordering = ["-effective", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(document_number=""),
                name="unit_change_has_document",
                violation_error_message="请填写文号。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}（{self.document_number}）"

    def get_absolute_url(self) -> str:
        return reverse("districts:unit-change-detail", args=[self.pk])


class UnitSuccession(models.Model):
    """Which unit came from which: one row for each pair, with the names of the day.

    A rename has one row with the same unit on both sides; a unit that is retired has no successor; a unit that goes
    on smaller after a split has no row of its own.
    """

    change = models.ForeignKey(UnitChange, on_delete=models.CASCADE, related_name="lines")
    predecessor = models.ForeignKey("districts.Unit", on_delete=models.PROTECT, related_name="changes_onward")
    predecessor_name = models.CharField(max_length=100)
    successor = models.ForeignKey(
        "districts.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="changes_back"
    )
    successor_name = models.CharField(max_length=100, blank=True)
    # Former names are found like present ones (core.name_search).
    search_text = models.CharField(max_length=600, blank=True, default="", editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "责任单元沿革"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["change", "predecessor", "successor"], name="unit_succession_once"),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_name} → {self.successor_name or '撤销'}"

    @property
    def is_rename(self) -> bool:
        return self.predecessor_id == self.successor_id

    @classmethod
    def of(cls, change: UnitChange, predecessor: Unit, successor: Unit | None, **names: str) -> UnitSuccession:
        """An unsaved row with the names that both have now, unless `names` says otherwise."""
        before = names.get("predecessor_name") or str(predecessor)
        after = names.get("successor_name") or (str(successor) if successor is not None else "")
        return cls(
            change=change, predecessor=predecessor, predecessor_name=before, successor=successor, successor_name=after,
            search_text=search_text(before, limit=600),
        )  # fmt: skip
