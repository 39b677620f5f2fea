"""The audit log and the chain of seals over it. Both tables are append-only (triggers in 0002_audit_append_only)."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class CanonicalJSONField(models.TextField):
    """JSON kept as one canonical text (sorted keys, no spaces), so that the same value is the same bytes anywhere.

    A native JSON column would be rewritten by each database in its own way, and the seals cover bytes.
    """

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return {} if not value else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return json.loads(value or "{}") if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str:
        return canonical_json(value)

    def value_to_string(self, obj: models.Model) -> str:
        return canonical_json(self.value_from_object(obj))


def canonical_json(value: Any) -> str:
    """The canonical text of `value`; raises TypeError for what JSON cannot hold."""
    if not value:
        return "{}"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class AuditEntry(models.Model):
    """Who did what to which object, when, from where, and with what result. Never edited, never deleted."""

    class Result(models.TextChoices):
        OK = "ok", "成功"
        REFUSED = "refused", "已拒绝"
        ERROR = "error", "失败"

    at = models.DateTimeField("时间", default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="操作人", null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField("操作人姓名", max_length=120, blank=True)
    action = models.CharField("操作代码", max_length=80)
    action_label = models.CharField("操作", max_length=120, blank=True)
    object_type = models.CharField("对象类型", max_length=80, blank=True)
    object_id = models.CharField("对象编号", max_length=64, blank=True)
    object_label = models.CharField("对象", max_length=200, blank=True)
    locality_code = models.CharField("行政区划代码", max_length=6, blank=True)
    result = models.CharField("结果", max_length=8, choices=Result, default=Result.OK)
    detail = CanonicalJSONField("详情", blank=True, default=dict)
    ip = models.CharField("来源地址", max_length=45, blank=True)
    request_id = models.CharField("请求编号", max_length=36, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "审计记录"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["locality_code", "-id"], name="audit_locality"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_label} {self.action_label or self.action}"


class AuditSeal(models.Model):
    """One link of the chain: `hash` = SHA-256 over the previous hash and the entry's canonical content.

    `position` counts in the order of sealing, not of entry ids: a transaction may commit an earlier id later.
    """

    position = models.BigIntegerField("序号", primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = verbose_name_plural = "审计封签"
        ordering = ["position"]
        default_permissions = ()
