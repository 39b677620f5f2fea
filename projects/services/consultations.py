"""Asking for an opinion (征询): whom, on what, until when; somebody more; anew on a later version of the scheme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from core.text import clean_text
from core.transitions import apply_move
from core.workdays import CalendarGap
from districts.access import access_of
from districts.models import Organisation, Unit
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_in_force
from planners.models import Planner
from projects.models import (
    Consultation,
    Consultee,
    Project,
    ProjectFileVersion,
    ProjectStage,
)
from projects.permissions_consultations import (
    can_add,
    can_ask,
    can_ask_anew,
)
from projects.review import StageRule, Term, stage_rule, term_of
from projects.services.audience import logins_of, waiting_users
from projects.services.choosing import Candidate, Proposal, candidate_for, policy_of, propose
from projects.services.course import finish, let_all_go, locked, reason_of, tell
from projects.services.due import calendar_from, next_workday
from projects.services.numbers import CONSULTATION as SERIAL
from projects.services.numbers import take_number
from projects.transitions import CONSULTATION

OPINION_DAYS, FEEDBACK_DAYS = "review.opinion_days", "review.feedback_days"
# A planner under this mode acts when invited (聊城市责任规划师制度 二(一)3): asked, not reminded of a duty.
INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom. `planners` None: those whom the pack says; else any other choice, with `change_reason`.

    The term is the pack's, unless the request has its own: `term_days` workdays, or up to the day `due_on`.
    """

    subject: str
    question: str = ""
    way: str = Consultation.Way.WRITTEN
    scheme: ProjectFileVersion | None = None
    planners: Sequence[Planner] | None = None
    change_reason: str = ""
    term_days: int | None = None
    due_on: date | None = None
    meeting_at: datetime | None = None
    meeting_place: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the pack says on the day for a project's open stage; without a policy that binds, nothing."""

    stage: ProjectStage
    policy: EffectivePolicy | None
    rule: StageRule
    term: Term
    feedback: Term
    proposal: Proposal


def setting_of(project: Project, *, on: date | None = None) -> Setting:
    """Stage, rule, terms and the automatic choice for a request about `project` on `on` (today).

    Raises ValidationError when no stage is open.
    """
    on = on or timezone.localdate()
    stage = project.stages.filter(state=ProjectStage.State.OPEN).first()
    if stage is None:
        raise ValidationError("项目没有进行中的阶段，不能征询意见。")
    policy = policy_in_force(project.locality, on)
    if policy is not None and policy.second_hand:
        # Told by a paper and not adopted: it can be read and binds nobody.
        policy = None
    rule = stage_rule(policy, stage=stage.stage, kind=project.kind)
    return Setting(
        stage, policy, rule, term_of(policy, OPINION_DAYS), term_of(policy, FEEDBACK_DAYS),
        propose(project, rule=rule, policy=policy, on=on),
    )  # fmt: skip


