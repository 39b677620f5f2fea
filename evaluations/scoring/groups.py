"""Aggregates that do not give single raters away (`domain.md` rule 7)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from core.explain import Figure, Part
from evaluations.scoring.numbers import POINT, rounded
from evaluations.scoring.rules import SMALLEST_GROUP, ScoringRules

K = TypeVar("K", bound=Hashable)


def shown_groups(sizes: Mapping[K, int], smallest: int | None, *, total_shown: bool = True) -> set[K]:
    """Which groups may be shown. Empty groups give nobody away and do not matter here.

    With the total on the same page what is hidden could be found by subtraction, so the smallest shown groups are
    hidden too until the hidden ones together are large enough. Nothing is shown while nobody has set the smallest size.
    """
    if smallest is None:
        return set()
    filled = {key: size for key, size in sizes.items() if size}
    shown = {key for key, size in filled.items() if size >= smallest}
    hidden = sum(size for key, size in filled.items() if key not in shown)
    while total_shown and shown and 0 < hidden < smallest:
        least = min(shown, key=lambda key: (filled[key], str(key)))
        shown.remove(least)
        hidden += filled[least]
    return shown


def group_mean(values: Sequence[Decimal], rules: ScoringRules, label: str = "份数") -> Figure:
    """The mean of a group's sheets, without a word about single ones; open when the group is too small."""
    if rules.smallest_group is None:
        return Figure(None, unset=(SMALLEST_GROUP,))
    clause = rules.clause(SMALLEST_GROUP)
    if len(values) < rules.smallest_group:
        return Figure(
            None, note=f"不足 {rules.smallest_group} 份，不显示", parts=(Part("最少份数", None, clause=clause),)
        )
    mean = rounded(sum((Fraction(v) for v in values), Fraction(0)) / len(values), POINT)
    return Figure(mean, (Part(label, Decimal(len(values)), clause=clause, code="info:count"),))
