"""Invited to an expert meeting, the other lawful form of asking (京核心区 四(二)): moved, held, and who came."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.models import StoredFile
from core.permissions import require
from core.saving import save_checked
from core.text import clean_text
from core.transitions import apply_move
from projects.models import Consultation, Consultee
from projects.permissions_consultations import can_record_meeting
from projects.services.audience import logins_of, waiting_users
from projects.services.course import finish, locked, reason_of, tell
from projects.services.due import due_of
from projects.transitions import CONSULTEE


@transaction.atomic
def move_meeting(
    consultation: Consultation, *, actor: User, meeting_at: datetime, meeting_place: str, reason: str
) -> Consultation:
    """Another time or place. Side effects: audit, notices. Raises: Refused, ValidationError by field."""
    row = locked(consultation.pk)
    require(can_record_meeting(actor, row))
    if meeting_at <= timezone.now():
        raise ValidationError({"meeting_at": "会议时间须晚于现在。"})
    reason = reason_of(reason)
    before = row.meeting_at
    row.meeting_at, row.meeting_place = meeting_at, clean_text(meeting_place)
    row.due_on = due_of(row).day
    save_checked(row)
    detail = {"from": str(before), "to": str(meeting_at), "place": row.meeting_place, "reason": reason}
    audit.record("consultation.move_meeting", actor=actor, obj=row, locality=row.locality, detail=detail)
    when = timezone.localtime(meeting_at).strftime("%Y-%m-%d %H:%M")
    text = f"“{row.project.name}”专家会改期：{when}，{row.meeting_place or '地点另行通知'}（{reason}）"
    tell(row, waiting_users(row), "consultation.meeting_moved", text)
    return row


@transaction.atomic
def record_meeting(
    consultation: Consultation, *, actor: User, present: Collection[int], minutes: StoredFile | None = None
) -> Consultation:
    """Who of those invited came (ids of `Consultee`), and the minutes; the invitation is over with that.

    Side effects: audit, notices. Raises: Refused, StaleState, ValidationError (not held yet, somebody not invited).
    """
    row = locked(consultation.pk)
    require(can_record_meeting(actor, row))
    if row.meeting_at is not None and row.meeting_at > timezone.now():
        raise ValidationError("会议尚未召开，会后再登记到会情况。")
    invited = list(row.consultees.filter(state=Consultee.State.ASKED).select_related("planner", "consultation"))
    if set(present) - {consultee.pk for consultee in invited}:
        raise ValidationError({"present": "只能登记被邀请且尚未答复的规划师；另有人到会的，请先增补。"})
    for consultee in invited:
        move = "attend" if consultee.pk in set(present) else "miss"
        apply_move(consultee, CONSULTEE, move, actor=actor, changes={"closed_at": timezone.now()})
    if minutes is not None:
        Consultation.objects.filter(pk=row.pk).update(minutes=minutes)
        row.minutes = minutes
    names = [consultee.planner.name for consultee in invited if consultee.pk in set(present)]
    detail = {"present": names, "absent": [c.planner.name for c in invited if c.planner.name not in names]}
    audit.record("consultation.meeting", actor=actor, obj=row, locality=row.locality, detail=detail)
    came = logins_of([consultee.planner_id for consultee in invited if consultee.pk in set(present)])
    text = f"“{row.project.name}”专家会已登记您到会；如有书面意见，可以在线提交。"
    tell(row, came, "consultation.attended", text)
    return finish(row, actor=actor)
