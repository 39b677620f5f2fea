"""From what a rater chose, or the portal counted, to points of 0 to 100. The scale itself stands in the form."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from evaluations.scoring.numbers import FINE, rounded
from evaluations.scoring.shapes import HUNDRED


def points_of_score(value: Decimal, low: Decimal, high: Decimal) -> Decimal:
    """A score in steps from `low` to `high`, spread over 0 to 100. Raises ValueError outside of the scale."""
    if not low <= value <= high or low >= high:
        raise ValueError("分数不在量程之内")
    return rounded(Fraction(value - low) / Fraction(high - low) * 100, FINE)


def points_of_yes(value: bool) -> Decimal:
    return HUNDRED if value else Decimal(0)


def points_of_count(count: Decimal, full_at: Decimal) -> Decimal:
    """What the portal counted, against the count that the form names as full; more than full is full."""
    if full_at <= 0:
        raise ValueError("满分对应的数值须大于零")
    return rounded(min(Fraction(1), Fraction(max(count, Decimal(0))) / Fraction(full_at)) * 100, FINE)
