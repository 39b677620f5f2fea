"""Who there is: institutions, planners, teams and their groups."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.crypto import EncryptedTextField
from core.name_search import search_text
from core.names import sort_key
from planners.querysets import GroupQuerySet, InstitutionQuerySet, PlannerQuerySet, TeamQuerySet
from planners.validators import validate_person_name, validate_phone


class Institution(models.Model):
    """The employer of planners (设计单位); holds the grade and receives the credit bonus, not the person."""

    name = models.CharField("名称", max_length=120, unique=True)
    grade = models.CharField("规划资质等级", max_length=20, blank=True)
    city = models.CharField("所在城市", max_length=60, blank=True)
    is_first_tier_city = models.BooleanField("位于一线城市", null=True, blank=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "设计单位"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Planner(models.Model):
    """A person with a place in the registry; the login, when there is one, is `user`."""

    class Title(models.TextChoices):
        NONE = "none", "无"
        JUNIOR = "junior", "初级"
        MIDDLE = "middle", "中级"
        SENIOR = "senior", "副高级"
        PROFESSOR = "professor", "正高级"

    class IdentityKind(models.TextChoices):
        RESIDENT = "resident", "居民身份证"
        PASSPORT = "passport", "护照"
        HK_MACAO = "hk_macao", "港澳居民来往内地通行证"
        TAIWAN = "taiwan", "台湾居民来往大陆通行证"
        FOREIGN = "foreign", "外国人永久居留身份证"
        OTHER = "other", "其他证件"

    locality = models.ForeignKey("districts.Locality", verbose_name="登记地方", on_delete=models.PROTECT)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name="账号",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="planner",
    )
    name = models.CharField("姓名", max_length=60, validators=[validate_person_name])
    # Sorting by stored pinyin is the same on every database (core.names.sort_key).
    sort_key = models.CharField(max_length=255, db_index=True, editable=False)
    # Name, full pinyin and initials in one line, for search by any of them (core.name_search).
    search_text = models.CharField(max_length=500, blank=True, default="", editable=False)
    identity_kind = models.CharField("证件类型", max_length=12, choices=IdentityKind, default=IdentityKind.RESIDENT)
    identity_number = EncryptedTextField("证件号码", blank=True, default="")
    # Equality search without the number: a keyed hash; and the tail that tells namesakes apart.
    identity_index = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    identity_tail = models.CharField("证件号后四位", max_length=4, blank=True, editable=False)
    phone = EncryptedTextField("电话", blank=True, default="", validators=[validate_phone])
    institution = models.ForeignKey(
        Institution, verbose_name="设计单位", null=True, blank=True, on_delete=models.PROTECT, related_name="planners"
    )
    profession = models.CharField("专业", max_length=40, blank=True)
    title = models.CharField("职称等级", max_length=12, choices=Title, default=Title.NONE)
    registrations = models.JSONField("执业资格", default=list, blank=True)
    education = models.CharField("学历", max_length=20, blank=True)
    practising_since = models.DateField("从业起始日期", null=True, blank=True)
    is_secondee = models.BooleanField("下派干部", default=False, help_text="公务人员下派，不领取报酬。")
    is_active = models.BooleanField("在册", default=True)
    note = models.TextField("备注", blank=True)

    objects = PlannerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "规划师"
        ordering = ["sort_key", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "identity_index"],
                condition=~Q(identity_index=""),
                name="planner_identity_once",
                violation_error_message="该证件号码已登记。",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Every way of writing a name writes what it is sorted and found by; bulk_create has to see to it itself.
        self.sort_key, self.search_text = sort_key(self.name), search_text(self.name)
        if kwargs.get("update_fields") is not None and "name" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key", "search_text"}
        super().save(*args, **kwargs)


class Team(models.Model):
    """Planners serving together (团队), with a lead (领衔、首席)."""

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    name = models.CharField("名称", max_length=120)
    institution = models.ForeignKey(
        Institution, verbose_name="设计单位", null=True, blank=True, on_delete=models.PROTECT, related_name="teams"
    )
    lead = models.ForeignKey(
        Planner, verbose_name="领衔规划师", null=True, blank=True, on_delete=models.PROTECT, related_name="teams_led"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "团队"
        ordering = ["locality", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "name"], name="team_name_once", violation_error_message="同名团队已存在。"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Group(models.Model):
    """A part of a team that serves one unit (聊城市责任规划师制度 一(一))."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField("名称", max_length=60)

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "小组"
        ordering = ["team", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"], name="group_name_once", violation_error_message="本团队已有同名小组。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.team.name} {self.name}"


class TeamMember(models.Model):
    """A planner in a team, and in one of its groups where it has groups, from when to when."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="members")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.PROTECT, related_name="members")
    planner = models.ForeignKey(Planner, on_delete=models.PROTECT, related_name="team_memberships")
    # A code of the pack (roles.types). A team's contract is of its lead's type; what the others serve as is said here.
    role_type = models.CharField("在团队中的类型", max_length=40, blank=True, default="")
    start = models.DateField("加入日期")
    end = models.DateField("退出日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "团队成员"
        ordering = ["team", "planner__sort_key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=F("start")),
                name="team_member_dates_in_order",
                violation_error_message="退出日期不能早于加入日期。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.planner.name}（{self.team.name}）"
