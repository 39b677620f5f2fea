"""More time for an answer: asked for by who is to answer, one at a time, granted or refused with a reason."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import save_checked
from core.text import clean_text
from core.transitions import apply_move
from projects.models import Consultation, Extension
from projects.permissions_consultations import can_ask_extension
from projects.services.audience import desk_of, waiting_users
from projects.services.course import locked, reason_of, tell
from projects.services.due import keep_due
from projects.transitions import EXTENSION

# What makes sense at all; how much is granted is for who asked to say.
MOST_DAYS = 250


@transaction.atomic
def ask_extension(consultation: Consultation, *, actor: User, days: int, reason: str) -> Extension:
    """Ask for more time. Side effects: audit, notice to the desk. Raises: Refused, ValidationError by field."""
    row = locked(consultation.pk)
    require(can_ask_extension(actor, row))
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"请填写 1 至 {MOST_DAYS} 个工作日。"})
    made = Extension(consultation=row, days=days, reason=reason_of(reason), asked_by=actor)
    save_checked(made)
    detail = {"days": days, "reason": made.reason}
    audit.record("extension.ask", actor=actor, obj=made, locality=row.locality, detail=detail)
    text = f"{actor}就征询 {row.number}（{row.project.name}）申请延期 {days} 个工作日：{made.reason}"
    tell(row, desk_of(row), "consultation.extension", text, key=f"extension-{made.pk}")
    return made


@transaction.atomic
def answer_extension(extension: Extension, *, actor: User, granted: bool, answer: str = "") -> Extension:
    """Grant or refuse it. Granted, the day moves for everybody who has still to answer.

    Side effects: audit, notices. Raises: Refused, StaleState, ValidationError (refused without a reason).
    """
    row = locked(extension.consultation_id)
    held = Extension.objects.get(pk=extension.pk)
    held.consultation = row
    text = clean_text(answer)[:300]
    if not granted and not text:
        raise ValidationError({"answer": "不同意延期须写明原因。"})
    held = apply_move(
        held, EXTENSION, "grant" if granted else "refuse", actor=actor, reason=text,
        changes={"answer": text, "answered_by": actor, "answered_at": timezone.now()},
    )  # fmt: skip
    day = keep_due(row) if granted else row.due_on
    words = f"同意延期 {held.days} 个工作日，答复期限为 {day}" if granted else f"未同意延期，答复期限仍为 {day}"
    note = f"（{text}）" if text else ""
    asked = f"征询 {row.number}（{row.project.name}）{words}{note}。"
    people = [held.asked_by_id, *(waiting_users(row) if granted else ())]
    tell(row, people, "consultation.extension", asked, key=f"extension-{held.pk}-{held.state}")
    return held
