"""Documents that the portal has issued: number, hash and the code that leads to the verification page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse

if TYPE_CHECKING:
    from accounts.models import User
    from core.models.files import StoredFile


class IssuedDocument(models.Model):
    """One issued PDF. Never edited: a later one supersedes it, or it is revoked with a reason.

    `number` is the portal's own serial (kind, year, sequence); 发文字号 belongs to the office system.
    """

    code = models.CharField("核验码", max_length=16, unique=True, editable=False)
    number = models.CharField("编号", max_length=60, unique=True)
    kind = models.CharField("类别", max_length=30)
    title = models.CharField("标题", max_length=200)
    # SHA-256 over the canonical JSON of what was frozen; it stands on the page itself.
    content_hash = models.CharField("内容摘要", max_length=64)
    file: models.ForeignKey[StoredFile | None, StoredFile | None] = models.ForeignKey(
        "core.StoredFile", verbose_name="文件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    file_sha256 = models.CharField("文件摘要", max_length=64, blank=True, db_index=True)
    pages = models.PositiveIntegerField("页数", default=0)
    # What the public verification page may show: an explicit list of label and text, chosen by the issuer.
    public_summary = models.JSONField("公开信息", default=list, blank=True, encoder=DjangoJSONEncoder)
    locality_code = models.CharField("行政区划代码", max_length=6, blank=True)
    issued_at = models.DateTimeField("生成时间")
    issued_by: models.ForeignKey[User | None, User | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="生成人", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    superseded_by: models.ForeignKey[IssuedDocument | None, IssuedDocument | None] = models.ForeignKey(
        "self", verbose_name="被取代为", null=True, blank=True, on_delete=models.PROTECT, related_name="supersedes"
    )
    revoked_at = models.DateTimeField("作废时间", null=True, blank=True)
    revoked_reason = models.CharField("作废原因", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "已生成文书"
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"

    def get_absolute_url(self) -> str:
        return reverse("core:verify", args=[self.code])

    @property
    def state(self) -> str:
        """valid, superseded or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "superseded" if self.superseded_by_id is not None else "valid"


class DocumentSerial(models.Model):
    """The last number given out for a kind in a year; the row is locked while the next one is taken."""

    kind = models.CharField(max_length=30)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "文书流水号"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="document_serial_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}: {self.last}"
