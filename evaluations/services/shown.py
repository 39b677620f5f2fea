"""What of a result may leave the organisers: to whom it is about, to the public, to the city. The one place that hides.

A department's score is made of what planners wrote. Where fewer rated it than `evaluation.smallest_group` it would give
them away, and so would the others' together with a total; then nothing of it is shown (`domain.md` rule 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count

from evaluations.models import Result, Round, Sheet, Subject
from evaluations.scoring import shown_groups
from evaluations.services.rules import FrozenValue, RoundRules, rules_of

SMALLEST = "evaluation.smallest_group"


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as it may be told. `hidden` says why there is neither score nor grade."""

    result: Result
    score: Decimal | None
    grade: str
    hidden: str = ""
    means: tuple[tuple[str, str], ...] = ()
    # How many forms it rests on; told with the means alone, because it says how small the group is.
    sheets: int | None = None

    @property
    def words(self) -> str:
        return self.grade or ("" if self.score is not None else self.hidden or "未定")


def shown_results(round_: Round, results: Iterable[Result], rules: RoundRules | None = None) -> list[Shown]:
    """Each result as it may leave the organisers; one query more, however many there are."""
    rows = list(results)
    rules = rules or rules_of(round_)
    smallest = rules.get(SMALLEST)
    allowed = _open_departments(round_, smallest)
    return [_shown(row, allowed, smallest) for row in rows]


def _means(result: Result, smallest: FrozenValue) -> tuple[tuple[str, str], ...]:
    """Means of the indicators when each rests on enough answers; a missing one could be reckoned from the rest."""
    answered = result.figures.get("answered") or {}
    if not smallest.is_set or not answered or min(answered.values()) < smallest.value:
        return ()
    titles = result.figures.get("titles", {})
    return tuple((titles.get(code, code), str(value)) for code, value in result.figures.get("indicators", {}).items())


def shown_result(result: Result) -> Shown:
    return shown_results(result.subject.round, [result])[0]


def _open_departments(round_: Round, smallest: FrozenValue) -> set[int]:
    """Offices whose result gives no single planner away, also not by subtraction from a total.

    Counted step by step, the smallest counting: a step with one planner tells what that one wrote.
    """
    rows = (
        Sheet.objects.filter(round=round_, subject__direction=Subject.Direction.DEPARTMENT, state="submitted")
        .values_list("subject_id", "step_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    sizes: dict[int, int] = {}
    for subject_id, _step, n in rows:
        sizes[subject_id] = min(n, sizes.get(subject_id, n))
    return shown_groups(sizes, int(smallest.value) if smallest.is_set else None)


def _shown(result: Result, allowed: set[int], smallest: FrozenValue) -> Shown:
    if result.subject.direction == Subject.Direction.PLANNER or result.subject_id in allowed:
        means = _means(result, smallest)
        given = (result.figures.get("given") or {}).get("submitted") if means else None
        return Shown(result, result.final_score, result.final_grade, means=means, sheets=given)
    if not smallest.is_set:
        return Shown(result, None, "", f"“{smallest.label}”未设定，不显示")
    return Shown(result, None, "", "参评人数较少，为保护评价人不显示")


def figure(value: Any) -> str:
    """A score as it is printed."""
    return "—" if value is None else f"{Decimal(value):.2f}"
