"""What is asked for in a year, before any log is looked at: the prorated quota, the visits due, the fee, the time left.

The year of 每年 and 全年 is the calendar year (docs/decisions/tally-periods.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache

from worklogs.tally.shapes import FeePeriod, Span, Subject, clipped, days_in, holds, month_length, month_span, year_span

CENT = Decimal("0.01")
TENTH = Decimal("0.1")
# The day on which a month of service is taken: successive contracts then share a year's months out exactly.
MIDDLE = 15
MONTHS = range(1, 13)


def exact(number: Fraction, step: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    """A fraction as a decimal, rounded once."""
    units = number / Fraction(step)
    whole, rest = divmod(units.numerator, units.denominator)
    if rest and (rounding == ROUND_UP or 2 * rest >= units.denominator):
        whole += 1
    return (Decimal(whole) * step).quantize(step)


@dataclass(frozen=True)
class Period:
    """A subject's service within one year."""

    year: int
    spans: tuple[Span, ...]

    @cached_property
    def days(self) -> int:
        return days_in(self.spans)

    @cached_property
    def year_days(self) -> int:
        return year_span(self.year).days

    @property
    def is_whole(self) -> bool:
        return self.days == self.year_days

    @cached_property
    def last(self) -> date | None:
        return self.spans[-1].end if self.spans else None

    @cached_property
    def month_days(self) -> dict[int, int]:
        """Days of service of each month, 0 included."""
        return {month: days_in(clipped(self.spans, *month_span(self.year, month))) for month in MONTHS}

    @cached_property
    def months(self) -> tuple[int, ...]:
        """Months that count as served when months are counted: those whose middle day is in service."""
        return tuple(month for month in MONTHS if holds(self.spans, date(self.year, month, MIDDLE)))

    @cached_property
    def month_ends(self) -> dict[int, date]:
        """The last day of service in each month that has one."""
        found = {month: clipped(self.spans, *month_span(self.year, month)) for month in MONTHS}
        return {month: spans[-1].end for month, spans in found.items() if spans}

    def is_final(self, today: date) -> bool:
        return self.last is None or self.last < today

    def is_due(self, month: int, today: date) -> bool:
        """Is the month's service over, so that what is missing can no longer be made up?"""
        end = self.month_ends.get(month)
        return end is not None and end < today

    def required_days(self, quota: Decimal, proration: str) -> Decimal:
        """The quota of the part of the year that is served, to the hundredth."""
        if not self.days:
            return Decimal(0)
        if proration == "none" or self.is_whole:
            return quota
        share = Fraction(self.days, self.year_days) if proration == "by_days" else Fraction(len(self.months), 12)
        return exact(Fraction(quota) * share, CENT)

    def required_visits(self, per_month: int, month: int, proration: str) -> int:
        """Visits asked for in one month; a month served in part is asked for as the quota is prorated."""
        served, length = self.month_days[month], month_length(self.year, month)
        if not served:
            return 0
        if served == length or proration == "none":
            return per_month
        if proration == "by_months":
            return per_month if month in self.months else 0
        return int(exact(Fraction(per_month * served, length), Decimal(1)))

    def months_left(self, today: date) -> Decimal:
        """Months of service from `today` on, a part month by its days, to the hundredth."""
        rest = clipped(self.spans, today, date.max)
        left = sum(
            (Fraction(days_in(clipped(rest, *month_span(self.year, m))), month_length(self.year, m)) for m in MONTHS),
            Fraction(),
        )
        return exact(left, CENT)


@lru_cache(maxsize=4096)
def period_of(spans: tuple[Span, ...], year: int) -> Period:
    """The service of a year. Kept: most subjects of a locality serve under the same dates."""
    return Period(year, clipped(spans, *year_span(year)))


def fee_of(fees: Sequence[FeePeriod], year: int) -> list[tuple[FeePeriod, int, Decimal]]:
    """The fee that falls into the year: each period with its days there and its part of the fee, by days."""
    found = []
    for fee in fees:
        span = Span(fee.start, fee.end)
        inside = days_in(clipped([span], *year_span(year)))
        if inside:
            found.append((fee, inside, exact(Fraction(fee.amount) * Fraction(inside, span.days), CENT)))
    return found


def year_fee(subject: Subject, year: int) -> Decimal | None:
    """The fee of the year in yuan; None where no fee is recorded."""
    parts = fee_of(subject.fees, year)
    return sum((amount for _, _, amount in parts), Decimal(0)) if parts else None
