"""Those who were asked: decline, keep out, be replaced, be let off; and what becomes of them when a contract ends."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import User
from core import audit
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from planners.models import Contract, Planner, TeamMember
from planners.querysets import on_date
from projects.models import Consultation, Consultee, Recusal
from projects.permissions_consultations import can_substitute, in_state, is_desk
from projects.services.audience import desk_of, lead_of, logins_of
from projects.services.choosing import candidate_for, policy_of
from projects.services.conflicts import leave_all_seats
from projects.services.consultations import asked_words, check_eligible, rule_of
from projects.services.course import fall_back, finish, let_go, locked, reason_of, tell
from projects.services.successors import proposal_now, proposed_words
from projects.transitions import CONSULTEE

# What a row of somebody asked hangs on, each read by itself: one join of all takes ten times as long to plan.
REQUEST = Prefetch(
    "consultation", Consultation.objects.select_related("locality", "project__locality", "stage", "asker")
)
CONTRACT = Prefetch("contract", Contract.objects.select_related("team__lead"))
ROWS = Consultee.objects.select_related("planner__institution").prefetch_related(REQUEST, CONTRACT)


def _held(consultee: Consultee) -> Consultee:
    """The row again, with its request locked."""
    held = locked(consultee.consultation_id)
    row = ROWS.get(pk=consultee.pk)
    row.consultation = held
    return row


def _where(row: Consultee) -> str:
    return f"征询 {row.consultation.number}（{row.consultation.project.name}）"


@transaction.atomic
def decline(consultee: Consultee, *, actor: User, reason: str) -> Consultee:
    """The planner does not answer, and says why.

    Side effects: audit, notice to the desk with who could instead; the request settles when nobody is left.
    Raises: Refused, StaleState, ValidationError.
    """
    row = _held(consultee)
    reason = reason_of(reason)
    changes = {"closed_at": timezone.now(), "reason": reason}
    row = apply_move(row, CONSULTEE, "decline", actor=actor, reason=reason, changes=changes)
    text = f"{row.planner.name}谢绝答复{_where(row)}：{reason}{proposed_words(row)}。"
    tell(row.consultation, desk_of(row.consultation), "consultation.declined", text)
    finish(row.consultation, actor=actor)
    return row


@transaction.atomic
def recuse(consultee: Consultee, *, actor: User, reason: str) -> Consultee:
    """A planner with a conflict keeps out of the whole project from now on, and sees its requests no longer.

    Side effects: the recusal is registered, audit, notice to the desk with who could instead, and to the planner where
    the desk found it. Raises: Refused, StaleState, ValidationError.
    """
    row = _held(consultee)
    reason = reason_of(reason)
    changes = {"closed_at": timezone.now(), "reason": reason}
    row = apply_move(row, CONSULTEE, "recuse", actor=actor, reason=reason, changes=changes)
    fall_back(row, actor=actor, reason="已办理回避")
    project = row.consultation.project
    text = f"{row.planner.name}在{_where(row)}中回避：{reason}{proposed_words(row)}。"
    desk = desk_of(row.consultation)
    own = row.planner.user_id == actor.pk
    if Recusal.objects.filter(project=project, planner=row.planner, ended_at=None).exists():
        tell(row.consultation, desk, "consultation.recused", text)
    else:
        ground = Recusal.Ground.DECLARED if own else Recusal.Ground.OTHER
        recusal = Recusal(project=project, planner=row.planner, ground=ground, reason=reason, recorded_by=actor)
        save_checked(recusal)
        # What they owe on other requests about the project is taken off them as well; the desk hears of it all at once.
        leave_all_seats(recusal, actor=actor, head=text, also=desk)
    if not own:
        told = f"项目“{project.name}”：您已被登记回避，原因：{reason}"
        notify(
            logins_of([row.planner_id]), kind="recusal", text=told, url=project.get_absolute_url(),
            key=f"recused-{row.pk}",
        )  # fmt: skip
    finish(row.consultation, actor=actor)
    return row


def colleagues_of(planner: Planner, on: date | None = None) -> list[Planner]:
    """The others in the planner's teams on `on` (today), by name."""
    on = on or timezone.localdate()
    teams = TeamMember.objects.filter(on_date(on), planner=planner).values("team_id")
    members = TeamMember.objects.filter(on_date(on), team__in=teams).exclude(planner=planner).values("planner_id")
    people = Planner.objects.filter(pk__in=members, is_active=True).select_related("institution")
    return list(people.order_by("sort_key", "pk"))


