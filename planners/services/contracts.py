"""Contracts: drafted, signed, signed again each year, ended. What was signed is never edited."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import Refused
from core.notifications import Notice
from core.permissions import require
from core.saving import changes_of, save_checked, word_constraint
from core.transitions import apply_move
from districts.models import Locality, PolicyPack, PolicyVersion
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_for_contract, policy_in_force
from planners.models import AnnualSigning, Assignment, Contract, Planner
from planners.permissions import can_add_signing, can_create_contract, can_edit_contract
from planners.services.assigning import cut_assignments, drop_assignments
from planners.services.assignments import service_periods
from planners.services.qualifications import people_of, settle
from planners.services.reselection import ask_reselection
from planners.services.terms import FORBIDDEN, TermCheck, check_contract, departures
from planners.signals import contract_ended, contract_signed
from planners.transitions import CONTRACT

# What an outsider may set on a draft.
FIELDS = frozenset(
    {
        "number", "role_type", "appointment_mode", "party_kind", "planner", "team", "institution", "signer", "start",
        "end", "annual_fee", "pay_mode", "duties", "signed_on", "nda_signed_on", "departure_note", "scan",
    }
)  # fmt: skip

word_constraint("annual_signing_once_at_a_time", "与刚刚登记的年度重叠，请刷新后核对。", field="start")

# What each kind of party fills in, the party itself first; an institution may put in one of its teams.
_PARTY_FIELDS = {"person": ("planner",), "team": ("team",), "institution": ("institution", "team")}


def policy_to_sign_under(locality: Locality, on: date) -> EffectivePolicy:
    """The policy that a contract signed on `on` is bound by. Raises Refused with the reason when there is none."""
    policy = policy_in_force(locality, on)
    if policy is not None and not policy.second_hand:
        return policy
    if policy is not None:
        raise Refused(f"{locality.name}适用的“{policy.title}”为论文转述，经本地方正式采用前，不能据此签订合同。")
    places = [pk for pk in (locality.pk, locality.parent_id) if pk]
    packs = PolicyPack.objects.filter(scopes__locality_id__in=places).distinct()
    past = PolicyVersion.objects.filter(pack__in=packs, valid_to__lt=on, is_withdrawn=False)
    last = past.exclude(kind=PolicyVersion.Kind.SUPPLEMENT).order_by("-valid_to").first()
    if last is not None and last.valid_to is not None:
        lapsed = f"{last.valid_to.year}年{last.valid_to.month}月{last.valid_to.day}日"
        raise Refused(f"“{last.title}”已于{lapsed}失效，不能据此签订新合同；此前签订的合同继续有效。")
    if packs.filter(second_hand=True).exists():
        raise Refused("本地方只有论文转述的制度方案，经正式采用前，不能据此签订合同。")
    raise Refused(f"{locality.name}在 {on.isoformat()} 没有生效的制度方案，不能签订合同。")


def policy_of(contract: Contract, on: date | None = None) -> EffectivePolicy:
    """The policy that binds the contract: its own version with the supplements that reach it on `on` (today)."""
    return policy_for_contract(contract, on or timezone.localdate())


def _fill(contract: Contract, values: dict[str, Any]) -> dict[str, list[str]]:
    unknown = values.keys() - FIELDS
    if unknown:
        raise TypeError(f"not fields of a contract: {sorted(unknown)}")
    changed = changes_of(contract, values)
    kept = _PARTY_FIELDS.get(contract.party_kind, ())
    for field in {"planner", "team", "institution"} - set(kept):
        setattr(contract, field, None)
    if contract.party is None:
        raise ValidationError({kept[0] if kept else "party_kind": "请选择受聘方。"})
    return changed


def _check_places(contract: Contract) -> None:
    """Everything a contract names belongs to its locality."""
    for field, words in (("signer", "聘用方"), ("planner", "受聘个人"), ("team", "受聘团队")):
        other = getattr(contract, field)
        if other is not None and other.locality_id != contract.locality_id:
            raise ValidationError({field: f"{words}不属于本地方。"})
    team, institution = contract.team, contract.institution
    if team is not None and institution is not None and team.institution_id not in (None, institution.pk):
        raise ValidationError({"team": "该团队属于另一家设计单位。"})


def _bind(contract: Contract, on: date) -> EffectivePolicy:
    policy = policy_to_sign_under(contract.locality, on)
    contract.policy_version = PolicyVersion.objects.get(pk=policy.version_id or 0)
    return policy


@transaction.atomic
def create_contract(locality: Locality, *, actor: User, **values: Any) -> Contract:
    """A draft; `values` are the fields named in FIELDS, `signed_on` being the day it is (to be) signed.

    Raises Refused (not the bureau; no policy to sign under on that day, with the reason) and ValidationError.
    """
    require(can_create_contract(actor, locality))
    contract = Contract(locality=locality, state=Contract.State.DRAFT)
    _fill(contract, values)
    _check_places(contract)
    _bind(contract, contract.signed_on or timezone.localdate())
    save_checked(contract)
    audit.record("contract.create", actor=actor, obj=contract, locality=locality, detail={"number": contract.number})
    return contract


@transaction.atomic
def update_contract(contract: Contract, *, actor: User, **values: Any) -> Contract:
    """Change a draft. Raises Refused (signed contracts are never edited) and ValidationError."""
    contract = Contract.objects.select_for_update(of=("self",)).select_related("locality").get(pk=contract.pk)
    require(can_edit_contract(actor, contract))
    before = (contract.start, contract.end, contract.party)
    changed = _fill(contract, values)
    _check_places(contract)
    _bind(contract, contract.signed_on or timezone.localdate())
    save_checked(contract)
    if before != (contract.start, contract.end, contract.party) and contract.assignments.exists():
        raise ValidationError("已有派驻安排，修改聘期或受聘方前请先取消派驻安排。")
    if "role_type" in changed:
        contract.assignments.update(party=contract.party_key)
    if changed:
        audit.record(
            "contract.update", actor=actor, obj=contract, locality=contract.locality, detail={"changed": changed}
        )
    return contract


def signing_problems(contract: Contract, policy: EffectivePolicy) -> list[TermCheck]:
    """What keeps a draft from being signed: what the policy forbids, and departures that nobody has explained."""
    checks = check_contract(contract, policy)
    forbidden = [check for check in checks if check.state == FORBIDDEN]
    return forbidden or ([] if contract.departure_note.strip() else departures(checks))


@transaction.atomic
def sign_contract(contract: Contract, *, actor: User, signed_on: date | None = None) -> Contract:
    """Record the signing; the policy version in force on that day is fixed for good.

    Side effects: what is found of everybody's qualification is kept, audit entry, notices to those who will serve,
    `contract_signed`.
    Raises Refused (not entitled; no policy on that day), ValidationError (future day; forbidden by the policy, or
    departing from it without a note; somebody not qualified and no reason written down) and StaleState (somebody was
    first).
    """
    day = signed_on or contract.signed_on or timezone.localdate()
    if day > timezone.localdate():
        raise ValidationError({"signed_on": "签订日期不能晚于今天。"})
    policy = policy_to_sign_under(contract.locality, day)
    problems = signing_problems(contract, policy)
    if any(check.state == FORBIDDEN for check in problems):
        raise ValidationError("；".join(check.message for check in problems) + "。")
    if problems:
        words = "；".join(f"{c.label}（{c.found}）与制度（{c.rule_words}）不一致" for c in problems)
        raise ValidationError(f"{words}。请更正，或在“与制度不一致的说明”中写明依据。")
    settle(contract, people_of(contract, contract.assignments.all()), policy=policy, on=day)
    contract = apply_move(
        contract,
        CONTRACT,
        "sign",
        actor=actor,
        changes={"signed_on": day, "policy_version_id": policy.version_id},
        notify=_signed_notice,
        detail={"policy_version": policy.version_label, "signed_on": day.isoformat()},
    )
    contract_signed.send(sender=Contract, contract=contract)
    return contract


def _signed_notice(contract: Contract) -> Notice:
    return Notice(
        _people(contract),
        kind="contract.signed",
        text=f"聘用合同 {contract.number} 已登记签订。",
        url=reverse("planners:contract", args=[contract.pk]),
        key=f"contract-signed-{contract.pk}",
    )


def _people(contract: Contract) -> list[User]:
    """The logins of those who serve, or will serve, under the contract."""
    ids = {contract.planner_id} | {
        period.planner_id
        for period in service_periods(charges=contract.assignments.values_list("charge_id", flat=True))
        if period.contract_id == contract.pk
    }
    if contract.team is not None:
        ids.add(contract.team.lead_id)
    people = Planner.objects.filter(pk__in={pk for pk in ids if pk}, user__isnull=False).select_related("user")
    return [planner.user for planner in people if planner.user]


@transaction.atomic
def cancel_contract(contract: Contract, *, actor: User, reason: str) -> Contract:
    """Give up a draft; its assignments go with it. Raises Refused, ValidationError (no reason), StaleState."""
    dropped = drop_assignments(contract)
    return apply_move(contract, CONTRACT, "cancel", actor=actor, reason=reason, detail={"assignments": dropped})


@transaction.atomic
def end_contract(contract: Contract, *, actor: User, on: date, reason: str) -> Contract:
    """The last day of a contract before (or on) its term's end.

    Side effects: running assignments end that day, later ones are dropped; where the policy asks for it, each charge
    left behind is to be given to somebody chosen anew (`Reselection`); audit entry, notices, `contract_ended`.
    Raises Refused, ValidationError (no reason; day outside the term), StaleState.
    """
    if not contract.start <= on <= contract.end:
        raise ValidationError({"ended_on": "终止日期应在聘期之内。"})
    people = _people(contract)
    contract = apply_move(
        contract,
        CONTRACT,
        "end",
        actor=actor,
        reason=reason,
        changes={"ended_on": on, "end_reason": reason.strip()[:300]},
        detail={"ended_on": on.isoformat()},
        notify=Notice(
            people,
            kind="contract.ended",
            text=f"聘用合同 {contract.number} 将于 {on.isoformat()} 终止。",
            url=reverse("planners:contract", args=[contract.pk]),
            key=f"contract-ended-{contract.pk}",
        ),
    )
    ask_reselection(contract, on=on, actor=actor)
    cut_assignments(contract, on=on, actor=actor)
    contract_ended.send(sender=Contract, contract=contract)
    return contract


@transaction.atomic
def add_annual_signing(
    contract: Contract,
    *,
    actor: User,
    start: date,
    end: date,
    signed_on: date,
    fee: Decimal | None = None,
    work: str = "",
) -> AnnualSigning:
    """The yearly signing within the term (京核心区 五(一) 按年度签约).

    Raises Refused, and ValidationError: outside the term, overlapping another year, a fee where the role is unpaid.
    """
    contract = Contract.objects.select_for_update(of=("self",)).select_related("locality").get(pk=contract.pk)
    require(can_add_signing(actor, contract))
    if start < contract.start or end > contract.end:
        raise ValidationError({"start": "年度应在聘期之内。"})
    if signed_on > timezone.localdate():
        raise ValidationError({"signed_on": "签约日期不能晚于今天。"})
    if contract.signings.filter(start__lte=end, end__gte=start).exists():
        raise ValidationError({"start": "与已登记的年度重叠。"})
    row = AnnualSigning(contract=contract, start=start, end=end, fee=fee, work=work, signed_on=signed_on)
    check = Contract(role_type=contract.role_type, annual_fee=fee)
    _refuse_unpaid_fee(check, policy_of(contract))
    save_checked(row)
    detail = {"start": start.isoformat(), "end": end.isoformat(), "fee": str(fee) if fee is not None else ""}
    audit.record("contract.annual_signing", actor=actor, obj=contract, locality=contract.locality, detail=detail)
    return row


def _refuse_unpaid_fee(contract: Contract, policy: EffectivePolicy) -> None:
    from planners.services.terms import is_unpaid

    if contract.annual_fee and is_unpaid(contract.role_type, policy):
        raise ValidationError({"fee": "该类型不领取报酬，年度服务费应留空。"})


def assignments_of(contract: Contract) -> list[Assignment]:
    rows = contract.assignments.select_related("charge", "planner", "group__team", "team")
    return list(rows.order_by("charge__name", "start", "pk"))
