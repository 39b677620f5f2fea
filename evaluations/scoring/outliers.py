"""Sheets that stand far from the others about the same subject. A report to look at; no figure rests on it.

Therefore its limits are limits of detection, the same everywhere, and no policy (see docs/decisions/plausibility.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from evaluations.scoring.figures import Score


@dataclass(frozen=True)
class OutlierLimits:
    """`points`: how far from the middle one; `sheets`: how many it takes to speak of a middle."""

    points: Decimal = Decimal(20)
    sheets: int = 3


@dataclass(frozen=True)
class Outlier:
    """A sheet with its value, the median of the step's sheets about the subject, and how far it is off (signed)."""

    subject: int
    step: int
    sheet: int
    value: Decimal
    middle: Decimal
    off: Decimal


def outliers(scores: Sequence[Score], limits: OutlierLimits | None = None) -> list[Outlier]:
    """Farthest first. Against the median, because one wild sheet moves a mean and makes the others look wild."""
    limits = limits or OutlierLimits()
    found = []
    for item in scores:
        for step in item.subject.steps:
            given = {s.record: item.sheets[s.record].value for s in step.sheets if s.record in item.sheets}
            values = {record: value for record, value in given.items() if value is not None}
            if len(values) < limits.sheets:
                continue
            middle = Decimal(median(values.values()))
            found += [
                Outlier(item.subject.record, step.number, record, value, middle, value - middle)
                for record, value in values.items()
                if abs(value - middle) >= limits.points
            ]
    return sorted(found, key=lambda row: (-abs(row.off), row.subject, row.sheet))
