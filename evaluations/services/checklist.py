"""What stands in the way of the next phase, in words, with who can clear it. Asked by pages and by services alike.

A part of this app that has something to say adds a check by `register_check(move)` in its own module (imported from
`apps.ready`), so that nobody has to edit one long function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError

from evaluations.models import Form, Indicator, Round
from evaluations.plans import DEPARTMENT, PLANNER, RoundPlan, plan_for
from evaluations.scoring import ScoringRules, keys_needed
from evaluations.scoring.rules import INDICATORS
from evaluations.services.rules import FrozenValue, RoundRules, rules_of

OPEN = ("open", "open_directly")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One line of the checklist. Without `blocking` it is only pointed out. `key`: the policy key that is unset."""

    text: str
    key: str = ""
    setter: str = ""
    blocking: bool = True


class NotReady(ValidationError):
    """The next phase cannot begin; `obstacles` says why, `messages` the same in words."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        self.obstacles = tuple(obstacles)
        super().__init__([obstacle.text for obstacle in self.obstacles])


Check = Callable[[Round, RoundRules, date], Iterable[Obstacle]]
_CHECKS: dict[str, list[Check]] = {}
# The rule values that a move needs beside those that enter a score.
NEEDED: dict[str, tuple[str, ...]] = {
    "collate": ("evaluation.collator",),
    "deliberate": ("evaluation.approval",),
    "announce": ("evaluation.objection_days",),
    "publish": ("evaluation.publication",),
    "file": ("evaluation.filing",),
}
_OPENING = {
    PLANNER: ("evaluation.planner_cycle", "evaluation.planner_evaluators", "evaluation.planner_subject"),
    DEPARTMENT: ("evaluation.department_cycle", "evaluation.department_evaluated"),
}


def register_check(*moves: str) -> Callable[[Check], Check]:
    """`@register_check("collate")` on `check(round, rules, today)`, which yields obstacles."""

    def add(check: Check) -> Check:
        for move in moves:
            _CHECKS.setdefault(move, []).append(check)
        return check

    return add


def checklist(round_: Round, move: str, *, today: date, rules: RoundRules | None = None) -> list[Obstacle]:
    """Every obstacle to `move`, blocking ones first."""
    rules = rules or rules_of(round_, on=today)
    found = [unset_obstacle(value) for value in rules.missing(NEEDED.get(move, ()))]
    for check in _CHECKS.get(move, ()):
        found += check(round_, rules, today)
    return sorted(dict.fromkeys(found), key=lambda obstacle: not obstacle.blocking)


def require_ready(round_: Round, move: str, *, today: date, rules: RoundRules | None = None) -> None:
    """Raises NotReady with everything that blocks."""
    blocking = [o for o in checklist(round_, move, today=today, rules=rules) if o.blocking]
    if blocking:
        raise NotReady(blocking)


def unset_obstacle(value: FrozenValue) -> Obstacle:
    return Obstacle(f"“{value.label}”未设定（{value.setter}）", value.key, value.setter)


def keys_to_open(plan: RoundPlan, rules: RoundRules) -> tuple[str, ...]:
    """Every key without which a round of this plan could not be run fairly to a score, in reading order."""
    keys = ["evaluation.direction", "evaluation.organiser"]
    for direction in plan.directions:
        keys += _OPENING[direction]
        scoring = ScoringRules.of(rules, direction)
        keys += keys_needed(scoring, sides_in_a_step=plan.most_sides(direction), steps=plan.step_count(direction))
    return (*dict.fromkeys([*keys, "evaluation.rater_shares", "evaluation.fill_days"]),)


@register_check(*OPEN)
def _rules_set(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    plan = plan_for(rules, round_.scope)
    if plan is None:
        yield Obstacle("本地方的制度方案没有这一方向的评估", "evaluation.direction")
        return
    for value in rules.missing(keys_to_open(plan, rules)):
        yield unset_obstacle(value)
    kept = [
        (step.number, tuple(step.planner_sides), tuple(step.department_sides))
        for step in round_.steps.order_by("number")
    ]
    if kept != [(step.number, step.planner_sides, step.department_sides) for step in plan.steps]:
        yield Obstacle("评估步骤与制度方案不一致，请重新生成")


@register_check(*OPEN)
def _forms_fit(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    for form in Form.objects.filter(step__round=round_).prefetch_related("indicators"):
        asked = {row["code"] for row in rules.value(INDICATORS[form.direction]) or ()}
        scored = {line.code for line in form.indicators.all() if line.kind != Indicator.Kind.TEXT}
        if asked and scored != asked:
            yield Obstacle(f"《{form.title}》的指标与制度方案不一致，请重新生成")


@register_check(*OPEN)
def _everybody_has_raters(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """Each subject needs a rater in each step that rates its direction, and each rater somebody who can log in."""
    names = {PLANNER: "责任规划师", DEPARTMENT: "主管单位"}
    sheets = list(round_.sheets.counting().select_related("planner"))
    rated = {(sheet.step_id, sheet.subject_id) for sheet in sheets}
    for direction in round_.directions:
        subjects = list(round_.subjects.taking_part().in_direction(direction))
        if not subjects:
            yield Obstacle(f"期间内没有可评估的{names[direction]}")
        for step in round_.steps.all():
            if step.sides(direction):
                for subject in subjects:
                    if (step.pk, subject.pk) not in rated:
                        yield Obstacle(f"{subject.label}在“{step.title}”中没有评估人")
    unnamed = {s.rater for s in sheets if not (s.planner_id or s.unit_id or s.organisation_id or s.assignee_id)}
    for rater in sorted(unnamed):
        yield Obstacle(f"评估主体“{rater}”须指定评估人")
    for name in sorted({s.planner.name for s in sheets if s.planner and s.planner.user_id is None}):
        yield Obstacle(f"{name}没有登录账号，无法填写评估表", blocking=False)


@register_check(*OPEN)
def _period_over(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    if round_.end >= today:
        yield Obstacle("评估期间尚未结束，履职数据可能还会变化", blocking=False)


@register_check("start_scoring")
def _reports_in(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """Reports that are owed and not in are pointed out; who owes one must not hold up everybody else."""
    from evaluations.models import DutyReport

    rows = DutyReport.objects.filter(
        cycle__locality_id=round_.locality_id, cycle__start__lte=round_.end, cycle__end__gte=round_.start,
        cycle__is_required=True, superseded_by=None,
    ).exclude(state="frozen")  # fmt: skip
    if waiting := rows.count():
        yield Obstacle(f"还有 {waiting} 份述职文书未定稿", blocking=False)


@register_check("collate")
def _steps_closed(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    for step in round_.steps.exclude(state="closed"):
        yield Obstacle(f"“{step.title}”{step.get_state_display()}，须先截止")
