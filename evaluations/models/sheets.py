"""A sheet (评估表): one rater about one subject in one step; and its answers, which are sealed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from evaluations.querysets import AnswerQuerySet, SheetQuerySet

PERSON = settings.AUTH_USER_MODEL


class Sheet(models.Model):
    """That somebody owes an evaluation, and how far it is. What it says stands in `Answer` alone.

    The rater is a planner, an office (a unit's or an organisation), or a side without either, for which an
    `assignee` must be named. `author` is whoever began it; a change of author is a new sheet (`supersedes`), so that
    nobody reads what another wrote.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "未开始"
        DRAFT = "draft", "填写中"
        SUBMITTED = "submitted", "已提交"
        ABSTAINED = "abstained", "弃权"
        DECLINED = "declined", "申请回避"
        EXCUSED = "excused", "回避（不评）"
        REPLACED = "replaced", "已改派"

    round = models.ForeignKey("evaluations.Round", on_delete=models.CASCADE, related_name="sheets")
    step = models.ForeignKey("evaluations.RoundStep", on_delete=models.CASCADE, related_name="sheets")
    form = models.ForeignKey("evaluations.Form", on_delete=models.PROTECT, related_name="sheets")
    subject = models.ForeignKey("evaluations.Subject", on_delete=models.CASCADE, related_name="sheets")
    side = models.CharField("评估主体", max_length=20)
    rater_key = models.CharField(max_length=60, editable=False)
    rater = models.CharField("评估人", max_length=200)
    planner = models.ForeignKey("planners.Planner", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey("districts.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        "districts.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    assignee = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    share = models.DecimalField("份额", max_digits=8, decimal_places=2, default=1)
    state = models.CharField("状态", max_length=12, choices=State, default=State.WAITING)
    reason = models.CharField("原因", max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="每次保存加一，用于发现两处同时修改。")
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    # Given back after its step had closed: its author writes until this day (services.assigning.reopen_sheet).
    reopened_until = models.DateField("重新开放至", null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )

    objects = SheetQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评估表"
        ordering = ["step", "subject", "side", "pk"]
        indexes = [models.Index(fields=["round", "state"], name="sheet_round_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["step", "subject", "rater_key"],
                condition=~Q(state="replaced"),
                name="sheet_once",
                violation_error_message="该评估人已有评估表。",
            ),
            models.CheckConstraint(
                condition=Q(share__gt=0), name="sheet_share_positive", violation_error_message="份额须大于零。"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["draft", "submitted"]) | Q(author__isnull=False),
                name="sheet_begun_has_author",
                violation_error_message="已开始填写的评估表须有填写人。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater} → {self.subject}"


class Answer(models.Model):
    """One answer. Read through `readable_by(user)` or, for scoring, `opened()`; nothing else opens it."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="answers")
    indicator = models.ForeignKey("evaluations.Indicator", on_delete=models.PROTECT, related_name="+")
    value = models.DecimalField("所选", max_digits=10, decimal_places=2, null=True, blank=True)
    points = models.DecimalField("得分（百分制）", max_digits=7, decimal_places=4, null=True, blank=True)
    not_applicable = models.BooleanField("不适用", default=False)
    text = models.TextField("文字", blank=True)
    comment = models.TextField("说明", blank=True)
    saved_at = models.DateTimeField("保存时间", auto_now=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评估答案"
        # By id: following both to their own order would meet the round twice.
        ordering = ["sheet_id", "indicator_id"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "indicator"], name="answer_once"),
            models.CheckConstraint(
                condition=Q(points=None) | Q(points__gte=0, points__lte=100),
                name="answer_points_in_range",
                violation_error_message="得分须在 0 到 100 之间。",
            ),
            models.CheckConstraint(
                condition=Q(not_applicable=False) | Q(points=None),
                name="answer_not_applicable_has_no_points",
                violation_error_message="不适用的指标没有得分。",
            ),
        ]
