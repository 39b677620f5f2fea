"""Which units nobody serves, and which several contracts serve in one role: by day, within a period.

Shown, not forbidden: a change of contract leaves a gap, a hand-over needs an overlap. Where the policy keeps a unit
for one (units.exclusive), services.assigning refuses the second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from districts.models import Unit
from planners.models import Assignment
from planners.services.assignments import assignment_span
from planners.services.spans import beside, joined

NEVER, PARTLY, DOUBLE, COVERED = "never", "partly", "double", "covered"
STATES = {NEVER: "未覆盖", PARTLY: "部分时间未覆盖", DOUBLE: "重复覆盖", COVERED: "覆盖"}


@dataclass(frozen=True, slots=True)
class Gap:
    """Days on which nobody serves the unit, both ends included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Double:
    """Days on which two contracts send people of one role type to the unit."""

    start: date
    end: date
    role_type: str
    contracts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A unit's `gaps` and `doubles` within the days looked at on which it existed (`days`; None: on none of them)."""

    unit: Unit
    days: tuple[date, date] | None
    gaps: tuple[Gap, ...]
    doubles: tuple[Double, ...]

    @property
    def states(self) -> frozenset[str]:
        """Every state that holds: a unit may have a gap and be doubly served at other times."""
        found = {DOUBLE} if self.doubles else set()
        if self.gaps:
            whole = self.days is not None and (self.gaps[0].start, self.gaps[0].end) == self.days
            found.add(NEVER if whole else PARTLY)
        return frozenset(found or {COVERED})


def coverage_of(units: Sequence[Unit], start: date, end: date) -> list[Coverage]:
    """The coverage of each unit between `start` and `end` (both included), in the order given; one query."""
    served: dict[int, list[Assignment]] = defaultdict(list)
    rows = Assignment.objects.filter(
        charge_id__in=[unit.charge_id for unit in units], contract__state__in=["signed", "ended"], start__lte=end
    )
    for row in rows.select_related("contract").order_by("start", "pk"):
        served[row.charge_id].append(row)
    return [_coverage(unit, served[unit.charge_id], start, end) for unit in units]


def _coverage(unit: Unit, rows: Iterable[Assignment], start: date, end: date) -> Coverage:
    first, last = max(start, unit.valid_from or start), min(end, unit.valid_to or end)
    if first > last:
        return Coverage(unit, None, (), ())
    spans = []
    for row in rows:
        begins, ends = assignment_span(row)
        if begins <= last and ends >= first and begins <= ends:
            spans.append((row, max(begins, first), min(ends, last)))
    gaps = tuple(Gap(*days) for days in beside(first, last, [(begins, ends) for _, begins, ends in spans]))
    return Coverage(unit, (first, last), gaps, tuple(_doubles(spans)))


def _doubles(spans: Sequence[tuple[Assignment, date, date]]) -> list[Double]:
    """Pairs of contracts of one role type that meet, each pair's days joined."""
    met: dict[tuple[str, tuple[tuple[int, str], ...]], list[tuple[date, date]]] = defaultdict(list)
    for (one, first, last), (two, begins, ends) in combinations(spans, 2):
        if one.contract_id == two.contract_id or one.contract.role_type != two.contract.role_type:
            continue
        if first <= ends and begins <= last:
            pair = tuple(sorted(((one.contract_id, one.contract.number), (two.contract_id, two.contract.number))))
            met[one.contract.role_type, pair].append((max(first, begins), min(last, ends)))
    return sorted(
        (
            Double(first, last, role_type, pair)
            for (role_type, pair), days in met.items()
            for first, last in joined(days)
        ),
        key=lambda double: (double.start, double.contracts),
    )
