"""From the tables to the pure scoring and back to plain JSON; beside a rater's own page alone in opening answers.

For scoring (`evaluate`, which acts for nobody and waits for every step to have closed), and for those entitled to read
single answers beside a result (`answers_for_result`, which asks the seal).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from core.explain import Figure, Part
from evaluations.models import Answer, Indicator, Round, Sheet, Subject
from evaluations.scoring import (
    AnswerValue,
    Given,
    Graded,
    IndicatorWeight,
    Outlier,
    Score,
    ScoringRules,
    SheetValue,
    StepValue,
    SubjectValue,
    grade_all,
    outliers,
    recompute,
    score,
)
from evaluations.services.rules import frozen_rules

NOT_CLOSED = "各步骤对所有人截止后才能测算"
_GIVEN = {Sheet.State.SUBMITTED: Given.SUBMITTED, Sheet.State.ABSTAINED: Given.ABSTAINED}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluated:
    """One direction of a round: rules, scores with everything under them, grades and what stands out."""

    direction: str
    rules: ScoringRules
    scores: tuple[Score, ...]
    graded: tuple[Graded, ...]
    outliers: tuple[Outlier, ...]
    # {subject: {sheet: "state/revision"}}: what of the sheets was looked at.
    seen: Mapping[int, Mapping[str, str]]


def evaluate(round_: Round, *, progress: Progress | None = None) -> list[Evaluated]:
    """Scores and grades of every direction, out of the answers as they stand. Writes nothing.

    Raises: ValidationError while any step is open for anybody (`domain.md` rule 7).
    """
    if not is_closed(round_):
        raise ValidationError(NOT_CLOSED)
    rules = frozen_rules(round_)
    return [_direction(round_, name, ScoringRules.of(rules, name), progress) for name in round_.directions]


def is_closed(round_: Round) -> bool:
    """Every step has closed for everybody: before that nothing may be computed."""
    steps = list(round_.steps.values_list("state", flat=True))
    return bool(steps) and set(steps) == {"closed"}


def _direction(round_: Round, direction: str, rules: ScoringRules, progress: Progress | None) -> Evaluated:
    values, seen = subject_values(round_, direction)
    scores = []
    for number, value in enumerate(values, 1):
        scores.append(score(value, rules))
        if progress is not None:
            progress(number, len(values))
    return Evaluated(direction, rules, tuple(scores), tuple(grade_all(scores, rules)), tuple(outliers(scores)), seen)


def subject_values(round_: Round, direction: str) -> tuple[list[SubjectValue], dict[int, dict[str, str]]]:
    """Everybody who takes part, with every sheet owed about them; and which state of which sheet that was.

    Five queries, however many subjects there are. A sheet that was never handed in says nothing here, not even how far
    it got.
    """
    subjects = list(round_.subjects.taking_part().in_direction(direction))
    steps = [step for step in round_.steps.order_by("number") if step.sides(direction)]
    asked: dict[int, list[IndicatorWeight]] = defaultdict(list)
    rows = Indicator.objects.filter(form__step__in=steps, form__direction=direction).exclude(kind=Indicator.Kind.TEXT)
    for line in rows.select_related("form").order_by("order", "pk"):
        asked[line.form.step_id].append(IndicatorWeight(line.code, line.title, line.weight or Decimal(0)))
    answers: dict[int, list[AnswerValue]] = defaultdict(list)
    found = Answer.objects.opened().filter(sheet__round=round_, sheet__form__direction=direction)
    found = found.exclude(indicator__kind=Indicator.Kind.TEXT)
    for pk, sheet_id, code, points in found.values_list("pk", "sheet_id", "indicator__code", "points").order_by("pk"):
        answers[sheet_id].append(AnswerValue(code, points, pk))
    sheets: dict[tuple[int, int], list[SheetValue]] = defaultdict(list)
    seen: dict[int, dict[str, str]] = defaultdict(dict)
    owed = Sheet.objects.counting().filter(round=round_, subject__direction=direction)
    for sheet in owed.order_by("pk"):
        given = _GIVEN.get(Sheet.State(sheet.state), Given.MISSING)
        said = tuple(answers[sheet.pk]) if given == Given.SUBMITTED else ()
        sheets[sheet.subject_id, sheet.step_id].append(
            SheetValue(sheet.pk, sheet.side, sheet.rater, given, sheet.share, said)
        )
        seen[sheet.subject_id][str(sheet.pk)] = f"{sheet.state}/{sheet.revision}/{sheet.share}"
    values = [
        SubjectValue(
            row.pk,
            row.label,
            tuple(
                StepValue(step.number, step.title, tuple(asked[step.pk]), tuple(sheets[row.pk, step.pk]))
                for step in steps
            ),
        )
        for row in subjects
    ]
    return values, dict(seen)


def sheets_as_they_stand(round_: Round) -> dict[int, dict[str, str]]:
    """{subject: {sheet: "state/revision"}}, to be held against what a result was computed from. Opens no answer."""
    seen: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Sheet.objects.counting().filter(round=round_)
    for subject, pk, state, revision, share in rows.values_list("subject_id", "pk", "state", "revision", "share"):
        seen[subject][str(pk)] = f"{state}/{revision}/{share}"
    return dict(seen)


# --- kept figures -------------------------------------------------------------------------------------------


def score_json(found: Score, far_off: Sequence[Outlier], seen: Mapping[str, str]) -> dict[str, Any]:
    """Everything that explains a score, as it is kept with the result."""
    sides = {s.record: s for step in found.subject.steps for s in step.sheets}
    return {
        "total": figure_json(found.figure),
        "steps": {str(step.number): {"title": step.title, **figure_json(found.steps[step.number])}
                  for step in found.subject.steps},
        "sheets": {str(pk): {"side": sides[pk].side, "rater": sides[pk].rater, **figure_json(figure)}
                   for pk, figure in found.sheets.items()},
        "indicators": {code: str(value) for code, value in found.indicators.items()},
        "titles": {line.code: line.title for step in found.subject.steps for line in step.indicators},
        "answered": _answered(found),
        "given": _given(found),
        "outliers": [
            {"step": row.step, "sheet": row.sheet, "value": str(row.value), "middle": str(row.middle),
             "off": str(row.off)}
            for row in far_off
        ],
        "seen": dict(seen),
    }  # fmt: skip


def _answered(found: Score) -> dict[str, int]:
    """How many sheets gave points for each indicator: what a small group is measured by."""
    counts: dict[str, int] = {}
    for step in found.subject.steps:
        for sheet in step.sheets:
            for answer in sheet.answers:
                counts[answer.indicator] = counts.get(answer.indicator, 0) + (answer.points is not None)
    return counts


def _given(found: Score) -> dict[str, int]:
    given = [sheet.given for step in found.subject.steps for sheet in step.sheets]
    return {str(kind): given.count(kind) for kind in Given}


def figure_json(figure: Figure) -> dict[str, Any]:
    return {
        "value": None if figure.value is None else str(figure.value),
        "unset": list(figure.unset),
        "note": figure.note,
        "parts": [{**part.as_json(), "code": part.code} for part in figure.parts],
    }


def figure_of(row: Mapping[str, Any]) -> Figure:
    """A kept figure again, for recomputing it; the clause comes back as words alone."""
    parts = tuple(Part(p["label"], p["value"], tuple(p["records"]), None, p["code"]) for p in row["parts"])
    return Figure(None if row["value"] is None else Decimal(row["value"]), parts, tuple(row["unset"]), row["note"])


def recount(figures: Mapping[str, Any]) -> list[str]:
    """Where the kept parts do not give the kept figure, in words; empty: recount equals result.

    Each level is recomputed from its own parts, and held against the part it is in the level above.
    """
    wrong = []
    rows = [("得分", figures["total"])]
    rows += [(f"步骤{number}", row) for number, row in figures["steps"].items()]
    rows += [(f"评估表{pk}", row) for pk, row in figures["sheets"].items()]
    for label, row in rows:
        figure = figure_of(row)
        if figure.is_set and recompute(figure) != figure.value:
            wrong.append(f"{label}与其分项不符")
    for number, row in figures["steps"].items():
        for part in row["parts"]:
            kind, _, tail = part["code"].partition(":")
            sheet = figures["sheets"].get(tail.rpartition(":")[2]) if kind == "sheet" else None
            if sheet is not None and sheet["value"] != part["value"]:
                wrong.append(f"步骤{number}所列评估表得分与评估表不符")
    for part in figures["total"]["parts"]:
        kind, _, number = part["code"].partition(":")
        if kind == "step" and figures["steps"][number]["value"] != part["value"]:
            wrong.append(f"得分所列步骤{number}与该步骤不符")
    return wrong


# --- for those entitled -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer as a page shows it beside a result."""

    indicator: str
    kind: str
    value: Decimal | None
    points: Decimal | None
    not_applicable: bool
    text: str
    comment: str


def answers_for_result(subject: Subject, *, reader: User) -> dict[int, list[AnswerLine]]:
    """{sheet: its answers}, of the sheets about a subject that the reader may read by the seal, and of no others."""
    rows = Answer.objects.filter(sheet__subject=subject, sheet__state="submitted").readable_by(reader)
    found: dict[int, list[AnswerLine]] = defaultdict(list)
    for row in rows.select_related("indicator").order_by("sheet_id", "indicator__order", "indicator_id"):
        found[row.sheet_id].append(
            AnswerLine(
                row.indicator.title,
                row.indicator.kind,
                row.value,
                row.points,
                row.not_applicable,
                row.text,
                row.comment,
            )
        )
    return dict(found)
