"""Periods of days, both ends included: what is left, what meets, what joins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

Days = tuple[date, date]
_ONE_DAY = timedelta(days=1)


def meet(one: Days, other: Days) -> bool:
    """Have they a day in common?"""
    return one[0] <= other[1] and other[0] <= one[1]


def beside(start: date, end: date, taken: Iterable[Days]) -> list[Days]:
    """What is left of start–end beside the periods `taken`, which may overlap each other."""
    left = []
    for first, last in sorted(taken):
        if last < start or first > end:
            continue
        if first > start:
            left.append((start, first - _ONE_DAY))
        start = max(start, last + _ONE_DAY) if last < date.max else date.max
        if start > end:
            return left
    return [*left, (start, end)] if start <= end else left


def joined(days: Iterable[Days]) -> list[Days]:
    """Periods that overlap or follow each other, made one."""
    found: list[Days] = []
    for first, last in sorted(days):
        if found and (first - found[-1][1]).days <= 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
