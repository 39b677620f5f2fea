"""The stages a project goes through, each round of each, and on what ground each was passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from projects.querysets import ProjectStageQuerySet

from .projects import Project

if TYPE_CHECKING:
    from districts.models import Locality


class ProjectStage(models.Model):
    """One round of one stage. A revised scheme is the next round; what was said in the former one stays with it.

    `policy_version`: the version in force when the round opened; process values of the round come from it.
    """

    class State(models.TextChoices):
        OPEN = "open", "进行中"
        PASSED = "passed", "已通过"
        SENT_BACK = "sent_back", "退回修改"
        SKIPPED = "skipped", "已跳过"
        LEFT = "left", "已返回前一阶段"

    STAGES = [choice for choice in Project.Stage.choices if choice[0] != "done"]

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="stages")
    stage = models.CharField("阶段", max_length=20, choices=STAGES)
    round = models.PositiveSmallIntegerField("轮次", default=1)
    state = models.CharField("状态", max_length=12, choices=State, default=State.OPEN)
    # Null where the locality has no policy at all.
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", verbose_name="适用的制度版本", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    opened_on = models.DateField("开始日期")
    # Null for projects that were registered before their stages were kept.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_on = models.DateField("结束日期", null=True, blank=True)
    reason = models.CharField("原因", max_length=300, blank=True)

    objects = ProjectStageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "项目阶段"
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(state="open"), name="project_one_open_stage",
                violation_error_message="该项目已有进行中的阶段。",
            ),
            models.UniqueConstraint(fields=["project", "stage", "round"], name="project_stage_round_once"),
            models.CheckConstraint(condition=Q(state="open") | Q(closed_on__isnull=False), name="stage_closed_has_day"),
            models.CheckConstraint(
                condition=~Q(state__in=["skipped", "sent_back", "left"]) | ~Q(reason=""), name="stage_left_has_reason",
                violation_error_message="请写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        rounds = f"（第 {self.round} 轮）" if self.round > 1 else ""
        return f"{self.get_stage_display()}{rounds}"

    @property
    def locality(self) -> Locality:
        """Where it is kept, for the audit log."""
        return self.project.locality


class StageDecision(models.Model):
    """On what ground a stage was passed: the gate. The approval itself belongs to the approval system; here stands
    whether planners were consulted before it (京核心区 四(二): before approval), and if not, that they were not."""

    class Ground(models.TextChoices):
        CONSULTED = "consulted", "已征询"
        INVITED = "invited", "已邀请参加专家会"
        NOT_REQUIRED = "not_required", "制度未要求征询"
        WAIVED = "waived", "经批准免予征询"
        UNCONSULTED = "unconsulted", "未经征询即通过"

    stage = models.OneToOneField(ProjectStage, on_delete=models.PROTECT, related_name="decision")
    ground = models.CharField("依据", max_length=16, choices=Ground)
    decided_on = models.DateField("审批（验收）日期")
    approval_number = models.CharField("审批文号", max_length=80, blank=True)
    reason = models.CharField("免予征询的原因", max_length=300, blank=True)
    note = models.CharField("备注", max_length=300, blank=True)
    # What the ground rests on, as it stood on the day: consultations, opinions, meetings, waived rectifications.
    proof = models.JSONField("凭据", default=dict, blank=True)
    # The clause that asks for consultation (core.explain.Clause as a dict), or that none does.
    clause = models.JSONField("条款", default=dict, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", verbose_name="征询凭证", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "阶段结论"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(ground="waived") | ~Q(reason=""), name="stage_waiver_has_reason",
                violation_error_message="免予征询须写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.stage} {self.get_ground_display()}"

    @property
    def is_red(self) -> bool:
        """Shown red and counted wherever it stands."""
        return self.ground == self.Ground.UNCONSULTED


class Vote(models.Model):
    """A joint review at a higher level, or a vote of residents or villagers, where a pack has them (R44)."""

    class Kind(models.TextChoices):
        JOINT_REVIEW = "joint_review", "提级会审"
        RESIDENTS = "residents", "群众表决"

    stage = models.ForeignKey(ProjectStage, on_delete=models.PROTECT, related_name="votes")
    kind = models.CharField("类别", max_length=16, choices=Kind)
    held_on = models.DateField("日期")
    body = models.CharField("会审机构（表决范围）", max_length=120)
    in_favour = models.PositiveIntegerField("赞成", null=True, blank=True)
    against = models.PositiveIntegerField("反对", null=True, blank=True)
    entitled = models.PositiveIntegerField("应到", null=True, blank=True)
    outcome = models.TextField("结论", max_length=1000)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "会审与表决"
        ordering = ["stage", "held_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(entitled=None) | Q(in_favour=None) | Q(against=None)
                | Q(entitled__gte=F("in_favour") + F("against")),
                name="vote_not_more_than_entitled",
                violation_error_message="赞成与反对之和不能多于应到人数。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.held_on}"
