"""A year on one sheet: twelve months of weeks, days off and days worked marked."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.models import CalendarDay

MARKS = {"holiday": "休", "makeup": "班"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A day; `day` 0 is an empty place before the first or after the last. `mark`: 休 or 班, `name`: of what."""

    day: int = 0
    kind: str = ""
    mark: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    number: int
    weeks: tuple[tuple[Cell, ...], ...]


_EMPTY = (Cell(),) * 7


def year_sheet(year: int, holidays: Mapping[date, str], makeup: Mapping[date, str]) -> tuple[Month, ...]:
    """Twelve months of six weeks from Monday, so that they stand even; days of other years are left out."""
    months = []
    for month in range(1, 13):
        weeks = [
            tuple(_cell(date(year, month, day), holidays, makeup) if day else Cell() for day in week)
            for week in calendar.Calendar().monthdayscalendar(year, month)
        ]
        months.append(Month(month, tuple((weeks + [_EMPTY] * 6)[:6])))
    return tuple(months)


def _cell(day: date, holidays: Mapping[date, str], makeup: Mapping[date, str]) -> Cell:
    if day in makeup:
        return Cell(day.day, "makeup", MARKS["makeup"], f"{makeup[day]}调休上班")
    if day in holidays:
        return Cell(day.day, "holiday", MARKS["holiday"], f"{holidays[day]}放假")
    return Cell(day.day, "weekend" if day.weekday() >= 5 else "")


def kept_days(year: int) -> tuple[dict[date, str], dict[date, str]]:
    """(days off, days worked) of a year as the table has them, with their names."""
    rows = CalendarDay.objects.filter(date__year=year, kind__in=["holiday", "makeup"]).order_by("date")
    found: tuple[dict[date, str], dict[date, str]] = ({}, {})
    for day, kind, name in rows.values_list("date", "kind", "name"):
        found[kind == "makeup"][day] = name.removesuffix("调休上班")
    return found
