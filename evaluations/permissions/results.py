"""Who computes, sees the workings, records the meeting and gives what the result earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of
from evaluations.permissions.rounds import can_deliberate_round, can_manage_round

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Deliberation, Result, Round

CLOSED = ("collation", "deliberation", "notice", "published", "filed")


def can_see_workings(user: User, round_: Round) -> Decision:
    """Ranking, outliers and how each score came about: whoever collates and deliberates, once all has closed."""
    access = access_of(user)
    if not (access.is_role(Role.BUREAU, Role.LEADER) and access.covers(round_.locality_id)):
        return Decision.no("仅规划主管部门和工作组（区领导）可以查看测算过程")
    return Decision.of(round_.state in CLOSED, otherwise="评估尚未汇总，没有测算结果")


def can_compute_results(user: User, round_: Round) -> Decision:
    decision = can_manage_round(user, round_)
    return decision and Decision.of(
        round_.state == "collation", otherwise=f"评估处于{round_.get_state_display()}阶段，不能测算"
    )


def can_settle_round(user: User, round_: Round) -> Decision:
    decision = can_deliberate_round(user, round_)
    return decision and Decision.of(
        round_.state == "deliberation", otherwise=f"评估处于{round_.get_state_display()}阶段，不在审议中"
    )


def can_record_deliberation(user: User, round_: Round) -> Decision:
    return can_settle_round(user, round_)


def can_issue_minutes(user: User, deliberation: Deliberation) -> Decision:
    return can_settle_round(user, deliberation.round)


def can_correct_result(user: User, result: Result) -> Decision:
    """After it has taken effect: a new version with a reason, by nobody who rated the subject or is the subject."""
    from evaluations.permissions.outcomes import no_part_in

    round_ = result.subject.round
    decision = can_deliberate_round(user, round_)
    if not decision:
        return decision
    if result.state != "published" or round_.state not in {"published", "filed"}:
        return Decision.no("结果生效后才能更正")
    return no_part_in(user, result)


def can_grant(user: User, result: Result) -> Decision:
    """Rewards follow from a result that has taken effect."""
    decision = can_deliberate_round(user, result.subject.round)
    return decision and Decision.of(result.state == "published", otherwise="结果生效后才能登记奖励")
