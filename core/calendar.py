"""The calendar table: filled from the published notices, extended each year, read as a `WorkCalendar`.

`load_calendar` seeds 2004 onwards from the built-in collection of notices, and the years after it provisionally from
the statutory holidays alone (国务院《全国年节及纪念日放假办法》). `core.calendar_publishing.publish_year` replaces a year
by its notice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from core.calendar_notice import EARLIEST
from core.models import CalendarDay, CalendarNotice, CalendarYear
from core.workdays import PROVISIONAL_NOTE, CalendarGap, WorkCalendar

__all__ = [
    "PROVISIONAL_NOTE", "CalendarGap", "WorkCalendar", "days_of", "load_calendar", "load_work_calendar", "notice_title",
    "read_notice", "rewrite_year",
]  # fmt: skip

YEARS_AHEAD = 2
MAKEUP = "调休上班"
# The collection names some days by their short form; the statute has the full one.
FULL_NAMES = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}


def load_work_calendar(start: date, end: date) -> WorkCalendar:
    """A snapshot of the table from `start` to `end`, both included, widened to whole years. Two queries.

    Days that the table does not hold are left out: asking for them raises CalendarGap.
    """
    first, last = date(start.year, 1, 1), date(end.year, 12, 31)
    rows = CalendarDay.objects.filter(date__range=(first, last)).values_list("date", "is_workday", "name")
    provisional = CalendarYear.objects.filter(
        year__range=(start.year, end.year), status=CalendarYear.Status.PROVISIONAL
    ).values_list("year", flat=True)
    return WorkCalendar.of(rows.iterator(chunk_size=2000), provisional)


@transaction.atomic
def load_calendar(*, years_ahead: int = YEARS_AHEAD, only: Collection[int] | None = None) -> dict[int, str]:
    """Fill the table; repeatable. Returns {year: status} of what was written.

    `only`: these years alone. Years that a person entered stay as they are; a provisional year becomes published once
    the collection holds it.
    """
    published = _published_years()
    years = dict.fromkeys(published, CalendarYear.Status.PUBLISHED)
    years |= {published[-1] + n: CalendarYear.Status.PROVISIONAL for n in range(1, years_ahead + 1)}
    manual = set(CalendarYear.objects.filter(is_manual=True).values_list("year", flat=True))
    todo = {year: status for year, status in years.items() if year not in manual and (only is None or year in only)}
    rows = [_day(day, *days) for year, days in _planned(todo).items() for day in _dates(year)]
    CalendarYear.objects.bulk_create(
        [CalendarYear(year=year, status=status, source=_source(year, status)) for year, status in todo.items()],
        update_conflicts=True, unique_fields=["year"], update_fields=["status", "source"],
    )  # fmt: skip
    _write(rows)
    return {year: str(status) for year, status in todo.items()}


def _write(rows: list[CalendarDay]) -> None:
    CalendarDay.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["date"],
        update_fields=["is_workday", "kind", "name"],
    )  # fmt: skip


@lru_cache(maxsize=1)
def _published_years() -> list[int]:
    from chinese_calendar import constants

    # A year counts as published only when its National Day is there: a collection may hold the first days of the next.
    return sorted({day.year for day in constants.holidays if (day.month, day.day) == (10, 1)})


def _source(year: int, status: str) -> str:
    if status == CalendarYear.Status.PROVISIONAL:
        return f"《全国年节及纪念日放假办法》（{PROVISIONAL_NOTE}）"
    return notice_title(year)


def notice_title(year: int) -> str:
    """What the State Council's yearly notice is called."""
    return f"国务院办公厅关于{year}年部分节假日安排的通知"


