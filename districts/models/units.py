"""Units (责任单元) and charges: what a planner can be responsible for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from core.name_search import search_text
from core.names import sort_key

if TYPE_CHECKING:
    from accounts.models import User


class ChargeQuerySet(models.QuerySet["Charge"]):
    def visible_to(self, user: User) -> ChargeQuerySet:
        from districts.access import access_of

        access = access_of(user)
        if access.charge_id is not None:
            return self.filter(pk__in=access.charge_ids)
        return self.filter(locality_id__in=access.locality_ids)


class Charge(models.Model):
    """The other side of an appointment, a log and an evaluation: a unit or a responsible project.

    A project planner is appointed to a project, not to a unit (晋市政办函〔2022〕24号 二(三)); one row for both keeps
    one foreign key and one rule everywhere. `name` follows its unit or project (see services.units.rename).
    """

    class Kind(models.TextChoices):
        UNIT = "unit", "责任单元"
        PROJECT = "project", "责任项目"

    kind = models.CharField("类别", max_length=10, choices=Kind)
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    name = models.CharField("名称", max_length=200)
    is_active = models.BooleanField("在用", default=True)

    objects = ChargeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "责任对象"
        ordering = ["locality", "kind", "name"]

    def __str__(self) -> str:
        return self.name


class UnitQuerySet(models.QuerySet["Unit"]):
    def visible_to(self, user: User) -> UnitQuerySet:
        from districts.access import access_of

        access = access_of(user)
        if access.unit_id is not None:
            return self.filter(pk__in=access.unit_ids)
        return self.filter(locality_id__in=access.locality_ids)

    def current(self, on: date) -> UnitQuerySet:
        return self.filter(Q(valid_from=None) | Q(valid_from__lte=on), Q(valid_to=None) | Q(valid_to__gte=on))


class Unit(models.Model):
    """The area served: a street, town or park, several together, or part of one (组团)."""

    class Kind(models.TextChoices):
        STREET = "street", "街道（街区）"
        TOWN = "town", "乡镇"
        PARK = "park", "园区（开发区）"
        CLUSTER = "cluster", "组团"
        OTHER = "other", "其他"

    class Origin(models.TextChoices):
        DIVISION = "division", "行政区划"
        DOCUMENT = "document", "文件确定"

    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, related_name="unit", editable=False)
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    name = models.CharField("名称", max_length=100)
    # Pinyin, so that units sort and are found the same on every database (core.names).
    sort_key = models.CharField(max_length=255, blank=True, default="", editable=False)
    search_text = models.CharField(max_length=600, blank=True, default="", editable=False)
    kind = models.CharField("类别", max_length=10, choices=Kind)
    # Which area types a locality distinguishes stands in its pack (units.focus), hence no fixed choices.
    area_type = models.CharField("片区类型", max_length=30, blank=True)
    office = models.ForeignKey(
        "districts.Organisation",
        verbose_name="主管部门",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="units",
    )
    origin = models.CharField("来源", max_length=10, choices=Origin)
    source = models.CharField("文件依据", max_length=200, blank=True, help_text="由文件确定的，写明文件和条款。")
    valid_from = models.DateField("设立日期", null=True, blank=True)
    valid_to = models.DateField("撤销日期", null=True, blank=True)
    note = models.TextField("备注", blank=True)
    # Came from other units of its locality: kept, so that only those with a past are asked about it at each request.
    has_past = models.BooleanField(default=False, editable=False)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "责任单元"
        ordering = ["locality", "sort_key", "name"]
        indexes = [models.Index(fields=["locality", "sort_key"], name="unit_locality_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "name"],
                condition=Q(valid_to=None),
                name="unit_name_once",
                violation_error_message="本地方已有同名的责任单元。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="unit_dates_in_order",
                violation_error_message="撤销日期不能早于设立日期。",
            ),
            models.CheckConstraint(
                condition=~Q(origin="document") | ~Q(source=""),
                name="unit_document_named",
                violation_error_message="由文件确定的责任单元须写明文件依据。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Every way of writing a name writes what it is sorted and found by; bulk_create has to see to it itself.
        self.sort_key, self.search_text = sort_key(self.name), search_text(self.name)
        if kwargs.get("update_fields") is not None and "name" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key", "search_text"}
        super().save(*args, **kwargs)


class UnitPart(models.Model):
    """A street or town that a unit covers, whole or in part."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="parts")
    division = models.ForeignKey("districts.Division", verbose_name="街道（乡镇）", on_delete=models.PROTECT)
    portion = models.CharField("部分范围", max_length=200, blank=True, help_text="只含一部分时写明范围；全部则留空。")

    class Meta:
        verbose_name = verbose_name_plural = "覆盖范围"
        constraints = [models.UniqueConstraint(fields=["unit", "division"], name="unit_part_once")]

    def __str__(self) -> str:
        return f"{self.division.name}（{self.portion}）" if self.portion else self.division.name
