"""An opinion (意见书): a list of items, each with its severity and its basis; frozen once submitted."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.querysets import OpinionQuerySet

_USER = settings.AUTH_USER_MODEL


class Opinion(models.Model):
    """One planner's answer to one consultation. A submitted one is never edited: the next version supersedes it and
    says why. `on_paper`: received on paper and entered with its scan by who asked."""

    class State(models.TextChoices):
        DRAFT = "draft", "撰写中"
        ENDORSING = "endorsing", "待领衔审核"
        RETURNED = "returned", "已退回"
        SUBMITTED = "submitted", "已提交"
        SUPERSEDED = "superseded", "已由新版取代"

    class Verdict(models.TextChoices):
        AGREE = "agree", "同意"
        AGREE_AFTER = "agree_after", "修改后同意"
        DISAGREE = "disagree", "不同意"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    consultee = models.ForeignKey("projects.Consultee", on_delete=models.PROTECT, related_name="opinions")
    author = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="opinions")
    version = models.PositiveSmallIntegerField("版次", default=1)
    revision = models.PositiveIntegerField(default=0, help_text="每次保存加一，用于发现两处同时修改。")
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    verdict = models.CharField("总体意见", max_length=12, choices=Verdict, blank=True)
    summary = models.TextField("综合意见", max_length=4000, blank=True)
    on_paper = models.BooleanField("纸质意见", default=False)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    entered_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    endorsed_by = models.ForeignKey(
        "planners.Planner", verbose_name="审核人", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    return_reason = models.CharField("退回原因", max_length=300, blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    supersede_reason = models.CharField("新版原因", max_length=300, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "意见书"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultee", "version"], name="opinion_version_once", violation_error_message="该版次已存在。"
            ),
            models.UniqueConstraint(
                fields=["consultee"], condition=Q(state__in=["draft", "endorsing", "returned"]),
                name="opinion_one_in_hand", violation_error_message="已有一份意见书在撰写中。",
            ),
            models.UniqueConstraint(
                fields=["consultee"], condition=Q(state="submitted"), name="opinion_one_submitted",
            ),
            models.CheckConstraint(
                condition=~Q(state="submitted") | (Q(submitted_at__isnull=False) & ~Q(verdict="")),
                name="opinion_submitted_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(supersedes=None) | ~Q(supersede_reason=""), name="opinion_version_has_reason",
                violation_error_message="新版次须写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(on_paper=True) | Q(scan__isnull=False), name="opinion_on_paper_has_scan",
                violation_error_message="纸质意见须附扫描件。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.author.name} 意见书"

    def get_absolute_url(self) -> str:
        return reverse("projects:opinion", args=[self.pk])


class OpinionAuthor(models.Model):
    """A colleague of the team who writes with the author."""

    opinion = models.ForeignKey(Opinion, on_delete=models.CASCADE, related_name="co_authors")
    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="co_authored")

    class Meta:
        verbose_name = verbose_name_plural = "共同撰写人"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["opinion", "planner"], name="opinion_author_once")]

    def __str__(self) -> str:
        return self.planner.name


class OpinionItem(models.Model):
    """One point. `section` is the checklist point or subject of the pack that it belongs to, in the pack's words."""

    class Severity(models.TextChoices):
        MUST = "must", "须修改"
        SHOULD = "should", "建议修改"
        MAY = "may", "供参考"

    opinion = models.ForeignKey(Opinion, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField("序号")
    section = models.CharField("要点", max_length=120, blank=True)
    text = models.TextField("意见", max_length=2000)
    severity = models.CharField("程度", max_length=8, choices=Severity, default=Severity.SHOULD)
    basis = models.CharField("依据", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "意见条目"
        ordering = ["opinion", "position", "pk"]
        constraints = [models.UniqueConstraint(fields=["opinion", "position"], name="opinion_item_position_once")]

    def __str__(self) -> str:
        return f"第 {self.position} 条"
