"""What a policy pack says of a project's review, read in one place: stages, who is asked, on which ground, how long.

Pure: an EffectivePolicy in, plain values with their clauses out. Nothing here is decided by the code: where the pack is
silent the answer is empty and says which key is unset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.explain import Clause
from districts.policy.keys_process import STAGE_MODES
from districts.policy.values import EffectivePolicy

# The pack's row `renewal` (城市更新) speaks of one kind of project, whose 实施方案 is what the scheme stage reviews.
RENEWAL_KIND, RENEWAL_ROW, RENEWAL_STAGE = "renewal", "renewal", "scheme"
# What a pack may hold of votes and reviews at a higher level (R44), by the kind of record.
VOTE_KEYS = {"joint_review": "review.joint_review", "residents": "review.villagers_vote"}
# How strongly a row speaks: of two rows for one stage the stronger counts.
_STRENGTH = {"required": 4, "takes_part": 3, "regular": 2, "advisory": 1, "invited": 0}
REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class StageRule:
    """What the pack says of consultation at one stage. `mode` is "" where it says nothing."""

    stage: str
    mode: str
    how: str
    weight: str
    clause: Clause

    @property
    def is_required(self) -> bool:
        return self.mode == REQUIRED

    @property
    def mode_words(self) -> str:
        return STAGE_MODES.get(self.mode, "未设定")


@dataclass(frozen=True, slots=True)
class Seat:
    """One kind of planner to be asked, by the tier table: what they give, and what it counts as."""

    role: str
    title: str
    opinion_form: str
    weight: str
    clause: Clause


@dataclass(frozen=True, slots=True)
class Term:
    """A term in workdays; None where nobody has set it."""

    days: int | None
    clause: Clause


def clause_of(policy: EffectivePolicy | None, key: str) -> Clause:
    """The clause behind a key, in the shape that is kept with records."""
    return policy.get(key).clause if policy is not None else Clause(key, "unset")


def stage_rule(policy: EffectivePolicy | None, *, stage: str, kind: str) -> StageRule:
    """What the pack says of consultation at `stage` for a project of `kind` (review.stages)."""
    rows: Sequence[dict[str, Any]] = (policy.value("review.stages") if policy is not None else None) or ()
    names = {stage} | ({RENEWAL_ROW} if kind == RENEWAL_KIND and stage == RENEWAL_STAGE else set())
    found = sorted((row for row in rows if row["stage"] in names), key=lambda row: -_STRENGTH[row["mode"]])
    clause = clause_of(policy, "review.stages")
    if not found:
        return StageRule(stage, "", "", "", clause)
    row = found[0]
    return StageRule(stage, row["mode"], row["how"], row.get("weight") or "", clause)


def rule_for(policy: EffectivePolicy | None, *, stage: str, kind: str, mandatory_area: str = "") -> StageRule:
    """`stage_rule` of a project: where it lies in (or is) what the pack says must be consulted on
    (review.mandatory_areas, R39), its scheme is consulted on whatever the table of stages says."""
    rule = stage_rule(policy, stage=stage, kind=kind)
    areas = (policy.value("review.mandatory_areas") if policy is not None else None) or ()
    if stage != RENEWAL_STAGE or mandatory_area not in areas or rule.is_required:
        return rule
    how = f"属于必须咨询的地区和项目：{mandatory_area}"
    return StageRule(stage, REQUIRED, how, rule.weight, clause_of(policy, "review.mandatory_areas"))


def seats_of(policy: EffectivePolicy | None, tier: str) -> list[Seat]:
    """Who is asked about a project of this tier (review.tiers); empty where the pack has no table or no such tier."""
    rows = (policy.value("review.tiers") if policy is not None else None) or ()
    clause = clause_of(policy, "review.tiers")
    return [
        Seat(row["role"], policy.role_title(row["role"]), row["opinion"], row.get("weight") or "", clause)
        for row in rows
        if policy is not None and row["title"] == tier
    ]


def points_of(policy: EffectivePolicy | None, stage: str, *, role: str = "", kind: str = "") -> list[str]:
    """The points that an opinion at this stage speaks to, in the pack's words: its checklist, and for the role that
    the pack calls architect its four subjects (review.architect_points)."""
    if policy is None:
        return []
    rows = policy.value("review.checklists") or ()
    names = {stage} | ({RENEWAL_ROW} if kind == RENEWAL_KIND and stage == RENEWAL_STAGE else set())
    points = [row["point"] for row in rows if row["stage"] in names]
    if role == "architect":
        points += [point for point in policy.value("review.architect_points") or () if point not in points]
    return points


def term_of(policy: EffectivePolicy | None, key: str) -> Term:
    """A term of the pack in workdays: review.opinion_days, review.feedback_days."""
    value = policy.value(key) if policy is not None else None
    return Term(int(value) if isinstance(value, Decimal | int) else None, clause_of(policy, key))
