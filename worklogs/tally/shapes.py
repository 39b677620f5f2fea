"""What the tally is computed from, as plain data: logs, members, the subject, and the counts of a month ("atoms").

A *subject* is whoever the quota is of (quota.owner): a person under a contract, a group in its unit, or the team in
each of its units. All dates are inclusive.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

ONE_DAY = timedelta(days=1)
CONFIRMED = "confirmed"
COUNTING_STATES = ("submitted", CONFIRMED)
# Halves of a day as bits, so that two entries of one half are one half.
HALVES = {"am": 1, "pm": 2, "full": 3}
WHOLE = 3


class Span(NamedTuple):
    """From `start` to `end`, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


class Member(NamedTuple):
    """Somebody whose work at a charge counts for the subject from `start` to `end`."""

    planner_id: int
    charge_id: int
    start: date
    end: date


class Log(NamedTuple):
    """One entry as the tally needs it. `state` is submitted or confirmed; anything else never counts."""

    id: int
    date: date
    planner_id: int
    charge_id: int
    slot: str
    kind: str
    state: str
    met_principal: bool = False


class FeePeriod(NamedTuple):
    """A fee agreed for a period (an annual signing, or a year of the contract's annual fee), in yuan."""

    start: date
    end: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose quota it is, with the days on which it runs.

    `spans`: days under the contract, merged and in order. `members`: whose logs count, where and when.
    `sharing`: how many subjects of the contract share its fee in the year. `ambiguous`: with quota.owner unset, another
    owner would give other subjects.
    """

    contract_id: int
    label: str
    spans: tuple[Span, ...]
    members: tuple[Member, ...]
    charge_id: int | None = None
    planner_id: int | None = None
    group_id: int | None = None
    fees: tuple[FeePeriod, ...] = ()
    contract_fee: Decimal | None = None
    sharing: int = 1
    ambiguous: bool = False

    @property
    def key(self) -> tuple[int, int | None, int | None, int | None]:
        return self.contract_id, self.charge_id, self.planner_id, self.group_id


class Atoms(NamedTuple):
    """Counts of one month from which every allowed reading of the day and visit rules can be computed.

    `one_…`: dates of the subject as a whole (two members on a date are one); `each_…`: a date once for each member.
    `…_work_…`: on workdays; `…_rest_…`: on weekends and holidays. `…_half`: half a day; `…_full`: a whole one.
    `visits`: dates and charges with work of a kind that counts as a visit; `visits_met`: of these, with the principal.
    `logs`: entries that count; `waiting`: submitted entries that wait to be confirmed, counted or not.
    """

    one_work_half: int = 0
    one_work_full: int = 0
    one_rest_half: int = 0
    one_rest_full: int = 0
    each_work_half: int = 0
    each_work_full: int = 0
    each_rest_half: int = 0
    each_rest_full: int = 0
    visits: int = 0
    visits_met: int = 0
    logs: int = 0
    waiting: int = 0


NO_ATOMS = Atoms()
MonthAtoms = Mapping[int, Atoms]


def merged(spans: Iterable[tuple[date, date]]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap as one; empty ones dropped."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if end < start:
            continue
        if found and (found[-1].end == date.max or start <= found[-1].end + ONE_DAY):
            found[-1] = Span(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Span(start, end))
    return tuple(found)


def clipped(spans: Sequence[Span], first: date, last: date) -> tuple[Span, ...]:
    """The parts of `spans` between `first` and `last`."""
    return tuple(Span(max(s.start, first), min(s.end, last)) for s in spans if s.start <= last and s.end >= first)


def days_in(spans: Iterable[Span]) -> int:
    return sum(span.days for span in spans)


def holds(spans: Iterable[Span], day: date) -> bool:
    return any(span.start <= day <= span.end for span in spans)


@lru_cache(maxsize=2048)
def month_length(year: int, month: int) -> int:
    return months.monthrange(year, month)[1]


@lru_cache(maxsize=2048)
def month_span(year: int, month: int) -> Span:
    return Span(date(year, month, 1), date(year, month, month_length(year, month)))


def year_span(year: int) -> Span:
    return Span(date(year, 1, 1), date(year, 12, 31))
