"""Grades: by cut-offs (exactly met counts), then by the limits on how many may have a grade, with the rule for ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.explain import Clause
from evaluations.scoring.figures import Score
from evaluations.scoring.numbers import heads
from evaluations.scoring.rules import RATIO_LIMITS, TIES, Limit, ScoringRules


@dataclass(frozen=True)
class Graded:
    """What a subject's score comes to. `grade` None: open, for the reason in `note` (and `unset`).

    `by_score` is what the cut-offs alone give; `rank` is shared by equal scores and leaves open the next ones.
    """

    record: int
    score: Decimal | None
    by_score: str | None = None
    grade: str | None = None
    rank: int | None = None
    note: str = ""
    unset: tuple[str, ...] = ()
    clause: Clause | None = None


def grade_of(value: Decimal, rules: ScoringRules) -> str | None:
    """The grade whose cut-off the score reaches; reaching it exactly is enough. None while nobody has set cut-offs."""
    return next((grade for grade, least in rules.cutoffs if value >= least), None)


def grade_all(scores: Sequence[Score], rules: ScoringRules) -> list[Graded]:
    """Grades and ranks of one direction of a round, best first, those without a score last."""
    scored = sorted((s for s in scores if s.value is not None), key=lambda s: (-(s.value or 0), s.subject.record))
    open_ones = sorted((s for s in scores if s.value is None), key=lambda s: s.subject.record)
    unset = () if rules.cutoffs else (rules.cutoffs_key,)
    values = [item.value for item in scored if item.value is not None]
    rows = [
        _by_cutoffs(item, 1 + sum(other > value for other in values), rules, unset)
        for item, value in zip(scored, values, strict=True)
    ]
    if rules.cutoffs:
        order = [grade for grade, _ in rules.cutoffs]
        indicators = {item.subject.record: tuple(item.indicators.items()) for item in scored}
        for limit in sorted(rules.limits, key=lambda item: order.index(item.grade)):
            rows = _limited(rows, limit, order, rules, indicators)
    return rows + [
        Graded(item.subject.record, None, note=item.figure.note, unset=item.figure.unset) for item in open_ones
    ]


def _by_cutoffs(item: Score, rank: int, rules: ScoringRules, unset: tuple[str, ...]) -> Graded:
    value = item.value or Decimal(0)
    grade = grade_of(value, rules)
    return Graded(item.subject.record, value, grade, grade, rank, unset=unset, clause=rules.clause(rules.cutoffs_key))


def _limited(
    rows: list[Graded],
    limit: Limit,
    order: list[str],
    rules: ScoringRules,
    indicators: dict[int, tuple[tuple[str, Decimal], ...]],
) -> list[Graded]:
    """Those beyond the limit get the next grade; equals that straddle it are settled by the rule for ties."""
    holders = [row for row in rows if row.grade == limit.grade]
    most = heads(limit.ratio, len(rows), limit.rounding)
    if len(holders) <= most:
        return rows
    place = order.index(limit.grade)
    lower = order[place + 1] if place + 1 < len(order) else limit.grade

    def strength(row: Graded) -> tuple[object, ...]:
        means = dict(indicators.get(row.record, ()))
        # Heaviest first; codes order equal weights, so that everybody is compared in the same order.
        codes = sorted(rules.weights, key=lambda code: (-rules.weights[code], code))
        more = tuple(-means.get(code, Decimal(-1)) for code in codes) if rules.ties == "by_indicator" else ()
        return (-(row.score or Decimal(0)), *more)

    holders.sort(key=strength)
    edge = strength(holders[most - 1]) if most else None
    below = strength(holders[most])
    tied = edge == below
    decided: dict[int, Graded] = {}
    for number, row in enumerate(holders):
        mine = strength(row)
        if tied and mine == edge:
            decided[row.record] = _settled(row, limit, lower, rules)
        elif number >= most:
            note = f"“{limit.grade}”限 {most} 名"
            decided[row.record] = replace(row, grade=lower, note=note, clause=rules.clause(RATIO_LIMITS))
    return [decided.get(row.record, row) for row in rows]


def _settled(row: Graded, limit: Limit, lower: str, rules: ScoringRules) -> Graded:
    clause = rules.clause(TIES)
    if rules.ties is None:
        return replace(row, grade=None, note="并列于比例上限处", unset=(TIES,), clause=clause)
    if rules.ties == "all_in":
        return replace(row, note=f"并列列入“{limit.grade}”", clause=clause)
    if rules.ties == "all_out":
        return replace(row, grade=lower, note=f"并列于比例上限处，均不列入“{limit.grade}”", clause=clause)
    return replace(row, grade=None, note="并列于比例上限处，由审议确定", clause=clause)
