"""Who may ask for an opinion, change a request, and answer one; and why not."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of, persons_behind
from planners.models import Planner
from projects.conflicts import conflict_of
from projects.models import Consultation, Consultee, Extension, Project
from projects.querysets import offices_of
from projects.services.audience import lead_of

_STATE_WORDS = {
    "asked": "征询正在进行",
    "suspended": "征询已中止，恢复后再办理",
    "answered": "征询已答复，等待反馈采纳情况",
    "unanswered": "该征询已无人可以答复",
    "settled": "征询已办结",
    "withdrawn": "征询已撤回",
    "superseded": "该征询已由新的征询取代",
}
_CONSULTEE_WORDS = {
    "asked": "尚未答复",
    "answered": "已经答复",
    "declined": "已谢绝答复",
    "recused": "已回避",
    "replaced": "已由他人替代",
    "released": "已无须答复",
    "attended": "已参会",
    "absent": "未参会",
}


def follows(user: Any, obj: Any) -> Decision:
    """A state that follows from what others did (the last answer came in); services alone apply such a move."""
    return Decision.yes()


def in_state(consultation: Consultation, *states: str) -> Decision:
    return Decision.of(consultation.state in states, otherwise=f"{_STATE_WORDS[consultation.state]}。")


def is_planner(user: Any, planner: Planner) -> bool:
    """Is the person this planner, and acting as one?"""
    own = planner.user_id is not None and planner.user_id == user.pk
    return own and access_of(user).is_role(Role.PLANNER, Role.LEAD)


# --- who asks ---------------------------------------------------------------------------------------------------


def can_ask(user: Any, project: Project) -> Decision:
    """The bureau, a department, and a unit's office for projects of its unit (京核心区 四(二), 通政办发〔2021〕10号 三(四)2)."""
    access = access_of(user)
    if not access.is_role(Role.BUREAU, Role.DEPARTMENT, Role.UNIT):
        return Decision.no("仅规划主管部门、委办局和责任单元主管部门可以征询意见")
    if not access.covers(project.locality_id):
        return Decision.no("仅项目所在地方的单位可以征询意见")
    if access.is_role(Role.UNIT) and not access.unit_ids & set(project.units.values_list("pk", flat=True)):
        return Decision.no("仅可就本责任单元的项目征询意见")
    return Decision.of(project.stage != Project.Stage.DONE, otherwise="项目已办结，不再征询意见")


def is_desk(user: Any, consultation: Consultation) -> bool:
    """Does the person act for the body that asked, or for the bureau, which looks after every request?"""
    access = access_of(user)
    if access.is_role(Role.BUREAU):
        return access.covers(consultation.locality_id)
    here = access.is_role(Role.DEPARTMENT, Role.UNIT) and access.covers(consultation.locality_id)
    return here and consultation.asker_id in offices_of(access)


def can_manage(user: Any, consultation: Consultation) -> Decision:
    return Decision.of(is_desk(user, consultation), otherwise="仅征询单位和规划主管部门可以办理")


def _written(consultation: Consultation, words: str) -> Decision:
    return Decision.of(consultation.way == Consultation.Way.WRITTEN, otherwise=words)


def can_suspend(user: Any, consultation: Consultation) -> Decision:
    decision = (
        can_manage(user, consultation)
        and in_state(consultation, "asked")
        and _written(consultation, "会议邀请不计期限，请改期")
    )
    late = consultation.due_on is not None and consultation.due_on < timezone.localdate()
    return Decision.no("已过答复期限，不能再中止；确需时间的，请办理延期") if decision and late else decision


def can_resume(user: Any, consultation: Consultation) -> Decision:
    return can_manage(user, consultation) and in_state(consultation, "suspended")


def can_withdraw(user: Any, consultation: Consultation) -> Decision:
    """What has been answered is not taken back: whoever asked owes the answer on each item."""
    decision = can_manage(user, consultation)
    if decision and consultation.state in ("answered", "settled"):
        return Decision.no("已有规划师提交意见，不能撤回；请逐条反馈采纳情况")
    decision = decision and in_state(consultation, "asked", "suspended", "unanswered")
    if decision and consultation.consultees.filter(state=Consultee.State.ANSWERED).exists():
        return Decision.no("已有规划师提交意见，不能撤回；对尚未答复的人，可以办理“无须答复”")
    return decision


