"""Who settles, objects, reviews, publishes and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of, persons_behind
from evaluations.permissions.rounds import can_deliberate_round, can_manage_round

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import DepartmentResponse, FilingPackage, Objection, Publication, Result


def can_settle_result(user: User, result: Result) -> Decision:
    round_ = result.subject.round
    decision = can_deliberate_round(user, round_)
    return decision and Decision.of(
        round_.state == "deliberation", otherwise=f"评估处于{round_.get_state_display()}阶段"
    )


def can_publish_result(user: User, result: Result) -> Decision:
    return can_manage_round(user, result.subject.round)


def can_adjust(user: User, result: Result) -> Decision:
    """Never one's own sheet's or one's own result: whoever has scored the subject does not also correct the score."""
    decision = can_settle_result(user, result)
    return decision and no_part_in(user, result)


def no_part_in(user: User, result: Result) -> Decision:
    """Has neither rated the subject nor is the subject (a leader's own government, 聊城 三(四))."""
    if result.subject.sheets.filter(author_id__in=persons_behind(user)).exists():
        return Decision.no("您评估过该对象，不能再调整其结果")
    return Decision.of(not _owns(user, result), otherwise="您（或您所在的单位）是受评对象，不能调整自己的结果")


def _owns(user: User, result: Result) -> bool:
    from evaluations.models import Subject
    from evaluations.querysets.rounds import is_subject

    return Subject.objects.filter(is_subject(user), pk=result.subject_id).exists()


def can_object(user: User, result: Result) -> Decision:
    round_ = result.subject.round
    if not _owns(user, result):
        return Decision.no("只有受评对象可以提出异议")
    if round_.state != "notice":
        return Decision.no("不在异议期内")
    until = round_.objections_until
    if until is not None and timezone.localdate() > until:
        return Decision.no(f"异议期已于{until.year}年{until.month}月{until.day}日截止")
    decided = result.objections.filter(state__in=["upheld", "rejected"]).exists()
    return Decision.of(not decided, otherwise="复核结果为最终结果")


def can_withdraw_objection(user: User, objection: Objection) -> Decision:
    return Decision.of(objection.raised_by_id == user.pk, otherwise="只有提出人可以撤回")


def can_take_objection(user: User, objection: Objection) -> Decision:
    """Reviewed by others than before: nobody who rated the subject, adjusted its result or recorded the meeting."""
    result = objection.result
    round_ = result.subject.round
    decision = can_deliberate_round(user, round_)
    if not decision:
        return decision
    persons = persons_behind(user)
    before = (
        result.subject.sheets.filter(author_id__in=persons).exists()
        or result.adjustments.filter(made_by_id__in=persons).exists()
        or round_.deliberations.filter(recorded_by_id__in=persons).exists()
        or objection.raised_by_id in persons
    )
    return Decision.of(not before, otherwise="您参与过该结果的评估或审议，须由其他人复核")


def can_decide_objection(user: User, objection: Objection) -> Decision:
    if objection.reviewer_id != user.pk:
        return Decision.no("只有受理的复核人可以作出决定")
    return can_take_objection(user, objection)


def can_answer_result(user: User, response: DepartmentResponse) -> Decision:
    return Decision.of(_owns(user, response.result), otherwise="只有受评单位可以回应")


def can_confirm_response(user: User, response: DepartmentResponse) -> Decision:
    return can_deliberate_round(user, response.result.subject.round)


def can_put_out(user: User, publication: Publication) -> Decision:
    return can_manage_round(user, publication.round)


def can_take_down(user: User, publication: Publication) -> Decision:
    """Whoever may send the results back to deliberation takes the notice down with it."""
    return can_deliberate_round(user, publication.round)


def can_prepare_filing(user: User, package: FilingPackage) -> Decision:
    return can_manage_round(user, package.round)


def can_receive_filing(user: User, package: FilingPackage) -> Decision:
    access = access_of(user)
    return Decision.of(
        access.is_role(Role.CITY) and access.covers(package.round.locality_id), otherwise="仅市级监督人员可以办理备案"
    )
