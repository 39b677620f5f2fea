"""What scoring is told: plain values, no ORM. Ids are those of the records, so that a figure can be clicked through."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

HUNDRED = Decimal(100)


class Given(StrEnum):
    """What became of a rater's sheet when the step closed."""

    SUBMITTED = "submitted"
    MISSING = "missing"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True)
class IndicatorWeight:
    """One indicator of the form with its weight in the pack (out of 100)."""

    code: str
    title: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class AnswerValue:
    """One answer in points of 0 to 100; None: not applicable."""

    indicator: str
    points: Decimal | None
    record: int = 0


@dataclass(frozen=True, slots=True)
class SheetValue:
    """One rater's sheet about one subject. `share`: the rater's part within the side."""

    record: int
    side: str
    rater: str
    given: Given = Given.SUBMITTED
    share: Decimal = Decimal(1)
    answers: tuple[AnswerValue, ...] = ()


@dataclass(frozen=True, slots=True)
class StepValue:
    """One step with every sheet that somebody owed in it; excused, recused and replaced raters are left out before."""

    number: int
    title: str
    indicators: tuple[IndicatorWeight, ...]
    sheets: tuple[SheetValue, ...]


@dataclass(frozen=True, slots=True)
class SubjectValue:
    """Who or what is evaluated, with its steps."""

    record: int
    label: str
    steps: tuple[StepValue, ...] = field(default=())
