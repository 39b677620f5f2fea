"""Until when an answer is awaited: the day that stands on the row, and how it came about.

`projects.deadlines` computes it from the parts alone; here the parts are read and the day is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from core import audit
from core.calendar import load_work_calendar
from core.models import CalendarDay
from core.notifications import notify
from core.workdays import CalendarGap, WorkCalendar
from projects.deadlines import Due, Pause, due_day
from projects.models import Consultation, Extension
from projects.services.audience import desk_of, waiting_users

audit.register_actions({"consultation.recount": "按日历调整答复期限"})
# Terms are asked for in workdays and extended by them: two years ahead hold any that makes sense.
_AHEAD = timedelta(days=731)


def calendar_from(day: date) -> WorkCalendar:
    """The working calendar from `day` on, as far as terms reach."""
    return load_work_calendar(day, day + _AHEAD)


def days_between(first: date, last: date) -> WorkCalendar:
    """The days alone, for lights in lists: one query, and nothing of years that are provisional."""
    rows = CalendarDay.objects.filter(date__range=(first, last)).values_list("date", "is_workday", "name")
    return WorkCalendar.of(rows)


def next_workday(day: date, calendar: WorkCalendar) -> date:
    """`day` itself, or the first workday after it: a term that ends on a day off ends on the next workday.

    Raises CalendarGap.
    """
    return day if calendar.is_workday(day) else calendar.add_workdays(day, 1)


def due_of(consultation: Consultation, *, today: date | None = None, calendar: WorkCalendar | None = None) -> Due:
    """The day of a written request with its parts. Raises CalendarGap."""
    if consultation.way == Consultation.Way.MEETING:
        held = timezone.localdate(consultation.meeting_at) if consultation.meeting_at else None
        return Due(held, None)
    return due_day(
        consultation.asked_on, consultation.term_days, calendar or calendar_from(consultation.asked_on),
        extensions=[e.days for e in consultation.extensions.all() if e.state == Extension.State.GRANTED],
        pauses=[Pause(pause.start, pause.end) for pause in consultation.suspensions.all()], today=today,
    )  # fmt: skip


def keep_due(consultation: Consultation) -> date | None:
    """Write the day anew after an extension or a suspension; None where no term is set, or beyond the calendar."""
    consultation._prefetched_objects_cache = {}  # type: ignore[attr-defined]  # the rows have just changed
    try:
        day = due_of(consultation).day
    except CalendarGap:
        # Nothing is guessed: the sweep writes it once the year is there.
        day = None
    Consultation.objects.filter(pk=consultation.pk).update(due_on=day)
    consultation.due_on = day
    return day


def recount_due(years: Iterable[int] | None = None) -> int:
    """The due days of running requests anew, after holidays were published; how many changed.

    `years`: those whose days changed; None: only requests whose day the calendar did not reach
    until now. Whoever asked and whoever is to answer is told of a changed day.
    """
    rows = Consultation.objects.running().filter(way=Consultation.Way.WRITTEN, term_days__isnull=False)
    touched = None if years is None else set(years)
    if touched is None:
        rows = rows.filter(due_on=None)
    changed = 0
    for consultation in rows.select_related("project", "locality", "asker").order_by("pk"):
        last = consultation.due_on or consultation.asked_on + _AHEAD
        if touched is not None and not touched & set(range(consultation.asked_on.year, last.year + 1)):
            continue
        changed += _recount_one(consultation)
    return changed


@transaction.atomic
def _recount_one(consultation: Consultation) -> int:
    row = Consultation.objects.select_for_update(of=("self",)).select_related("project", "locality").get(
        pk=consultation.pk
    )  # fmt: skip
    before = row.due_on
    day = keep_due(row)
    if row.state not in ("asked", "suspended") or day == before:
        return 0
    detail = {"from": str(before or ""), "to": str(day or "")}
    audit.record("consultation.recount", actor=None, obj=row, locality=row.locality, detail=detail)
    text = f"节假日安排有变化，征询 {row.number}（{row.project.name}）的答复期限调整为 {day or '未设定'}。"
    key = f"consultation-recount-{row.pk}-{day}"
    for people in (desk_of(row), waiting_users(row)):
        notify(people, kind="consultation.due", text=text, url=row.get_absolute_url(), key=key)
    return 1
