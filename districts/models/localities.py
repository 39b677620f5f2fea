"""A locality: a county, district or city that runs the system under its own policy pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class LocalityQuerySet(models.QuerySet["Locality"]):
    def visible_to(self, user: User) -> LocalityQuerySet:
        from districts.access import access_of

        return self.filter(pk__in=access_of(user).locality_ids)


class Locality(models.Model):
    """Named by its six-digit administrative code; city level is padded (140500)."""

    code = models.CharField(
        "行政区划代码", max_length=6, unique=True, validators=[RegexValidator(r"^\d{6}$", "应为六位数字。")]
    )
    name = models.CharField("名称", max_length=60)
    division = models.ForeignKey(
        "districts.Division", verbose_name="行政区划", null=True, blank=True, on_delete=models.PROTECT
    )
    parent = models.ForeignKey(
        "self", verbose_name="上级地方", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    is_active = models.BooleanField("启用", default=True)

    objects = LocalityQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "地方"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name
