"""A disagreement taken to the district (京核心区 四(二): either side), where and by the route that the pack names."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.querysets import DisputeQuerySet

_USER = settings.AUTH_USER_MODEL


class Dispute(models.Model):
    """What is disputed (an item, a rectification, or the project at a stage), both positions, and the ruling.

    It stops no statutory clock; it is shown on the project and on what depends on it until it is ruled. A ruling with
    `principle` is a precedent that others find.
    """

    class Side(models.TextChoices):
        PLANNER = "planner", "责任规划师"
        PARTIES = "parties", "相关各方"

    class State(models.TextChoices):
        FILED = "filed", "待对方陈述"
        STATED = "stated", "待裁定"
        RULED = "ruled", "已裁定"
        WITHDRAWN = "withdrawn", "已撤回"

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "支持申请方"
        PARTLY = "partly", "部分支持"
        REJECTED = "rejected", "不支持申请方"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    project = models.ForeignKey("projects.Project", on_delete=models.PROTECT, related_name="disputes")
    stage = models.ForeignKey("projects.ProjectStage", on_delete=models.PROTECT, related_name="disputes")
    item = models.ForeignKey(
        "projects.OpinionItem", null=True, blank=True, on_delete=models.PROTECT, related_name="disputes"
    )
    rectification = models.ForeignKey(
        "projects.Rectification", null=True, blank=True, on_delete=models.PROTECT, related_name="disputes"
    )
    number = models.CharField("编号", max_length=40, editable=False)
    title = models.CharField("争议事项", max_length=200)
    raised_side = models.CharField("申请方", max_length=12, choices=Side)
    raised_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    # For whom it was raised, in words: the department, the unit, the planner.
    raised_for = models.CharField("申请单位（人）", max_length=120)
    filed_on = models.DateField("申请日期")
    # The pack's route when it was filed: to whom (review.dispute), with its clause.
    route = models.CharField("协调单位", max_length=80)
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    clause = models.JSONField(default=dict, blank=True)
    statement_due_on = models.DateField("陈述期限", null=True, blank=True)
    ruling_due_on = models.DateField("裁定期限", null=True, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.FILED)
    reason = models.CharField("撤回原因", max_length=300, blank=True)
    outcome = models.CharField("裁定", max_length=12, choices=Outcome, blank=True)
    ruling = models.TextField("裁定意见", max_length=4000, blank=True)
    principle = models.CharField("可供参照的要旨", max_length=300, blank=True)
    keywords = models.CharField("关键词", max_length=120, blank=True)
    ruled_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ruled_on = models.DateField("裁定日期", null=True, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "分歧协调"
        ordering = ["-filed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["locality", "number"], name="dispute_number_once"),
            models.CheckConstraint(
                condition=~Q(state="ruled") | (~Q(outcome="") & ~Q(ruling="") & Q(ruled_on__isnull=False)),
                name="dispute_ruling_is_whole", violation_error_message="请填写裁定结果和意见。",
            ),
            models.CheckConstraint(
                condition=Q(item=None) | Q(rectification=None), name="dispute_about_one_thing",
                violation_error_message="一份申请只针对一条意见或一项整改。",
            ),
            models.UniqueConstraint(
                fields=["item"], condition=Q(state__in=["filed", "stated"]), name="dispute_item_one_open",
                violation_error_message="该条意见已有分歧在协调中。",
            ),
            models.UniqueConstraint(
                fields=["rectification"], condition=Q(state__in=["filed", "stated"]),
                name="dispute_rectification_one_open",
                violation_error_message="该项整改已有分歧在协调中。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"

    def get_absolute_url(self) -> str:
        return reverse("projects:dispute", args=[self.pk])


class DisputeStatement(models.Model):
    """One side's position, as it was given; never edited, a further one is added."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="statements")
    side = models.CharField("陈述方", max_length=12, choices=Dispute.Side)
    text = models.TextField("陈述", max_length=4000)
    by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "陈述"
        ordering = ["dispute", "pk"]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.created:%Y-%m-%d}"


class DisputeFile(models.Model):
    """Evidence that a side puts in."""

    statement = models.ForeignKey(DisputeStatement, on_delete=models.PROTECT, related_name="files")
    file = models.ForeignKey("core.StoredFile", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "证据"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.file.original_name
