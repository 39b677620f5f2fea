"""The planner's own account (述职报告, 年终工作总结 …), drafted from facts and frozen once endorsed."""

from __future__ import annotations

from django.db import models

from evaluations.querysets import DutyReportQuerySet, ReportBatchQuerySet


class DutyReport(models.Model):
    """One document of one cycle, by one author, about one contract and (where it is so) one charge.

    `facts` is what the portal drew up (figures with parts, records, photos); `sections` is the author's judgement,
    keyed by section code. Frozen reports never change: a new version supersedes.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "撰写中"
        SUBMITTED = "submitted", "待审核"
        RETURNED = "returned", "已退回"
        FROZEN = "frozen", "已定稿"

    cycle = models.ForeignKey("evaluations.Cycle", on_delete=models.PROTECT, related_name="reports")
    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="reports")
    charge = models.ForeignKey(
        "districts.Charge", null=True, blank=True, on_delete=models.PROTECT, related_name="reports"
    )
    author = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="reports")
    # Where the pack has accounts go through the team (聊城 三(四)), the lead gathers those of the members in this one.
    is_collation = models.BooleanField("团队汇总", default=False)
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    version = models.PositiveIntegerField("版次", default=1)
    revision = models.PositiveIntegerField(default=0, help_text="每次保存加一，用于发现两处同时修改。")
    sections = models.JSONField("撰写内容", default=dict)
    facts = models.JSONField("履职数据", default=dict)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    endorsed_by = models.ForeignKey(
        "planners.Planner", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    frozen_at = models.DateTimeField("定稿时间", null=True, blank=True)
    return_reason = models.CharField("退回原因", max_length=300, blank=True)
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )

    objects = DutyReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "述职文书"
        ordering = ["cycle", "author__sort_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "contract", "author", "is_collation", "version"],
                name="report_once",
                violation_error_message="该周期的文书已存在。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle.title}{'（团队汇总）' if self.is_collation else ''} {self.author.name}"


class ReportBatch(models.Model):
    """Every document of a cycle as one ZIP with an index, made by a job that can be stopped at any report."""

    cycle = models.ForeignKey("evaluations.Cycle", on_delete=models.PROTECT, related_name="batches")
    job = models.OneToOneField("core.Job", on_delete=models.PROTECT, related_name="+")
    archive = models.ForeignKey("core.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    objects = ReportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "批量导出"
        ordering = ["-created"]
