"""Who answers what becomes of an opinion, changes an answer, proves it, and takes back what was answered already."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from core.permissions import Decision
from districts.access import Access, access_of
from districts.models import Organisation
from projects.models import Consultation, ItemAnswer
from projects.querysets import offices_of

OFFICES = (Role.BUREAU, Role.UNIT, Role.DEPARTMENT)
_NOT_THE_ASKER = "采纳情况由征询单位反馈"
# Nothing is owed on these any more, and what was answered stands.
_OVER = {
    "withdrawn": "该征询已撤回，无须反馈采纳情况",
    "superseded": "该征询已由新征询取代，请在新征询中反馈",
    "unanswered": "该征询无人答复，没有可反馈的意见",
}


def acts_for(access: Access, organisation: Organisation) -> bool:
    """Does the person act in the name of this body? A bureau's people act for the bureau of their own locality, whether
    or not their role names it."""
    if not access.is_role(*OFFICES) or not access.covers(organisation.locality_id):
        return False
    if organisation.pk in offices_of(access):
        return True
    unnamed = access.is_role(Role.BUREAU) and access.organisation_id is None
    return unnamed and organisation.kind == Organisation.Kind.BUREAU and organisation.locality_id == access.locality_id


def _asker(user: Any, consultation: Consultation) -> Decision:
    return Decision.of(
        acts_for(access_of(user), consultation.asker), otherwise=f"{_NOT_THE_ASKER}（{consultation.asker.name}）"
    )


def can_answer_items(user: Any, consultation: Consultation) -> Decision:
    """Whoever asked answers, item by item, as soon as an opinion is there: also while others are still writing."""
    if consultation.state in _OVER:
        return Decision.no(_OVER[consultation.state])
    if not (decision := _asker(user, consultation)):
        return decision
    return Decision.of(consultation.state != "settled", otherwise="各条意见均已反馈；需要改变的，在该条意见上办理变更")


def can_change_answer(user: Any, answer: ItemAnswer) -> Decision:
    """Whoever asked, by a new version with its reason; what was answered before the request was taken back stays."""
    opinion = answer.item.opinion
    consultation = opinion.consultee.consultation
    if not answer.is_current:
        return Decision.no("这是变更前的反馈，只能变更现行的反馈")
    if opinion.state != "submitted":
        return Decision.no("该意见书已由新版取代，请对新版的意见反馈")
    if consultation.state in _OVER:
        return Decision.no(f"{_OVER[consultation.state]}，原有反馈保持不变")
    return _asker(user, consultation)


def can_prove(user: Any, answer: ItemAnswer) -> Decision:
    """Whoever asked, and the office of a unit that the project lies in, since it is there that things are done
    (聊城 三(三): 具体落实并将落实情况反馈)."""
    if not answer.is_current:
        return Decision.no("这是变更前的反馈，请在现行的反馈上登记落实情况")
    if answer.decision == "refused":
        return Decision.no("不采纳的意见无须登记落实情况")
    if answer.item.opinion.state != "submitted":
        return Decision.no("该意见书已由新版取代，请在新版的意见上登记")
    consultation = answer.item.opinion.consultee.consultation
    if _asker(user, consultation):
        return Decision.yes()
    access = access_of(user)
    if access.is_role(Role.UNIT):
        here = consultation.project.units.filter(pk__in=access.unit_ids).exists()
        return Decision.of(here, otherwise="仅征询单位和项目所在责任单元的主管部门可以登记落实情况")
    return Decision.no("仅征询单位和项目所在责任单元的主管部门可以登记落实情况")


def can_withdraw_answered(user: Any, consultation: Consultation) -> Decision:
    """An opinion that lies on the table is not called back by who owes the answer: the bureau does it, and says why."""
    access = access_of(user)
    if not (access.is_role(Role.BUREAU) and access.covers(consultation.locality_id)):
        return Decision.no("已有答复的征询只能由规划主管部门撤回，并须写明原因")
    return Decision.of(consultation.state == "answered", otherwise="只有已答复、待反馈的征询在此撤回")


def can_see_rates(user: Any, _: Any = None) -> Decision:
    """Everybody who takes part in reviews; each sees figures of the items they may see."""
    allowed = access_of(user).is_role(*OFFICES, Role.LEADER, Role.CITY, Role.PLANNER, Role.LEAD)
    return Decision.of(allowed, otherwise="当前身份不参与项目审查，不能查看采纳情况")
