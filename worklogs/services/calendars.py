"""A month as a sheet of weeks: the logs of each day beside what kind of day it is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from core.calendar import CalendarGap, WorkCalendar, load_work_calendar
from worklogs.models import WorkLog
from worklogs.querysets import WorkLogQuerySet, next_month

# A day of a whole city may hold hundreds: the sheet shows a few and counts the rest.
SHOWN_A_DAY = 4
_SLOTS = dict(WorkLog.Slot.choices)
_KINDS = dict(WorkLog.Kind.choices)


@dataclass(slots=True)
class Day:
    date: date
    in_month: bool
    is_today: bool
    is_rest: bool
    name: str
    logs: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0

    @property
    def count(self) -> int:
        return len(self.logs) + self.more


@dataclass(frozen=True, slots=True)
class Grid:
    month: date
    weeks: list[list[Day]]
    note: str
    total: int

    @property
    def before(self) -> date:
        return (self.month - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        return next_month(self.month)

    @property
    def days_with_logs(self) -> list[Day]:
        """For the narrow screen: a list, not a sheet."""
        return [day for week in self.weeks for day in week if day.in_month and (day.logs or day.name or day.is_today)]


def month_grid(rows: WorkLogQuerySet, month: date) -> Grid:
    """Weeks from Monday to Sunday that hold `month`; `rows` is scoped and filtered by the caller. Three queries."""
    first = month - timedelta(days=month.weekday())
    last = next_month(month) - timedelta(days=1)
    last += timedelta(days=6 - last.weekday())
    calendar = load_work_calendar(first, last)
    logs: dict[date, list[Any]] = defaultdict(list)
    found = rows.in_month(month.year, month.month).order_by("date", "slot", "pk")
    for row in found.values("pk", "date", "slot", "kind", "state", "charge_name", "planner__name"):
        logs[row["date"]].append(row)
    days = [_day(first + timedelta(days=n), month, calendar, logs) for n in range((last - first).days + 1)]
    weeks = [days[n : n + 7] for n in range(0, len(days), 7)]
    return Grid(month, weeks, calendar.note(month), sum(len(rows) for rows in logs.values()))


def _day(on: date, month: date, calendar: WorkCalendar, logs: dict[date, list[Any]]) -> Day:
    try:
        is_rest = not calendar.is_workday(on)
    except CalendarGap:
        is_rest = False
    found = logs.get(on, [])
    shown = [
        {**row, "slot_label": _SLOTS[row["slot"]], "kind_label": _KINDS[row["kind"]]} for row in found[:SHOWN_A_DAY]
    ]
    return Day(
        on,
        on.month == month.month,
        on == timezone.localdate(),
        is_rest,
        calendar.name(on),
        shown,
        max(0, len(found) - SHOWN_A_DAY),
    )
