"""Work logs (履职记录): one planner's work on one date for one charge, with evidence."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from worklogs.querysets import MonthClosingQuerySet, WorkLogQuerySet


class WorkLog(models.Model):
    """Entered once; feeds workdays, monthly visits, reports and statistics.

    Once confirmed it is never edited: a late correction is a new version (`supersedes`) with its reason. Until the
    correction is confirmed it is only `proposed`, and what was confirmed goes on counting; so exactly the rows that
    are submitted or confirmed and not superseded count, at any moment.
    `locality` is kept on the row because every list is scoped by it.
    """

    class Slot(models.TextChoices):
        MORNING = "am", "上午"
        AFTERNOON = "pm", "下午"
        DAY = "full", "全天"

    class Kind(models.TextChoices):
        SURVEY = "survey", "调研走访"
        ON_SITE = "on_site", "驻场值班"
        CONSULTING = "consulting", "方案咨询"
        MEETING = "meeting", "会议"
        INSPECTION = "inspection", "施工巡查"
        PARTICIPATION = "participation", "公众参与"
        TRAINING = "training", "宣讲培训"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        SUBMITTED = "submitted", "待确认"
        CONFIRMED = "confirmed", "已确认"
        RETURNED = "returned", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"
        # A correction, or an entry for a month that is closed: counts once confirmed.
        PROPOSED = "proposed", "更正待确认"
        VOID = "void", "已作废"

    # Locality, planner, charge and contract lead indexes below; every further index is written with each log.
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT, db_index=False)
    planner = models.ForeignKey(
        "planners.Planner", verbose_name="规划师", on_delete=models.PROTECT, related_name="logs", db_index=False
    )
    charge = models.ForeignKey(
        "districts.Charge",
        verbose_name="责任单元（项目）",
        on_delete=models.PROTECT,
        related_name="logs",
        db_index=False,
    )
    # The name of the charge on the day: what was recorded under an old name stays under it.
    charge_name = models.CharField(max_length=200, editable=False)
    contract = models.ForeignKey(
        "planners.Contract",
        verbose_name="聘用合同",
        on_delete=models.PROTECT,
        related_name="logs",
        editable=False,
        db_index=False,
    )
    project = models.ForeignKey(
        "projects.Project",
        verbose_name="相关项目",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="logs",
    )
    date = models.DateField("日期")
    slot = models.CharField("时段", max_length=4, choices=Slot)
    kind = models.CharField("工作类别", max_length=16, choices=Kind)
    content = models.TextField("内容", max_length=2000)
    met_principal = models.BooleanField("会见主要负责人", default=False)
    met_whom = models.CharField("会见人员", max_length=100, blank=True)
    place = models.CharField("地点", max_length=200, blank=True)

    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="确认人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    return_reason = models.CharField("退回原因", max_length=300, blank=True)

    # Versions: `supersedes` is the log this one corrects, `superseded_by` the confirmed correction that replaced it
    # (kept on the row so that lists and tallies need no join).
    supersedes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections", editable=False
    )
    superseded_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    correction_reason = models.CharField("更正（补报）原因", max_length=300, blank=True)
    voids = models.BooleanField("作废原记录", default=False, editable=False)

    # The same number twice makes one record (spreadsheet 来源编号).
    source_number = models.CharField("来源编号", max_length=60, blank=True)
    batch = models.ForeignKey(
        "core.ImportBatch",
        verbose_name="导入批次",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="logs",
        editable=False,
    )
    # One form makes one record, however often it is sent.
    submission_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="录入人", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField("录入时间", auto_now_add=True)

    objects = WorkLogQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "履职记录"
        ordering = ["-date", "-pk"]
        indexes = [
            models.Index(fields=["-date", "-id"], name="log_recent"),
            # With all that the scope of a list asks for, so that its rows are counted from the index alone.
            models.Index(
                fields=["locality", "-date", "-id"],
                include=["state", "superseded_by"],
                name="log_locality_recent",
            ),
            models.Index(fields=["planner", "-date", "-id"], name="log_planner_recent"),
            models.Index(fields=["charge", "-date", "-id"], name="log_charge_recent"),
            models.Index(fields=["contract", "date"], name="log_contract_date"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "source_number"],
                condition=~Q(source_number="") & Q(supersedes=None),
                name="log_source_number_once",
                violation_error_message="来源编号已存在。",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(confirmed_at__isnull=False), name="log_confirmed_has_time"
            ),
            models.CheckConstraint(
                condition=Q(supersedes=None) | ~Q(correction_reason=""),
                name="log_correction_has_reason",
                violation_error_message="更正须写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(state="proposed") | ~Q(correction_reason=""),
                name="log_proposed_has_reason",
                violation_error_message="更正或补报须写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "proposed"]) | Q(submitted_at__isnull=False),
                name="log_submitted_has_time",
            ),
            models.UniqueConstraint(
                fields=["supersedes"],
                condition=Q(state__in=["proposed", "returned"]),
                name="log_one_open_correction",
                violation_error_message="这条记录已有一份更正在办理中。",
            ),
            models.CheckConstraint(condition=~Q(supersedes=F("id")), name="log_not_its_own_version"),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.get_slot_display()} {self.charge_name}"

    def get_absolute_url(self) -> str:
        return reverse("worklogs:detail", args=[self.pk])


class Photo(models.Model):
    """A photo as evidence. Where and when it was taken is kept privately, apart from the re-encoded picture."""

    file = models.ForeignKey("core.StoredFile", on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    picture_hash = models.CharField("图像指纹", max_length=64, blank=True, db_index=True)

    class Meta:
        abstract = True


class LogPhoto(Photo):
    log = models.ForeignKey(WorkLog, on_delete=models.CASCADE, related_name="photos")

    class Meta:
        verbose_name = verbose_name_plural = "照片"
        ordering = ["pk"]


class PendingPhoto(Photo):
    """A photo that arrived with a form that was refused: waits, under the form's key, for the form to come again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    submission_key = models.UUIDField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "待归入的照片"
        ordering = ["pk"]
        indexes = [models.Index(fields=["user", "submission_key"], name="pending_photo_of_form")]


class MonthClosing(models.Model):
    """A charge's month, closed by its officer: from then on logs of the month change by new versions only."""

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    charge = models.ForeignKey("districts.Charge", on_delete=models.PROTECT, related_name="closings")
    month = models.DateField("月份", help_text="该月第一天。")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField("锁定时间", auto_now_add=True)

    objects = MonthClosingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "月度锁定"
        constraints = [
            models.UniqueConstraint(
                fields=["charge", "month"], name="month_closed_once", violation_error_message="该月已锁定。"
            )
        ]
