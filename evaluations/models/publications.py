"""What leaves the locality: to the public by an explicit list of fields, to the city as a package."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from evaluations.querysets import FilingQuerySet, OfRoundQuerySet

PERSON = settings.AUTH_USER_MODEL


class Publication(models.Model):
    """公示 or 公布. `rows` holds just the fields of `fields`, taken when it was put out; pages read nothing else."""

    class Kind(models.TextChoices):
        NOTICE = "notice", "公示"
        RESULT = "result", "公布"

    class State(models.TextChoices):
        DRAFT = "draft", "拟稿"
        OUT = "out", "已发布"
        WITHDRAWN = "withdrawn", "已撤下"

    round = models.ForeignKey("evaluations.Round", on_delete=models.PROTECT, related_name="publications")
    kind = models.CharField("类别", max_length=8, choices=Kind)
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    fields = models.JSONField("公开字段", default=list)
    rows = models.JSONField("公开内容", default=list)
    start = models.DateField("发布日期", null=True, blank=True)
    until = models.DateField("截止日期", null=True, blank=True)
    put_out_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = OfRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公示公布"
        ordering = ["round", "kind", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "kind"], condition=Q(state="out"), name="publication_one_out"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("start")),
                name="publication_dates_in_order",
                violation_error_message="截止日期不能早于发布日期。",
            ),
        ]


class FilingPackage(models.Model):
    """备案: letter, table, reports and index with hashes, for whom the pack names; a return makes a new version."""

    class State(models.TextChoices):
        DRAFT = "draft", "待报送"
        SENT = "sent", "已报送"
        RECEIVED = "received", "已收到"
        RETURNED = "returned", "退回补正"
        ACCEPTED = "accepted", "已备案"

    round = models.ForeignKey("evaluations.Round", on_delete=models.PROTECT, related_name="filings")
    version = models.PositiveIntegerField("版次", default=1)
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    recipient = models.CharField("备案机关", max_length=60)
    due_on = models.DateField("期限", null=True, blank=True)
    archive = models.ForeignKey("core.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    letter = models.ForeignKey("core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # [{"name", "sha256", "size"}] of every file in the archive.
    index = models.JSONField("目录", default=list)
    job = models.ForeignKey("core.Job", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField("报送时间", null=True, blank=True)
    sent_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    receipt = models.CharField("回执编号", max_length=60, blank=True)
    received_at = models.DateTimeField("收到时间", null=True, blank=True)
    return_reason = models.CharField("退回原因", max_length=300, blank=True)
    accepted_at = models.DateTimeField("备案时间", null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )

    objects = FilingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "备案材料"
        ordering = ["round", "-version"]
        constraints = [models.UniqueConstraint(fields=["round", "version"], name="filing_once")]
