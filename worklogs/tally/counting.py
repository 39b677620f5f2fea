"""From logs to atoms: which entries count for a subject, and on how many half and whole days.

One person's day is never more than one day: entries are halves of a date, and the same half twice is one half.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from core.workdays import WorkCalendar
from worklogs.tally.rules import Rules
from worklogs.tally.shapes import CONFIRMED, COUNTING_STATES, HALVES, WHOLE, Atoms, Log, Subject


@dataclass(slots=True)
class Presence:
    """What is recorded for one date: the halves worked, and the entries that say so."""

    mask: int = 0
    records: list[int] = field(default_factory=list)

    def add(self, log: Log) -> None:
        self.mask |= HALVES[log.slot]
        self.records.append(log.id)


@dataclass(slots=True)
class Visit:
    """One date at one charge: is any work of a visiting kind, was the principal met."""

    counts: bool = False
    met: bool = False
    records: list[int] = field(default_factory=list)


@dataclass
class Collected:
    """The entries of one subject and year, sorted out."""

    calendar: WorkCalendar
    by_planner: dict[tuple[date, int], Presence] = field(default_factory=lambda: defaultdict(Presence))
    by_date: dict[date, Presence] = field(default_factory=lambda: defaultdict(Presence))
    visits: dict[tuple[date, int], Visit] = field(default_factory=lambda: defaultdict(Visit))
    counted: list[Log] = field(default_factory=list)
    waiting: list[Log] = field(default_factory=list)
    outside: list[Log] = field(default_factory=list)

    def presences(self, month: int, *, each: bool) -> list[tuple[date, Presence]]:
        """Dates of the month (once for each member with `each`), in order."""
        if each:
            return sorted(((day, p) for (day, _), p in self.by_planner.items() if day.month == month), key=_day)
        return sorted(((day, p) for day, p in self.by_date.items() if day.month == month), key=_day)

    def visits_of(self, month: int) -> list[tuple[date, Visit]]:
        return sorted(((day, v) for (day, _), v in self.visits.items() if day.month == month and v.counts), key=_day)

    def other_work(self, month: int) -> tuple[int, ...]:
        """Records of the month that stand on no visit, because no entry of that date is of a visiting kind."""
        rows = (v.records for (day, _), v in self.visits.items() if day.month == month and not v.counts)
        return tuple(sorted(record for records in rows for record in records))


def _day(pair: tuple[date, object]) -> date:
    return pair[0]


def collect(subject: Subject, *, year: int, logs: Iterable[Log], calendar: WorkCalendar, rules: Rules) -> Collected:
    """Sort the logs of `year` out for the subject. The order of `logs` does not matter.

    An entry counts when it is handed in (confirmed, where the policy asks for that) by a member, for a charge and on
    a day that they serve.
    """
    found = Collected(calendar)
    kinds = rules.visit_kinds
    served: dict[tuple[int, int], list[tuple[date, date]]] = defaultdict(list)
    for member in subject.members:
        served[member.planner_id, member.charge_id].append((member.start, member.end))
    for log in sorted(logs):
        if log.date.year != year or log.state not in COUNTING_STATES:
            continue
        spans = served.get((log.planner_id, log.charge_id), ())
        if not any(start <= log.date <= end for start, end in spans):
            found.outside.append(log)
            continue
        if log.state != CONFIRMED:
            found.waiting.append(log)
            if rules.needs_confirmation:
                continue
        found.counted.append(log)
        found.by_planner[log.date, log.planner_id].add(log)
        found.by_date[log.date].add(log)
        visit = found.visits[log.date, log.charge_id]
        visit.counts |= kinds is None or log.kind in kinds
        visit.met |= log.met_principal
        visit.records.append(log.id)
    return found


def atoms_of(collected: Collected) -> dict[int, Atoms]:
    """The counts of each month that has any."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(Atoms._fields, 0))
    worked = collected.calendar.is_workday
    for way, presences in (
        ("one", collected.by_date.items()),
        ("each", ((day, p) for (day, _), p in collected.by_planner.items())),
    ):
        for day, presence in presences:
            length = "full" if presence.mask == WHOLE else "half"
            counts[day.month][f"{way}_{'work' if worked(day) else 'rest'}_{length}"] += 1
    for (day, _), visit in collected.visits.items():
        if visit.counts:
            counts[day.month]["visits"] += 1
            counts[day.month]["visits_met"] += visit.met
    for name, logs in (("logs", collected.counted), ("waiting", collected.waiting)):
        for log in logs:
            counts[log.date.month][name] += 1
    return {month: Atoms(**numbers) for month, numbers in sorted(counts.items())}


def records_of(logs: Sequence[Log]) -> tuple[int, ...]:
    return tuple(sorted(log.id for log in logs))