def _dates(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def rewrite_year(year: int) -> None:
    """Write the days of a year as its latest notice has them, else the collection, else the law."""
    days = _planned([year])[year]
    _write([_day(day, *days) for day in _dates(year)])


Days = tuple[dict[date, str], dict[date, str]]


def _planned(years: Collection[int]) -> dict[int, Days]:
    """{year: (days off, days worked)}. A notice may reach back into December: what it says of it goes before."""
    rows = CalendarNotice.objects.filter(year__in={*years, *(year + 1 for year in years)})
    # The later version takes the place of the earlier.
    notices = {notice.year_id: notice for notice in rows.order_by("year", "number")}
    return {year: _plan(year, notices.get(year), notices.get(year + 1)) for year in years}


def _plan(year: int, own: CalendarNotice | None, following: CalendarNotice | None) -> Days:
    collected = year in _published_years()
    holidays, makeup = _notice(year) if collected else (_statutory(year), {})
    late = date(year, *EARLIEST)
    if own is not None:
        # The collection knows of the notice after: what it has at the end of December stands.
        found = (own.days_off(), own.days_worked())
        kept = tuple(
            {day: name for day, name in days.items() if day >= late and collected} for days in (holidays, makeup)
        )
        holidays, makeup = ({**before, **days} for before, days in zip(kept, found, strict=True))
    if following is not None:
        for days, other, said in (
            (holidays, makeup, following.days_off()), (makeup, holidays, following.days_worked())
        ):  # fmt: skip
            for day, name in said.items():
                if day.year == year:
                    other.pop(day, None)
                    days[day] = name
    return holidays, makeup


def days_of(year: int) -> Days:
    """What the notice of a year says as the table has it, to start a correction from: 元旦 of the year after is left
    out, that of this year comes with its days in December."""
    first, last = date(year - 1, *EARLIEST), date(year, 12, 31)
    rows = CalendarDay.objects.filter(date__range=(first, last)).exclude(name="").order_by("date")
    found: Days = ({}, {})
    for day, kind, name in rows.values_list("date", "kind", "name"):
        if (day.month == 12 and day >= date(day.year, *EARLIEST)) == (day.year == year):
            continue
        found[kind == CalendarDay.Kind.MAKEUP][day] = name.removesuffix(MAKEUP) or name
    return found


def _notice(year: int) -> tuple[dict[date, str], dict[date, str]]:
    from chinese_calendar import Holiday, constants

    words = {h.value: FULL_NAMES.get(h.chinese, h.chinese) for h in Holiday}
    holidays = {day: words[str(name)] for day, name in constants.holidays.items() if day.year == year}
    makeup = {day: words[str(name)] for day, name in constants.workdays.items() if day.year == year}
    return holidays, makeup


def _statutory(year: int) -> dict[date, str]:
    import holidays

    return {day: str(name) for day, name in holidays.country_holidays("CN", years=year, language="zh_CN").items()}


def _day(day: date, holidays: Mapping[date, str], makeup: Mapping[date, str]) -> CalendarDay:
    kind, name = CalendarDay.Kind.WORKDAY, ""
    if day in makeup:
        kind, name = CalendarDay.Kind.MAKEUP, f"{makeup[day]}{MAKEUP}" if makeup[day] != MAKEUP else MAKEUP
    elif day in holidays:
        kind, name = CalendarDay.Kind.HOLIDAY, holidays[day]
    elif day.weekday() >= 5:
        kind = CalendarDay.Kind.WEEKEND
    worked = kind in (CalendarDay.Kind.WORKDAY, CalendarDay.Kind.MAKEUP)
    return CalendarDay(date=day, is_workday=worked, kind=kind, name=name[:40])


def read_notice(rows: Any) -> tuple[dict[date, str], dict[date, str]]:
    """Days off and made-up workdays from (date, 放假|上班, name) rows. Raises ValidationError with the row's number."""
    from core.text import parse_date

    holidays: dict[date, str] = {}
    makeup: dict[date, str] = {}
    problems = []
    for number, (when, what, name) in enumerate(rows, start=2):
        try:
            day = parse_date(when)
        except ValueError as exc:
            problems.append(f"第 {number} 行：{exc}")
            continue
        if what not in ("放假", "上班"):
            problems.append(f"第 {number} 行：类型“{what}”无法识别，只能是“放假”或“上班”")
        else:
            (holidays if what == "放假" else makeup)[day] = name or (MAKEUP if what == "上班" else "放假")
    if problems:
        raise ValidationError(problems)
    return holidays, makeup
