"""Whom the pack says to ask about a project: by the tier table, else whoever serves its units or the project itself.

Read from the policy and the registry alone: nothing here knows a locality (docs/decisions/project-review.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Q

from core.explain import Clause
from districts.models import Charge, Locality
from districts.policy.values import EffectivePolicy
from districts.services.lineage import charges_with_successors
from districts.services.policies import policy_for_version
from planners.models import Contract, Planner
from planners.querysets import on_date
from planners.services.assignments import ServicePeriod, service_periods
from planners.services.qualifications import roles_in
from projects.conflicts import Conflict, conflict_of
from projects.models import Consultation, Consultee, Project
from projects.review import Seat, StageRule, seats_of

# Role types that serve a whole place rather than single units (roles.types scope).
_WHOLE_PLACE = ("county", "city")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A planner who could be asked: in which role, under which contract, and the pack's row that says so.

    `conflict`: why they are not. `why`: in words, for the page and the record.
    """

    planner: Planner
    contract: Contract | None
    role: str
    title: str
    opinion_form: str
    weight: str
    clause: Clause
    chosen: str
    why: str
    conflict: Conflict | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """`asked`: whom the pack says to ask. `kept_out`: whom it would, but for a conflict. `others`: who serves the
    project besides. `empty`: seats of the tier table that nobody holds there. `by_tier`: did the table decide?"""

    asked: tuple[Candidate, ...]
    kept_out: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    empty: tuple[Seat, ...]
    by_tier: bool

    def of(self, planner_id: int) -> Candidate | None:
        return next((one for one in (*self.asked, *self.others) if one.planner.pk == planner_id), None)


@dataclass(frozen=True, slots=True)
class _Served:
    """One planner's service: its charge, contract and role there."""

    planner: Planner
    contract: Contract
    role: str
    charge: str
    via: str


def charges_of_project(project: Project, on: date) -> dict[int, str]:
    """{charge id: name} of the project itself, where it is a responsible one, its units, and what came of them."""
    own = [project.charge_id] if project.charge_id else []
    units = list(project.units.values_list("charge_id", flat=True))
    ids = {*own, *(charges_with_successors(units, on=on) if units else ())}
    return dict(Charge.objects.filter(pk__in=ids).values_list("pk", "name"))


def propose(project: Project, *, rule: StageRule, policy: EffectivePolicy | None, on: date) -> Proposal:
    """Who is to be asked about `project` on `on`.

    The tier table decides where the pack has a row for the project's tier (通政办发〔2021〕10号 三(四)2): everybody who
    serves its units in such a role, or holds a role of the whole place. Elsewhere those who serve the project or its
    units: a person, a group's members, a team by its lead (who writes with the colleagues).
    """
    seats = seats_of(policy, project.tier) if project.tier else []
    served = _served(project, on)
    everyone = [_candidate(one, policy, rule) for one in served]
    empty: list[Seat] = []
    found: list[Candidate] = []
    for seat in seats:
        holders = [one for one in _for_seat(seat, served, project, policy, on) if one.role == seat.role]
        found += [_seated(one, seat) for one in holders]
        if not holders:
            empty.append(seat)
    if not seats:
        found = [_candidate(one, policy, rule) for one in _speakers(served)]
    found = _once(found)
    asked = [_guarded(one, project) for one in found]
    ids = {one.planner.pk for one in asked}
    others = [_guarded(one, project) for one in _once(everyone) if one.planner.pk not in ids]
    return Proposal(
        asked=tuple(one for one in asked if one.conflict is None),
        kept_out=tuple(one for one in asked if one.conflict is not None),
        others=tuple(one for one in others if one.conflict is None),
        empty=tuple(empty), by_tier=bool(seats),
    )  # fmt: skip


def policy_of(consultation: Consultation) -> EffectivePolicy | None:
    """The policy under which it was asked: that version, with the supplements of that day; None where none binds."""
    if consultation.policy_version_id is None:
        return None
    locality: Locality = consultation.locality
    return policy_for_version(consultation.policy_version_id, consultation.asked_on, locality=locality)


def candidate_for(
    planner: Planner, *, project: Project, rule: StageRule, policy: EffectivePolicy | None, on: date
) -> Candidate:
    """Somebody whom the pack did not name: what they serve as there, if they do."""
    proposal = propose(project, rule=rule, policy=policy, on=on)
    known = proposal.of(planner.pk) or next((one for one in proposal.kept_out if one.planner.pk == planner.pk), None)
    if known is not None:
        return known
    unknown = Candidate(
        planner, None, "", "", "", rule.weight, rule.clause, Consultee.Chosen.MANUAL, "不服务该项目所在的责任单元"
    )
    return _guarded(unknown, project)


