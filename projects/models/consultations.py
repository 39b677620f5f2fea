"""Asking planners for an opinion (征询): in writing, or by inviting them to an expert meeting."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from projects.querysets import ConsultationQuerySet, ConsulteeQuerySet

_USER = settings.AUTH_USER_MODEL


class Consultation(models.Model):
    """One request about one round of one stage, on one version of the scheme, to one or several planners.

    `policy_version` is the one in force when it was asked: who is asked, what their word counts as and how long they
    have come from it. `due_on` is the day that counts now; how it came about is `asked_on`, `term_days`, the
    extensions granted and the suspensions (projects.deadlines recomputes it from these alone).
    """

    class Way(models.TextChoices):
        WRITTEN = "written", "书面征询"
        MEETING = "meeting", "邀请参加专家会"

    class State(models.TextChoices):
        ASKED = "asked", "征询中"
        SUSPENDED = "suspended", "已中止"
        # Everybody who was asked has answered, declined or been let off, and at least one opinion is there.
        ANSWERED = "answered", "待反馈采纳情况"
        # Nobody is left who could answer: it has to be asked anew.
        UNANSWERED = "unanswered", "无人答复"
        SETTLED = "settled", "已反馈"
        WITHDRAWN = "withdrawn", "已撤回"
        # Asked anew on a later version before it was answered.
        SUPERSEDED = "superseded", "已由新征询取代"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    project = models.ForeignKey("projects.Project", on_delete=models.PROTECT, related_name="consultations")
    stage = models.ForeignKey("projects.ProjectStage", on_delete=models.PROTECT, related_name="consultations")
    number = models.CharField("征询编号", max_length=40, editable=False)
    way = models.CharField("方式", max_length=12, choices=Way, default=Way.WRITTEN)
    subject = models.CharField("征询事项", max_length=200)
    question = models.TextField("希望重点说明的问题", max_length=2000, blank=True)
    scheme = models.ForeignKey(
        "projects.ProjectFileVersion", verbose_name="所附方案", null=True, blank=True, on_delete=models.PROTECT,
        related_name="consultations",
    )  # fmt: skip
    asked_by = models.ForeignKey(_USER, verbose_name="经办人", on_delete=models.PROTECT, related_name="+")
    # The body that asks, and therefore owes the answer on what it adopts.
    asker = models.ForeignKey(
        "districts.Organisation", verbose_name="征询单位", on_delete=models.PROTECT, related_name="consultations"
    )
    # Who asked before the present asker took over, because that body was dissolved.
    inherited_from = models.ForeignKey(
        "districts.Organisation", verbose_name="原征询单位", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+", editable=False,
    )  # fmt: skip
    asked_on = models.DateField("征询日期")
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Is consultation at this stage required, advisory …: the pack's word when it was asked (review.stages mode).
    mode = models.CharField("制度要求", max_length=12, blank=True)
    clause = models.JSONField("条款", default=dict, blank=True)
    term_days = models.PositiveSmallIntegerField("期限（工作日）", null=True, blank=True)
    # Where the term comes from: core.explain.Clause as a dict, or {"origin": "request"} for the request's own.
    term_clause = models.JSONField(default=dict, blank=True)
    due_on = models.DateField("答复期限", null=True, blank=True)
    feedback_days = models.PositiveSmallIntegerField("采纳反馈期限（工作日）", null=True, blank=True)
    feedback_clause = models.JSONField(default=dict, blank=True)
    feedback_due_on = models.DateField("反馈期限", null=True, blank=True)
    answered_on = models.DateField("答复齐备日期", null=True, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    reason = models.CharField("原因", max_length=300, blank=True)
    # How often the feedback that is owed has been escalated; only ever rises.
    feedback_escalation = models.PositiveSmallIntegerField(default=0, editable=False)
    supersedes = models.OneToOneField(
        "self", verbose_name="前一次征询", null=True, blank=True, on_delete=models.PROTECT, related_name="renewed_by"
    )
    # An expert meeting: when, where, and what was minuted.
    meeting_at = models.DateTimeField("会议时间", null=True, blank=True)
    meeting_place = models.CharField("会议地点", max_length=120, blank=True)
    minutes = models.ForeignKey(
        "core.StoredFile", verbose_name="会议纪要", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "征询"
        ordering = ["-asked_on", "-pk"]
        indexes = [
            models.Index(fields=["locality", "state", "due_on"], name="consultation_due"),
            models.Index(fields=["locality", "-asked_on", "-id"], name="consultation_recent"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["locality", "number"], name="consultation_number_once"),
            models.CheckConstraint(
                condition=~Q(way="meeting") | Q(meeting_at__isnull=False), name="consultation_meeting_has_time",
                violation_error_message="请填写会议时间。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.subject}（{self.number}）"

    def get_absolute_url(self) -> str:
        return reverse("projects:consultation", args=[self.pk])


class Consultee(models.Model):
    """One planner who was asked. `role_type`, `opinion_form`, `weight` and `clause` are the pack's row by which they
    were chosen (通政办发〔2021〕10号 三(四)2: tier → who gives what kind of opinion with what weight)."""

    class Chosen(models.TextChoices):
        TIER = "tier", "按项目等级"
        CHARGE = "charge", "负责该单元（项目）"
        MANUAL = "manual", "人工选择"
        SUBSTITUTE = "substitute", "替补"

    class State(models.TextChoices):
        ASKED = "asked", "待答复"
        ANSWERED = "answered", "已答复"
        DECLINED = "declined", "已谢绝"
        RECUSED = "recused", "已回避"
        REPLACED = "replaced", "已由他人替代"
        # Contract ended, request withdrawn or superseded before they answered; counts as nobody's fault.
        RELEASED = "released", "无须答复"
        # An invitation needs no written opinion: it is over with the meeting.
        ATTENDED = "attended", "已参会"
        ABSENT = "absent", "未参会"

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="consultees")
    planner = models.ForeignKey(
        "planners.Planner", verbose_name="规划师", on_delete=models.PROTECT, related_name="consulted"
    )
    contract = models.ForeignKey("planners.Contract", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    role_type = models.CharField("规划师类型", max_length=40, blank=True)
    opinion_form = models.CharField("意见形式", max_length=40, blank=True)
    weight = models.CharField("效力", max_length=80, blank=True)
    clause = models.JSONField("条款", default=dict, blank=True)
    chosen = models.CharField("选取方式", max_length=12, choices=Chosen, default=Chosen.TIER)
    reason = models.CharField("说明", max_length=300, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")
    # Reminders and escalations already sent; they survive a return of the opinion.
    escalation = models.PositiveSmallIntegerField(default=0, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = ConsulteeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "被征询人"
        ordering = ["consultation", "pk"]
        indexes = [models.Index(fields=["planner", "state"], name="consultee_planner_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "planner"], condition=~Q(state__in=["replaced", "recused", "released"]),
                name="consultee_once", violation_error_message="该规划师已在被征询人之列。",
            ),
            models.CheckConstraint(
                condition=~Q(chosen__in=["manual", "substitute"]) | ~Q(reason=""), name="consultee_change_has_reason",
                violation_error_message="另行选择须写明原因。",
            ),
            models.CheckConstraint(condition=~Q(replaces=F("id")), name="consultee_not_own_substitute"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.planner.name

    @property
    def locality(self) -> Any:
        """Where its entries in the audit log belong."""
        return self.consultation.locality


class Extension(models.Model):
    """More time, asked for by who is to answer: one open at a time, asked and answered."""

    class State(models.TextChoices):
        ASKED = "asked", "待答复"
        GRANTED = "granted", "已同意"
        REFUSED = "refused", "未同意"

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="extensions")
    days = models.PositiveSmallIntegerField("延长（工作日）")
    reason = models.CharField("原因", max_length=300)
    asked_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    answer = models.CharField("答复说明", max_length=300, blank=True)
    answered_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "延期"
        ordering = ["consultation", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation"], condition=Q(state="asked"), name="extension_one_open",
                violation_error_message="已有一份延期申请待答复。",
            ),
            models.CheckConstraint(
                condition=Q(days__gte=1), name="extension_has_days", violation_error_message="至少延长一个工作日。"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"延期 {self.days} 个工作日"

    @property
    def locality(self) -> Any:
        """Where its entries in the audit log belong."""
        return self.consultation.locality


class Suspension(models.Model):
    """Days on which the term does not run; the real workdays between are added."""

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="suspensions")
    start = models.DateField("中止日期")
    end = models.DateField("恢复日期", null=True, blank=True)
    reason = models.CharField("原因", max_length=300)
    by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "中止"
        ordering = ["consultation", "start"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation"], condition=Q(end=None), name="suspension_one_open",
                violation_error_message="该征询已中止。",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=F("start")), name="suspension_dates_in_order",
                violation_error_message="恢复日期不能早于中止日期。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.start} 起中止"
