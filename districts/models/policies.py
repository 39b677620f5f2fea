"""Policy packs (制度方案) as rows: one pack, its dated versions, and the localities it serves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class PolicyPack(models.Model):
    slug = models.SlugField("代号", max_length=60, unique=True)
    title = models.CharField("名称", max_length=200)
    # What a paper reports of a city's rules: readable, not usable for appointments until somebody adopts it.
    second_hand = models.BooleanField("论文转述", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "制度方案"
        ordering = ["second_hand", "slug"]

    def __str__(self) -> str:
        return self.title


class PolicyScope(models.Model):
    """A locality served by a pack; a city's pack also serves its counties."""

    pack = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, related_name="scopes")
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)

    class Meta:
        verbose_name = verbose_name_plural = "适用地方"
        constraints = [models.UniqueConstraint(fields=["pack", "locality"], name="policy_scope_once")]


class PolicyVersion(models.Model):
    """One dated version. `values` is the validated document (see districts.policy.schema).

    An *amendment* is a new version and does not reach contracts signed before; a *supplement* fills unset values of
    the version it supplements, from `valid_from`, and reaches the contracts under it.
    """

    class Kind(models.TextChoices):
        ORIGINAL = "original", "原文"
        AMENDMENT = "amendment", "修订"
        SUPPLEMENT = "supplement", "补充规定"

    pack = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField("版本号")
    kind = models.CharField("类别", max_length=12, choices=Kind)
    supplements = models.ForeignKey(
        "self",
        verbose_name="所补充的版本",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="supplements_by",
    )
    title = models.CharField("文件名称", max_length=200)
    document_number = models.CharField("文号", max_length=80, blank=True)
    document_date = models.DateField("印发日期", null=True, blank=True)
    valid_from = models.DateField("起始日期", null=True, blank=True)
    valid_to = models.DateField("截止日期", null=True, blank=True)
    document = models.JSONField("内容", help_text="经校验的制度方案全文（条款表与取值）。")
    source_hash = models.CharField("内容摘要", max_length=64)
    is_demo = models.BooleanField("示例", default=False)
    is_withdrawn = models.BooleanField("已撤回", default=False)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="录入人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "制度版本"
        ordering = ["pack", "number"]
        constraints = [
            models.UniqueConstraint(fields=["pack", "number"], name="policy_version_number_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="policy_dates_in_order",
                violation_error_message="截止日期不能早于起始日期。",
            ),
            models.CheckConstraint(
                condition=Q(kind="supplement", supplements__isnull=False)
                | (~Q(kind="supplement") & Q(supplements__isnull=True)),
                name="policy_supplement_names_its_version",
                violation_error_message="补充规定须指明所补充的版本。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}（第 {self.number} 版）"
