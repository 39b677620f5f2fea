"""Who fills in, who changes who does, and who reads. One rule each; the querysets hold the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.permissions import Decision
from districts.access import access_of, persons_behind
from evaluations.permissions.rounds import can_manage_round
from evaluations.querysets.rounds import ORGANISERS

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Form, Round, Sheet, Subject

# Whose people collate or deliberate, and so have read what closed.
READING_SIDES = frozenset({"bureau", "city_bureau", "government", "workgroup", "city_commission"})
# Phases in which a form may be given back.
REOPENING = frozenset({"scoring", "collation"})
SEALED = "评估表在本步骤对所有人截止前只有填写人本人可以查看"


def can_read_answers(user: User, sheet: Sheet) -> Decision:
    """The seal for one sheet: the same queryset as for many. Says the same of an empty sheet as of a full one."""
    from evaluations.models import Answer

    readable = sheet.author_id == user.pk or Answer.objects.filter(sheet_id=sheet.pk).readable_by(user).exists()
    return Decision.of(readable, otherwise=SEALED)


def is_subject_of(users: Iterable[int], subject: Subject) -> bool:
    """Is one of these persons the planner evaluated, or of the team or group evaluated?"""
    people = {subject.planner.user_id if subject.planner else None}
    if subject.team is not None:
        people |= set(subject.team.members.values_list("planner__user_id", flat=True))
    if subject.group is not None:
        people |= set(subject.group.members.values_list("planner__user_id", flat=True))
    return bool(set(users) & {pk for pk in people if pk is not None})


def _is_subject(user: User, sheet: Sheet) -> bool:
    """Nobody evaluates themselves or their own office, nor has somebody do it who stands in for them."""
    from evaluations.models import Subject
    from evaluations.querysets.rounds import is_subject

    if is_subject_of(persons_behind(user), sheet.subject):
        return True
    if sheet.subject.direction == "planner":
        return False
    return Subject.objects.filter(is_subject(user), pk=sheet.subject_id).exists()


def is_reopened(sheet: Sheet) -> bool:
    """Was it given back after the step closed for the others, and is it still wanted?"""
    given_back = sheet.state == "draft" and sheet.reopened_until is not None
    return given_back and sheet.step.state == "closed" and sheet.round.state in REOPENING


def _owes(user: User, sheet: Sheet) -> Decision:
    """The rater named, or of the office named; in a round that runs."""
    from evaluations.models import Sheet as Sheets

    if not Sheets.objects.owed_by(user).filter(pk=sheet.pk).exists():
        return Decision.no("您不是这份评估表的评估人")
    if sheet.subject.left_out_reason:
        return Decision.no(f"该受评对象不参评：{sheet.subject.left_out_reason}")
    return Decision.of(sheet.round.standing != "paused", otherwise="评估已暂停")


def can_fill(user: User, sheet: Sheet) -> Decision:
    """Write and submit: the rater, while the step is open for everybody and the round runs."""
    owes = _owes(user, sheet)
    if not owes:
        return owes
    if _is_subject(user, sheet):
        return Decision.no("不能评估自己，请申请回避")
    if sheet.round.state not in REOPENING:
        return Decision.no(f"评估{sheet.round.get_state_display()}，不能填写")
    if sheet.step.state != "open" and not is_reopened(sheet):
        return Decision.no(f"本步骤{sheet.step.get_state_display()}")
    return Decision.of(sheet.state in {"waiting", "draft"}, otherwise=f"评估表{sheet.get_state_display()}，不能修改")


def can_decline(user: User, sheet: Sheet) -> Decision:
    """Ask to be let off: as for filling in, and also who must not evaluate, because it is about themselves."""
    owes = _owes(user, sheet)
    if not owes:
        return owes
    if sheet.step.state == "closed":
        return Decision.no("本步骤已截止")
    return Decision.of(sheet.state in {"waiting", "draft"}, otherwise=f"评估表{sheet.get_state_display()}，无须申请")


def can_take_back(user: User, sheet: Sheet) -> Decision:
    """Take back the wish to be let off, until it has been decided or the step has closed."""
    owes = _owes(user, sheet)
    if not owes:
        return owes
    if sheet.step.state == "closed":
        return Decision.no("本步骤已截止")
    return Decision.of(sheet.state == "declined", otherwise="没有待处理的回避申请")


def can_withdraw_sheet(user: User, sheet: Sheet) -> Decision:
    """Take back what was submitted or abstained from, until the step closes for everybody."""
    if sheet.author_id != user.pk:
        return Decision.no("只有填写人本人可以撤回")
    if sheet.round.standing == "paused":
        return Decision.no("评估已暂停")
    return Decision.of(sheet.step.state == "open", otherwise="本步骤已截止，不能撤回")


def can_assign(user: User, sheet: Sheet) -> Decision:
    """Excuse, replace, weigh otherwise: the bureau, with a reason, as long as the step has not closed."""
    decision = can_arrange(user, sheet.round)
    return decision and Decision.of(sheet.step.state != "closed", otherwise="本步骤已截止，不能再调整评估人")


def can_arrange(user: User, round_: Round) -> Decision:
    """Say who rates and who is rated: the bureau, until scoring is over."""
    decision = can_manage_round(user, round_)
    if not decision:
        return decision
    allowed = round_.state in {"preparation", "self_report", "scoring"}
    return Decision.of(allowed, otherwise=f"评估已进入{round_.get_state_display()}阶段，不能再调整")


def can_see_arrangements(user: User, round_: Round) -> Decision:
    """Who rates whom, and who has not answered: the organisers, never the raters or the rated."""
    access = access_of(user)
    allowed = access.is_role(*ORGANISERS) and access.covers(round_.locality_id)
    return Decision.of(allowed, otherwise="仅组织评估的部门可以查看评估人安排和表样")


def can_edit_form(user: User, form: Form) -> Decision:
    """Forms change while the round is prepared and never afterwards; weights are the pack's at all times."""
    decision = can_manage_round(user, form.step.round)
    if not decision:
        return decision
    draft = form.state == "draft" and form.step.round.state == "preparation"
    return Decision.of(draft, otherwise="评估已启动，表样和权重已锁定，不能修改")


def can_reopen_sheet(user: User, sheet: Sheet) -> Decision:
    """Give one form back after the step has closed, with a reason.

    Not to somebody who by then may read the others' answers, and not once results are deliberated.
    """
    decision = can_manage_round(user, sheet.round)
    if not decision:
        return decision
    if sheet.round.state not in REOPENING:
        return Decision.no(f"评估已进入{sheet.round.get_state_display()}阶段，不能重新开放评估表")
    if sheet.step.state != "closed":
        return Decision.no("本步骤尚未截止，评估人可以自行撤回修改")
    return Decision.of(sheet.side not in READING_SIDES, otherwise="该评估主体在截止后可以查看其他评估表，不能重新开放")
