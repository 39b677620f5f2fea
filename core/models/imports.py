"""Imports: the spreadsheet, what its rows came to, what each row changed, and which headings mean which columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.crypto import EncryptedTextField
from core.roles import places_of

if TYPE_CHECKING:
    from accounts.models import User


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def visible_to(self, user: User | Any) -> ImportBatchQuerySet:
        """Whoever may import a kind sees every import of it in the own localities; others the ones they brought."""
        from core.imports.kinds import kinds_for

        if not getattr(user, "is_authenticated", False):
            return self.none()
        mine = Q(kind__in=[kind.name for kind in kinds_for(user)]) | Q(created_by_id=user.pk)
        return self.filter(mine, locality_code__in=list(places_of(user)))


class ImportBatch(models.Model):
    """One spreadsheet of one kind (`core.imports.kinds`), from its upload to what came of it.

    `report` holds counts, ignored headings, `errors` (row, column, value, reason) and `lines` (what each row means).
    It never holds an identity number or a phone: those columns are masked before anything is kept.
    """

    class State(models.TextChoices):
        MAPPING = "mapping", "待对应表头"
        CHECKED = "checked", "待确认导入"
        RUNNING = "running", "导入中"
        DONE = "done", "已导入"
        REFUSED = "refused", "未导入"
        UNDONE = "undone", "已撤销"

    kind = models.CharField("类别", max_length=40)
    locality_code = models.CharField("行政区划代码", max_length=6, blank=True)
    filename = models.CharField("文件名", max_length=200)
    file = models.ForeignKey("core.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    partial = models.BooleanField("允许部分导入", default=False)
    state = models.CharField("状态", max_length=12, choices=State, default=State.CHECKED)
    report = models.JSONField("结果", default=dict)
    job = models.ForeignKey("core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="导入人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created = models.DateTimeField("上传时间", auto_now_add=True)
    finished = models.DateTimeField("完成时间", null=True, blank=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "数据导入"
        ordering = ["-pk"]
        default_permissions = ()
        indexes = [models.Index(fields=["kind", "locality_code", "-id"], name="import_kind_place")]

    def __str__(self) -> str:
        return self.filename

    @property
    def interrupted(self) -> bool:
        """Its job gave up or was cancelled: nothing was written, and it can be started again."""
        return self.state == self.State.RUNNING and self.job is not None and self.job.state in {"failed", "cancelled"}


class ImportedRow(models.Model):
    """What one row of an import did to one record, so that the import can be taken back.

    `before` and `after`: JSON of the fields that the row set (null `before`: the record was made). Encrypted as a
    whole, because such fields may be secret.
    """

    class Action(models.TextChoices):
        NEW = "new", "新增"
        CHANGED = "changed", "修改"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField("行号")
    action = models.CharField("结果", max_length=8, choices=Action)
    # Label and key rather than a foreign key: the record may be of any app, and goes when the import is taken back.
    object_type = models.CharField(max_length=100)
    object_id = models.BigIntegerField()
    before = EncryptedTextField(blank=True, default="")
    after = EncryptedTextField(blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "导入的行"
        ordering = ["pk"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "object_type", "object_id"], name="imported_row_once")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.number}"


class ImportMapping(models.Model):
    """A heading that people of a locality use, and the column that it means; an empty column: to be ignored."""

    kind = models.CharField(max_length=40)
    locality_code = models.CharField(max_length=6, blank=True)
    heading = models.CharField("表头", max_length=120)
    column = models.CharField("对应的列", max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "表头对应"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "locality_code", "heading"], name="import_heading_once")]

    def __str__(self) -> str:
        return f"{self.heading} → {self.column}"
