"""The course of a request once it is sent: suspended, withdrawn, let go; and what follows from the answers.

Every act locks the row of the request first, so that of two at once the second sees what the first has done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.notifications import notify
from core.saving import save_checked
from core.text import clean_text
from core.transitions import apply_move
from core.workdays import CalendarGap
from projects.models import Consultation, Consultee, Extension, Opinion, OpinionItem, Project, Suspension
from projects.services.audience import desk_of, unit_officers_of, waiting_users
from projects.services.due import calendar_from, keep_due
from projects.transitions import CONSULTATION, CONSULTEE, EXTENSION, OPINION

# PostgreSQL plans a join of ten tables longer than it reads ten rows: what hangs further off is read by itself.
ROWS = Consultation.objects.select_related(
    "locality", "project__locality", "project__owner", "stage", "asker"
).prefetch_related("asked_by", "scheme__document", "supersedes")  # fmt: skip


def locked(pk: int) -> Consultation:
    """The request with its row held until the transaction ends."""
    return ROWS.select_for_update(of=("self",)).get(pk=pk)


def reason_of(text: str) -> str:
    """The reason that an act has to give. Raises ValidationError."""
    reason = clean_text(text)
    if not reason:
        raise ValidationError({"reason": "请填写原因。"})
    if len(reason) > 300:
        raise ValidationError({"reason": f"原因有 {len(reason)} 字，最多 300 字。"})
    return reason


def tell(row: Consultation, users: Iterable[int], kind: str, text: str, *, key: str = "") -> None:
    notify(sorted(set(users)), kind=kind, text=text, url=row.get_absolute_url(), key=key)


# --- suspended, withdrawn -----------------------------------------------------------------------------------------


@transaction.atomic
def suspend(consultation: Consultation, *, actor: User, reason: str) -> Consultation:
    """The term stops from today. Side effects: audit, notices. Raises: Refused, StaleState, ValidationError."""
    row = locked(consultation.pk)
    row = apply_move(row, CONSULTATION, "suspend", actor=actor, reason=reason)
    save_checked(Suspension(consultation=row, start=timezone.localdate(), reason=reason_of(reason), by=actor))
    tell(
        row,
        waiting_users(row),
        "consultation.suspended",
        f"征询 {row.number}（{row.project.name}）已中止：{reason_of(reason)}",
    )
    return row


@transaction.atomic
def resume(consultation: Consultation, *, actor: User) -> Consultation:
    """The term runs again, longer by the workdays it rested. Raises: Refused, StaleState."""
    row = locked(consultation.pk)
    row = apply_move(row, CONSULTATION, "resume", actor=actor)
    row.suspensions.filter(end=None).update(end=timezone.localdate())
    day = keep_due(row)
    until = f"，答复期限顺延至 {day}" if day else ""
    tell(row, waiting_users(row), "consultation.resumed", f"征询 {row.number}（{row.project.name}）已恢复{until}。")
    return row


@transaction.atomic
def withdraw(consultation: Consultation, *, actor: User, reason: str) -> Consultation:
    """Take a request back that nobody has answered yet.

    Side effects: nobody owes an answer any more, opinions in the lead's hands go back to their authors, audit, notices.
    Raises: Refused (answered already: what was answered has to be answered for), StaleState, ValidationError.
    """
    row = locked(consultation.pk)
    told = waiting_users(row)
    row = apply_move(row, CONSULTATION, "withdraw", actor=actor, reason=reason, changes={"reason": reason_of(reason)})
    let_all_go(row, actor=actor, reason=f"征询已撤回：{row.reason}")
    text = f"征询 {row.number}（{row.project.name}）已撤回，无须再答复：{row.reason}"
    tell(row, [*told, *desk_of(row)], "consultation.withdrawn", text)
    return row


def let_all_go(row: Consultation, *, actor: User, reason: str) -> None:
    for consultee in row.consultees.filter(state=Consultee.State.ASKED).select_related("planner", "consultation"):
        let_go(consultee, actor=actor, reason=reason)
    _close_rows(row, actor=actor)


def let_go(consultee: Consultee, *, actor: User | None, reason: str) -> Consultee:
    """Nothing is owed any more, and it is nobody's fault; what lay with the lead goes back to its author."""
    moved = apply_move(
        consultee, CONSULTEE, "let_go", actor=actor, reason=reason,
        changes={"closed_at": timezone.now(), "reason": reason[:300]},
    )  # fmt: skip
    fall_back(moved, actor=actor, reason=reason)
    return moved


def fall_back(consultee: Consultee, *, actor: User | None, reason: str) -> None:
    """An opinion that waits to be endorsed and no longer can be goes back, so that it hangs nowhere."""
    for opinion in Opinion.objects.filter(consultee=consultee, state=Opinion.State.ENDORSING):
        apply_move(opinion, OPINION, "fall_back", actor=actor, reason=reason, changes={"return_reason": reason[:300]})


