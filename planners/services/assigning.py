"""Assignments are made, ended and cut here; every check happens while the charge is locked."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import save_checked, word_constraint
from districts.models import Charge, Unit
from districts.services.policies import policy_for_contract, policy_in_force
from planners.models import Assignment, Contract, Group, Planner, Team, TeamMember
from planners.permissions import can_assign, can_end_assignment
from planners.services.assignments import assignment_span
from planners.services.qualifications import people_of, settle
from planners.signals import assignment_proposed, assignments_changed

_MEANWHILE = "，可能刚由他人办理，请刷新后核对。"
word_constraint("assignment_one_lead_at_a_time", "该责任对象在此期间已有领衔" + _MEANWHILE, field="is_lead")
for _holder in ("planner", "group", "team"):
    word_constraint(f"assignment_{_holder}_once_at_a_time", "在此期间已派驻该责任对象" + _MEANWHILE, field="holder")
word_constraint(
    "assignment_party_one_contract_at_a_time",
    "同一受聘方的另一份合同在此期间已派驻该责任对象" + _MEANWHILE,
    field="charge",
)


@transaction.atomic
def assign(
    contract: Contract,
    charge: Charge,
    *,
    actor: User,
    start: date,
    end: date | None = None,
    planner: Planner | None = None,
    group: Group | None = None,
    team: Team | None = None,
    is_lead: bool = False,
) -> Assignment:
    """Send one planner, one group or the whole team to a charge, under a contract; until its end unless told.

    Raises Refused (not entitled; contract over) and ValidationError: not of the contract's party, outside the term,
    another lead at the time, already serving the charge at the time, or (under a signed contract) not qualified and
    no reason written down for appointing them all the same.
    """
    # Not against rows that point to it: a log or a change of units holds the charge and then writes such a row.
    held = Contract.objects.select_for_update(of=("self",), no_key=True).select_related("locality")
    contract = held.get(pk=contract.pk)
    require(can_assign(actor, contract))
    # The charge is the door: two requests for one charge check one after the other, on either database.
    charge = Charge.objects.select_for_update().get(pk=charge.pk)
    row = Assignment(
        contract=contract,
        charge=charge,
        planner=planner,
        group=group,
        team=team,
        is_lead=is_lead,
        start=start,
        end=end or contract.end,
        party=contract.party_key,
    )
    _check_party(row)
    _check_dates(row)
    _check_overlap(row)
    _ask_above(row)
    save_checked(row)
    if contract.state == Contract.State.SIGNED:
        # A draft's people are looked at when it is signed.
        policy = policy_for_contract(contract, timezone.localdate())
        settle(contract, _newcomers(row), policy=policy, on=timezone.localdate())
    audit.record(
        "assignment.create",
        actor=actor,
        obj=row,
        locality=contract.locality,
        detail={"contract": contract.number, "start": start.isoformat(), "end": str(row.end), "lead": is_lead},
    )
    _tell([row])
    return row


def _ask_above(row: Assignment) -> None:
    """Whoever keeps something under the charge may object (a planner who has to keep out of a project)."""
    if row.planner is not None:
        people = [row.planner]
    else:
        held = {"group_id": row.group_id} if row.group_id else {"team_id": row.team_id}
        members = TeamMember.objects.filter(Q(end=None) | Q(end__gte=row.start), start__lte=row.end, **held)
        people = list(Planner.objects.filter(pk__in=members.values("planner_id")).order_by("pk"))
    answers = assignment_proposed.send(sender=Assignment, assignment=row, planners=people)
    found = [words for _, words in answers if words]
    if found:
        raise ValidationError({"holder": found})


def _newcomers(row: Assignment) -> list[Planner]:
    """Whom an assignment brings under a signed contract that nobody has looked at before."""
    kept = set(row.contract.qualification_checks.values_list("planner_id", flat=True))
    return [planner for planner in people_of(row.contract, [row]) if planner.pk not in kept]


def _check_party(row: Assignment) -> None:
    contract = row.contract
    if len([holder for holder in (row.planner, row.group, row.team) if holder is not None]) != 1:
        raise ValidationError({"holder": "请在规划师、小组、团队中选择一个。"})
    if row.charge.locality_id != contract.locality_id:
        raise ValidationError({"charge": "责任对象不属于合同所在地方。"})
    if not row.charge.is_active:
        raise ValidationError({"charge": "该责任对象已停用。"})
    if not _belongs(row):
        raise ValidationError({"holder": "所选规划师（小组、团队）不属于该合同的受聘方。"})


def _belongs(row: Assignment) -> bool:
    contract, planner = row.contract, row.planner
    team_id = row.team_id or (row.group.team_id if row.group else None)
    if contract.party_kind == Contract.Party.PERSON:
        return planner is not None and planner.pk == contract.planner_id
    teams = Team.objects.filter(locality_id=contract.locality_id)
    own = {"pk": contract.team_id} if contract.team_id else {"institution": contract.institution}
    teams = teams.filter(**own)
    if team_id is not None:
        return teams.filter(pk=team_id).exists()
    if planner is None:
        return False
    employed = contract.party_kind == Contract.Party.INSTITUTION and planner.institution_id == contract.institution_id
    return employed or TeamMember.objects.filter(team__in=teams, planner=planner).exists()


def _check_dates(row: Assignment) -> None:
    contract = row.contract
    last = row.end or contract.end
    if last < row.start:
        raise ValidationError({"end": "截止日期不能早于起始日期。"})
    if row.start < contract.start or last > contract.end:
        raise ValidationError({"start": "派驻应在合同聘期之内。"})
    unit = Unit.objects.filter(charge_id=row.charge_id).first()
    if unit is not None and unit.valid_from is not None and row.start < unit.valid_from:
        raise ValidationError({"charge": f"该责任单元自 {unit.valid_from.isoformat()} 起设立，派驻不能早于这一天。"})
    if unit is not None and unit.valid_to is not None and last > unit.valid_to:
        raise ValidationError({"charge": f"该责任单元于 {unit.valid_to.isoformat()} 撤销，派驻不能晚于这一天。"})


def _check_overlap(row: Assignment) -> None:
    others = (
        Assignment.objects.filter(charge_id=row.charge_id)
        .exclude(contract__state=Contract.State.CANCELLED)
        .exclude(pk=row.pk)
        .select_related("contract", "planner", "group__team", "team")
    )
    for other in others:
        first, last = assignment_span(other)
        if first > (row.end or date.max) or last < row.start:
            continue
        period = f"{first.isoformat()} 至 {last.isoformat()}"
        if (other.planner_id, other.group_id, other.team_id) == (row.planner_id, row.group_id, row.team_id):
            holder = other.planner or other.group or other.team
            raise ValidationError({"holder": f"{holder}在此期间已派驻该责任对象（{period}，合同 {other.contract}）。"})
        if row.is_lead and other.is_lead:
            holder = other.planner or other.group or other.team
            raise ValidationError({"is_lead": f"该责任对象在此期间已有领衔：{holder}（{period}）。"})
        _check_contracts(row, other, period)


def _check_contracts(row: Assignment, other: Assignment, period: str) -> None:
    """Of two contracts at one charge at one time: never both of one party in one role; of two parties in one role only
    where the policy does not keep the unit for one (units.exclusive)."""
    one, two = row.contract, other.contract
    if one.pk == two.pk or one.role_type != two.role_type:
        return
    if one.party_key == two.party_key:
        words = f"同一受聘方的合同 {two} 在此期间已派驻该责任对象（{period}）。请先终止该合同或调整其派驻。"
        raise ValidationError({"charge": words})
    policy = policy_in_force(one.locality, max(row.start, other.start))
    rule = policy.get("units.exclusive") if policy is not None else None
    if rule is not None and rule.value:
        ground = f"{rule.document} {rule.article}".strip()
        words = f"制度规定同类规划师由一家担任（{ground}），该责任对象在此期间已由合同 {two} 派驻（{period}）。"
        raise ValidationError({"charge": words})


@transaction.atomic
def end_assignment(assignment: Assignment, *, actor: User, on: date) -> Assignment:
    """The last day of an assignment. Raises Refused and ValidationError (outside its days)."""
    require(can_end_assignment(actor, assignment))
    row = Assignment.objects.select_for_update(of=("self",)).select_related("contract__locality").get(pk=assignment.pk)
    if on < row.start or (row.end is not None and on > row.end):
        raise ValidationError({"end": "截止日期应在原派驻期间之内。"})
    before, row.end = row.end, on
    save_checked(row)
    detail = {"from": str(before), "to": on.isoformat()}
    audit.record("assignment.end", actor=actor, obj=row, locality=row.contract.locality, detail=detail)
    _tell([row])
    return row


def cut_assignments(contract: Contract, *, on: date, actor: User) -> None:
    """End what runs under a contract that ends on `on`, and drop what would have begun later (with an audit entry)."""
    rows = list(contract.assignments.select_related("charge", "planner", "group__team", "team"))
    later = [row for row in rows if row.start > on]
    if later:
        detail = {"dropped": [str(row) for row in later]}
        audit.record("assignment.drop", actor=actor, obj=contract, locality=contract.locality, detail=detail)
        Assignment.objects.filter(pk__in=[row.pk for row in later]).delete()
    contract.assignments.filter(end__gt=on).update(end=on)
    contract.assignments.filter(end=None).update(end=on)
    _tell(rows)


def drop_assignments(contract: Contract) -> list[str]:
    """Remove the assignments of a draft that is given up; what they were, in words."""
    if contract.state != Contract.State.DRAFT:
        return []
    rows = list(contract.assignments.select_related("charge", "planner", "group__team", "team"))
    words = [str(row) for row in rows]
    contract.assignments.all().delete()
    return words


def _tell(rows: list[Assignment]) -> None:
    charges = sorted({row.charge_id for row in rows})
    planners = sorted({row.planner_id for row in rows if row.planner_id})
    assignments_changed.send(sender=Assignment, charge_ids=charges, planner_ids=planners)
