"""What the pages of one subject show: its explained figures, each rule with its origin, and the charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.explain import Figure, Part
from worklogs.models import DutyFigure
from worklogs.services.figures import LABELS, SubjectFigures, explain
from worklogs.services.subjects import policy_of, subjects_of
from worklogs.tally.words import tidy

if TYPE_CHECKING:
    from districts.policy.values import EffectivePolicy

MONTH_LABELS = {"days": "服务天数", "visits": "走访次数", "principal_met": "与主要负责人当面交流"}


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part with where its rule comes from and how many records open from it."""

    part: Part
    number: int
    value: str
    origin: Any

    @property
    def is_formula(self) -> bool:
        return self.part.code.startswith("formula:")


@dataclass(frozen=True, slots=True)
class ShownFigure:
    code: str
    label: str
    figure: Figure
    value: str | None
    unit: str
    parts: tuple[ShownPart, ...]
    unset: tuple[Any, ...]

    @property
    def has_rows(self) -> bool:
        return any(not part.is_formula for part in self.parts)

    @property
    def formula(self) -> str:
        return next((part.value for part in self.parts if part.is_formula), "")


@dataclass(frozen=True, slots=True)
class Explained:
    """A subject's year, explained now from its logs; `policy` says where each rule comes from."""

    found: SubjectFigures
    policy: EffectivePolicy

    def shown(self, code: str, figure: Figure, *, label: str = "", unit: str = "") -> ShownFigure:
        parts = tuple(
            ShownPart(part, number, _words(part), self.policy.get(part.clause.key) if part.clause else None)
            for number, part in enumerate(figure.parts)
        )
        value = None if figure.value is None else _number(code, figure.value)
        unset = tuple(
            self.policy.get(key) for key in figure.unset if "." in key and not key.startswith("contract.annual")
        )
        return ShownFigure(code, label or LABELS.get(code, ""), figure, value, unit.strip(), parts, unset)

    @property
    def figures(self) -> list[ShownFigure]:
        lines = [self.shown(line.code, line.figure, label=line.label, unit=line.unit) for line in self.found.lines]
        forecast = self.found.tally.forecast
        if forecast.per_month.value is not None:
            lines.append(self.shown("per_month", forecast.per_month, label="还需每月", unit=self.found.tally.unit))
        if forecast.projected.value is not None and not self.found.tally.final:
            lines.append(
                self.shown("projected", forecast.projected, label="按目前进度全年可达", unit=self.found.tally.unit)
            )
        return lines

    def month(self, number: int) -> list[ShownFigure]:
        month = self.found.tally.months[number - 1]
        units = {"days": self.found.tally.unit}
        return [
            self.shown(code, getattr(month, code), label=label, unit=units.get(code, "次"))
            for code, label in MONTH_LABELS.items()
        ]

    def records(self, code: str, part: int, month: int | None = None) -> tuple[str, tuple[int, ...]] | None:
        """Label and record ids of one part; None when there is no such part."""
        shown = self.month(month) if month else self.figures
        for figure in shown:
            if figure.code == code and 0 <= part < len(figure.parts):
                return f"{figure.label} · {figure.parts[part].part.label}", figure.parts[part].part.records
        return None


def _number(code: str, value: Decimal) -> str:
    return f"{value:,.2f}" if code == "deduction" else tidy(value)


def _words(part: Part) -> str:
    if isinstance(part.value, Decimal):
        money = part.code == "fee" or part.code.startswith("fee:")
        return f"{part.value:,.2f}" if money else tidy(part.value)
    return "" if part.value is None else str(part.value)


def explained(row: DutyFigure, *, today: date) -> Explained | None:
    """The figure's subject explained from its logs; None when appointments have changed and it is no more."""
    found = [one for one in subjects_of(row.year, contracts=[row.contract_id], today=today) if one.key == row.subject]
    if not found:
        return None
    return Explained(explain(found, year=row.year, today=today)[0], policy_of(found[0].contract, row.year, today=today))


def year_chart(found: SubjectFigures) -> dict[str, Any]:
    """An ECharts option: days of each month, their running total, and the pace that the quota asks for."""
    tally = found.tally
    months = [f"{month.month}月" for month in tally.months]
    if tally.days.value is None:
        return {
            "grid": _GRID, "tooltip": {"trigger": "axis"}, "xAxis": {"type": "category", "data": months},
            "yAxis": {"type": "value", "name": "条", "minInterval": 1},
            "series": [
                {"name": "记录", "type": "bar", "data": [len(m.records) for m in tally.months], "barMaxWidth": 28}
            ],
        }  # fmt: skip
    days = [float(month.days.value or 0) for month in tally.months]
    series: list[dict[str, Any]] = [
        {"name": "当月", "type": "bar", "data": days, "barMaxWidth": 28},
        {"name": "累计", "type": "line", "data": _running(days, tally), "symbolSize": 6},
    ]
    if tally.required_days.value is not None:
        series.append({
            "name": "要求", "type": "line", "data": _pace(found), "symbol": "none", "lineStyle": {"type": "dashed"}
        })  # fmt: skip
    return {
        "grid": _GRID, "tooltip": {"trigger": "axis"}, "legend": {"top": 0},
        "xAxis": {"type": "category", "data": months}, "yAxis": {"type": "value", "name": tally.unit.removeprefix("个")},
        "series": series,
    }  # fmt: skip


_GRID = {"left": 40, "right": 16, "top": 44, "bottom": 28}


def _running(days: list[float], tally: Any) -> list[float | None]:
    """Running totals up to the month of `as_of`; nothing for months to come."""
    totals: list[float | None] = []
    total = 0.0
    for number, value in enumerate(days, start=1):
        total += value
        began = date(tally.year, number, 1) <= tally.as_of
        totals.append(round(total, 1) if began else None)
    return totals


def _pace(found: SubjectFigures) -> list[float]:
    tally = found.tally
    served = [month.served_days for month in tally.months]
    whole, required, so_far, line = sum(served) or 1, float(tally.required_days.value or 0), 0, []
    for days in served:
        so_far += days
        line.append(round(required * so_far / whole, 1))
    return line


def chart_words(found: SubjectFigures) -> str:
    """The chart's figures in words, for those who do not see it."""
    tally = found.tally
    if tally.days.value is None:
        return "；".join(f"{m.month}月 {len(m.records)} 条" for m in tally.months if m.records) or "没有记录"
    return "；".join(f"{m.month}月 {tidy(m.days.value)}" for m in tally.months if m.days.value) or "没有记录"
