"""Appointments: the contract with its party, the yearly signings under it, and whom it assigns where."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from planners.querysets import AssignmentQuerySet, ContractQuerySet

_ONE_PARTY = (
    Q(party_kind="person", planner__isnull=False, team__isnull=True, institution__isnull=True)
    | Q(party_kind="team", planner__isnull=True, team__isnull=False, institution__isnull=True)
    | Q(party_kind="institution", planner__isnull=True, institution__isnull=False)
)


class Contract(models.Model):
    """聘用合同. Keeps the policy version that it was signed under, also after that policy lapses.

    The party that signs is a person, a team or an institution (which may put in one team); the government side is
    `signer`. Term, yearly signing, fee and duties are as signed (京核心区 五(一); 聊城 一(二)); quota and deduction
    come from the pack.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        SIGNED = "signed", "履行中"
        ENDED = "ended", "已终止"
        CANCELLED = "cancelled", "已作废"

    class Party(models.TextChoices):
        PERSON = "person", "个人"
        TEAM = "team", "团队"
        INSTITUTION = "institution", "设计单位"

    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    number = models.CharField("合同编号", max_length=60)
    policy_version = models.ForeignKey(
        "districts.PolicyVersion", verbose_name="签订时的制度版本", on_delete=models.PROTECT, related_name="contracts"
    )
    # Role types and appointment modes are the pack's words (roles.types, appointment.modes).
    role_type = models.CharField("规划师类型", max_length=40)
    appointment_mode = models.CharField("选聘方式", max_length=40, blank=True)
    party_kind = models.CharField("受聘方类别", max_length=12, choices=Party)
    planner = models.ForeignKey(
        "planners.Planner",
        verbose_name="受聘个人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="contracts",
    )
    team = models.ForeignKey(
        "planners.Team",
        verbose_name="受聘团队",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="contracts",
    )
    institution = models.ForeignKey(
        "planners.Institution",
        verbose_name="受聘单位",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="contracts",
    )
    signer = models.ForeignKey(
        "districts.Organisation", verbose_name="聘用方", on_delete=models.PROTECT, related_name="contracts"
    )
    start = models.DateField("聘期起")
    end = models.DateField("聘期止")
    annual_fee = models.DecimalField("年服务费（元）", max_digits=12, decimal_places=2, null=True, blank=True)
    pay_mode = models.CharField("付费方式", max_length=40, blank=True)
    duties = models.TextField("工作内容", blank=True, help_text="约定的工作内容、标准、深度、周期和权利义务。")
    # What was agreed otherwise than the policy says is recorded, with its ground, not forbidden.
    departure_note = models.CharField("与制度不一致的说明", max_length=300, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT, db_index=True)
    signed_on = models.DateField("签订日期", null=True, blank=True)
    nda_signed_on = models.DateField("保密协议签订日期", null=True, blank=True)
    ended_on = models.DateField("终止日期", null=True, blank=True)
    end_reason = models.CharField("终止原因", max_length=300, blank=True)
    scan = models.ForeignKey(
        "core.StoredFile", verbose_name="合同扫描件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ContractQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "聘用合同"
        ordering = ["-start", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["locality", "number"], name="contract_number_once", violation_error_message="合同编号已存在。"
            ),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")),
                name="contract_dates_in_order",
                violation_error_message="聘期止不能早于聘期起。",
            ),
            models.CheckConstraint(
                condition=_ONE_PARTY,
                name="contract_one_party",
                violation_error_message="受聘方须与受聘方类别一致，且只能有一个。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["signed", "ended"]) | Q(signed_on__isnull=False),
                name="contract_signed_has_date",
                violation_error_message="已签订的合同须有签订日期。",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def party(self) -> models.Model | None:
        """Who signs opposite the government side."""
        return {"person": self.planner, "team": self.team, "institution": self.institution}.get(self.party_kind)

    @property
    def party_key(self) -> str:
        """Party and role type in one word, for comparing contracts: "team:12:member"."""
        party_id = {"person": self.planner_id, "team": self.team_id, "institution": self.institution_id}
        return f"{self.party_kind}:{party_id.get(self.party_kind)}:{self.role_type}"[:60]


class AnnualSigning(models.Model):
    """The yearly signing within the term (京核心区 五(一) 按年度签约): the year's work and fee."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="signings")
    start = models.DateField("年度起")
    end = models.DateField("年度止")
    fee = models.DecimalField("年度服务费（元）", max_digits=12, decimal_places=2, null=True, blank=True)
    work = models.TextField("年度工作内容", blank=True)
    signed_on = models.DateField("签约日期")

    class Meta:
        verbose_name = verbose_name_plural = "年度签约"
        ordering = ["contract", "start"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "start"], name="annual_signing_once", violation_error_message="该年度已签约。"
            ),
            models.CheckConstraint(
                condition=Q(end__gte=F("start")),
                name="annual_signing_dates_in_order",
                violation_error_message="年度止不能早于年度起。",
            ),
        ]


class Assignment(models.Model):
    """Who serves which charge under a contract: one planner, one group, or the whole team."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="assignments")
    charge = models.ForeignKey(
        "districts.Charge", verbose_name="责任对象", on_delete=models.PROTECT, related_name="assignments"
    )
    planner = models.ForeignKey(
        "planners.Planner",
        verbose_name="规划师",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    group = models.ForeignKey(
        "planners.Group",
        verbose_name="小组",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    team = models.ForeignKey(
        "planners.Team",
        verbose_name="团队",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    is_lead = models.BooleanField("领衔", default=False)
    start = models.DateField("起始日期")
    end = models.DateField("截止日期", null=True, blank=True)
    # Party and role type of the contract in one word: one party serves a charge in one role under one contract at a
    # time. Empty where a change of units brought two together; that is shown, and an officer ends one (coverage).
    party = models.CharField(max_length=60, blank=True, default="", editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "派驻安排"
        ordering = ["charge", "start"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=F("start")),
                name="assignment_dates_in_order",
                violation_error_message="截止日期不能早于起始日期。",
            ),
            models.CheckConstraint(
                condition=Q(planner__isnull=False, group__isnull=True, team__isnull=True)
                | Q(planner__isnull=True, group__isnull=False, team__isnull=True)
                | Q(planner__isnull=True, group__isnull=True, team__isnull=False),
                name="assignment_one_holder",
                violation_error_message="规划师、小组、团队只能选一个。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.planner or self.group or self.team} → {self.charge}"
