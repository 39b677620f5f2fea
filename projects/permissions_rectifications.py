"""Who may ask for a rectification, answer it, look at it again, take it further or let it go; and why not."""

from __future__ import annotations

from typing import Any

from core.permissions import Decision
from districts.access import access_of
from planners.models import Planner
from projects.conflicts import conflict_of
from projects.models import PartyLink, Project, Rectification
from projects.querysets import led_planners, own_planners, served_projects
from projects.sides import is_bureau_of, is_leader_of, is_office_of, is_planner, speaks_for
from projects.stage_policy import CLAUSE_UNSET, binding_policy, policy_of_project

WORDS = {
    "open": "这项整改尚未回复",
    "replied": "这项整改已回复，正等待复查",
    "closed": "这项整改已销项",
    "escalated": "这项整改已上报",
    "waived": "这项整改已经批准不再整改",
}
UNSETTLED = ("open", "replied", "escalated")


def _in_state(rectification: Rectification, *states: str) -> Decision:
    return Decision.of(rectification.state in states, otherwise=WORDS[rectification.state] + "。")


def can_open(user: Any, project: Project, planner: Planner) -> Decision:
    """京核心区 四(二): the planner asks, where the locality's policy says so, and keeps out where there is a conflict."""
    if not is_planner(user) or planner.user_id != user.pk:
        return Decision.no("只有到场巡查的责任规划师本人可以提出整改意见。")
    conflict = conflict_of(planner, project)
    if conflict is not None:
        return Decision.no(conflict.words)
    if project.stage == Project.Stage.DONE:
        return Decision.no("该项目已办结，不能再提出整改意见。")
    return _policy_lets_planners_ask(project)


def _policy_lets_planners_ask(project: Project) -> Decision:
    policy = policy_of_project(project)
    rule = policy.value("review.rectification") if policy is not None else None
    if rule is None:
        return Decision.no(f"本地制度对整改{CLAUSE_UNSET}，巡查发现可以记录，但不能提出整改意见。")
    return Decision.of(
        rule["by"] in {"planner", "team"}, otherwise="本地制度规定整改意见不由责任规划师提出，巡查发现可以记录。"
    )


def is_follower(user: Any, rectification: Rectification) -> bool:
    """The planner who raised it, the lead of their team, or one who serves the project now: none in conflict."""
    if not is_planner(user):
        return False
    own = own_planners(user)
    near = rectification.raised_by_id in {*own, *led_planners(user)}
    if not near and not served_projects(own).filter(pk=rectification.project_id).exists():
        return False
    planners = Planner.objects.filter(pk__in=own)
    return not any(conflict_of(planner, rectification.project) for planner in planners)


def is_officer(user: Any, rectification: Rectification) -> bool:
    """The office of the project's unit, the body that owns the project, or the bureau."""
    access = access_of(user)
    return is_bureau_of(access, rectification.project) or is_office_of(access, rectification.project)


def can_send_link(user: Any, rectification: Rectification) -> Decision:
    """Give a party its one-time link, or take one back."""
    if not (is_officer(user, rectification) or is_follower(user, rectification)):
        return Decision.no("只有负责该项目的责任规划师、责任单元主管部门、项目所在单位和规划主管部门可以发送回复链接。")
    return _in_state(rectification, "open", "escalated")


def can_revoke_link(user: Any, link: PartyLink) -> Decision:
    rectification = link.rectification
    if not (is_officer(user, rectification) or is_follower(user, rectification)):
        return Decision.no("只有负责该项目的责任规划师、责任单元主管部门、项目所在单位和规划主管部门可以作废回复链接。")
    if link.used_at is not None:
        return Decision.no("该链接已用于回复，不能作废。")
    return Decision.of(link.revoked_at is None, otherwise="该链接已作废。")


def can_reply(user: Any, rectification: Rectification) -> Decision:
    """Enter for the contractor what it did. Never the planners: they would answer themselves."""
    if not is_officer(user, rectification):
        return Decision.no("只有责任单元主管部门、项目所在单位和规划主管部门可以代参建单位登记回复。")
    return _in_state(rectification, *UNSETTLED)


def can_answer(user: Any, rectification: Rectification) -> Decision:
    """Through a link: whoever holds it has no login, and the service has checked the link."""
    if user is not None:
        return Decision.no("由参建单位通过回复链接填写。")
    return _in_state(rectification, *UNSETTLED)


def can_reinspect(user: Any, rectification: Rectification) -> Decision:
    if not is_follower(user, rectification):
        return Decision.no("只有提出整改意见的责任规划师、其领衔规划师或现在服务该项目的责任规划师可以复查。")
    return _in_state(rectification, *UNSETTLED)


def can_reject(user: Any, rectification: Rectification) -> Decision:
    return can_reinspect(user, rectification) and _in_state(rectification, "replied")


def can_escalate(user: Any, rectification: Rectification) -> Decision:
    if not (is_officer(user, rectification) or is_follower(user, rectification)):
        return Decision.no("只有负责该项目的责任规划师、责任单元主管部门、项目所在单位和规划主管部门可以上报。")
    return _in_state(rectification, "open", "replied")


def can_fall_overdue(user: Any, rectification: Rectification) -> Decision:
    """The portal's own move, by the calendar alone."""
    if user is not None:
        return Decision.no("逾期由系统登记。")
    return _in_state(rectification, "open")


def can_waive(user: Any, rectification: Rectification) -> Decision:
    """Whom the policy names (review.waiver_by); nobody while that is unset."""
    policy = binding_policy(rectification.stage, rectification.project)
    sides = policy.value("review.waiver_by") if policy is not None else None
    if not sides:
        return Decision.no(f"谁可批准免予整改，本地制度{CLAUSE_UNSET}。")
    named = [side for side in sides if side not in {"planner", "team"}]
    if not speaks_for(user, named, rectification.project):
        words = policy.get("review.waiver_by").display if policy is not None else ""
        return Decision.no(f"按本地制度，只有下列单位可以批准免予整改：{words}。")
    return _in_state(rectification, *UNSETTLED)


def can_lift(user: Any, rectification: Rectification) -> Decision:
    """A ruling on a dispute about it may end it; called by the ruling alone."""
    if not is_leader_of(access_of(user), rectification.project):
        return Decision.no("只有作出裁定的区领导可以据裁定免予整改。")
    return _in_state(rectification, *UNSETTLED)