@transaction.atomic
def substitute(consultee: Consultee, *, actor: User, planner: Planner, reason: str) -> Consultee:
    """Somebody else answers in the place of one who is away: what the seat gives and counts as stays.

    Out of the team chooses the desk alone; the planner and their lead name a colleague.
    Side effects: the new row, audit, notices to both and to the desk. Raises: Refused, StaleState, ValidationError.
    """
    row = _held(consultee)
    require(can_substitute(actor, row))
    reason = reason_of(reason)
    if not is_desk(actor, row.consultation) and planner.pk not in {one.pk for one in colleagues_of(row.planner)}:
        raise ValidationError({"planner": "只能由本团队的规划师替补；由其他人替补的，请征询单位安排。"})
    consultation = row.consultation
    project = consultation.project
    one = candidate_for(
        planner, project=project, rule=rule_of(consultation), policy=policy_of(consultation), on=timezone.localdate()
    )
    try:
        check_eligible(one, project)
    except ValidationError as error:
        raise ValidationError({"planner": error.messages}) from error
    row = apply_move(
        row, CONSULTEE, "substitute", actor=actor, reason=reason, detail={"by": planner.name},
        changes={"closed_at": timezone.now(), "reason": reason},
    )  # fmt: skip
    fall_back(row, actor=actor, reason=f"已由{planner.name}替补")
    made = Consultee(
        consultation=consultation, planner=planner, contract=one.contract, role_type=one.role,
        opinion_form=row.opinion_form, weight=row.weight, clause=row.clause, chosen=Consultee.Chosen.SUBSTITUTE,
        reason=f"替补{row.planner.name}：{reason}"[:300], replaces=row,
    )  # fmt: skip
    save_checked(made)
    tell(consultation, logins_of([planner.pk]), "consultation.asked", asked_words(consultation, made))
    text = f"{_where(row)}由{planner.name}替补{row.planner.name}答复：{reason}"
    tell(consultation, [*desk_of(consultation), *logins_of([row.planner_id])], "consultation.substituted", text)
    return made


@transaction.atomic
def release(consultee: Consultee, *, actor: User, reason: str) -> Consultee:
    """The desk lets somebody off; whoever has answered meanwhile is owed what becomes of it.

    Side effects: audit, notice to the planner; the request settles when nobody is left.
    Raises: Refused, StaleState, ValidationError.
    """
    row = _held(consultee)
    reason = reason_of(reason)
    changes = {"closed_at": timezone.now(), "reason": reason}
    row = apply_move(row, CONSULTEE, "release", actor=actor, reason=reason, changes=changes)
    fall_back(row, actor=actor, reason="无须再答复")
    tell(row.consultation, logins_of([row.planner_id]), "consultation.released", f"{_where(row)}无须再答复：{reason}")
    finish(row.consultation, actor=actor)
    return row


# --- contracts that end -----------------------------------------------------------------------------------------------


def tell_ending(contract: Contract) -> int:
    """A contract will end while its planners still owe answers: they and the desk are told; the number of requests."""
    if contract.ended_on is None:
        return 0
    rows = list(ROWS.filter(pk__in=Consultee.objects.waiting().filter(contract=contract).values("pk")))
    for row in rows:
        text = (
            f"聘用合同 {contract.number} 将于 {contract.ended_on} 终止，{row.planner.name}尚未答复{_where(row)}；"
            f"终止前可以继续答复，其后由征询单位另行安排{proposed_words(row, contract.ended_on)}。"
        )
        people = [*desk_of(row.consultation), *logins_of([row.planner_id])]
        tell(row.consultation, people, "consultation.contract_ending", text, key=f"consultee-ending-{row.pk}")
    return len(rows)


def release_ended(on: date | None = None, *, contract: Contract | None = None, actor: User | None = None) -> int:
    """Those who were to answer under a contract that was over before `on` (today): whoever serves on under another one
    stays asked, everybody else is released, the desk is told who could take over; the number released.

    A sweep over rows: run again it finds nothing to do. `contract`: of this contract alone.
    """
    on = on or timezone.localdate()
    rows = Consultee.objects.waiting().filter(
        Q(contract__end__lt=on) | Q(contract__ended_on__lt=on)
    )  # fmt: skip
    if contract is not None:
        rows = rows.filter(contract=contract)
    ids = list(rows.order_by("consultation_id", "pk").values_list("pk", flat=True))
    return sum(_release_ended(pk, on, actor) for pk in ids)


@transaction.atomic
def _release_ended(pk: int, on: date, actor: User | None) -> bool:
    found = ROWS.filter(pk=pk).first()
    if found is None:
        return False
    row = _held(found)
    running = in_state(row.consultation, Consultation.State.ASKED, Consultation.State.SUSPENDED)
    if row.state != Consultee.State.ASKED or not running or row.contract is None:
        return False
    known = proposal_now(row.consultation, on).of(row.planner_id)
    if known is not None and known.contract is not None and known.contract.pk != row.contract_id:
        detail = {"from": row.contract.number, "to": known.contract.number}
        audit.record("consultee.retain", actor=actor, obj=row, locality=row.consultation.locality, detail=detail)
        Consultee.objects.filter(pk=pk).update(contract=known.contract)
        return False
    reason = f"聘用合同 {row.contract.number} 已终止"
    number = row.contract.number
    row = let_go(row, actor=actor, reason=reason)
    text = f"聘用合同 {number} 已终止，{row.planner.name}不再答复{_where(row)}{proposed_words(row, on)}。"
    tell(row.consultation, desk_of(row.consultation), "consultation.contract_ended", text)
    mine = f"聘用合同 {number} 已终止，{_where(row)}无须再答复；已写的草稿仍可查看。"
    lead = lead_of(row)
    people = logins_of([row.planner_id, *([lead.pk] if lead is not None else [])])
    tell(row.consultation, people, "consultation.contract_ended", mine)
    finish(row.consultation, actor=actor)
    return True
