"""Qualifications: what the register and the officers say of somebody, held against the pack; the override.

The reading itself is `planners.qualification`. Nothing that a person judges is ever computed; where the pack says
nothing of a role, nothing is asked. Not met stops an appointment unless somebody entitled says in writing why it goes
on; not known is shown and does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from core import audit
from core.files import DOCUMENTS, IMAGES, store_file
from core.models import StoredFile
from core.permissions import require
from core.saving import save_checked
from districts.policy.qualification import CERTIFICATES
from districts.policy.values import EffectivePolicy, PolicyValue
from planners.models import (
    Assignment,
    Contract,
    Credential,
    Planner,
    QualificationCheck,
    QualificationVerdict,
    TeamMember,
)
from planners.permissions import can_add_credential, can_judge, can_override, can_withdraw_credential
from planners.qualification import MET, NOT_MET, UNKNOWN, Facts, Node, Verdict, evaluate, explained, needs_of

KEY = "roles.qualifications"
Verdicts = dict[str, Verdict]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A person against what a role asks for. `root` is None where the policy leaves it unset."""

    planner: Planner
    role: str
    rule: PolicyValue
    root: Node | None

    @property
    def state(self) -> str:
        return "unset" if self.root is None else self.root.state

    @property
    def summary(self) -> str:
        if self.root is not None:
            return explained(self.root)
        if not self.role:
            return "没有登记在团队中的类型，未作核对。"
        return "该类型的任职条件制度未设定，不作核对。"

    @property
    def stops(self) -> bool:
        return self.state == NOT_MET

    @property
    def is_open(self) -> bool:
        return self.state == UNKNOWN

    @property
    def is_met(self) -> bool:
        return self.state == MET


@dataclass(frozen=True, slots=True)
class Checked:
    """A person under a contract: how it stands today, and what was kept of it (the override with it)."""

    now: Assessment
    kept: QualificationCheck | None

    @property
    def needs_reason(self) -> bool:
        return self.now.stops and (self.kept is None or not self.kept.override_reason)


# --- reading -------------------------------------------------------------------------------------------


def assess(planner: Planner, role: str, *, policy: EffectivePolicy, on: date) -> Assessment:
    """One person for one role on a day; one query."""
    return assess_many([planner], role, policy=policy, on=on)[0]


def assess_many(planners: Sequence[Planner], role: str, *, policy: EffectivePolicy, on: date) -> list[Assessment]:
    """The same for several people, in one query."""
    rule = policy.get(KEY)
    needs = needs_of(rule.value, role) if role else None
    if needs is None:
        return [Assessment(planner, role, PolicyValue(KEY), None) for planner in planners]
    verdicts = _verdicts([planner.pk for planner in planners], role)
    return [
        Assessment(planner, role, rule, evaluate(needs, facts_of(planner, on), verdicts.get(planner.pk, {})))
        for planner in planners
    ]


def facts_of(planner: Planner, on: date) -> Facts:
    return Facts(
        title=planner.title,
        title_label=planner.get_title_display(),
        registrations=frozenset(planner.registrations or ()),
        education=planner.education,
        since=planner.practising_since,
        on=on,
    )


def _verdicts(planner_ids: Iterable[int], role: str) -> dict[int, Verdicts]:
    """What was recorded last of each criterion, by person."""
    rows = QualificationVerdict.objects.filter(planner_id__in=list(planner_ids), role_type=role)
    found: dict[int, Verdicts] = {}
    for row in rows.select_related("decided_by").order_by("pk"):
        found.setdefault(row.planner_id, {})[row.criterion] = Verdict(
            verdict=row.verdict,
            label=row.get_verdict_display(),
            by=str(row.decided_by),
            on=timezone.localdate(row.decided_at),
            evidence=row.evidence,
        )
    return found


