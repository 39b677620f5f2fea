"""A change to a result: always with a reason, never past a limit of the rules."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError

from core.text import clean_text
from evaluations.models import Adjustment, Result
from evaluations.scoring import ScoringRules
from evaluations.scoring.numbers import POINT, heads
from evaluations.services.rules import frozen_rules

MAX_REASON = 500


def grades_of(result: Result) -> list[str]:
    """The grades that the rules of its round know for its direction, best first."""
    return [grade for grade, _ in _rules(result).cutoffs]


def _rules(result: Result) -> ScoringRules:
    return ScoringRules.of(frozen_rules(result.subject.round), result.subject.direction)


def checked_change(result: Result, *, to_score: Decimal | None, to_grade: str, reason: str) -> Adjustment:
    """An unsaved adjustment of `result` (to be called with its round held). Raises: ValidationError by field."""
    reason = clean_text(reason)
    errors: dict[str, str] = {}
    if not reason:
        errors["reason"] = "请填写调整理由。"
    elif len(reason) > MAX_REASON:
        errors["reason"] = f"调整理由不能超过 {MAX_REASON} 字。"
    if to_score is not None and not (0 <= to_score <= 100 and to_score == to_score.quantize(POINT)):
        errors["to_score"] = "得分应在 0 到 100 之间，最多两位小数。"
    if to_score is None and result.final_score is not None:
        errors["to_score"] = "已有得分的，调整后须有得分。"
    rules = _rules(result)
    if to_grade and to_grade not in [grade for grade, _ in rules.cutoffs]:
        errors["to_grade"] = "该等级不在本次评估的等级之内。"
    if not errors and (to_score, to_grade) == (result.final_score, result.final_grade) and (to_score or to_grade):
        errors["to_grade"] = "调整前后没有变化。"
    if not errors:
        errors |= _limit_reached(result, to_grade, rules)
    if errors:
        raise ValidationError(errors)
    return Adjustment(
        result=result, from_score=result.final_score, to_score=to_score, from_grade=result.final_grade,
        to_grade=to_grade, reason=reason,
    )  # fmt: skip


def _limit_reached(result: Result, to_grade: str, rules: ScoringRules) -> dict[str, str]:
    """Nobody is raised into a grade that is full already; somebody has to be taken out of it first."""
    limit = next((row for row in rules.limits if row.grade == to_grade), None)
    if limit is None or result.final_grade == to_grade:
        return {}
    others = Result.objects.current().filter(
        subject__round_id=result.subject.round_id, subject__direction=result.subject.direction,
        subject__left_out_reason="",
    )  # fmt: skip
    most = heads(limit.ratio, others.exclude(final_grade="", final_score=None).count(), limit.rounding)
    if others.exclude(pk=result.pk).filter(final_grade=to_grade).count() < most:
        return {}
    if not most:
        return {"to_grade": f"按比例上限，本次没有“{to_grade}”名额。"}
    return {"to_grade": f"“{to_grade}”限 {most} 名，已满；须先将他人调出。"}
