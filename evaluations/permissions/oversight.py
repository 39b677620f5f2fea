"""Who replies to a result, reviews the system, supervises, answers, and puts circulars out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Locality
    from evaluations.models import Circular, Inspection, Result, SystemReview


def can_reply(user: User, result: Result) -> Decision:
    """The subject, once, from the notice on."""
    from evaluations.models import ResultReply, Subject
    from evaluations.querysets.outcomes import TOLD
    from evaluations.querysets.rounds import is_subject

    if not Subject.objects.filter(is_subject(user), pk=result.subject_id).exists():
        return Decision.no("只有受评对象可以回复")
    if result.subject.round.state not in TOLD:
        return Decision.no("结果尚未告知")
    return Decision.of(not ResultReply.objects.filter(result_id=result.pk).exists(), otherwise="已经回复")


def can_draft_review(user: User, locality: Locality) -> Decision:
    """The bureau reviews what it runs (聊城 三(一))."""
    access = access_of(user)
    allowed = access.is_role(Role.BUREAU) and access.covers(locality.pk)
    return Decision.of(allowed, otherwise="仅本地方规划主管部门可以评估制度执行情况")


def can_edit_review(user: User, review: SystemReview) -> Decision:
    return can_draft_review(user, review.locality)


def can_inspect(user: User, locality: Locality) -> Decision:
    """The city its localities (京核心区 七(三)); the bureau the offices of its own (聊城 三(一))."""
    access = access_of(user)
    allowed = access.is_role(Role.CITY, Role.BUREAU) and access.covers(locality.pk)
    return Decision.of(allowed, otherwise="仅市级监督人员和规划主管部门可以登记督查")


def can_answer_inspection(user: User, inspection: Inspection) -> Decision:
    """The office that was inspected; where it was the locality as a whole, its bureau and leaders."""
    access = access_of(user)
    office = inspection.organisation
    if not access.covers(inspection.locality_id):
        return Decision.no("只有受督查单位可以反馈")
    if office is None:
        return Decision.of(access.is_role(Role.BUREAU, Role.LEADER), otherwise="只有受督查地方可以反馈")
    allowed = access.organisation_id == office.pk and access.is_role(Role.UNIT, Role.DEPARTMENT, Role.LEADER)
    allowed = allowed or (access.is_role(Role.UNIT) and office.units.filter(pk__in=access.unit_ids).exists())
    allowed = allowed or (access.is_role(Role.LEADER) and office.kind == "government")
    return Decision.of(allowed, otherwise="只有受督查单位可以反馈")


def can_close_inspection(user: User, inspection: Inspection) -> Decision:
    """Whoever inspects judges what was done; nobody their own answer."""
    access = access_of(user)
    role = Role.CITY if inspection.by_city else Role.BUREAU
    if not (access.is_role(role) and access.covers(inspection.locality_id)):
        return Decision.no("只有督查一方可以办理")
    return Decision.of(inspection.answered_by_id != user.pk, otherwise="不能认定自己反馈的情况")


def can_make_circular(user: User, locality: Locality) -> Decision:
    access = access_of(user)
    allowed = access.is_role(Role.CITY, Role.BUREAU) and access.covers(locality.pk)
    return Decision.of(allowed, otherwise="仅市级监督人员和规划主管部门可以通报")


def can_edit_circular(user: User, circular: Circular) -> Decision:
    return can_make_circular(user, circular.locality)
