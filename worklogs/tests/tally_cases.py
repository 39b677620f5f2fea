"""What the tests of the tally share: policies by their keys, one real year of the calendar, subjects and logs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from core.explain import Clause
from core.workdays import WorkCalendar
from worklogs.tally import FeePeriod, Log, Member, Rules, Span, Subject

YEAR = 2025
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
# 2025: New Year's Day, Spring Festival with 26 January worked, and 28 September worked before the long holiday.
HOLIDAYS = {date(2025, 1, 1), *(date(2025, 1, 28) + timedelta(n) for n in range(8)),
            *(date(2025, 10, 1) + timedelta(n) for n in range(8))}  # fmt: skip
MAKEUP = {date(2025, 1, 26), date(2025, 9, 28)}


def make_calendar() -> WorkCalendar:
    days = [date(YEAR - 1, 1, 1) + timedelta(n) for n in range(366 + 365 + 365)]
    return WorkCalendar({d: d in MAKEUP or (d.weekday() < 5 and d not in HOLIDAYS) for d in days})


CALENDAR = make_calendar()


def fill_calendar() -> None:
    """The calendar of these tests as rows: three years instead of all that the product ships with. Days that are there
    stay as they are."""
    from core.models import CalendarDay

    CalendarDay.objects.bulk_create(
        (
            CalendarDay(date=day, is_workday=worked, kind="workday" if worked else "weekend")
            for day, worked in CALENDAR.days.items()
        ),
        ignore_conflicts=True,
    )


def make_rules(**values: Any) -> Rules:
    """Rules of a made-up policy; `quota__half_day="counts_half"` names `quota.half_day`. What is not named is unset."""
    given = {name.replace("__", "."): value for name, value in values.items()}

    def get(key: str) -> Any:
        value = given.get(key)
        return SimpleNamespace(
            value=value, clause=Clause(key, "unset" if value is None else "clause", "试行办法", "一")
        )

    return Rules.of(SimpleNamespace(get=get))


# What the two documents with a quota say, and nothing more.
CORE = {
    "quota__required_days": Decimal(30), "quota__day_kind": "workday", "quota__counts_non_workdays": False,
    "quota__half_day": "counts_half", "quota__owner": "team_unit",
}  # fmt: skip
GROUPS = {
    "quota__required_days": Decimal(30), "quota__day_kind": "day", "quota__counts_non_workdays": True,
    "quota__half_day": "counts_half", "quota__owner": "group", "visits__required_per_month": 1,
    "visits__principal_required": True, "visits__log_kinds": ("survey", "on_site", "meeting"),
    "deduction__triggers": ("days", "visits"), "deduction__basis": "annual_fee",
}  # fmt: skip
FULL = {
    **GROUPS, "quota__same_day_members": "one", "quota__proration": "by_days", "quota__needs_confirmation": False,
    "deduction__formula": "larger", "deduction__share": "equal", "deduction__cap": Decimal("0.5"),
}  # fmt: skip


def make_subject(*, start: date = FIRST, end: date = LAST, planners: tuple[int, ...] = (1, 2), **extra: Any) -> Subject:
    """Two people at charge 1 for the whole year under a fee of 60,000 a year."""
    extra.setdefault("fees", (FeePeriod(FIRST, LAST, Decimal(60000)),))
    extra.setdefault("charge_id", 1)
    members = tuple(Member(planner, 1, start, end) for planner in planners)
    return Subject(1, "景山街道", (Span(start, end),), members, **extra)


def make_log(number: int, day: date, *, planner: int = 1, slot: str = "full", **extra: Any) -> Log:
    extra.setdefault("kind", "survey")
    extra.setdefault("state", "confirmed")
    return Log(number, day, planner, extra.pop("charge", 1), slot, **extra)


def on(month: int, day: int) -> date:
    return date(YEAR, month, day)
