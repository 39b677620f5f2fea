"""Assignments follow their units: cut on the last day of the old order, begun anew on the first day of the new one.

A log finds its assignment by its day, so what was done before stays with the old unit and what comes after counts for
the new one: nothing twice, nothing lost, and the contract runs on (docs/decisions/units-that-change.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.urls import reverse
from django.utils import timezone

from core import audit
from core.notifications import notify
from core.saving import save_checked
from districts.models import Charge, Unit
from districts.passing import ALL, NONE, WARNING, Effect, Passing
from planners.models import Assignment, Contract, Planner, TeamMember
from planners.querysets import on_date
from planners.reads import holder_of
from planners.services.assignments import assignment_span
from planners.services.spans import beside, meet
from planners.signals import assignments_changed

audit.register_actions({"assignment.pass_on": "派驻随责任单元变更调整"})
_AREA = "派驻安排"
Holder = tuple[int | None, int | None, int | None]


@dataclass
class _Piece:
    """A stretch of service at a target, to be begun: of `row`, from `start` to `end`."""

    row: Assignment
    start: date
    end: date
    is_lead: bool


@dataclass
class _Target:
    """A unit that takes over, with the assignments that stand there already and the pieces that come to it."""

    unit: Unit
    number: int
    standing: list[Assignment]
    pieces: list[_Piece] = field(default_factory=list)
    # Contracts that serve it, each with first and last day.
    served: list[tuple[Contract, date, date]] = field(default_factory=list)


def pass_assignments(passing: Passing) -> list[Effect]:
    """Carry every assignment that reaches into the new order over to where it was chosen to go.

    Side effects: rows cut, begun and taken out of the lead, audit entries, notices to the planners,
    `assignments_changed`. Raises ValidationError for a choice that is not offered.
    """
    if passing.is_rename:
        return []
    sources = {unit.charge_id: unit for unit in passing.sources}
    ids = sorted({*sources, *(unit.charge_id for unit in passing.targets)})
    # The same door as services.assigning: nobody is sent to these units while they change.
    list(Charge.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    rows = _reaching(ids, passing.first_day)
    moving = [row for row in rows if row.charge_id in sources]
    targets = [
        _Target(unit, n, [row for row in rows if row.charge_id == unit.charge_id])
        for n, unit in enumerate(passing.targets)
    ]
    effects = [_direct(row, sources[row.charge_id], passing, targets) for row in moving]
    for target in targets:
        target.served = [(row.contract, *assignment_span(row)) for row in target.standing if row.pk is not None]
        effects += [effect for effect in [_settle_lead(target, passing)] if effect is not None]
    began = [_begin(piece, target) for target in targets for piece in target.pieces]
    effects += [effect for target in targets for effect in _doubled(target)]
    effects += _left_alone({row.contract for row in moving}, passing)
    _tell([*moving, *began], passing)
    return effects


def _reaching(charges: Iterable[int], day: date) -> list[Assignment]:
    """What serves these charges on or after `day`, leads first; drafts too, since they may be signed."""
    rows = (
        Assignment.objects.select_for_update(of=("self",))
        .filter(charge_id__in=list(charges), contract__state__in=[Contract.State.DRAFT, Contract.State.SIGNED])
        .select_related("contract__locality", "charge", "planner", "group__team", "team")
        .order_by("-is_lead", "pk")
    )
    return [row for row in rows if assignment_span(row)[1] >= day]


def _direct(row: Assignment, source: Unit, passing: Passing, targets: Sequence[_Target]) -> Effect:
    """Send one assignment where it was chosen to go, and end it here unless it stays."""
    key = f"assignment-{row.pk}"
    value = passing.choice(key, source)
    chosen = targets if value == ALL else [] if value == NONE else [targets[int(value)]]
    last = assignment_span(row)[1]
    for target in chosen:
        if target.unit.charge_id != row.charge_id:
            _add(target, row, max(row.start, passing.first_day), last)
    if all(target.unit.charge_id != row.charge_id for target in chosen):
        _cut(row, passing)
    what = f"{holder_of(row)}{'（领衔）' if row.is_lead else ''}：{source}，合同 {row.contract.number}"
    options, tone = passing.options_for(source), WARNING if value == NONE else ""
    return Effect(_AREA, what, passing.words(source, value), tone, key, options, value)


def _add(target: _Target, row: Assignment, start: date, end: date) -> None:
    """The days that the same holder does not serve the target already."""
    taken = [assignment_span(other) for other in target.standing if _holder(other) == _holder(row)]
    taken += [(piece.start, piece.end) for piece in target.pieces if _holder(piece.row) == _holder(row)]
    for first, last in beside(start, end, taken):
        target.pieces.append(_Piece(row, first, last, row.is_lead))


def _holder(row: Assignment) -> Holder:
    return (row.planner_id, row.group_id, row.team_id)


def _cut(row: Assignment, passing: Passing) -> None:
    """End a row on the last day of the old order. One that would only have begun later never begins."""
    detail = {"unit": str(row.charge), "holder": holder_of(row), "last": passing.last_day.isoformat()}
    audit.record("assignment.pass_on", actor=passing.actor, obj=row, locality=row.contract.locality, detail=detail)
    if row.start > passing.last_day:
        row.delete()
    else:
        row.end = passing.last_day
        save_checked(row)


def _settle_lead(target: _Target, passing: Passing) -> Effect | None:
    """One lead at a time: of several that come together one stays, the others serve on without the lead."""
    leads: dict[str, Assignment | _Piece] = {}
    for row in target.standing:
        if row.is_lead:
            leads[f"s{row.pk}"] = row
    for piece in target.pieces:
        if piece.is_lead:
            leads[f"p{piece.row.pk}"] = piece
    spans = {name: _span(lead) for name, lead in leads.items()}
    key = f"lead-{target.number}"
    chosen = passing.choices.get(key, "")
    order = sorted(leads, key=lambda name: name != chosen)
    accepted: list[str] = []
    for name in order:
        if all(not meet(spans[name], spans[other]) for other in accepted):
            accepted.append(name)
    if len(accepted) == len(leads):
        return None
    for name in leads.keys() - set(accepted):
        _demote(leads[name], target, passing)
    options = tuple((name, _named(lead)) for name, lead in leads.items())
    words = (
        f"自 {passing.first_day:%Y-%m-%d} 起由{'、'.join(_named(leads[name]) for name in accepted)}领衔，其他人继续服务"
    )
    return Effect("领衔", str(target.unit), words, WARNING, key, options, accepted[0])


def _span(lead: Assignment | _Piece) -> tuple[date, date]:
    return (lead.start, lead.end) if isinstance(lead, _Piece) else assignment_span(lead)


def _named(lead: Assignment | _Piece) -> str:
    row = lead.row if isinstance(lead, _Piece) else lead
    return holder_of(row)


def _demote(lead: Assignment | _Piece, target: _Target, passing: Passing) -> None:
    """Out of the lead from the first day of the new order; what was led before stays as it was."""
    lead.is_lead = False
    if isinstance(lead, _Piece):
        return
    last = assignment_span(lead)[1]
    if lead.start <= passing.last_day:
        lead.is_lead = True
        _cut(lead, passing)
        target.pieces.append(_Piece(lead, passing.first_day, last, is_lead=False))
    else:
        save_checked(lead)


def _begin(piece: _Piece, target: _Target) -> Assignment:
    row = piece.row
    meeting = _meeting(row.contract, (piece.start, piece.end), target)
    twice = any(other.party_key == row.contract.party_key for other in meeting)
    made = Assignment(
        contract=row.contract, charge_id=target.unit.charge_id, planner=row.planner, group=row.group, team=row.team,
        is_lead=piece.is_lead, start=piece.start, end=piece.end, party="" if twice else row.contract.party_key,
    )  # fmt: skip
    save_checked(made)
    target.served.append((row.contract, piece.start, piece.end))
    return made


def _meeting(contract: Contract, days: tuple[date, date], target: _Target) -> list[Contract]:
    """Other contracts of the same role type that serve the target on some of these days."""
    return [
        other
        for other, first, last in target.served
        if other.pk != contract.pk and other.role_type == contract.role_type and meet(days, (first, last))
    ]


def _doubled(target: _Target) -> list[Effect]:
    """Contracts that the change brings together at one unit in one role: an officer has to decide, not the portal."""
    found: dict[tuple[str, str], bool] = {}
    for piece in target.pieces:
        contract = piece.row.contract
        for other in _meeting(contract, (piece.start, piece.end), target):
            one, two = sorted((contract.number, other.number))
            found[one, two] = contract.party_key == other.party_key
    words = f"自此同时派驻“{target.unit}”（重复覆盖），请决定由谁担任，终止其中一份或调整派驻"
    once = f"属同一受聘方，自此重复派驻“{target.unit}”，请终止其中一份或调整派驻"
    return [
        Effect("合同", f"{one}、{two}", once if same else words, WARNING) for (one, two), same in sorted(found.items())
    ]


def _left_alone(contracts: Iterable[Contract], passing: Passing) -> list[Effect]:
    """Contracts that run on without anybody sent anywhere: somebody has to decide."""
    effects = []
    for contract in sorted(contracts, key=lambda c: c.number):
        if contract.end < passing.first_day:
            continue
        rows = Assignment.objects.filter(contract=contract).select_related("contract")
        if not any(assignment_span(row)[1] >= passing.first_day for row in rows):
            words = f"自 {passing.first_day:%Y-%m-%d} 起没有派驻安排，请另行安排派驻，或终止合同"
            effects.append(Effect("合同", f"{contract.number}（{contract.party}）", words, WARNING))
        else:
            effects.append(
                Effect("合同", f"{contract.number}（{contract.party}）", "继续履行，聘期、费用和适用制度不变")
            )
    return effects


def _tell(rows: Sequence[Assignment], passing: Passing) -> None:
    charges = sorted({row.charge_id for row in rows})
    planners = sorted({row.planner_id for row in rows if row.planner_id})
    if charges:
        assignments_changed.send(sender=Assignment, charge_ids=charges, planner_ids=planners)
    today = timezone.localdate()
    members = TeamMember.objects.filter(on_date(today))
    served = {
        *members.filter(group__in=[row.group_id for row in rows if row.group_id]).values_list("planner_id", flat=True),
        *members.filter(team__in=[row.team_id for row in rows if row.team_id]).values_list("planner_id", flat=True),
        *planners,
    }
    users = Planner.objects.filter(pk__in=served, user__isnull=False).values_list("user_id", flat=True)
    names = "、".join(f"“{unit}”" for unit in passing.sources)
    text = f"{names}自 {passing.first_day:%Y-%m-%d} 起{passing.change.get_kind_display()}，您的派驻随之调整，请查看。"
    for unit in [*passing.targets, *passing.sources][:1]:
        url = reverse("districts:unit", args=[unit.pk])
        notify(list(users), kind="unit", text=text, url=url, key=f"unit-change-service-{passing.change.pk}")
