"""Private files: content by hash, what it is by looking at it, and how confidential it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 1024 * 1024


def content_path(sha256: str) -> Path:
    """Where content with this hash lies; the name says nothing of what was uploaded."""
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256[2:4] / sha256


class StoredFile(models.Model):
    """One upload or one generated file. Several rows may share content; there is no address that serves it by id.

    Made by `core.files.store_file`, `store_photo` and `store_generated` alone; streamed by `core.files.stream` after
    the app that owns the file has authorised the reader.
    """

    class Confidentiality(models.TextChoices):
        PUBLIC = "public", "公开"
        INTERNAL = "internal", "内部"
        SENSITIVE = "sensitive", "敏感"

    sha256 = models.CharField("SHA-256", max_length=64, db_index=True, editable=False)
    size = models.PositiveBigIntegerField("字节数", editable=False)
    mime = models.CharField("类型", max_length=100, editable=False)
    original_name = models.CharField("文件名", max_length=255)
    purpose = models.CharField("用途", max_length=40)
    confidentiality = models.CharField("密级", max_length=10, choices=Confidentiality, default=Confidentiality.INTERNAL)
    locality_code = models.CharField("行政区划代码", max_length=6, blank=True)
    uploaded_by: models.ForeignKey[User | None, User | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    created = models.DateTimeField("上传时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "文件"
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.original_name

    @property
    def path(self) -> Path:
        return content_path(self.sha256)

    def open(self) -> BinaryIO:
        """The content for reading. Raises FileNotFoundError when the store has lost it."""
        return self.path.open("rb")

    def read(self) -> bytes:
        """The whole content (for small files)."""
        return self.path.read_bytes()

    def is_intact(self) -> bool:
        """Does the store still hold exactly what was put in?"""
        digest = hashlib.sha256()
        try:
            with self.open() as handle:
                while chunk := handle.read(CHUNK):
                    digest.update(chunk)
        except OSError:
            return False
        return digest.hexdigest() == self.sha256
