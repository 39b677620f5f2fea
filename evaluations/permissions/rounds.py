"""Who runs a round: the bureau prepares and collates, whoever approves deliberates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Locality
    from evaluations.models import Round


def _bureau(user: User, locality_id: int, what: str) -> Decision:
    access = access_of(user)
    return Decision.of(
        access.is_role(Role.BUREAU) and access.covers(locality_id), otherwise=f"仅本地方规划主管部门可以{what}"
    )


def can_prepare_round(user: User, locality: Locality) -> Decision:
    return _bureau(user, locality.pk, "组织评估")


def can_manage_round(user: User, round_: Round) -> Decision:
    """Move it on, extend, reopen; not while it is paused."""
    decision = _bureau(user, round_.locality_id, "管理评估")
    return decision and Decision.of(round_.standing != "paused", otherwise="评估已暂停，恢复后才能继续")


def can_pause_round(user: User, round_: Round) -> Decision:
    decision = _bureau(user, round_.locality_id, "暂停或恢复评估")
    over = round_.state in {"preparation", "published", "filed", "cancelled"}
    return decision and Decision.of(not over, otherwise=f"评估{round_.get_state_display()}，不能暂停")


def can_resume_round(user: User, round_: Round) -> Decision:
    return _bureau(user, round_.locality_id, "暂停或恢复评估")


def can_deliberate_round(user: User, round_: Round) -> Decision:
    """The approval is the working group's (通政办发〔2021〕10号 三(四)5: 工作组审议后公布); the bureau records it."""
    access = access_of(user)
    allowed = access.is_role(Role.LEADER, Role.BUREAU) and access.covers(round_.locality_id)
    if not allowed:
        return Decision.no("仅工作组（区领导）和规划主管部门可以办理审议")
    return Decision.of(round_.standing != "paused", otherwise="评估已暂停，恢复后才能继续")


def can_publish_round(user: User, round_: Round) -> Decision:
    return can_manage_round(user, round_)
