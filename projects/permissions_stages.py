"""Who may move a project through its stages, pass the gate, waive consultation and record votes; and why not."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of
from districts.policy.values import EffectivePolicy
from projects.conflicts import conflicts_among
from projects.models import Project, ProjectStage, StageDecision
from projects.permissions import can_edit_project
from projects.querysets import offices_of, own_planners
from projects.review import VOTE_KEYS
from projects.rounds import policy_of_stage
from projects.sides import side_words, sides_of


def can_move_stage(user: Any, stage: ProjectStage) -> Decision:
    """Send back, skip, go back: whoever may change the project."""
    decision = can_edit_project(user, stage.project)
    return decision if decision else Decision.no("仅规划主管部门、项目所在单位和责任单元主管部门可以办理项目阶段")


def can_decide_stage(user: Any, stage: ProjectStage) -> Decision:
    """Record that the stage was passed: the same, and whoever may waive consultation there."""
    return can_move_stage(user, stage) or can_waive_consultation(user, stage)


def can_move_project(user: Any, project: Project) -> Decision:
    """The project follows its rounds: who may pass a round may move it on."""
    decision = can_edit_project(user, project)
    if decision:
        return decision
    passed = project.stages.filter(state="passed").order_by("-pk").first()
    return can_waive_consultation(user, passed) if passed is not None else decision


def can_reopen_project(user: Any, project: Project) -> Decision:
    """Take up a finished project once more: the bureau."""
    access = access_of(user)
    if not (access.is_role(Role.BUREAU) and access.covers(project.locality_id)):
        return Decision.no("仅规划主管部门可以重新启动已办结的项目")
    return Decision.of(project.stage == Project.Stage.DONE, otherwise="项目尚未办结，无须重新启动")


def can_waive_consultation(user: Any, stage: ProjectStage) -> Decision:
    """Whom the pack entitles (review.waiver_by); nobody where it names nobody."""
    return may_waive(user, stage.project, policy_of_stage(stage))


def may_waive(user: Any, project: Project, policy: EffectivePolicy | None) -> Decision:
    named = (policy.value("review.waiver_by") if policy is not None else None) or ()
    if not named:
        return Decision.no("制度方案未设定谁可批准免予征询，不能免予征询")
    allowed = bool(sides_of(user, project) & set(named))
    return Decision.of(allowed, otherwise=f"仅{side_words(named)}可以批准免予征询")


def can_record_vote(user: Any, stage: ProjectStage) -> Decision:
    """Where the pack has a review at a higher level or a vote of residents (R44)."""
    decision = can_move_stage(user, stage)
    if not decision:
        return decision
    policy = policy_of_stage(stage)
    known = policy is not None and any(policy.get(key).is_set for key in VOTE_KEYS.values())
    return Decision.of(known, otherwise="制度方案未设定提级会审和群众表决")


def can_read_proof(user: Any, decision: StageDecision) -> Decision:
    """Who was asked and what they said: whoever reads the locality's reviews, the offices around the project, and the
    planners who were asked, unless they keep out of it."""
    project = decision.stage.project
    access = access_of(user)
    if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY) and access.covers(project.locality_id):
        return Decision.yes()
    if access.is_role(Role.UNIT) and access.unit_ids & set(project.units.values_list("pk", flat=True)):
        return Decision.yes()
    if access.is_role(Role.UNIT, Role.DEPARTMENT):
        offices = offices_of(access)
        asked = project.consultations.filter(asker_id__in=offices).exists()
        return Decision.of(project.owner_id in offices or asked, otherwise="仅项目所在单位和征询单位可以查看征询凭据")
    if access.is_role(Role.PLANNER, Role.LEAD):
        own = own_planners(user)
        asked = project.consultations.filter(consultees__planner_id__in=own).exists()
        free = not conflicts_among(own, project)
        return Decision.of(asked and free, otherwise="仅被征询的责任规划师可以查看征询凭据")
    return Decision.no("当前身份不能查看征询凭据")
