"""What stands behind a qualification: papers, what officers judged, and what was found when somebody was appointed."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from planners.qualification import LABELS, TONES
from planners.querysets import CredentialQuerySet


class Credential(models.Model):
    """A paper that shows what the register says of somebody: certificate, title, degree, proof of practice."""

    class Kind(models.TextChoices):
        CERTIFICATE = "certificate", "执业资格证书"
        TITLE = "title", "职称证书"
        DEGREE = "degree", "学历学位证书"
        EXPERIENCE = "experience", "从业经历证明"
        OTHER = "other", "其他材料"

    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="credentials")
    kind = models.CharField("类别", max_length=12, choices=Kind)
    # Of a certificate: which one (districts.policy.qualification.CERTIFICATES).
    code = models.CharField("执业资格", max_length=40, blank=True)
    name = models.CharField("名称", max_length=100)
    number = models.CharField("证书编号", max_length=60, blank=True)
    issued_on = models.DateField("发证日期", null=True, blank=True)
    file = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="登记人", on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField("登记时间", auto_now_add=True)
    # Taken out of account, never removed: what was decided on it stays understandable.
    withdrawn_on = models.DateField("停用日期", null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "证书材料"
        ordering = ["kind", "-issued_on", "pk"]

    def __str__(self) -> str:
        return self.name


class QualificationVerdict(models.Model):
    """What an officer judged of a criterion that no figure tells. Never changed: a later one comes beside it."""

    class Verdict(models.TextChoices):
        MET = "met", "符合"
        NOT_MET = "not_met", "不符合"
        PREFERRED = "preferred", "符合且可优先"

    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="verdicts")
    role_type = models.CharField("规划师类型", max_length=40)
    criterion = models.CharField("条件", max_length=120)
    policy_version = models.ForeignKey("districts.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    article = models.CharField("条款", max_length=120, blank=True)
    verdict = models.CharField("判断", max_length=10, choices=Verdict)
    evidence = models.CharField("依据", max_length=500)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="判断人", on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField("判断时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "任职条件判断"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["planner", "role_type"], name="verdict_planner_role")]

    def __str__(self) -> str:
        return f"{self.planner}：{self.criterion}"


class QualificationCheck(models.Model):
    """What was found of a person's qualification under a contract, kept from the signing (or the override) on.

    `items` is `planners.qualification.Node.as_json()`. An override says why somebody is appointed all the same.
    """

    contract = models.ForeignKey("planners.Contract", on_delete=models.PROTECT, related_name="qualification_checks")
    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="qualification_checks")
    role_type = models.CharField("规划师类型", max_length=40)
    state = models.CharField("结果", max_length=10, choices=list(LABELS.items()))
    summary = models.CharField("说明", max_length=600)
    items = models.JSONField("各项条件", default=dict)
    article = models.CharField("条款", max_length=120, blank=True)
    checked_at = models.DateTimeField("核对时间", auto_now=True)
    override_reason = models.CharField("仍予聘任的理由", max_length=500, blank=True)
    overridden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="决定人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    overridden_at = models.DateTimeField("决定时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "任职条件核对"
        ordering = ["planner"]
        constraints = [models.UniqueConstraint(fields=["contract", "planner"], name="qualification_check_once")]

    def __str__(self) -> str:
        return f"{self.planner}（{self.contract}）"

    @property
    def tone(self) -> str:
        return TONES[self.state]
