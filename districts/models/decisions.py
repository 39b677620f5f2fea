"""A local decision (地方补充规定, 修订, 采用) while it is being prepared, and afterwards as the record of who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.roles import Role

if TYPE_CHECKING:
    from accounts.models import User


class PolicyDecisionQuerySet(models.QuerySet["PolicyDecision"]):
    def visible_to(self, user: User) -> PolicyDecisionQuerySet:
        """The bureau sees its own preparations; what is in force, everybody who works in the locality."""
        from districts.access import access_of

        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        return rows if access.is_role(Role.BUREAU) else rows.filter(state=PolicyDecision.State.IN_FORCE)

    def open(self) -> PolicyDecisionQuerySet:
        """Still being prepared."""
        return self.filter(state__in=PolicyDecision.OPEN)


class PolicyDecision(models.Model):
    """What a bureau means to enter: the decision's number, date and scan, and the values that it sets.

    It counts nothing until it is put in force: then `made` is the version that came of it. `base` is the version that
    it supplements or amends, or (adoption) the paper's account from which it takes values.
    `values`: {key: {"value", "summary", "article"?}} as in a policy file; `removed`: keys that an amendment leaves
    unset. `trial`: what the dry run that was read came to (see `districts.services.decisions.record_trial`).
    """

    class Kind(models.TextChoices):
        SUPPLEMENT = "supplement", "补充规定"
        AMENDMENT = "amendment", "修订"
        ADOPTION = "adoption", "采用"

    class State(models.TextChoices):
        DRAFT = "draft", "拟稿"
        TRIED = "tried", "已阅试算"
        IN_FORCE = "in_force", "已施行"
        DISCARDED = "discarded", "已作废"

    OPEN = (State.DRAFT, State.TRIED)

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    kind = models.CharField("类别", max_length=12, choices=Kind)
    base = models.ForeignKey(
        "districts.PolicyVersion", verbose_name="所针对的版本", on_delete=models.PROTECT, related_name="decisions"
    )
    number = models.CharField("文号", max_length=40)
    title = models.CharField("文件名称", max_length=120)
    issuer = models.CharField("决定机关", max_length=80)
    date = models.DateField("印发日期")
    effective_from = models.DateField("自何日起执行")
    effective_to = models.DateField("执行至", null=True, blank=True)
    values = models.JSONField("取值", default=dict, blank=True)
    removed = models.JSONField("改为未设定", default=list, blank=True)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)
    trial = models.JSONField("试算", default=dict, blank=True)
    made = models.OneToOneField(
        "districts.PolicyVersion",
        verbose_name="形成的版本",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="decision",
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="录入人", on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField("录入时间", auto_now_add=True)
    updated = models.DateTimeField("更新时间", auto_now=True)

    objects = PolicyDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "制度决定"
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="policy_decision_dates_in_order",
                violation_error_message="执行截止日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_force") | Q(made__isnull=False), name="policy_decision_in_force_made_a_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"

    def get_absolute_url(self) -> str:
        return reverse("districts:decision", args=[self.pk])

    @property
    def tone(self) -> str:
        """The state as a tone of the pages."""
        return {"draft": "waiting", "tried": "info", "in_force": "good"}.get(self.state, "neutral")

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
