"""What rounds a pack asks for: directions, periods, steps and sides, read from its values. Pure; knows no locality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

BOTH, PLANNER, DEPARTMENT = "both", "planner", "department"
# The side that rates departments: planners themselves, also where the pack says 团队.
PLANNER_SIDES = ("planner", "team")
_SCOPES = {"one_way": (PLANNER,), "reverse": (DEPARTMENT,), "separate": (PLANNER, DEPARTMENT)}
_PERIODS = ("quarter", "half_year", "year", "two_years", "term")


class Policy(Protocol):
    def value(self, key: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step with its raters. `planner_sides` rate planners, `department_sides` rate departments."""

    number: int
    title: str
    planner_sides: tuple[str, ...] = ()
    department_sides: tuple[str, ...] = ()

    def sides(self, direction: str) -> tuple[str, ...]:
        return self.planner_sides if direction == PLANNER else self.department_sides


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """A round that the pack asks for. `period_kind` "other": the pack names no period, so the dates are entered."""

    scope: str
    period_kind: str
    title: str
    steps: tuple[StepPlan, ...]
    has_self_report: bool = False

    @property
    def directions(self) -> tuple[str, ...]:
        return (PLANNER, DEPARTMENT) if self.scope == BOTH else (self.scope,)

    def most_sides(self, direction: str) -> int:
        """How many sides rate in the same step, at most."""
        return max((len(step.sides(direction)) for step in self.steps), default=0)

    def step_count(self, direction: str) -> int:
        return sum(bool(step.sides(direction)) for step in self.steps)


def plans_of(policy: Policy) -> list[RoundPlan]:
    """The rounds of a pack, none while nobody has set the direction.

    Mutual evaluation is one round when both directions have the same period: they have to close together. Otherwise
    each direction is a round of its own.
    """
    direction = policy.value("evaluation.direction")
    if direction is None:
        return []
    cycles = {
        PLANNER: policy.value("evaluation.planner_cycle"),
        DEPARTMENT: policy.value("evaluation.department_cycle"),
    }
    if direction == "mutual":
        scopes: tuple[str, ...] = (BOTH,) if cycles[PLANNER] == cycles[DEPARTMENT] else (PLANNER, DEPARTMENT)
    else:
        scopes = _SCOPES.get(direction, ())
    return [_plan(policy, scope, cycles[PLANNER if scope == BOTH else scope]) for scope in scopes]


def plan_for(policy: Policy, scope: str) -> RoundPlan | None:
    return next((plan for plan in plans_of(policy) if plan.scope == scope), None)


def _plan(policy: Policy, scope: str, period: str | None) -> RoundPlan:
    titles = {
        PLANNER: policy.value("evaluation.planner_title") or "对责任规划师的评估",
        DEPARTMENT: policy.value("evaluation.department_title") or "对主管单位的评价",
    }
    directions = (PLANNER, DEPARTMENT) if scope == BOTH else (scope,)
    title = "互评" if scope == BOTH else titles[scope]
    return RoundPlan(
        scope=scope,
        period_kind=period if period in _PERIODS else "other",
        title=title,
        steps=_steps(policy, directions, "、".join(dict.fromkeys(titles[d] for d in directions))),
        # A report that the pack asks for comes before those who are to judge it (京核心区 五(二)).
        has_self_report=PLANNER in directions and policy.value("report.required") is True,
    )


def _steps(policy: Policy, directions: tuple[str, ...], title: str) -> tuple[StepPlan, ...]:
    """The pack's steps; where it names none, one in which everybody rates.

    A step's sides are held against the evaluators: who only appears in a step of its own still rates there (晋城 三(三)).
    """
    evaluators = tuple(policy.value("evaluation.planner_evaluators") or ()) if PLANNER in directions else ()
    rows = sorted(policy.value("evaluation.stages") or (), key=lambda row: row["step"])
    if not rows:
        by_planners = ("planner",) if DEPARTMENT in directions else ()
        return (StepPlan(1, title[:60], evaluators, by_planners),)
    steps = []
    for row in rows:
        rates = tuple(side for side in row["by"] if side not in PLANNER_SIDES) if PLANNER in directions else ()
        back = ("planner",) if DEPARTMENT in directions and set(row["by"]) & set(PLANNER_SIDES) else ()
        steps.append(StepPlan(int(row["step"]), row["title"], rates, back))
    if DEPARTMENT in directions and not any(step.department_sides for step in steps):
        first = steps[0]
        steps[0] = StepPlan(first.number, first.title, first.planner_sides, ("planner",))
    return tuple(step for step in steps if step.planner_sides or step.department_sides)