def people_of(contract: Contract, assignments: Iterable[Assignment] = ()) -> list[Planner]:
    """Who is, or will be, appointed by the contract: its person; its team; of an institution those it sends."""
    if contract.party_kind == Contract.Party.PERSON:
        return [contract.planner] if contract.planner else []
    rows = list(assignments)
    members = TeamMember.objects.filter(Q(end=None) | Q(end__gte=contract.start), start__lte=contract.end)
    who = Q(pk__in=[row.planner_id for row in rows if row.planner_id])
    who |= Q(pk__in=members.filter(group__in=[r.group_id for r in rows if r.group_id]).values("planner_id"))
    teams = {row.team_id for row in rows if row.team_id} | ({contract.team_id} if contract.team_id else set())
    who |= Q(pk__in=members.filter(team__in=teams).values("planner_id"))
    return list(Planner.objects.filter(who).order_by("sort_key", "pk"))


def roles_in(contract: Contract, people: Iterable[Planner]) -> dict[int, str]:
    """By planner id, as what each is appointed: the contract's type; of a team its lead alone has that type, the
    others have the one recorded with their membership, "" where nobody has recorded any."""
    if contract.party_kind != Contract.Party.TEAM or contract.team is None:
        return {planner.pk: contract.role_type for planner in people}
    lead, ids = contract.team.lead_id, [planner.pk for planner in people]
    rows = TeamMember.objects.filter(team=contract.team, planner__in=ids).exclude(role_type="").order_by("start")
    recorded = dict(rows.values_list("planner_id", "role_type"))
    return {pk: contract.role_type if pk == lead else recorded.get(pk, "") for pk in ids}


def check_contract_people(
    contract: Contract, *, policy: EffectivePolicy, on: date, people: Sequence[Planner] | None = None
) -> list[Checked]:
    """Everybody under a contract with what was kept of them; as many queries for one person as for a team."""
    if people is None:
        people = people_of(contract, contract.assignments.all())
    rows = QualificationCheck.objects.filter(contract_id=contract.pk).select_related("overridden_by")
    kept = {row.planner_id: row for row in rows}
    roles = roles_in(contract, people)
    found = {
        each.planner.pk: each
        for role in sorted(set(roles.values()))
        for each in assess_many([p for p in people if roles[p.pk] == role], role, policy=policy, on=on)
    }
    return [Checked(found[planner.pk], kept.get(planner.pk)) for planner in people]


# --- what officers record ------------------------------------------------------------------------------


@transaction.atomic
def record_verdict(
    planner: Planner, *, actor: User, role: str, number: int, verdict: str, evidence: str, policy: EffectivePolicy
) -> QualificationVerdict:
    """Record what the officer judges of the criterion that stands at `number` of the role's conditions.

    What was recorded before stays; the latest counts. Raises Refused, and ValidationError: no such criterion (any
    more), no evidence.
    """
    require(can_judge(actor, planner))
    root = assess(planner, role, policy=policy, on=timezone.localdate()).root
    found = next((node for node in root.leaves() if node.number == number), None) if root else None
    if found is None or not found.judged:
        raise ValidationError("制度方案已调整，没有这项需要判断的条件，请返回后重试。")
    row = QualificationVerdict(
        planner=planner,
        role_type=role,
        criterion=found.words,
        policy_version_id=policy.version_id or 0,
        article=policy.get(KEY).article[:120],
        verdict=verdict,
        evidence=evidence.strip(),
        decided_by=actor,
    )
    save_checked(row)
    audit.record(
        "qualification.judge", actor=actor, obj=planner, locality=planner.locality,
        detail={"role": role, "criterion": found.words, "verdict": row.get_verdict_display(), "evidence": row.evidence},
    )  # fmt: skip
    return row


