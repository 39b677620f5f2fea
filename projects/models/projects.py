"""A project under review: what it is, where, who is party to it, and which stage it is in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.crypto import EncryptedTextField
from planners.validators import validate_phone
from projects.querysets import PartyQuerySet, ProjectQuerySet


class Project(models.Model):
    """`stage` follows the open `ProjectStage` (projects.services.stages), so that lists need no join."""

    class Stage(models.TextChoices):
        INITIATION = "initiation", "立项"
        SCHEME = "scheme", "方案审查"
        CONSTRUCTION = "construction", "施工巡查"
        ACCEPTANCE = "acceptance", "验收"
        DONE = "done", "已办结"

    class Kind(models.TextChoices):
        RENEWAL = "renewal", "城市更新"
        PUBLIC_SPACE = "public_space", "公共空间"
        BUILDING = "building", "建筑"
        MUNICIPAL = "municipal", "市政"
        PLANNING = "planning", "规划编制"
        EVENT = "event", "重大活动"
        OTHER = "other", "其他"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    # A project may reach into other localities (R9): their people see it as well.
    also_in = models.ManyToManyField(
        "districts.Locality", verbose_name="涉及的其他地方", blank=True, related_name="shared_projects"
    )
    number = models.CharField("项目编号", max_length=40)
    name = models.CharField("项目名称", max_length=200)
    # Tiers are the pack's words (review.tiers); empty where the locality has none.
    tier = models.CharField("项目等级", max_length=40, blank=True)
    kind = models.CharField("项目类型", max_length=20, choices=Kind)
    stage = models.CharField("阶段", max_length=20, choices=Stage, default=Stage.INITIATION)
    place = models.CharField("地点", max_length=200, blank=True)
    summary = models.TextField("项目概况", max_length=2000, blank=True)
    # One of the pack's mandatory areas (review.mandatory_areas), in its words; empty where it is in none.
    mandatory_area = models.CharField("必须咨询的地区和项目", max_length=120, blank=True)
    units = models.ManyToManyField("districts.Unit", verbose_name="责任单元", blank=True, related_name="projects")
    # Set once the project becomes a responsible project, to which a planner can be appointed.
    charge = models.OneToOneField(
        "districts.Charge",
        verbose_name="责任项目",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="project",
        editable=False,
    )
    owner = models.ForeignKey(
        "districts.Organisation",
        verbose_name="所在单位",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="projects",
    )
    created = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "项目"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["locality", "-id"], name="project_locality_recent")]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "number"], name="project_number_once", violation_error_message="项目编号已存在。"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("projects:project", args=[self.pk])


class ProjectParty(models.Model):
    """Who builds, designs or constructs. `institution` ties a party to the register: the conflict guard reads it."""

    class Role(models.TextChoices):
        BUILDER = "builder", "建设单位"
        DESIGNER = "designer", "设计单位"
        CONTRACTOR = "contractor", "施工单位"
        OTHER = "other", "其他单位"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="parties")
    role = models.CharField("类别", max_length=12, choices=Role)
    name = models.CharField("单位名称", max_length=120)
    institution = models.ForeignKey(
        "planners.Institution", verbose_name="登记的设计单位", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    contact = models.CharField("联系人", max_length=60, blank=True)
    phone = EncryptedTextField("电话", blank=True, default="", validators=[validate_phone])
    is_active = models.BooleanField("参与中", default=True)

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "参建单位"
        ordering = ["project", "role", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "role", "name"], condition=Q(is_active=True), name="project_party_once",
                violation_error_message="该单位已登记。",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.name}"


class KeyDate(models.Model):
    """A date that people plan by: 开工, 计划竣工 …, in their own words."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="key_dates")
    title = models.CharField("事项", max_length=40)
    day = models.DateField("日期")
    note = models.CharField("说明", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "重要日期"
        ordering = ["project", "day", "pk"]

    def __str__(self) -> str:
        return f"{self.day} {self.title}"