def can_ask_anew(user: Any, consultation: Consultation) -> Decision:
    """On a later version of the scheme; what was answered stays and has to be answered all the same."""
    decision = can_manage(user, consultation) and can_ask(user, consultation.project)
    if decision and Consultation.objects.filter(supersedes=consultation).exists():
        return Decision.no("已就该征询发起新的征询")
    return decision and in_state(consultation, "asked", "suspended", "unanswered", "answered", "settled")


def can_add(user: Any, consultation: Consultation) -> Decision:
    return can_manage(user, consultation) and in_state(consultation, "asked", "suspended")


def can_record_meeting(user: Any, consultation: Consultation) -> Decision:
    decision = can_manage(user, consultation) and Decision.of(
        consultation.way == Consultation.Way.MEETING, otherwise="这是书面征询，没有会议"
    )
    return decision and in_state(consultation, "asked")


# --- who answers ------------------------------------------------------------------------------------------------


def _waits(consultee: Consultee) -> Decision:
    decision = Decision.of(
        consultee.state == Consultee.State.ASKED, otherwise=f"该规划师{_CONSULTEE_WORDS[consultee.state]}"
    )
    return decision and in_state(consultee.consultation, "asked", "suspended")


def can_decline(user: Any, consultee: Consultee) -> Decision:
    if not is_planner(user, consultee.planner):
        return Decision.no("只有被征询人本人可以谢绝")
    return _waits(consultee)


def can_recuse(user: Any, consultee: Consultee) -> Decision:
    """The planner declares it; the desk may find it."""
    if not is_planner(user, consultee.planner) and not is_desk(user, consultee.consultation):
        return Decision.no("只有被征询人本人、征询单位和规划主管部门可以办理回避")
    return _waits(consultee)


def can_substitute(user: Any, consultee: Consultee) -> Decision:
    """The desk; or within the team, the planner who is away and the lead of the team."""
    lead = lead_of(consultee)
    leads = lead is not None and is_planner(user, lead)
    if not (is_desk(user, consultee.consultation) or is_planner(user, consultee.planner) or leads):
        return Decision.no("只有征询单位、规划主管部门、被征询人本人及其领衔规划师可以安排替补")
    return _waits(consultee)


def can_release(user: Any, consultee: Consultee) -> Decision:
    return can_manage(user, consultee.consultation) and _waits(consultee)


def can_ask_extension(user: Any, consultation: Consultation) -> Decision:
    """Whoever is to answer."""
    waiting = consultation.consultees.filter(state=Consultee.State.ASKED, planner__user_id=user.pk).exists()
    if not (waiting and access_of(user).is_role(Role.PLANNER, Role.LEAD)):
        return Decision.no("只有尚未答复的被征询人可以申请延期")
    decision = in_state(consultation, "asked") and _written(consultation, "会议邀请不计期限，请与征询单位商量改期")
    if decision and consultation.due_on is None:
        return Decision.no("该征询未设期限，无须延期")
    if decision and consultation.extensions.filter(state=Extension.State.ASKED).exists():
        return Decision.no("已有一份延期申请待答复")
    return decision


def can_answer_extension(user: Any, extension: Extension) -> Decision:
    if extension.asked_by_id in persons_behind(user):
        return Decision.no("不能答复自己（被代理人）提出的延期申请")
    decision = can_manage(user, extension.consultation)
    return decision and Decision.of(extension.state == Extension.State.ASKED, otherwise="该延期申请已答复")


def without_conflict(consultee: Consultee) -> Decision:
    """Found at the moment of the act, however it came about since."""
    conflict = conflict_of(consultee.planner, consultee.consultation.project)
    return Decision.yes() if conflict is None else Decision.no(f"{conflict.words}，不能就该项目发表意见，请办理回避")
