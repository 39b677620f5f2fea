"""Government bodies of a locality and their named contacts (聊城市责任规划师制度 四(三): 分管领导、负责部门、专人)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from core.crypto import EncryptedTextField

if TYPE_CHECKING:
    from accounts.models import User


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: User) -> OrganisationQuerySet:
        from districts.access import access_of

        return self.filter(locality_id__in=access_of(user).locality_ids)


class Organisation(models.Model):
    class Kind(models.TextChoices):
        BUREAU = "bureau", "规划主管部门（市局、分局）"
        GOVERNMENT = "government", "人民政府（管委会）"
        UNIT_OFFICE = "unit_office", "责任单元主管部门（镇街、园区）"
        DEPARTMENT = "department", "委办局"
        FINANCE = "finance", "财政部门"
        OTHER = "other", "其他单位"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    name = models.CharField("名称", max_length=100)
    kind = models.CharField("类别", max_length=20, choices=Kind)
    is_active = models.BooleanField("在用", default=True)
    # Who goes on with its matters once it is dissolved; apps above carry over what it owes (organisation_closed).
    succeeded_by = models.ForeignKey(
        "self", verbose_name="停用后由谁承接", null=True, blank=True, on_delete=models.PROTECT, related_name="succeeds"
    )

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "单位"
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "name"], name="organisation_name_once", violation_error_message="同名单位已存在。"
            ),
            models.CheckConstraint(
                condition=~models.Q(succeeded_by=models.F("id")), name="organisation_not_own_successor",
                violation_error_message="承接单位不能是本单位。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> ContactQuerySet:
        from districts.access import access_of

        return self.filter(organisation__locality_id__in=access_of(user).locality_ids)


class Contact(models.Model):
    """A named contact of an organisation, for one unit or for all of its work."""

    class Duty(models.TextChoices):
        LEADER = "leader", "分管领导"
        DEPARTMENT = "department", "负责部门"
        PERSON = "person", "专人"

    organisation = models.ForeignKey(
        Organisation, verbose_name="单位", on_delete=models.CASCADE, related_name="contacts"
    )
    unit = models.ForeignKey(
        "districts.Unit",
        verbose_name="责任单元",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="contacts",
    )
    duty = models.CharField("职责", max_length=20, choices=Duty)
    name = models.CharField("姓名（部门名称）", max_length=60)
    post = models.CharField("职务", max_length=60, blank=True)
    phone = EncryptedTextField("电话", blank=True, default="")
    is_active = models.BooleanField("在任", default=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "联系人"
        ordering = ["organisation", "duty", "name"]

    def __str__(self) -> str:
        return f"{self.get_duty_display()} {self.name}"
