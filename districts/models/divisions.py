"""China's administrative divisions, imported from CSV (see districts/data/divisions/README.md for the source)."""

from __future__ import annotations

from django.db import models


class DivisionQuerySet(models.QuerySet["Division"]):
    def counties(self) -> DivisionQuerySet:
        return self.filter(level=Division.Level.COUNTY)

    def streets_of(self, county_code: str) -> DivisionQuerySet:
        return self.filter(level=Division.Level.STREET, parent_id=county_code)


class Division(models.Model):
    """One division; `code` has 2 (province), 4 (city), 6 (county) or 9 (street, town) digits."""

    class Level(models.TextChoices):
        PROVINCE = "province", "省级"
        CITY = "city", "地级"
        COUNTY = "county", "县级"
        STREET = "street", "乡级"

    code = models.CharField("区划代码", max_length=9, primary_key=True)
    name = models.CharField("名称", max_length=60, db_index=True)
    level = models.CharField("级别", max_length=10, choices=Level)
    parent = models.ForeignKey(
        "self", verbose_name="上级", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )

    objects = DivisionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name
