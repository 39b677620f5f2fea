"""Steps of a round: opened one after the other, closed for everybody at once; a deadline moves only with a reason."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.permissions import require
from core.text import clean_text
from core.transitions import apply_move
from evaluations.models import RoundStep
from evaluations.permissions.rounds import can_manage_round
from evaluations.transitions.rounds import STEP


@transaction.atomic
def open_step(step: RoundStep, *, actor: User, due_on: date) -> RoundStep:
    """Open a step once the ones before it have closed and the round scores.

    Side effects: notices to everybody who owes a sheet.
    Raises: Refused, StaleState, ValidationError (out of turn).
    """
    from evaluations.services.reminders import announce

    round_ = step.round
    if round_.state != "scoring":
        raise ValidationError(f"评估处于{round_.get_state_display()}阶段，不能开始填写。")
    if round_.steps.filter(number__lt=step.number).exclude(state="closed").exists():
        raise ValidationError("前一步骤尚未截止。")
    moved = apply_move(step, STEP, "open", actor=actor, changes={"opened_at": timezone.now(), "due_on": due_on})
    announce(moved)
    return moved


def close_step(step: RoundStep, *, actor: User) -> RoundStep:
    """Close for all raters of all directions at once; the seal of the step is lifted by this and nothing else.

    Waits for sheets being submitted at this moment (`lock_open_step`). What the portal counts is written into the
    sheets now, the same for every rater. Raises: Refused, StaleState, ValidationError (a count cannot be computed).
    """
    from evaluations.services.answers import settle_counts

    with transaction.atomic():
        locked = RoundStep.objects.select_for_update().get(pk=step.pk)
        if locked.state == RoundStep.State.OPEN:
            settle_counts(locked)
        return apply_move(step, STEP, "close", actor=actor, changes={"closed_at": timezone.now()})


@transaction.atomic
def extend_step(step: RoundStep, *, actor: User, due_on: date, reason: str, today: date) -> RoundStep:
    """Move the deadline of an open step, for everybody alike. Side effects: audit entry, notices to who owes a sheet.

    Raises: Refused, StaleState (closed meanwhile), ValidationError (no reason, a day that is over).
    """
    from evaluations.services.reminders import deadline_moved

    require(can_manage_round(actor, step.round))
    reason = clean_text(reason)
    if not reason:
        raise ValidationError({"reason": "请填写调整原因。"})
    if due_on < today:
        raise ValidationError({"due_on": "截止日期不能早于今天。"})
    locked = _alone(step)
    before, locked.due_on = locked.due_on, due_on
    locked.save(update_fields=["due_on"])
    audit.record(
        "roundstep.extend", actor=actor, obj=locked, locality=locked.round.locality,
        detail={"from": str(before), "to": str(due_on), "reason": reason},
    )  # fmt: skip
    deadline_moved(locked)
    return locked


def _alone(step: RoundStep) -> RoundStep:
    """The open step for a change of its own: nobody writes a sheet meanwhile."""
    RoundStep.objects.select_for_update(no_key=True).get(pk=step.pk)
    return lock_open_step(step)


def lock_open_step(step: RoundStep | int) -> RoundStep:
    """The step, held to the end of the transaction: what is submitted under it is in before it closes, or not at all.

    Every write of a sheet calls this first. Raises: StaleState when it is not open.
    """
    held = hold_step(step)
    if held.state != RoundStep.State.OPEN:
        raise StaleState(f"本步骤{held.get_state_display()}，不能再填写。")
    return held


def hold_step(step: RoundStep | int) -> RoundStep:
    """The step as it stands now; it neither closes nor moves before the transaction ends.

    Held in common: writers do not wait for one another, only whoever closes the step waits for them (3,000 sheets in
    the last hour stand in no queue). SQLite has one writer at a time anyway.
    """
    pk = step if isinstance(step, int) else step.pk
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {RoundStep._meta.db_table} WHERE id = %s FOR SHARE", [pk])  # noqa: S608
    return RoundStep.objects.select_related("round__locality").get(pk=pk)