# --- sent -------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask(project: Project, *, actor: User, request: Request, supersedes: Consultation | None = None) -> Consultation:
    """Ask planners for an opinion on the project's open stage.

    `supersedes`: an earlier request that this one takes up on a later version of the scheme; unanswered, it is over.
    Side effects: a number, one row for each planner asked, audit entry, notices to them.
    Raises: Refused, StaleState (the earlier request was taken up already), ValidationError by field (nobody to ask,
    somebody with a conflict, another choice without a reason, no sensible term, no time for the meeting).
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("locality", "owner").get(pk=project.pk)
    require(can_ask(actor, project))
    today = timezone.localdate()
    setting = setting_of(project, on=today)
    before = _taken_up(supersedes, actor=actor) if supersedes is not None else None
    people = _people(project, request, setting, today)
    made = Consultation(
        locality=project.locality, project=project, stage=setting.stage, way=request.way, asked_by=actor,
        subject=clean_text(request.subject), question=clean_text(request.question), scheme=request.scheme,
        asker=asker_of(actor, project), asked_on=today, supersedes=before,
        policy_version_id=setting.policy.version_id if setting.policy is not None else None,
        mode=setting.rule.mode, clause=asdict(setting.rule.clause), meeting_at=request.meeting_at,
        meeting_place=clean_text(request.meeting_place), feedback_days=setting.feedback.days,
        feedback_clause=asdict(setting.feedback.clause),
    )  # fmt: skip
    _set_term(made, request, setting)
    if request.scheme is not None and request.scheme.document.project_id != project.pk:
        raise ValidationError({"scheme": "所附方案不属于该项目。"})
    # Last of all, since whoever asks at the same moment waits for the number.
    made.number = take_number(SERIAL, project.locality, today.year)
    save_checked(made)
    rows = [_seat(made, person, request, setting) for person in people]
    for row in rows:
        save_checked(row)
    _record_asked(made, people, setting, request, actor=actor)
    _tell_asked(made, rows)
    return made


def asker_of(actor: User, project: Project) -> Organisation:
    """The body in whose name the person asks. Raises ValidationError when their role names none."""
    access = access_of(actor)
    own = access.organisation_id
    if access.unit_id is not None:
        own = Unit.objects.filter(pk=access.unit_id).values_list("office_id", flat=True).first() or own
    found = Organisation.objects.filter(pk=own).first() if own else None
    if found is None and own is None and access.locality_id == project.locality_id:
        # An officer of the bureau whose role names no body acts for the only one there is.
        bureaus = Organisation.objects.filter(locality=project.locality, kind="bureau", is_active=True)
        found = bureaus.first() if bureaus.count() == 1 else None
    if found is None or not found.is_active:
        raise ValidationError("您的身份没有登记所在单位，或该单位已停用，不能以单位名义征询；请联系系统管理员。")
    return found


def _people(project: Project, request: Request, setting: Setting, on: date) -> list[Candidate]:
    proposal = setting.proposal
    if request.planners is None:
        chosen = list(proposal.asked)
    else:
        chosen = [
            proposal.of(planner.pk)
            or candidate_for(planner, project=project, rule=setting.rule, policy=setting.policy, on=on)
            for planner in dict.fromkeys(request.planners)
        ]
    if not chosen:
        raise ValidationError({"planners": "没有可以征询的规划师，请选择。"})
    for one in chosen:
        check_eligible(one, project)
    usual = {one.planner.pk for one in proposal.asked}
    if {one.planner.pk for one in chosen} != usual and not clean_text(request.change_reason):
        raise ValidationError({"change_reason": "与制度规定的人选不同，请写明原因。"})
    return chosen


def check_eligible(one: Candidate, project: Project) -> None:
    """Raises ValidationError for somebody who may not be asked: a conflict, or not in the register of this place."""
    planner = one.planner
    if one.conflict is not None:
        raise ValidationError({"planners": f"{planner.name}：{one.conflict.words}，不能征询。"})
    if planner.locality_id not in (project.locality_id, project.locality.parent_id) or not planner.is_active:
        raise ValidationError({"planners": f"{planner.name}不在本地方的规划师名册中。"})


def _set_term(made: Consultation, request: Request, setting: Setting) -> None:
    """The term in workdays and the day; of a meeting its own day."""
    if made.way == Consultation.Way.MEETING:
        if made.meeting_at is None:
            raise ValidationError({"meeting_at": "请填写会议时间。"})
        if made.meeting_at <= timezone.now():
            raise ValidationError({"meeting_at": "会议时间须晚于现在。"})
        made.due_on = timezone.localdate(made.meeting_at)
        return
    made.meeting_at, made.meeting_place = None, ""
    try:
        own = _own_days(made.asked_on, request)
        _check_own(own, setting.term)
        made.term_days = own if own is not None else setting.term.days
        made.term_clause = {"origin": "request"} if own is not None else asdict(setting.term.clause)
        if made.term_days is not None:
            calendar = calendar_from(made.asked_on)
            made.due_on = calendar.add_workdays(made.asked_on, made.term_days)
    except CalendarGap as gap:
        raise ValidationError({"term_days": str(gap)}) from gap


def _own_days(asked_on: date, request: Request) -> int | None:
    """The request's own term in workdays. A day off ends on the next workday."""
    if request.due_on is None:
        return request.term_days
    if request.term_days is not None:
        raise ValidationError({"due_on": "期限的工作日数和截止日期只填一项。"})
    if request.due_on <= asked_on:
        raise ValidationError({"due_on": "答复期限须晚于今天。"})
    calendar = calendar_from(asked_on)
    day = next_workday(request.due_on, calendar)
    return calendar.workdays_between(asked_on, day) - (1 if calendar.is_workday(asked_on) else 0)


def _check_own(own: int | None, term: Term) -> None:
    if own is None:
        return
    if own < 1:
        raise ValidationError({"term_days": "期限至少一个工作日。"})
    if term.days is not None and own < term.days:
        raise ValidationError({"term_days": f"不能短于制度规定的 {term.days} 个工作日（{term.clause}）。"})


