"""Forms of contracts, yearly signings and assignments: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crispy_forms.layout import Div
from django import forms
from django.utils import timezone

from core.forms import LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from districts.models import Charge, Locality, Organisation
from districts.policy.keys_appointment import MODES, PAY_MODES
from districts.policy.values import EffectivePolicy
from planners.models import AnnualSigning, Contract, Group, Institution, Planner, Team
from planners.reads import contract_holders

if TYPE_CHECKING:
    from accounts.models import User

Choices = list[tuple[str, str]]


def role_choices(policy: EffectivePolicy | None, current: str) -> Choices:
    """The role types of the pack, and the one that the contract already has."""
    rows = (policy.value("roles.types") if policy is not None else None) or ()
    choices = [(row["code"], row["title"]) for row in rows]
    if current and current not in dict(choices):
        choices.append((current, current))
    return choices


def mode_choices(policy: EffectivePolicy | None) -> Choices:
    """The pack's appointment modes first; any other can be recorded too, and is then shown as a departure."""
    rows = (policy.value("appointment.modes") if policy is not None else None) or ()
    named = list(dict.fromkeys(row["mode"] for row in rows))
    return _first(named, MODES)


def pay_choices(policy: EffectivePolicy | None) -> Choices:
    chosen = policy.value("pay.mode") if policy is not None else None
    named = [chosen] if chosen else list((policy.value("pay.modes") if policy is not None else None) or ())
    return _first(named, PAY_MODES)


def _first(named: list[str], every: dict[str, str]) -> Choices:
    rest = [code for code in every if code not in named]
    return [("", "请选择"), *((code, every[code]) for code in [*named, *rest])]


class ContractForm(LaidOut, OnceMixin, forms.ModelForm):
    """`policy`: the one the contract is to be signed under, whose words are offered first."""

    submit = "保存草稿"
    rows = (
        ("number", "role_type", "appointment_mode", "signed_on"),
        "party_kind",
        Div("planner", data_party="person"),
        Div("institution", data_party="institution"),
        Div("team", data_party="team institution"),
        ("signer", "start", "end", "annual_fee", "pay_mode", "nda_signed_on"),
        "duties", "departure_note",
    )  # fmt: skip

    role_type = forms.ChoiceField(label="规划师类型")
    appointment_mode = forms.ChoiceField(label="选聘方式", required=False)
    pay_mode = forms.ChoiceField(label="付费方式", required=False)
    party_kind = forms.ChoiceField(label="受聘方类别", choices=Contract.Party.choices, widget=forms.RadioSelect)
    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="受聘个人", required=False)
    team = LookupField(Team.objects.none(), url_name="planners:team-lookup", label="受聘团队", required=False)
    institution = LookupField(
        Institution.objects.all(), url_name="planners:institution-lookup", label="受聘设计单位", required=False
    )
    start = DayField(label="聘期起")
    end = DayField(label="聘期止")
    signed_on = DayField(
        label="签订日期", required=False, help_text="按这一天有效的制度方案签订；补录已签合同时填实际签订日期。"
    )
    nda_signed_on = DayField(label="保密协议签订日期", required=False)

    class Meta:
        model = Contract
        fields = [
            "number", "role_type", "appointment_mode", "party_kind", "planner", "team", "institution", "signer",
            "signed_on", "start", "end", "annual_fee", "pay_mode", "duties", "nda_signed_on", "departure_note",
        ]  # fmt: skip
        widgets = {"duties": forms.Textarea(attrs={"rows": 5}), "departure_note": forms.Textarea(attrs={"rows": 2})}
        help_texts = {
            "annual_fee": "不领取报酬的类型留空。",
            "departure_note": "聘期、聘用方等与制度不一致时，写明依据后才能登记签订。",
        }

    def __init__(
        self, *args: Any, locality: Locality, user: User, policy: EffectivePolicy | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["role_type"].choices = [("", "请选择"), *role_choices(policy, self.instance.role_type)]
        fields["appointment_mode"].choices = mode_choices(policy)
        fields["pay_mode"].choices = pay_choices(policy)
        fields["planner"].queryset = Planner.objects.visible_to(user).filter(locality=locality)
        fields["team"].queryset = Team.objects.visible_to(user).filter(locality=locality)
        fields["signer"].queryset = Organisation.objects.filter(locality=locality, is_active=True)
        fields["annual_fee"].widget.attrs.update(min="0", step="0.01", inputmode="decimal")
        if not self.instance.pk:
            self.initial.setdefault("signed_on", timezone.localdate())

    def clean_annual_fee(self) -> Any:
        fee = self.cleaned_data["annual_fee"]
        if fee is not None and fee < 0:
            raise forms.ValidationError("服务费不能为负数。")
        return fee


class SignForm(LaidOut, forms.Form):
    signed_on = DayField(label="签订日期")


class ReasonForm(LaidOut, forms.Form):
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class EndContractForm(ReasonForm):
    ended_on = DayField(label="终止日期", help_text="合同履行的最后一天。")
    field_order = ("ended_on", "reason")


class SigningForm(LaidOut, OnceMixin, forms.ModelForm):
    start = DayField(label="年度起")
    end = DayField(label="年度止")
    signed_on = DayField(label="签约日期")

    class Meta:
        model = AnnualSigning
        fields = ["start", "end", "signed_on", "fee", "work"]
        widgets = {"work": forms.Textarea(attrs={"rows": 4})}

    def clean_fee(self) -> Any:
        fee = self.cleaned_data["fee"]
        if fee is not None and fee < 0:
            raise forms.ValidationError("服务费不能为负数。")
        return fee


class AssignmentForm(LaidOut, OnceMixin, forms.Form):
    """`holder` is one of the people, groups and teams that the contract's party has: few, so a plain list."""

    charge = LookupField(Charge.objects.none(), url_name="districts:charge-lookup", label="责任单元（责任项目）")
    holder = forms.ChoiceField(label="由谁承担")
    is_lead = forms.BooleanField(label="作为领衔", required=False)
    start = DayField(label="起始日期")
    end = DayField(label="截止日期", required=False, help_text="留空则到聘期结束。")

    def __init__(self, *args: Any, contract: Contract, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holders = {f"{type(row).__name__.lower()}-{row.pk}": row for row in contract_holders(contract)}
        labels = {Planner: "规划师", Group: "小组", Team: "团队"}
        choices = [(key, f"{labels[type(row)]}：{row}") for key, row in self.holders.items()]
        self.fields["holder"].choices = [("", "请选择"), *choices]  # type: ignore[attr-defined]
        charges = Charge.objects.visible_to(user).filter(locality_id=contract.locality_id, is_active=True)
        self.fields["charge"].queryset = charges  # type: ignore[attr-defined]
        self.initial.setdefault("start", contract.start)

    def clean_holder(self) -> Any:
        return self.holders[self.cleaned_data["holder"]]
