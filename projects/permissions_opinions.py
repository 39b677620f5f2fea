"""Who may write, hand in, endorse, return and renew an opinion; and why not."""

from __future__ import annotations

from typing import Any

from core.permissions import Decision
from districts.access import persons_behind
from planners.models import Planner
from projects.conflicts import conflict_of
from projects.models import Consultee, Opinion
from projects.permissions_consultations import in_state, is_desk, is_planner, without_conflict
from projects.services.audience import lead_of
from projects.services.choosing import policy_of

IN_HAND = ("draft", "returned")


def endorser_of(consultee: Consultee) -> Planner | None:
    """Who endorses before an opinion is submitted (review.endorsement): the lead of the author's team; None where the
    pack asks for none, nobody leads the author, the author leads, or the lead has to keep out of the project."""
    policy = policy_of(consultee.consultation)
    if policy is None or policy.value("review.endorsement") is not True:
        return None
    lead = lead_of(consultee)
    return None if lead is not None and conflict_of(lead, consultee.consultation.project) is not None else lead


def is_author(user: Any, opinion: Opinion) -> bool:
    return is_planner(user, opinion.author)


def writes_along(user: Any, opinion: Opinion) -> bool:
    return any(is_planner(user, row.planner) for row in opinion.co_authors.select_related("planner"))


def can_begin(user: Any, consultee: Consultee) -> Decision:
    """Begin or go on writing: the planner who was asked; the colleagues whom the author named go on with it."""
    if not is_planner(user, consultee.planner):
        return Decision.no("只有被征询人本人可以撰写意见书")
    return may_answer(consultee, drafting=True)


def may_answer(consultee: Consultee, *, drafting: bool = False) -> Decision:
    """Is an answer still awaited from them? A meeting's guest may put a written opinion after it."""
    guest = consultee.state in (Consultee.State.ATTENDED, Consultee.State.ABSENT)
    consultation = consultee.consultation
    if guest:
        decision = in_state(consultation, "asked", "answered", "settled", "unanswered")
    elif consultee.state == Consultee.State.ASKED:
        # What is written while the request rests is kept; it is handed in when the request goes on.
        decision = in_state(consultation, "asked", *(["suspended"] if drafting else []))
    else:
        decision = Decision.no(f"您在该征询中的状态为“{consultee.get_state_display()}”，不需要再提交意见书")
    return decision and without_conflict(consultee)


def can_write(user: Any, opinion: Opinion) -> Decision:
    if not (is_author(user, opinion) or writes_along(user, opinion)):
        return Decision.no("只有撰写人和共同撰写人可以修改")
    if opinion.state not in IN_HAND:
        return Decision.no(f"意见书{opinion.get_state_display()}，不能修改")
    own = Planner.objects.of_user(user).first()
    if own is not None and conflict_of(own, opinion.consultee.consultation.project) is not None:
        return Decision.no("您与该项目有利害关系，不能参与撰写")
    if opinion.supersedes_id is not None:
        return without_conflict(opinion.consultee)
    return may_answer(opinion.consultee, drafting=True)


def can_submit(user: Any, opinion: Opinion) -> Decision:
    """The author alone hands it in."""
    if not is_author(user, opinion):
        return Decision.no("只有被征询人本人可以提交意见书")
    if opinion.state not in IN_HAND:
        return Decision.no(f"意见书{opinion.get_state_display()}，不能提交")
    return may_stand(opinion)


def may_stand(opinion: Opinion) -> Decision:
    """Can this opinion still become the answer? A new version as long as its request was not withdrawn or replaced."""
    if opinion.supersedes_id is None:
        return may_answer(opinion.consultee)
    decision = in_state(opinion.consultee.consultation, "asked", "suspended", "answered", "settled", "unanswered")
    return decision and without_conflict(opinion.consultee)


def can_take_back(user: Any, opinion: Opinion) -> Decision:
    """Before the lead has endorsed it."""
    if not is_author(user, opinion):
        return Decision.no("只有撰写人本人可以撤回")
    return Decision.of(opinion.state == "endorsing", otherwise=f"意见书{opinion.get_state_display()}，不能撤回")


def can_discard(user: Any, opinion: Opinion) -> Decision:
    if not is_author(user, opinion):
        return Decision.no("只有撰写人本人可以放弃草稿")
    return Decision.of(opinion.state in IN_HAND, otherwise=f"意见书{opinion.get_state_display()}，不能放弃")


def _leads(user: Any, opinion: Opinion) -> Decision:
    if opinion.author.user_id in persons_behind(user):
        return Decision.no("不能审核自己的意见书")
    endorser = endorser_of(opinion.consultee)
    leads = endorser is not None and is_planner(user, endorser)
    if not leads:
        return Decision.no("仅团队领衔规划师可以审核")
    return Decision.of(opinion.state == "endorsing", otherwise=f"意见书{opinion.get_state_display()}，无须审核")


def can_endorse(user: Any, opinion: Opinion) -> Decision:
    return _leads(user, opinion) and may_stand(opinion)


def can_return(user: Any, opinion: Opinion) -> Decision:
    return _leads(user, opinion)


def can_renew(user: Any, opinion: Opinion) -> Decision:
    """What was submitted is never edited: its author begins a new version, which says why."""
    if not is_author(user, opinion):
        return Decision.no("只有撰写人本人可以发起新版次")
    if opinion.state != "submitted":
        return Decision.no(f"意见书{opinion.get_state_display()}，不能发起新版次")
    decision = in_state(opinion.consultee.consultation, "asked", "suspended", "answered", "settled", "unanswered")
    return decision and without_conflict(opinion.consultee)


def can_enter_paper(user: Any, consultee: Consultee) -> Decision:
    """An opinion that came on paper: entered with its scan by whoever asked, never by its author."""
    if consultee.planner.user_id is not None and consultee.planner.user_id in persons_behind(user):
        return Decision.no("不能代录自己（被代理人）的意见书，请以规划师身份在线提交")
    if not is_desk(user, consultee.consultation):
        return Decision.no("仅征询单位和规划主管部门可以录入纸质意见")
    decision = may_answer(consultee, drafting=True)
    if decision and consultee.opinions.filter(state__in=["draft", "endorsing", "returned"]).exists():
        return Decision.no("该规划师正在平台撰写意见书，请先由其提交或放弃草稿")
    return decision


def can_make_pdf(user: Any, opinion: Opinion) -> Decision:
    return Decision.yes()