def _seat(made: Consultation, one: Candidate, request: Request, setting: Setting) -> Consultee:
    by_pack = any(each.planner.pk == one.planner.pk for each in setting.proposal.asked)
    return Consultee(
        consultation=made, planner=one.planner, contract=one.contract, role_type=one.role,
        opinion_form=one.opinion_form, weight=one.weight, clause=asdict(one.clause),
        chosen=one.chosen if by_pack else Consultee.Chosen.MANUAL,
        reason=(one.why if by_pack else clean_text(request.change_reason))[:300],
    )  # fmt: skip


def _record_asked(
    made: Consultation, people: Sequence[Candidate], setting: Setting, request: Request, *, actor: User
) -> None:
    chosen = {one.planner.pk for one in people}
    detail: dict[str, Any] = {
        "number": made.number, "asked": [f"{one.planner.name}（{one.why}）" for one in people],
        "kept_out": [f"{one.planner.name}（{one.conflict.words}）" for one in setting.proposal.kept_out if one.conflict],
        "empty_seats": [seat.title for seat in setting.proposal.empty],
        "left_out": [one.planner.name for one in setting.proposal.asked if one.planner.pk not in chosen],
        "due_on": str(made.due_on or ""),
    }  # fmt: skip
    if reason := clean_text(request.change_reason):
        detail["reason"] = reason
    audit.record("consultation.ask", actor=actor, obj=made, locality=made.locality, detail=detail)


def _tell_asked(made: Consultation, rows: Iterable[Consultee]) -> None:
    for row in rows:
        notify(
            logins_of([row.planner_id]), kind="consultation.asked", text=asked_words(made, row),
            url=made.get_absolute_url(), key=f"consultation-asked-{row.pk}",
        )  # fmt: skip


def asked_words(made: Consultation, row: Consultee) -> str:
    what = row.opinion_form or "意见"
    if made.way == Consultation.Way.MEETING and made.meeting_at is not None:
        when = timezone.localtime(made.meeting_at).strftime("%Y-%m-%d %H:%M")
        place = f"，地点{made.meeting_place}" if made.meeting_place else ""
        return f"{made.asker}邀请您参加“{made.project.name}”专家会，时间 {when}{place}。"
    verb = "邀请您提出" if made.mode == INVITED else "征询您的"
    until = f"，请于 {made.due_on} 前答复" if made.due_on else ""
    return f"{made.asker}就“{made.project.name}”{verb}{what}{until}。"


@transaction.atomic
def add_consultee(consultation: Consultation, *, actor: User, planner: Planner, reason: str) -> Consultee:
    """One more planner, with the reason; their term is what is left of the request's.

    Side effects: audit entry, notice to them. Raises: Refused, StaleState, ValidationError by field.
    """
    row = locked(consultation.pk)
    require(can_add(actor, row))
    reason = reason_of(reason)
    one = candidate_for(
        planner, project=row.project, rule=rule_of(row), policy=policy_of(row), on=timezone.localdate()
    )  # fmt: skip
    check_eligible(one, row.project)
    made = Consultee(
        consultation=row, planner=planner, contract=one.contract, role_type=one.role, opinion_form=one.opinion_form,
        weight=one.weight, clause=asdict(one.clause), chosen=Consultee.Chosen.MANUAL, reason=reason,
    )  # fmt: skip
    save_checked(made)
    detail = {"planner": planner.name, "reason": reason}
    audit.record("consultation.add", actor=actor, obj=row, locality=row.locality, detail=detail)
    _tell_asked(row, [made])
    return made


def rule_of(consultation: Consultation) -> StageRule:
    """What the pack said of the stage when it was asked."""
    return stage_rule(policy_of(consultation), stage=consultation.stage.stage, kind=consultation.project.kind)


# --- asked anew -----------------------------------------------------------------------------------------------


def _taken_up(before: Consultation, *, actor: User) -> Consultation:
    """The earlier request is over, unless it was answered: then its answers stay owed."""
    row = locked(before.pk)
    if Consultation.objects.filter(supersedes=row).exists():
        raise StaleState("已就该征询发起新的征询，请刷新后查看。")
    require(can_ask_anew(actor, row))
    if row.state in ("asked", "suspended", "unanswered"):
        told = waiting_users(row)
        some = row.consultees.filter(state=Consultee.State.ANSWERED).exists()
        let_all_go(row, actor=actor, reason="已就新的方案版本重新征询")
        if some:
            # Whoever has answered is owed what becomes of it, also when the others are asked anew.
            finish(row, actor=actor)
        else:
            row = apply_move(row, CONSULTATION, "replace", actor=actor, changes={"reason": "已就新的方案版本重新征询"})
        text = f"征询 {row.number}（{row.project.name}）已由新的征询取代，原征询无须再答复。"
        tell(row, told, "consultation.superseded", text)
    return row
