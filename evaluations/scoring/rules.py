"""The rule values that scoring reads, each with its clause. A value that nobody has set is None and names its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from core.explain import Clause

PLANNER, DEPARTMENT = "planner", "department"

EVALUATOR_WEIGHTS = "evaluation.evaluator_weights"
STAGE_WEIGHTS = "evaluation.stage_weights"
MISSING_RATERS = "evaluation.missing_raters"
MISSING_SCORE = "evaluation.missing_score"
ABSTENTIONS = "evaluation.abstentions"
NOT_APPLICABLE = "evaluation.not_applicable"
RATIO_LIMITS = "evaluation.ratio_limits"
TIES = "evaluation.ties"
SMALLEST_GROUP = "evaluation.smallest_group"
CUTOFFS = {PLANNER: "evaluation.cutoffs", DEPARTMENT: "evaluation.department_cutoffs"}
WEIGHTS = {PLANNER: "evaluation.planner_weights", DEPARTMENT: "evaluation.department_weights"}
INDICATORS = {PLANNER: "evaluation.planner_indicators", DEPARTMENT: "evaluation.department_indicators"}

COMMON = (MISSING_RATERS, MISSING_SCORE, ABSTENTIONS, NOT_APPLICABLE, SMALLEST_GROUP)


class Value(Protocol):
    """What of a policy value is read here; `districts.policy.values.PolicyValue` is one."""

    @property
    def value(self) -> Any: ...

    @property
    def clause(self) -> Clause: ...


class Values(Protocol):
    def get(self, key: str) -> Value: ...


@dataclass(frozen=True)
class Limit:
    """At most `ratio` of the subjects may have the grade; `rounding` says how part of a subject counts."""

    grade: str
    ratio: Decimal
    rounding: str


@dataclass(frozen=True)
class ScoringRules:
    """The rules of one direction. Weights are out of 100, cut-offs fall; empty tables mean that nobody has set them."""

    direction: str
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    side_weights: Mapping[str, Decimal] = field(default_factory=dict)
    step_weights: Mapping[int, Decimal] = field(default_factory=dict)
    missing_raters: str | None = None
    missing_score: Decimal | None = None
    abstentions: str | None = None
    not_applicable: str | None = None
    cutoffs: tuple[tuple[str, Decimal], ...] = ()
    limits: tuple[Limit, ...] = ()
    ties: str | None = None
    smallest_group: int | None = None
    clauses: Mapping[str, Clause] = field(default_factory=dict)

    def clause(self, key: str) -> Clause:
        return self.clauses.get(key, Clause(key, "unset"))

    @property
    def weights_key(self) -> str:
        return WEIGHTS[self.direction]

    @property
    def cutoffs_key(self) -> str:
        return CUTOFFS[self.direction]

    @classmethod
    def of(cls, policy: Values, direction: str) -> ScoringRules:
        """Read the keys of a policy, or of the rules that a round has frozen."""
        keys = [*COMMON, WEIGHTS[direction], INDICATORS[direction], CUTOFFS[direction], STAGE_WEIGHTS]
        if direction == PLANNER:
            # Sides, limits and ties are stated of the evaluation of planners alone.
            keys += [EVALUATOR_WEIGHTS, RATIO_LIMITS, TIES]
        found = {key: policy.get(key) for key in keys}

        def rows(key: str) -> Any:
            return (found[key].value if key in found else None) or ()

        def one(key: str) -> Any:
            return found[key].value if key in found else None

        return cls(
            direction=direction,
            weights={row["indicator"]: Decimal(row["weight"]) for row in rows(WEIGHTS[direction])},
            titles={row["code"]: row["title"] for row in rows(INDICATORS[direction])},
            side_weights={row["side"]: Decimal(row["weight"]) for row in rows(EVALUATOR_WEIGHTS)},
            step_weights={int(row["step"]): Decimal(row["weight"]) for row in rows(STAGE_WEIGHTS)},
            missing_raters=one(MISSING_RATERS),
            missing_score=None if one(MISSING_SCORE) is None else Decimal(one(MISSING_SCORE)),
            abstentions=one(ABSTENTIONS),
            not_applicable=one(NOT_APPLICABLE),
            cutoffs=tuple((row["grade"], Decimal(row["min_score"])) for row in rows(CUTOFFS[direction])),
            limits=tuple(Limit(row["grade"], Decimal(row["ratio"]), row["rounding"]) for row in rows(RATIO_LIMITS)),
            ties=one(TIES),
            smallest_group=one(SMALLEST_GROUP),
            clauses={key: value.clause for key, value in found.items()},
        )


def keys_needed(rules: ScoringRules, *, sides_in_a_step: int, steps: int) -> tuple[str, ...]:
    """The keys without which scores of this direction could not be computed, whether set or not, in reading order.

    One side needs no weight among sides and one step none among steps. A limit on a grade exists when somebody sets
    it, and only then has to say what becomes of equal scores. Grades of departments are asked for by no document.
    """
    keys = [INDICATORS[rules.direction], rules.weights_key]
    if sides_in_a_step > 1 and rules.direction == PLANNER:
        keys.append(EVALUATOR_WEIGHTS)
    if steps > 1:
        keys.append(STAGE_WEIGHTS)
    keys.append(MISSING_RATERS)
    if rules.missing_raters == "set":
        keys.append(MISSING_SCORE)
    keys += [ABSTENTIONS, NOT_APPLICABLE]
    if rules.direction == PLANNER:
        keys.append(rules.cutoffs_key)
        if rules.limits:
            keys.append(TIES)
    else:
        keys.append(SMALLEST_GROUP)
    return tuple(keys)
