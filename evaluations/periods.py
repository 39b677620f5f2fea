"""Which stretch of time a round covers. Pure: dates in, dates out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time named by its `kind`; `start` and `end` are both included."""

    kind: str
    start: date
    end: date

    @property
    def label(self) -> str:
        if self.kind == "half_year":
            return f"{self.start.year}年{'上' if self.start.month == 1 else '下'}半年"
        if self.kind == "quarter":
            return f"{self.start.year}年第{'一二三四'[self.start.month // 3]}季度"
        if self.kind == "year":
            return f"{self.start.year}年度"
        if self.kind == "two_years":
            return f"{self.start.year}—{self.end.year}年度"
        if self.kind == "term":
            return f"{self.start.year}年{self.start.month}月—{self.end.year}年{self.end.month}月任期"
        return f"{self.start}至{self.end}"

    def titled(self, title: str) -> str:
        """The name of what is done in this period: 2025年度互评; the term is not said twice (2023年5月—2026年5月任期考评)."""
        return (self.label.removesuffix("任期") if title.startswith("任期") else self.label) + title


def periods_of_year(kind: str, year: int) -> list[Period]:
    """The periods of `kind` in a calendar year, in order. Raises ValueError for a kind that has no fixed dates."""
    if kind == "year":
        return [Period(kind, date(year, 1, 1), date(year, 12, 31))]
    if kind == "half_year":
        return [
            Period(kind, date(year, 1, 1), date(year, 6, 30)),
            Period(kind, date(year, 7, 1), date(year, 12, 31)),
        ]
    if kind == "quarter":
        firsts = [date(year, month, 1) for month in (1, 4, 7, 10)]
        nexts = [*firsts[1:], date(year + 1, 1, 1)]
        return [Period(kind, first, after - timedelta(days=1)) for first, after in zip(firsts, nexts, strict=True)]
    if kind == "two_years":
        # Which two years belong together no pack says: those that end with `year` are offered.
        return [Period(kind, date(year - 1, 1, 1), date(year, 12, 31))]
    raise ValueError(f"周期“{kind}”没有固定起止日期，请手工填写。")
