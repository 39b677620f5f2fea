"""Rules and subjects for the scoring tests, with defaults that any test may override."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.explain import Clause
from evaluations.scoring import (
    AnswerValue,
    Given,
    IndicatorWeight,
    ScoringRules,
    SheetValue,
    StepValue,
    SubjectValue,
)

D = Decimal
WEIGHTS = {"daily": D(40), "outcome": D(60)}
INDICATORS = tuple(IndicatorWeight(code, code, weight) for code, weight in WEIGHTS.items())
KEYS = (
    "evaluation.planner_weights", "evaluation.evaluator_weights", "evaluation.stage_weights",
    "evaluation.missing_raters", "evaluation.missing_score", "evaluation.abstentions", "evaluation.not_applicable",
    "evaluation.cutoffs", "evaluation.ratio_limits", "evaluation.ties", "evaluation.smallest_group",
)  # fmt: skip
RULES = ScoringRules(
    direction="planner",
    weights=WEIGHTS,
    side_weights={"bureau": D(40), "department": D(20), "unit": D(40)},
    step_weights={1: D(60), 2: D(40)},
    missing_raters="reweight",
    missing_score=D(60),
    abstentions="excluded",
    not_applicable="reweight",
    cutoffs=(("优秀", D(90)), ("良好", D(80)), ("达标", D(60)), ("不达标", D(0))),
    smallest_group=3,
    clauses={key: Clause(key, "decision", "示例〔2026〕2号", "第六条") for key in KEYS},
)


def rules(**changes: Any) -> ScoringRules:
    return replace(RULES, **changes)


def sheet(record: int, side: str, *points: Any, share: Any = 1, given: Given = Given.SUBMITTED) -> SheetValue:
    """`points` in the order of the indicators; None is not applicable."""
    answers = tuple(
        AnswerValue(item.code, None if value is None else D(value), record * 10 + n)
        for n, (item, value) in enumerate(zip(INDICATORS, points, strict=False))
    )
    return SheetValue(record, side, f"评估人{record}", given, D(share), answers)


def missing(record: int, side: str, share: Any = 1) -> SheetValue:
    return sheet(record, side, share=share, given=Given.MISSING)


def abstained(record: int, side: str) -> SheetValue:
    return sheet(record, side, given=Given.ABSTAINED)


def step(*sheets: SheetValue, number: int = 1) -> StepValue:
    return StepValue(number, f"第{number}步", INDICATORS, sheets)


def subject(*steps: StepValue, record: int = 1) -> SubjectValue:
    return SubjectValue(record, f"对象{record}", steps)
