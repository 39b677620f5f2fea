"""What is still needed to meet the quota, and where the present pace leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from fractions import Fraction

from core.explain import Figure, Part
from core.workdays import CalendarGap, WorkCalendar
from worklogs.tally import words
from worklogs.tally.assess import Assessment
from worklogs.tally.parts import formula
from worklogs.tally.periods import TENTH, Period, exact
from worklogs.tally.rules import DAY_KIND, NON_WORKDAYS, REQUIRED, Rules
from worklogs.tally.shapes import clipped, days_in

ZERO = Decimal(0)


@dataclass(frozen=True)
class Forecast:
    """`per_month`: days still needed in each month that is left. `projected`: the year's days at the present pace.

    Both are open (None) when days or quota are, and before the service begins; once the year is over, `per_month` is
    None and `text` says how it ended.
    """

    per_month: Figure
    projected: Figure
    text: str
    note: str = ""


def summary(days: Decimal | None, required: Decimal | None, *, period: Period, today: date, unit: str) -> str:
    """`18 / 30，还需每月 2.4 天`: where a subject stands, in one line."""
    if days is None:
        return "未设定"
    if required is None:
        return f"{words.tidy(days)} {unit}，要求未设定"
    head = f"{words.tidy(days)} / {words.tidy(required)}"
    short = required - days
    if short <= 0:
        return f"{head}，已达到要求"
    if period.is_final(today):
        return f"{head}，差 {words.tidy(short)} {unit}"
    need = needed(days, required, period.months_left(today))
    return f"{head}，还需每月 {words.tidy(need)} {unit}" if need is not None else head


def needed(days: Decimal, required: Decimal, months_left: Decimal) -> Decimal | None:
    """Days a month from now on, rounded up to a tenth; None with no time left."""
    if not months_left:
        return None
    return exact(Fraction(max(ZERO, required - days)) / Fraction(months_left), TENTH, ROUND_UP)


def forecast_of(numbers: Assessment, calendar: WorkCalendar) -> Forecast:
    case, period, today = numbers.case, numbers.case.period, numbers.case.today
    days, required = numbers.days.value, numbers.required_days.value
    unit = words.day_unit(case.rules.get(DAY_KIND))
    text = summary(days, required, period=period, today=today, unit=unit)
    unset = tuple(dict.fromkeys([*numbers.days.unset, *numbers.required_days.unset]))
    per_month = projected = Figure(None, (), unset)
    if days is not None and required is not None and not numbers.final:
        left = period.months_left(today)
        value = needed(days, required, left)
        per_month = Figure(value, (
            formula("per_month", "（要求 − 已完成）÷ 剩余月数，进到一位小数"),
            Part("要求", required, (), case.rules.clause(REQUIRED), "required"),
            Part("已完成", days, (), None, "done"),
            Part("剩余月数", left, (), None, "months_left"),
        ))  # fmt: skip
    served = days_in(clipped(period.spans, date.min, today))
    if days is not None and served:
        whole = period.days
        projected = Figure(exact(Fraction(days) * whole / served, TENTH), (
            formula("projected", "已完成 × 全期天数 ÷ 已过天数，保留一位小数"),
            Part("已完成", days, (), None, "done"),
            Part("全期天数", Decimal(whole), (), None, "whole"),
            Part("已过天数", Decimal(served), (), None, "served"),
        ))  # fmt: skip
    return Forecast(per_month, projected, text, _feasible(numbers, calendar, case.rules))


def _feasible(numbers: Assessment, calendar: WorkCalendar, rules: Rules) -> str:
    """Says so when what is missing no longer fits into the workdays that are left."""
    short, period, today = numbers.shortfall_days.value, numbers.case.period, numbers.case.today
    if not short or numbers.final or rules.get(NON_WORKDAYS) is not False:
        return ""
    try:
        left = sum(calendar.workdays_between(s.start, s.end) for s in clipped(period.spans, today, date.max))
    except CalendarGap:
        return ""
    return f"余下只有 {left} 个工作日，少于所差的 {words.tidy(short)} 天" if left < short else ""
