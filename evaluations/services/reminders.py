"""Telling raters that a step has begun, is nearly over, is over; and the organisers what needs a hand.

Notices say how many sheets somebody owes and until when, never about whom others have written or what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import Refused
from core.notifications import notify
from core.permissions import require
from districts.models import Membership
from evaluations.models import Round, RoundStep, Sheet
from evaluations.permissions.rounds import can_manage_round
from evaluations.services.seats import Seats, empty_seats, unanswered

# When the portal speaks up by itself; no document sets it, and nothing hangs on it.
REMIND_BEFORE = timedelta(days=3)


def announce(step: RoundStep) -> int:
    """The step is open: everybody who owes a sheet learns how many and until when; returns how many people."""
    until = f"，请于 {step.due_on:%Y-%m-%d} 前提交" if step.due_on else ""
    return _tell(step, "open", f"{step}已开始，您有 {{n}} 份评估表待填写{until}。", today=timezone.localdate())


def deadline_moved(step: RoundStep) -> int:
    """The deadline was moved for everybody alike."""
    words = f"{step}的截止日期已调整为 {step.due_on:%Y-%m-%d}，您还有 {{n}} 份评估表未提交。"
    return _tell(step, f"moved:{step.due_on}", words, today=timezone.localdate())


def remind(today: date) -> int:
    """Every morning: whoever has not answered, shortly before the deadline and after it, each once; and the organisers
    whom nobody can stand for. Run again it tells nobody twice. Returns how many people were told."""
    told = 0
    for step in open_steps():
        told += remind_step(step, today=today)
    for round_ in Round.objects.filter(state__in=["self_report", "scoring"], standing="active").select_related(
        "locality"
    ):
        told += tell_empty_seats(round_, today=today)
    return told


def open_steps() -> Iterable[RoundStep]:
    rows = RoundStep.objects.filter(state="open", round__state="scoring", round__standing="active")
    return rows.select_related("round__locality").order_by("pk")


def remind_step(step: RoundStep, *, today: date) -> int:
    if step.due_on is None or step.due_on > today + REMIND_BEFORE:
        return 0
    if step.due_on >= today:
        words = f"{step}将于 {step.due_on:%Y-%m-%d} 截止，您还有 {{n}} 份评估表未提交。"
        return _tell(step, f"soon:{step.due_on}", words, today=today)
    words = f"{step}已过截止日期 {step.due_on:%Y-%m-%d}，您有 {{n}} 份评估表未提交。如有特殊情况，请联系组织单位。"
    told = _tell(step, f"late:{step.due_on}", words, today=today)
    count = len(unanswered(step.round, step_id=step.pk))
    text = f"{step}已过截止日期 {step.due_on:%Y-%m-%d}，还有 {count} 份未提交。请办理截止，或写明原因后延期。"
    return told + _tell_organisers(step.round, text, key=f"step.late:{step.pk}:{step.due_on}", today=today)


@transaction.atomic
def chase(step: RoundStep, *, actor: User, today: date) -> int:
    """Remind everybody who has not answered, now; once a day. Side effects: notices, audit entry.

    Returns how many people owe something. Raises: Refused.
    """
    require(can_manage_round(actor, step.round))
    if step.state != RoundStep.State.OPEN:
        raise Refused(f"本步骤{step.get_state_display()}，无须催办")
    until = f"（{step.due_on:%Y-%m-%d} 截止）" if step.due_on else ""
    told = _tell(step, f"chase:{today}", f"请尽快完成{step}{until}，您还有 {{n}} 份评估表未提交。", today=today)
    audit.record("roundstep.chase", actor=actor, obj=step, locality=step.round.locality, detail={"people": told})
    return told


def tell_empty_seats(round_: Round, *, today: date) -> int:
    """Sheets that nobody can fill in any more, told to the organisers; once for the same sheets."""
    empty = empty_seats(round_, on=today)
    if not empty:
        return 0
    who = "、".join(dict.fromkeys(sheet.rater for sheet in empty))
    text = f"{round_}有 {len(empty)} 份评估表无人可填（{who}），请改派或办理回避。"
    newest = max(sheet.pk for sheet in empty)
    return _tell_organisers(round_, text, key=f"round.empty:{round_.pk}:{len(empty)}:{newest}", today=today)


def tell_rater(sheet: Sheet, text: str, *, key: str, today: date) -> None:
    """Whoever may fill in this one sheet."""
    people = Seats(sheet.round.locality, on=today).of(sheet)
    notify(people, kind="evaluation.sheet", text=text[:300], url=sheets_url(), key=key)


def sheets_url() -> str:
    return reverse("evaluations:sheet-list")


def _tell(step: RoundStep, key: str, words: str, *, today: date) -> int:
    seats = Seats(step.round.locality, on=today)
    owed: Counter[int] = Counter()
    for sheet in unanswered(step.round, step_id=step.pk):
        if sheet.state == Sheet.State.DECLINED:
            continue  # the organisers owe a decision, not the rater a sheet
        owed.update(user.pk for user in seats.of(sheet))
    for user_id, count in sorted(owed.items()):
        notify(
            [user_id], kind="evaluation.sheet", text=words.format(n=count), url=sheets_url(),
            key=f"step:{step.pk}:{key}",
        )  # fmt: skip
    return len(owed)


def _tell_organisers(round_: Round, text: str, *, key: str, today: date) -> int:
    rows = Membership.objects.valid_on(today).filter(
        role=Role.BUREAU, locality_id=round_.locality_id, user__is_active=True
    )  # fmt: skip
    users = list(rows.order_by("user_id").values_list("user_id", flat=True).distinct())
    notify(users, kind="evaluation.round", text=text[:300], url=reverse("evaluations:round", args=[round_.pk]), key=key)
    return len(users)