def serving(project: Project, policy: EffectivePolicy | None, on: date) -> set[int]:
    """Ids of the planners who serve the project on `on`, those with a role of the whole place included."""
    seats = seats_of(policy, project.tier) if project.tier else []
    whole = [one for seat in seats for one in _of_place(seat, project, policy, on)]
    return {one.planner.pk for one in (*_served(project, on), *whole)}


# --- reading the registry ---------------------------------------------------------------------------------------


def _served(project: Project, on: date) -> list[_Served]:
    names = charges_of_project(project, on)
    periods = service_periods(charges=names, start=on, end=on) if names else []
    # The project's own planner first, then the units by name.
    periods.sort(key=lambda p: (p.charge_id != project.charge_id, names[p.charge_id]))
    return _in_roles(periods, names)


def _in_roles(periods: Sequence[ServicePeriod], names: dict[int, str]) -> list[_Served]:
    people = Planner.objects.select_related("institution").in_bulk({p.planner_id for p in periods})
    contracts = Contract.objects.select_related("team").in_bulk({p.contract_id for p in periods})
    roles: dict[tuple[int, int], str] = {}
    for contract in contracts.values():
        own = [people[p.planner_id] for p in periods if p.contract_id == contract.pk]
        roles |= {(contract.pk, planner): role for planner, role in roles_in(contract, own).items()}
    return [
        _Served(
            people[p.planner_id], contracts[p.contract_id], roles[p.contract_id, p.planner_id],
            names.get(p.charge_id, ""), p.via,
        )
        for p in periods
    ]  # fmt: skip


def _for_seat(
    seat: Seat, served: Sequence[_Served], project: Project, policy: EffectivePolicy | None, on: date
) -> Sequence[_Served]:
    return _of_place(seat, project, policy, on) or served


def _of_place(seat: Seat, project: Project, policy: EffectivePolicy | None, on: date) -> list[_Served]:
    """Holders of a role that serves the whole place: sent to any of its units, or to none."""
    rows = (policy.value("roles.types") if policy is not None else None) or ()
    scope = next((row.get("scope") for row in rows if row["code"] == seat.role), None)
    if scope not in _WHOLE_PLACE:
        return []
    # A role of the whole city is appointed by the city above.
    places = [project.locality_id, *([project.locality.parent_id] if project.locality.parent_id else [])]
    running = Contract.objects.signed().filter(on_date(on), Q(ended_on=None) | Q(ended_on__gte=on))
    holding = running.filter(Q(role_type=seat.role) | Q(team__members__role_type=seat.role), locality_id__in=places)
    rows_of = Contract.objects.filter(pk__in=holding.order_by().values("pk"))
    contracts = rows_of.select_related("locality", "planner__institution", "team").order_by("pk")
    found: list[_Served] = []
    for contract in contracts:
        place = contract.locality.name
        people = [contract.planner] if contract.planner else _members(contract, on)
        roles = roles_in(contract, people)
        found += [_Served(one, contract, roles[one.pk], place, "place") for one in people if roles[one.pk] == seat.role]
    return found


def _members(contract: Contract, on: date) -> list[Planner]:
    if contract.team_id is None:
        return []
    members = contract.team.members.filter(on_date(on)) if contract.team else ()
    ids = [member.planner_id for member in members]
    return list(Planner.objects.select_related("institution").filter(pk__in=ids).order_by("sort_key", "pk"))


def _speakers(served: Sequence[_Served]) -> list[_Served]:
    """Who speaks for those who serve: of a team its lead, where the lead serves there; else everybody."""
    present = {(one.contract.pk, one.charge, one.planner.pk) for one in served}
    found = []
    for one in served:
        lead = one.contract.team.lead_id if one.via == "team" and one.contract.team is not None else None
        if lead is None or lead == one.planner.pk or (one.contract.pk, one.charge, lead) not in present:
            found.append(one)
    return found


# --- in the pack's words ----------------------------------------------------------------------------------------


def _candidate(one: _Served, policy: EffectivePolicy | None, rule: StageRule) -> Candidate:
    title = policy.role_title(one.role) if policy is not None and one.role else ""
    return Candidate(
        one.planner, one.contract, one.role, title, "", rule.weight, rule.clause, Consultee.Chosen.CHARGE,
        f"负责“{one.charge}”",
    )  # fmt: skip


def _seated(one: _Served, seat: Seat) -> Candidate:
    return Candidate(
        one.planner, one.contract, seat.role, seat.title, seat.opinion_form, seat.weight, seat.clause,
        Consultee.Chosen.TIER, f"{seat.title}，负责“{one.charge}”",
    )  # fmt: skip


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """Each planner once, in the first of their roles."""
    kept: dict[int, Candidate] = {}
    for one in found:
        kept.setdefault(one.planner.pk, one)
    return list(kept.values())


def _guarded(one: Candidate, project: Project) -> Candidate:
    conflict = conflict_of(one.planner, project)
    return one if conflict is None else replace(one, conflict=conflict)