@transaction.atomic
def add_credential(planner: Planner, *, actor: User, upload: Any = None, **values: Any) -> Credential:
    """Keep a paper, with its scan where there is one. Raises Refused and ValidationError (by field)."""
    require(can_add_credential(actor, planner))
    if values.get("kind") == Credential.Kind.CERTIFICATE and values.get("code") not in CERTIFICATES:
        raise ValidationError({"code": "请选择是哪一项执业资格。"})
    stored = None
    if upload is not None:
        stored = store_file(
            upload, actor=actor, purpose="credential", allowed=DOCUMENTS | IMAGES,
            confidentiality=StoredFile.Confidentiality.SENSITIVE, locality_code=planner.locality.code,
        )  # fmt: skip
    row = Credential(planner=planner, recorded_by=actor, file=stored, **values)
    save_checked(row)
    detail = {"name": row.name, "scan": stored is not None}
    audit.record("credential.create", actor=actor, obj=planner, locality=planner.locality, detail=detail)
    return row


@transaction.atomic
def withdraw_credential(credential: Credential, *, actor: User) -> Credential:
    """Take a paper out of account; it stays readable. Raises Refused (also when somebody else was first)."""
    row = Credential.objects.select_for_update(of=("self",)).select_related("planner__locality").get(pk=credential.pk)
    require(can_withdraw_credential(actor, row))
    row.withdrawn_on = timezone.localdate()
    row.save(update_fields=["withdrawn_on"])
    detail = {"name": row.name}
    audit.record("credential.withdraw", actor=actor, obj=row.planner, locality=row.planner.locality, detail=detail)
    return row


# --- appointing ----------------------------------------------------------------------------------------


@transaction.atomic
def override(
    contract: Contract, planner: Planner, *, actor: User, reason: str, policy: EffectivePolicy
) -> QualificationCheck:
    """Say why somebody who does not meet the conditions is appointed all the same; kept for good.

    Raises Refused, and ValidationError: no reason, not one of the contract's people, or nothing to override.
    """
    contract = Contract.objects.select_for_update(of=("self",)).select_related("locality").get(pk=contract.pk)
    require(can_override(actor, contract))
    if len(reason.strip()) < 5:
        raise ValidationError({"reason": "请写明理由（不少于 5 个字）。"})
    now = assess(planner, roles_in(contract, [planner])[planner.pk], policy=policy, on=timezone.localdate())
    if not now.stops:
        raise ValidationError("该规划师没有不符合的任职条件，无需另作决定。")
    row = _keep(contract, now)
    if row.override_reason:
        raise ValidationError("已有人对此作出决定，请刷新后查看。")
    row.override_reason, row.overridden_by, row.overridden_at = reason.strip(), actor, timezone.now()
    save_checked(row)
    for obj in (contract, planner):
        audit.record(
            "qualification.override", actor=actor, obj=obj, locality=contract.locality,
            detail={
                "planner": planner.name, "contract": contract.number, "lacking": now.summary,
                "reason": row.override_reason,
            },
        )  # fmt: skip
    return row


def settle(contract: Contract, people: Sequence[Planner], *, policy: EffectivePolicy, on: date) -> None:
    """Keep what is found of these people as they are appointed; in the caller's transaction.

    Raises ValidationError naming who does not meet the conditions and has no reason written down.
    """
    checked = check_contract_people(contract, policy=policy, on=on, people=people)
    stopped = [each.now for each in checked if each.needs_reason]
    if stopped:
        words = [f"{each.planner.name}的任职条件{each.summary}" for each in stopped]
        raise ValidationError([*words, "请更正登记信息；确需聘任的，在合同页面“任职条件”中写明理由后再办理。"])
    for each in checked:
        if each.now.root is not None:
            _keep(contract, each.now)


def _keep(contract: Contract, found: Assessment) -> QualificationCheck:
    if found.root is None:
        raise ValueError("nothing was checked")
    row, _ = QualificationCheck.objects.update_or_create(
        contract=contract,
        planner=found.planner,
        defaults={
            "role_type": found.role,
            "state": found.state,
            "summary": found.summary[:600],
            "items": found.root.as_json(),
            "article": found.rule.article[:120],
        },
    )
    return row
