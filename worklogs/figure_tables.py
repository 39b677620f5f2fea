"""The year by month, worded once: each cell opens to the records behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from worklogs.models import DutyFigure
from worklogs.querysets import DutyFigureQuerySet
from worklogs.services.standing import KeptFigure, standing_of, tone_of
from worklogs.tally.words import tidy

# What a line is worded of, and what lists are ordered by.
_FIELDS = (
    "pk", "label", "sort_key", "year", "day_kind", "days", "required_days", "visits", "required_visits", "deduction",
    "logs", "waiting", "unset", "months", "start", "end", "final", "contract__number",
)  # fmt: skip
UNSET = mark_safe('<span class="unset">未设定</span>')


@dataclass(frozen=True, slots=True)
class Cell:
    """One month: what stands in it, a second line, a class, and where it opens to (empty: nowhere)."""

    month: int
    text: str
    note: str
    css: str
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One subject's year as a row."""

    figure: KeptFigure
    url: str
    span: str
    standing: str
    percent: int | None
    tone: str
    cells: Sequence[Cell]
    totals: Sequence[tuple[str, Any]]


def light(rows: DutyFigureQuerySet) -> Any:
    """Named tuples of the kept figures instead of objects, without what no line shows."""
    return rows.values_list(*_FIELDS, named=True)


def lines_of(rows: Iterable[KeptFigure], *, today: date) -> list[FigureLine]:
    """Rows that read the same (two teams in one merged unit) are told apart by their contracts."""
    found = list(rows)
    same = Counter((row.label, row.start, row.end) for row in found)
    return [_line(row, today, _contract(row) if same[row.label, row.start, row.end] > 1 else "") for row in found]


def _contract(row: Any) -> str:
    return str(row.contract.number if isinstance(row, DutyFigure) else row.contract__number)


def _line(row: KeptFigure, today: date, contract: str) -> FigureLine:
    url = reverse("worklogs:figure", args=[row.pk])
    percent = None
    if row.days is not None and row.required_days:
        percent = min(100, int(row.days * 100 / row.required_days))
    visits = UNSET if row.visits is None else _out_of(row.visits, row.required_visits)
    deduction = UNSET if row.deduction is None else format_html('<span class="num">{}</span>', f"{row.deduction:,.2f}")
    return FigureLine(
        row, url, f"{_span(row)} 合同 {contract}".strip() if contract else _span(row), standing_of(row, today), percent,
        tone_of(row, today), [_cell(row, month, url) for month in row.months],
        (("走访", visits), ("扣减（元）", deduction)),
    )  # fmt: skip


def _span(row: KeptFigure) -> str:
    """The days of service where they are not the whole year: two contracts may follow each other in one."""
    if row.start is None or row.end is None:
        return "本年度不在服务期"
    if (row.start, row.end) == (date(row.year, 1, 1), date(row.year, 12, 31)):
        return ""
    return f"{row.start:%m-%d} 至 {row.end:%m-%d}"


def _out_of(done: Decimal, asked: Decimal | None) -> SafeString:
    words = tidy(done) if asked is None else f"{tidy(done)} / {tidy(asked)}"
    return format_html('<span class="num">{}</span>', words)


def _cell(row: KeptFigure, month: dict[str, Any], url: str) -> Cell:
    number, logs = month["month"], month["logs"] + (0 if month["logs"] else month["waiting"])
    link = f"{url}months/{number}/" if logs else ""
    if not month["served"]:
        return Cell(number, "", "", "is-away", link, f"{number}月不在服务期")
    days, visits, short = month["days"], month["visits"], Decimal(month["short"] or 0)
    if days is None:
        text, css = (f"{month['logs']} 条", "is-open") if month["logs"] else ("", "")
    else:
        text, css = (tidy(Decimal(days)), "") if Decimal(days) or month["logs"] else ("", "")
    note = ""
    asked = Decimal(month["required_visits"] or 0)
    if visits is not None and month["required_visits"] is not None and (Decimal(visits) or (asked and month["due"])):
        note = f"访 {tidy(Decimal(visits))}/{tidy(asked)}"
    if short:
        css = f"{css} is-short".strip()
    title = f"{row.year}年{number}月：记录 {month['logs']} 条"
    if short:
        title += f"，走访差 {tidy(short)} 次"
    return Cell(number, text, note, css, link, title)
