"""A round of evaluation: who evaluates whom about one period, in which steps, and how far it has got."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from evaluations.querysets import RoundQuerySet

PERSON = settings.AUTH_USER_MODEL


class Round(models.Model):
    """One evaluation of one locality. Its `rules` are the pack's values as they stood when it opened.

    Directions with the same period are one round, because they open and close together; with different periods
    (聊城: 任期考评, yearly 评议) they are rounds of their own.
    """

    class Scope(models.TextChoices):
        BOTH = "both", "双向"
        PLANNER = "planner", "评估责任规划师"
        DEPARTMENT = "department", "评价主管单位"

    class Period(models.TextChoices):
        QUARTER = "quarter", "季度"
        HALF_YEAR = "half_year", "半年"
        YEAR = "year", "年度"
        TWO_YEARS = "two_years", "两年"
        TERM = "term", "任期"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        PREPARATION = "preparation", "筹备"
        SELF_REPORT = "self_report", "述职"
        SCORING = "scoring", "评分"
        COLLATION = "collation", "汇总"
        DELIBERATION = "deliberation", "审议"
        NOTICE = "notice", "公示与异议"
        PUBLISHED = "published", "结果生效"
        FILED = "filed", "已备案"
        CANCELLED = "cancelled", "已取消"

    class Standing(models.TextChoices):
        ACTIVE = "active", "进行"
        PAUSED = "paused", "暂停"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", verbose_name="适用的制度版本", on_delete=models.PROTECT, related_name="rounds"
    )
    scope = models.CharField("方向", max_length=12, choices=Scope)
    title = models.CharField("名称", max_length=120)
    period_kind = models.CharField("周期", max_length=12, choices=Period)
    start = models.DateField("期间起")
    end = models.DateField("期间止")
    state = models.CharField("阶段", max_length=12, choices=State, default=State.PREPARATION)
    standing = models.CharField("运行", max_length=8, choices=Standing, default=Standing.ACTIVE)
    # {key: {"value", "origin", "document", "article", "summary"}} (services.rules); empty until opened.
    rules = models.JSONField("适用规则", default=dict)
    has_self_report = models.BooleanField("先行述职", default=False)
    reports_due_on = models.DateField("述职截止", null=True, blank=True)
    objections_until = models.DateField("异议截止", null=True, blank=True)
    prepared_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField("建立时间", auto_now_add=True)
    opened_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField("启动时间", null=True, blank=True)
    published_at = models.DateTimeField("生效时间", null=True, blank=True)
    # Whose forms it began with.
    copied_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评估"
        ordering = ["-start", "locality", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "scope", "start", "end"],
                condition=~Q(state="cancelled"),
                name="round_once",
                violation_error_message="该期间的评估已建立。",
            ),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")),
                name="round_dates_in_order",
                violation_error_message="期间止不能早于期间起。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["preparation", "cancelled"]) | Q(opened_at__isnull=False),
                name="round_opened_has_time",
                violation_error_message="已启动的评估须有启动时间。",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def directions(self) -> tuple[str, ...]:
        return ("planner", "department") if self.scope == self.Scope.BOTH else (self.scope,)


class RoundStep(models.Model):
    """A step (评估步骤) of a round. It closes for both directions at once, which is what lifts the seal.

    `planner_sides`, `department_sides`: who evaluates in this step, in the words of the pack.
    """

    class State(models.TextChoices):
        PENDING = "pending", "未开始"
        OPEN = "open", "填写中"
        CLOSED = "closed", "已截止"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField("步骤")
    title = models.CharField("名称", max_length=60)
    planner_sides = models.JSONField("评估责任规划师的主体", default=list)
    department_sides = models.JSONField("评价主管单位的主体", default=list)
    state = models.CharField("状态", max_length=8, choices=State, default=State.PENDING)
    opened_at = models.DateTimeField("开始时间", null=True, blank=True)
    due_on = models.DateField("截止日期", null=True, blank=True)
    closed_at = models.DateTimeField("截止时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "评估步骤"
        ordering = ["round", "number"]
        constraints = [models.UniqueConstraint(fields=["round", "number"], name="round_step_once")]

    def __str__(self) -> str:
        return f"{self.round.title} {self.title}"

    def sides(self, direction: str) -> list[str]:
        return list(self.planner_sides if direction == "planner" else self.department_sides)
