"""Who sends opinions on (函告) and notes each step, and who asks and answers hard questions."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from core.permissions import Decision
from districts.access import Access, access_of, place_of
from districts.models import Organisation
from districts.policy.keys import SIDES
from districts.policy.values import EffectivePolicy
from projects.models import Consultation, DispatchStep, HardQuestion, OpinionDispatch
from projects.permissions_adoption import acts_for

UNSET_DISPATCH = "本地方的制度没有规定意见建议的转办（函告），未设定"
UNSET_QUESTIONS = "本地方的制度没有规定疑难问题咨询，未设定"


def _is_bureau(access: Access, locality_id: int) -> bool:
    return access.is_role(Role.BUREAU) and access.covers(locality_id)


def can_dispatch(user: Any, consultation: Consultation) -> Decision:
    """聊城 三(一): the bureau collates and sends the letter. Whether the pack has a route, the service asks."""
    if not _is_bureau(access_of(user), consultation.locality_id):
        return Decision.no("函告由规划主管部门办理")
    if consultation.state not in {"answered", "settled"}:
        return Decision.no("征询答复齐备后才能函告")
    return Decision.of(not hasattr(consultation, "dispatch"), otherwise="该征询的意见已经函告")


def can_number(user: Any, dispatch: OpinionDispatch) -> Decision:
    """The office system's number, once the letter has left."""
    if not _is_bureau(access_of(user), dispatch.locality_id):
        return Decision.no("发文字号由规划主管部门填写")
    return Decision.of(not dispatch.office_number, otherwise="发文字号已填写")


def can_do_step(user: Any, step: DispatchStep) -> Decision:
    """The side that the pack names; the bureau enters it for a side that reported on paper."""
    access, dispatch = access_of(user), step.dispatch
    if step.done_on is not None:
        return Decision.no("这一步已办结")
    if dispatch.steps.filter(step__lt=step.step, done_on=None).exists():
        return Decision.no("前面的步骤尚未办结")
    if not dispatch.office_number:
        return Decision.no("函件尚未发出，请先由规划主管部门填写发文字号")
    if _is_bureau(access, dispatch.locality_id):
        return Decision.yes()
    allowed = access.covers(dispatch.locality_id) and is_of_side(access, step.side, dispatch)
    return Decision.of(allowed, otherwise=f"这一步由{SIDES.get(step.side, step.side)}办理")


def is_of_side(access: Access, side: str, dispatch: OpinionDispatch) -> bool:
    """Does the person stand on this side of the pack's route?"""
    if side == "government":
        return access.is_role(Role.LEADER) or in_government(access)
    if side == "unit":
        units = dispatch.consultation.project.units
        return access.is_role(Role.UNIT) and units.filter(pk__in=access.unit_ids).exists()
    if side == "department":
        return access.is_role(Role.DEPARTMENT) and acts_for(access, dispatch.consultation.asker)
    return False


def in_government(access: Access) -> bool:
    """Somebody of the district's government (区政府、管委会) itself."""
    if not access.is_role(Role.DEPARTMENT) or access.organisation_id is None:
        return False
    government = Organisation.objects.filter(kind=Organisation.Kind.GOVERNMENT, is_active=True)
    return government.filter(pk=access.organisation_id).exists()


def may_ask_questions(user: Any, policy: EffectivePolicy | None) -> Decision:
    """聊城 三(二): the district's government asks; the bureau enters it for them. Where no pack has it there is none."""
    access = access_of(user)
    if place_of(user) is None or not (access.is_role(Role.LEADER, Role.BUREAU) or in_government(access)):
        return Decision.no("疑难问题由区政府（管委会）提出，规划主管部门可以代为登记")
    is_set = policy is not None and policy.get("work.hard_questions").is_set
    return Decision.of(is_set, otherwise=UNSET_QUESTIONS)


def can_answer_question(user: Any, question: HardQuestion) -> Decision:
    if question.planner.user_id != user.pk or not access_of(user).is_role(Role.PLANNER, Role.LEAD):
        return Decision.no("由被咨询的责任规划师本人解答")
    return Decision.of(question.state == "asked", otherwise=f"该问题{question.get_state_display()}")


def can_withdraw_question(user: Any, question: HardQuestion) -> Decision:
    """Who asked, and the bureau; also to put it to somebody else."""
    access = access_of(user)
    own = question.asked_by_id == user.pk or acts_for(access, question.asker)
    if not (own or _is_bureau(access, question.locality_id)):
        return Decision.no("仅提出单位和规划主管部门可以撤回或改由他人解答")
    return Decision.of(question.state == "asked", otherwise=f"该问题{question.get_state_display()}，不能撤回")
