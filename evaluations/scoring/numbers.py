"""Arithmetic and rounding. What is shown is what is counted on with: each level is rounded where it is shown, once.

Sheets and steps are rounded to four decimals, scores to two, half up; so anybody can follow a score with the numbers
on the page, and the last rounding decides by less than a ten-thousandth of a point.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

FINE = Decimal("0.0001")
POINT = Decimal("0.01")
_HOW = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "half_up": ROUND_HALF_UP}


def rounded(value: Fraction, to: Decimal, how: str = ROUND_HALF_UP) -> Decimal:
    """The fraction as a decimal of that exactness; never by way of a float, and without the context's precision."""
    scaled = value / Fraction(to)
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    if (how == ROUND_HALF_UP and rest >= Fraction(1, 2)) or (how == ROUND_CEILING and rest > 0):
        whole += 1
    return Decimal(whole) * to


def weighted_mean(pairs: Iterable[tuple[Decimal | Fraction, Decimal | Fraction]]) -> Fraction | None:
    """Of (value, weight); None when nothing weighs anything."""
    rows = [(Fraction(value), Fraction(weight)) for value, weight in pairs]
    total = sum((weight for _, weight in rows), Fraction(0))
    if not total:
        return None
    return sum((value * weight for value, weight in rows), Fraction(0)) / total


def heads(ratio: Decimal, of: int, rounding: str) -> int:
    """How many of `of` subjects a ratio allows."""
    return int(rounded(Fraction(ratio) * of, Decimal(1), _HOW[rounding]))
