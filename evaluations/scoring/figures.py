"""From answers to a score, level by level: sheet, step, score. Each level is a `Figure` whose parts give it again.

Codes of parts: "formula:…" says how, and every other part enters by its code; those coded "info:…" or "rule:…" say why
and do not enter (see `recompute`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from core.explain import Figure, Part
from evaluations.scoring.numbers import FINE, POINT, rounded, weighted_mean
from evaluations.scoring.rules import (
    ABSTENTIONS,
    EVALUATOR_WEIGHTS,
    MISSING_RATERS,
    MISSING_SCORE,
    NOT_APPLICABLE,
    STAGE_WEIGHTS,
    ScoringRules,
)
from evaluations.scoring.shapes import HUNDRED, Given, SheetValue, StepValue, SubjectValue

ONLY = Decimal(100)


@dataclass(frozen=True)
class Score:
    """A subject's score with everything under it; `figure.value` None: open, `figure.unset` and `note` say why."""

    subject: SubjectValue
    figure: Figure
    steps: dict[int, Figure] = field(default_factory=dict)
    sheets: dict[int, Figure] = field(default_factory=dict)
    indicators: dict[str, Decimal] = field(default_factory=dict)

    @property
    def value(self) -> Decimal | None:
        return self.figure.value


def score(subject: SubjectValue, rules: ScoringRules) -> Score:
    """The score of one subject. Nothing is computed while a rule that it needs is unset; the keys are named."""
    counted = {step.number: _counted(step, rules) for step in subject.steps}
    sheets = {
        sheet.record: sheet_figure(sheet, step, rules)
        for step in subject.steps
        for sheet in counted[step.number]
        if sheet.given == Given.SUBMITTED
    }
    steps = {step.number: step_figure(step, sheets, rules) for step in subject.steps}
    return Score(subject, _total(subject, steps, rules), steps, sheets, _by_indicator(subject, counted, rules))


def sheet_figure(sheet: SheetValue, step: StepValue, rules: ScoringRules) -> Figure:
    """One rater's points: the weighted mean of the answers."""
    weights = {item.code: rules.weights.get(item.code) for item in step.indicators}
    unset = _unset((rules.weights_key, all(weight is not None for weight in weights.values()) and bool(weights)))
    answers = {answer.indicator: answer for answer in sheet.answers}
    skipped = [item for item in step.indicators if item.code in answers and answers[item.code].points is None]
    if skipped:
        unset += _unset((NOT_APPLICABLE, rules.not_applicable is not None))
    if unset:
        return Figure(None, unset=unset)
    parts: list[Part] = [Part("各项得分按权重平均", None, code="formula:sheet")]
    pairs: list[tuple[Decimal, Decimal]] = []
    for item in step.indicators:
        answer = answers.get(item.code)
        if answer is None:
            return Figure(None, note=f"“{item.title}”未作答")
        points = answer.points
        if points is None:
            if rules.not_applicable == "refused":
                return Figure(None, note=f"“{item.title}”不允许选择“不适用”")
            clause = rules.clause(NOT_APPLICABLE)
            if rules.not_applicable == "reweight":
                parts.append(Part(item.title, "不适用", (answer.record,), clause, f"info:{item.code}"))
                continue
            points = HUNDRED
            parts.append(Part(f"{item.title}不适用，按满分计", None, (answer.record,), clause, f"info:{item.code}"))
        weight = rules.weights[item.code]
        pairs.append((points, weight))
        parts.append(Part(item.title, points, (answer.record,), None, f"points:{item.code}"))
        parts.append(
            Part(f"{item.title}的权重", weight, clause=rules.clause(rules.weights_key), code=f"weight:{item.code}")
        )
    mean = weighted_mean(pairs)
    if mean is None:
        return Figure(None, tuple(parts[1:]), note="各项均不适用")
    return Figure(rounded(mean, FINE), tuple(parts))


def step_figure(step: StepValue, sheets: dict[int, Figure], rules: ScoringRules) -> Figure:
    """What a step gives: sheets by their share within the side, sides by their weight.

    Only sides that owed a sheet enter: a planner without a responsible project has none of its owner's (晋城 三(三)).
    """
    unset = _step_unset(step, sheets, rules)
    if unset:
        return Figure(None, unset=unset)
    counted = _counted(step, rules)
    if not counted:
        return Figure(None, note=f"{step.title}没有可计的评估表" if not step.sheets else f"{step.title}全部弃权")
    missing = [sheet for sheet in counted if _is_missing(sheet)]
    method = (rules.missing_raters or "reweight") if missing else "reweight"
    if open_sheet := next(
        (sheets[s.record] for s in counted if not _is_missing(s) and not sheets[s.record].is_set), None
    ):
        return Figure(None, unset=open_sheet.unset, note=open_sheet.note)
    parts = [Part("各评估人按份额、各主体按权重平均", None, code=f"formula:step:{method}")]
    sides = list(dict.fromkeys(sheet.side for sheet in counted))
    for side in sides:
        weight = rules.side_weights[side] if len(sides) > 1 else ONLY
        clause = rules.clause(EVALUATOR_WEIGHTS) if len(sides) > 1 else None
        parts.append(Part(f"主体权重（{side}）", weight, clause=clause, code=f"side:{side}"))
    for sheet in counted:
        tail = f"{sheet.side}:{sheet.record}"
        if not _is_missing(sheet):
            parts.append(Part(sheet.rater, sheets[sheet.record].value, (sheet.record,), None, f"sheet:{tail}"))
        elif method == "set":
            clause = rules.clause(MISSING_SCORE)
            parts.append(Part(f"{sheet.rater}未评", rules.missing_score, (sheet.record,), clause, f"sheet:{tail}"))
        else:
            clause = rules.clause(MISSING_RATERS)
            parts.append(Part(f"{sheet.rater}未评", None, (sheet.record,), clause, f"missing:{tail}"))
        parts.append(Part(f"{sheet.rater}的份额", sheet.share, (sheet.record,), None, f"share:{tail}"))
    value = step_value(parts, method)
    if value is None:
        return Figure(None, tuple(parts[1:]), note=f"{step.title}有主体无人评估")
    return Figure(value, tuple(parts))


