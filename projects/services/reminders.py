"""Reminders before and after the due day, and escalation: a daily sweep over rows, each word said once.

Levels of one who is to answer: 1 soon due (themselves), 2 overdue (themselves and the desk), 3 overdue for long (their
lead and the bureau too). The level only ever rises: an opinion that the lead returns begins no new count, and after an
extension each word is said again for the new day. Whoever is merely invited, or may give advice, owes nothing: they
are reminded and never reported.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.notifications import notify
from core.workdays import CalendarGap, WorkCalendar
from projects.deadlines import remaining_workdays
from projects.models import Consultation, Consultee, Opinion
from projects.services.audience import bureau_of, desk_of, lead_of, logins_of
from projects.services.consultees import ROWS
from projects.services.due import calendar_from

SOON, OVER, LONG_OVER = 1, 2, 3
# Modes under which the pack asks the planner to speak (review.stages); under the others, and where the pack is silent,
# an answer is theirs to give.
OWED_MODES = frozenset({"required", "takes_part", "regular"})


def remind(today: date | None = None) -> int:
    """Tell everybody whom it concerns what is soon due or overdue; the number of rows looked at that had something."""
    today = today or timezone.localdate()
    calendar = calendar_from(today - timedelta(days=400))
    last = today + timedelta(days=30)
    rows = ROWS.filter(
        pk__in=Consultee.objects.waiting()
        .filter(consultation__state=Consultation.State.ASKED, consultation__due_on__lte=last)
        .values("pk")
    ).order_by("pk")
    return sum(_remind_one(row, today, calendar) for row in rows)


def level_of(due_on: date | None, today: date, calendar: WorkCalendar) -> int:
    """How urgent an answer is: 0 not yet, then SOON, OVER, LONG_OVER (settings.REVIEW_REMINDERS)."""
    try:
        left = remaining_workdays(due_on, today, calendar)
    except CalendarGap:
        return 0
    if left is None or due_on is None or left > settings.REVIEW_REMINDERS["soon_workdays"]:
        return 0
    if due_on >= today:
        return SOON
    return LONG_OVER if -left >= settings.REVIEW_REMINDERS["long_over_workdays"] else OVER


@transaction.atomic
def _remind_one(row: Consultee, today: date, calendar: WorkCalendar) -> bool:
    consultation = row.consultation
    level = level_of(consultation.due_on, today, calendar)
    if not level:
        return False
    if consultation.way == Consultation.Way.MEETING:
        _remind_of_meeting(row, level)
        return True
    if level > row.escalation:
        # Another worker at the same sweep: the row is raised once.
        Consultee.objects.filter(pk=row.pk, escalation__lt=level).update(escalation=level)
    owed = consultation.mode in OWED_MODES
    words = _words(row, today)
    _tell(row, logins_of([row.planner_id]), level, f"请答复{words}")
    lead = lead_of(row)
    endorsing = Opinion.objects.filter(consultee=row, state=Opinion.State.ENDORSING).exists()
    if endorsing and lead is not None:
        _tell(row, logins_of([lead.pk]), level, f"{row.planner.name}的意见书待您审核：{words}", part="endorse")
    if level >= OVER:
        _tell(row, desk_of(consultation), level, f"{row.planner.name}尚未答复{words}", part="desk")
    if level >= LONG_OVER and owed:
        above = [*(logins_of([lead.pk]) if lead is not None else []), *bureau_of(consultation.locality)]
        _tell(row, above, level, f"逾期未答复：{row.planner.name}，{words}", part="above")
    return True


def _remind_of_meeting(row: Consultee, level: int) -> None:
    consultation = row.consultation
    if level == SOON:
        when = timezone.localtime(consultation.meeting_at).strftime("%Y-%m-%d %H:%M") if consultation.meeting_at else ""
        text = f"“{consultation.project.name}”专家会将于 {when} 召开，{consultation.meeting_place or '地点见通知'}。"
        _tell(row, logins_of([row.planner_id]), level, text)
        return
    text = f"“{consultation.project.name}”专家会的时间已过，请登记到会情况（{consultation.number}）。"
    notify(
        desk_of(consultation), kind="consultation.meeting_due", text=text, url=consultation.get_absolute_url(),
        key=f"consultation-meeting-{consultation.pk}-{consultation.due_on}",
    )  # fmt: skip


def _words(row: Consultee, today: date) -> str:
    consultation = row.consultation
    due = consultation.due_on
    late = due is not None and due < today
    until = f"已于 {due} 逾期" if late else f"期限 {due}"
    return f"征询 {consultation.number}（{consultation.project.name}），{until}。"


def _tell(row: Consultee, users: list[int], level: int, text: str, *, part: str = "self") -> None:
    consultation = row.consultation
    # The day is part of the key: after an extension the same words are due again.
    notify(
        users, kind="consultation.due", text=text, url=consultation.get_absolute_url(),
        key=f"consultee-due-{row.pk}-{consultation.due_on}-{level}-{part}",
    )  # fmt: skip