def _close_rows(row: Consultation, *, actor: User | None) -> None:
    """No extension stays open and no suspension runs on once the request is over."""
    for extension in row.extensions.filter(state=Extension.State.ASKED):
        changes = {"answer": "征询已办结，无须延期。", "answered_at": timezone.now()}
        apply_move(extension, EXTENSION, "drop", actor=actor, changes=changes)
    row.suspensions.filter(end=None).update(end=timezone.localdate())


# --- what follows from the answers -------------------------------------------------------------------------------


def finish(consultation: Consultation, *, actor: User | None) -> Consultation:
    """Settle what the request is once nobody is left who has still to answer; its row is locked by the caller.

    Answered, with the day until which the asker owes what becomes of each item; over at once, where there is no item
    to be answered (agreed without any, or a meeting without written opinions); or unanswered.
    Side effects: audit, notices to the desk.
    """
    states = set(consultation.consultees.values_list("state", flat=True))
    if Consultee.State.ASKED in states or consultation.state not in ("asked", "suspended", "unanswered"):
        return consultation
    _close_rows(consultation, actor=actor)
    items = OpinionItem.objects.filter(opinion__consultee__consultation=consultation, opinion__state="submitted")
    today = timezone.localdate()
    where = f"征询 {consultation.number}（{consultation.project.name}）"
    if items.exists():
        changes = {"answered_on": today, "feedback_due_on": _feedback_due(consultation, today)}
        moved = apply_move(consultation, CONSULTATION, "complete", actor=actor, changes=changes)
        until = (
            f"，请于 {moved.feedback_due_on} 前逐条反馈采纳情况" if moved.feedback_due_on else "，请逐条反馈采纳情况"
        )
        tell(moved, desk_of(moved), "consultation.answered", f"{where}答复齐备{until}。")
        return moved
    if states & {Consultee.State.ANSWERED, Consultee.State.ATTENDED}:
        met = Consultee.State.ATTENDED in states
        words = "会议已召开，与会规划师没有另行提交书面意见。" if met else "规划师同意，没有需要反馈的意见条目。"
        over = {"answered_on": today, "reason": words}
        moved = apply_move(consultation, CONSULTATION, "conclude", actor=actor, changes=over)
        tell(moved, desk_of(moved), "consultation.concluded", f"{where}已办结：{words}")
        return moved
    if consultation.state == "unanswered":
        return consultation
    moved = apply_move(consultation, CONSULTATION, "lapse", actor=actor)
    tell(moved, desk_of(moved), "consultation.lapsed", f"{where}已无人可以答复，请重新征询或撤回。")
    return moved


def answered_again(consultation: Consultation, *, actor: User) -> Consultation:
    """An opinion came in after everybody had answered (a new version, or one put after a meeting): its items are to
    be answered within a term that begins today."""
    items = OpinionItem.objects.filter(opinion__consultee__consultation=consultation, opinion__state="submitted")
    if consultation.state not in ("answered", "settled") or not items.exists():
        return finish(consultation, actor=actor)
    due = _feedback_due(consultation, timezone.localdate())
    if consultation.state == "answered":
        Consultation.objects.filter(pk=consultation.pk).update(feedback_due_on=due)
        consultation.feedback_due_on = due
        return consultation
    return apply_move(consultation, CONSULTATION, "renew", actor=actor, changes={"feedback_due_on": due, "reason": ""})


def _feedback_due(consultation: Consultation, on: date) -> date | None:
    if consultation.feedback_days is None:
        return None
    try:
        return calendar_from(on).add_workdays(on, consultation.feedback_days)
    except CalendarGap:
        return None


# --- the project moves between units ------------------------------------------------------------------------------


def project_moved(project: Project, *, actor: User, before: str, after: str) -> int:
    """The units of a project changed while it is asked about: those who were asked stay asked, since the question was
    put to them; everybody concerned is told, and the desk who serves the project now. The number of requests.

    Called inside the transaction that changes the units. Side effects: audit entries, notices.
    """
    from projects.services.successors import outsiders_of

    rows = list(ROWS.filter(project=project).running().select_for_update(of=("self",)).order_by("pk"))
    for row in rows:
        gone, instead = outsiders_of(row)
        detail = {"from": before, "to": after, "no_longer_serving": gone, "proposed": instead}
        audit.record("consultation.moved", actor=actor, obj=row, locality=row.locality, detail=detail)
        text = (
            f"“{project.name}”由{before or '未定单元'}改属{after or '未定单元'}，征询 {row.number} 继续进行，期限不变。"
        )
        key = f"consultation-moved-{row.pk}-{timezone.now():%Y%m%d%H%M%S}"
        tell(row, waiting_users(row), "consultation.moved", text, key=key)
        hint = f"{'、'.join(gone)}不再负责该项目，可改由{'、'.join(instead) or '现负责的规划师'}答复。" if gone else ""
        tell(row, [*desk_of(row), *unit_officers_of(project)], "consultation.moved", f"{text}{hint}", key=key)
    return len(rows)
