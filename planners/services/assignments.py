"""Who served which charge, when, and under which contract: the one answer that logs, tallies and reports lean on.

An assignment names a planner, a group or a whole team; membership of teams and groups has dates of its own. What
somebody may record is where all of these meet: assignment, contract (until it ended) and membership.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from districts.models import Charge
from planners.models import Assignment, Contract, Planner, TeamMember

# A person's own assignment is the more exact statement than that of the group or the team around them.
_RANK = {"planner": 0, "group": 1, "team": 2}
_FAR = date.max
Roster = dict[tuple[str, int], list[TeamMember]]


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """A planner may record work for a charge from `start` to `end`, both included, under one contract."""

    planner_id: int
    charge_id: int
    contract_id: int
    assignment_id: int
    start: date
    end: date
    via: str
    is_lead: bool

    def holds(self, on: date) -> bool:
        return self.start <= on <= self.end


@dataclass(frozen=True, slots=True)
class ServedCharge:
    """A charge that a planner may record work for, with the contract and the assignment that say so."""

    charge: Charge
    contract: Contract
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Service:
    """A planner who serves under an assignment from `start` to `end`, both included."""

    planner: Planner
    start: date
    end: date


def service_periods(
    *,
    planners: Iterable[int] | None = None,
    charges: Iterable[int] | None = None,
    contracts: Iterable[int] | None = None,
    locality: int | None = None,
    start: date = date.min,
    end: date = _FAR,
) -> list[ServicePeriod]:
    """All service between `start` and `end` of the planners, charges, contracts or locality named (ids), in 3 queries.

    Only signed and ended contracts count; the best match comes first (own assignment, then group, then team; the
    later start first), so that the first period that holds a date is the one to take. For imports and tallies.
    """
    assignments = Assignment.objects.filter(contract__state__in=["signed", "ended"], start__lte=end).filter(
        Q(end=None) | Q(end__gte=start)
    )
    members = TeamMember.objects.filter(start__lte=end).filter(Q(end=None) | Q(end__gte=start))
    if locality is not None:
        assignments = assignments.filter(charge__locality_id=locality)
    if charges is not None:
        assignments = assignments.filter(charge_id__in=list(charges))
    if contracts is not None:
        assignments = assignments.filter(contract_id__in=list(contracts))
    wanted = None if planners is None else set(planners)
    if wanted is not None:
        members = members.filter(planner_id__in=wanted)
        held = list(members.values_list("team_id", "group_id"))
        assignments = assignments.filter(
            Q(planner_id__in=wanted)
            | Q(team_id__in={team for team, _ in held})
            | Q(group_id__in={group for _, group in held if group})
        )
    rows = list(assignments.select_related("contract"))
    if wanted is None:
        return periods_under(rows, start=start, end=end)
    found = _between(rows, _roster(members), start, end)
    return [period for period in found if period.planner_id in wanted]


def periods_under(rows: Collection[Assignment], *, start: date, end: date) -> list[ServicePeriod]:
    """`service_periods` of assignments at hand, their contracts read; in one query."""
    members = TeamMember.objects.filter(Q(end=None) | Q(end__gte=start), start__lte=end).filter(
        Q(team_id__in={row.team_id for row in rows if row.team_id})
        | Q(group_id__in={row.group_id for row in rows if row.group_id})
    )
    return _between(rows, _roster(members), start, end)


def _between(rows: Iterable[Assignment], roster: Roster, start: date, end: date) -> list[ServicePeriod]:
    found = [p for row in rows for p in _periods_of(row, roster) if p.start <= end and p.end >= start]
    found.sort(key=lambda p: (_RANK[p.via], -p.start.toordinal(), -p.assignment_id))
    return found


def assignment_span(row: Assignment) -> tuple[date, date]:
    """First and last day of an assignment, as far as its contract reaches; the last may lie before the first."""
    contract = row.contract
    last = min(row.end or _FAR, contract.end, contract.ended_on or _FAR)
    return max(row.start, contract.start), last


def _roster(members: Iterable[TeamMember]) -> Roster:
    """Members by their team and by their group: a province has thousands of both."""
    found: Roster = defaultdict(list)
    for member in members:
        found["team", member.team_id].append(member)
        if member.group_id:
            found["group", member.group_id].append(member)
    return found


def _periods_of(row: Assignment, roster: Roster) -> Iterator[ServicePeriod]:
    first, last = assignment_span(row)
    if row.planner_id:
        spans = [(row.planner_id, first, last)]
        via = "planner"
    else:
        via = "group" if row.group_id else "team"
        spans = [
            (m.planner_id, max(first, m.start), min(last, m.end or _FAR))
            for m in roster.get((via, row.group_id or row.team_id or 0), ())
        ]
    for planner_id, start, end in spans:
        if start <= end:
            yield ServicePeriod(planner_id, row.charge_id, row.contract_id, row.pk, start, end, via, bool(row.is_lead))


def charges_of(planner: Planner, on: date) -> list[ServedCharge]:
    """The charges `planner` may record work for on `on`, by name, each once, with contract and assignment.

    Counts their own assignments and those of the groups and teams they belong to on that day, under contracts that
    were signed and not over by then. Four queries at most.
    """
    best: dict[int, ServicePeriod] = {}
    for period in service_periods(planners=[planner.pk], start=on, end=on):
        best.setdefault(period.charge_id, period)
    rows = Assignment.objects.filter(pk__in=[p.assignment_id for p in best.values()]).select_related(
        "charge", "contract", "contract__policy_version"
    )
    served = [ServedCharge(row.charge, row.contract, row) for row in rows]
    return sorted(served, key=lambda s: (s.charge.kind != Charge.Kind.UNIT, s.charge.name, s.charge.pk))


def contract_for(planner: Planner, charge: Charge, on: date) -> Contract | None:
    """The contract under which `planner` serves `charge` on `on`; None when they do not."""
    periods = service_periods(planners=[planner.pk], charges=[charge.pk], start=on, end=on)
    return Contract.objects.get(pk=periods[0].contract_id) if periods else None


def members_of(assignment: Assignment, start: date, end: date) -> list[Service]:
    """Who serves under `assignment` between `start` and `end` (both included), in name order.

    A person's own assignment has that one person; a group's or team's has everyone who belonged to it, each with
    the days on which they did (twice, when they left and came back). Empty when the assignment lies outside.
    """
    rows: list[TeamMember] = []
    if assignment.group_id:
        rows = list(TeamMember.objects.filter(group_id=assignment.group_id))
    elif assignment.team_id:
        rows = list(TeamMember.objects.filter(team_id=assignment.team_id))
    periods = [p for p in _periods_of(assignment, _roster(rows)) if p.start <= end and p.end >= start]
    people = Planner.objects.in_bulk({p.planner_id for p in periods})
    services = [Service(people[p.planner_id], max(p.start, start), min(p.end, end)) for p in periods]
    return sorted(services, key=lambda s: (s.planner.sort_key, s.planner.pk, s.start))
