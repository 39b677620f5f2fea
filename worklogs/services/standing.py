"""Where a subject stands, read from its kept row: in words, and as a tone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from worklogs.tally.forecast import summary
from worklogs.tally.periods import Period
from worklogs.tally.shapes import Span
from worklogs.tally.words import day_unit, label_of


class KeptFigure(Protocol):
    """A kept row: a `DutyFigure`, or a tuple of what lists show of it (`figure_tables.light`)."""

    pk: Any
    label: Any
    year: Any
    day_kind: Any
    days: Decimal | None
    required_days: Decimal | None
    visits: Decimal | None
    required_visits: Decimal | None
    deduction: Decimal | None
    waiting: Any
    unset: Any
    months: Any
    start: date | None
    end: date | None
    final: Any


def unit_of(row: KeptFigure) -> str:
    """个工作日 or 天."""
    return day_unit(row.day_kind or None)


def period_of(row: KeptFigure) -> Period:
    return Period(row.year, (Span(row.start, row.end),) if row.start and row.end else ())


def standing_of(row: KeptFigure, today: date) -> str:
    """`18 / 30，还需每月 2.4 天`, as of today, or what keeps it from being said."""
    if row.days is None and row.unset.get("days"):
        return "未设定：" + "、".join(label_of(key) for key in row.unset["days"])
    return summary(row.days, row.required_days, period=period_of(row), today=today, unit=unit_of(row))


def tone_of(row: KeptFigure, today: date) -> str:
    """good: done; bad: the year is over and it was not; waiting: behind the calendar; neutral: on the way."""
    if row.days is None or row.required_days is None:
        return "unset"
    if row.days >= row.required_days:
        return "good"
    if row.final:
        return "bad"
    period = period_of(row)
    if not period.days or row.start is None or row.end is None:
        return "neutral"
    passed = max(0, (min(today, row.end) - row.start).days + 1)
    return "neutral" if row.days * period.days >= row.required_days * passed else "waiting"