def step_value(parts: Iterable[Part], method: str) -> Decimal | None:
    """The step out of its parts alone: sides, shares, sheets; None where no one of a side that counts has answered."""
    by_code = {part.code: part.value for part in parts}
    sides = {code[5:]: Fraction(str(value)) for code, value in by_code.items() if code.startswith("side:")}
    values = {code[6:]: Fraction(str(value)) for code, value in by_code.items() if code.startswith("sheet:")}
    shares = {code[6:]: Fraction(str(value)) for code, value in by_code.items() if code.startswith("share:")}
    whole: dict[str, Fraction] = {side: Fraction(0) for side in sides}
    for key, share in shares.items():
        # "ignore" divides a side among those who answered, the others among all who owed an answer.
        if method != "ignore" or key in values:
            whole[key.rpartition(":")[0]] += share
    if any(not whole[side] and weight for side, weight in sides.items()):
        return None
    pairs = []
    for key, value in values.items():
        side = key.rpartition(":")[0]
        if whole[side]:
            pairs.append((value, sides[side] * shares[key] / whole[side]))
    mean = weighted_mean(pairs)
    return None if mean is None else rounded(mean, FINE)


def _total(subject: SubjectValue, steps: dict[int, Figure], rules: ScoringRules) -> Figure:
    unset = tuple(dict.fromkeys(key for figure in steps.values() for key in figure.unset))
    if len(steps) > 1:
        unset += _unset((STAGE_WEIGHTS, all(number in rules.step_weights for number in steps)))
    if unset:
        return Figure(None, unset=unset)
    notes = [figure.note for figure in steps.values() if not figure.is_set]
    if notes or not steps:
        return Figure(None, note="；".join(notes) or "没有评估步骤")
    parts = [Part("各步骤按权重平均", None, code="formula:total")]
    for step in subject.steps:
        weight = rules.step_weights[step.number] if len(steps) > 1 else ONLY
        clause = rules.clause(STAGE_WEIGHTS) if len(steps) > 1 else None
        parts.append(Part(step.title, steps[step.number].value, (), None, f"step:{step.number}"))
        parts.append(Part(f"{step.title}的权重", weight, (), clause, f"step_weight:{step.number}"))
    value = total_value(parts)
    return Figure(value, tuple(parts), note="" if value is not None else "各步骤权重均为零")


def total_value(parts: Iterable[Part]) -> Decimal | None:
    """The score out of its parts alone."""
    by_code = {part.code: part.value for part in parts}
    mean = weighted_mean(
        (Fraction(str(value)), Fraction(str(by_code[f"step_weight:{code[5:]}"])))
        for code, value in by_code.items()
        if code.startswith("step:")
    )
    return None if mean is None else rounded(mean, POINT)


def _step_unset(step: StepValue, sheets: dict[int, Figure], rules: ScoringRules) -> tuple[str, ...]:
    pairs = []
    if any(sheet.given == Given.ABSTAINED for sheet in step.sheets):
        pairs.append((ABSTENTIONS, rules.abstentions is not None))
    counted = _counted(step, rules)
    sides = {sheet.side for sheet in counted}
    if len(sides) > 1:
        pairs.append((EVALUATOR_WEIGHTS, sides <= set(rules.side_weights)))
    if any(_is_missing(sheet) for sheet in counted):
        pairs.append((MISSING_RATERS, rules.missing_raters is not None))
        if rules.missing_raters == "set":
            pairs.append((MISSING_SCORE, rules.missing_score is not None))
    below = (key for sheet in counted if sheet.record in sheets for key in sheets[sheet.record].unset)
    return tuple(dict.fromkeys([*below, *_unset(*pairs)]))


def _unset(*pairs: tuple[str, bool]) -> tuple[str, ...]:
    return tuple(key for key, is_set in pairs if not is_set)


def _counted(step: StepValue, rules: ScoringRules) -> tuple[SheetValue, ...]:
    """Those who count as owing a sheet, in an order that does not depend on how they came."""
    kept = (s for s in step.sheets if not (s.given == Given.ABSTAINED and rules.abstentions == "excluded"))
    return tuple(sorted(kept, key=lambda sheet: (sheet.side, sheet.record)))


def _is_missing(sheet: SheetValue) -> bool:
    return sheet.given != Given.SUBMITTED


def _by_indicator(
    subject: SubjectValue, counted: Mapping[int, Sequence[SheetValue]], rules: ScoringRules
) -> dict[str, Decimal]:
    """The plain mean of each indicator over all answers, heaviest first: for evidence pages and for ties."""
    found: dict[str, list[tuple[Decimal, Decimal]]] = {}
    for step in subject.steps:
        for sheet in counted[step.number]:
            for answer in sheet.answers if sheet.given == Given.SUBMITTED else ():
                if answer.points is not None:
                    found.setdefault(answer.indicator, []).append((answer.points, sheet.share))
    order = sorted(found, key=lambda code: (-rules.weights.get(code, Decimal(0)), code))
    means = {code: weighted_mean(found[code]) for code in order}
    return {code: rounded(mean, FINE) for code, mean in means.items() if mean is not None}
