"""Answers that are owed, told in time and carried upward when they are late: sweeps over rows, run every morning.

Each step is told once: a notice has its key, and the level of an escalation only ever rises, so that it survives a
return, a new version and a change of the body that owes it. Where no term is set there is no day, and nothing is late.
How soon people are reminded and how far apart the levels lie is the portal's own habit (settings.REVIEW), no policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from core import audit
from core.calendar import load_work_calendar
from core.notifications import notify
from core.workdays import CalendarGap, WorkCalendar
from districts.models import Locality, Organisation
from projects.deadlines import remaining_workdays
from projects.models import Consultation, ItemAnswer, OpinionItem
from projects.services.adoption import (
    ROWS,
    adoption_url,
    hand_on_closed,
    locked,
    settle_if_done,
)
from projects.services.audience import bureau_of, leaders_of, people_of

audit.register_actions(
    {"consultation.escalate": "采纳反馈逾期上报", "itemanswer.escalate": "落实逾期上报"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Swept:
    """What a run did."""

    handed_on: int = 0
    settled: int = 0
    reminded: int = 0
    escalated: int = 0


def sweep(today: date) -> Swept:
    """Everything at once; run again on the same day it does nothing more."""
    calendar = load_work_calendar(today - timedelta(days=730), today + timedelta(days=366))
    handed = hand_on_closed()
    settled = _keep_states()
    soon = _remind_feedback(today, calendar)
    up = _escalate_feedback(today, calendar) + _escalate_proofs(today, calendar)
    return Swept(handed, settled, soon, up)


def _keep_states() -> int:
    """Requests whose last item was answered, or that have none to answer, are settled. Acts do this themselves; what
    closes a request otherwise is caught up with here."""
    left = OpinionItem.objects.filter(
        opinion__consultee__consultation=OuterRef("pk"), opinion__state="submitted"
    ).exclude(opinion__consultee__state="recused").exclude(answers__is_current=True)  # fmt: skip
    settled = sum(_settle(row) for row in ROWS.filter(~Exists(left), state="answered").order_by("pk"))
    return settled


@transaction.atomic
def _settle(row: Consultation) -> bool:
    return settle_if_done(locked(row), actor=None)


def _late_by(due_on: date | None, today: date, calendar: WorkCalendar) -> int | None:
    """Workdays over the day; negative before it; None where the calendar does not reach."""
    try:
        left = remaining_workdays(due_on, today, calendar)
    except CalendarGap:
        return None
    return None if left is None else -left


def _level(late: int) -> int:
    """How far up a matter belongs that is late by so many workdays."""
    return sum(late >= days for days in settings.REVIEW["escalate_workdays"])


def _remind_feedback(today: date, calendar: WorkCalendar) -> int:
    told = 0
    rows = ROWS.awaiting_adoption().filter(feedback_due_on__gte=today).order_by("pk")
    for row in rows.filter(feedback_due_on__lte=today + timedelta(days=30)):
        late = _late_by(row.feedback_due_on, today, calendar)
        if late is None or -late > settings.REVIEW["remind_workdays"]:
            continue
        notify(
            people_of(row.asker), kind="adoption.soon", url=adoption_url(row),
            text=f"“{row.project.name}”的意见请于 {row.feedback_due_on} 前反馈采纳情况",
            key=f"adoption.soon:{row.pk}:{row.feedback_due_on}",
        )  # fmt: skip
        told += 1
    return told


def _receivers(level: int, body: Organisation, locality: Locality) -> list[int]:
    """Who owes it and the bureau; from the second level on the district's leaders as well."""
    people: Iterable[int] = (*people_of(body), *bureau_of(locality))
    return sorted({*people, *(leaders_of(locality) if level > 1 else ())})


def _escalate_feedback(today: date, calendar: WorkCalendar) -> int:
    done = 0
    for row in ROWS.awaiting_adoption().filter(feedback_due_on__lt=today).order_by("pk"):
        late = _late_by(row.feedback_due_on, today, calendar)
        if late is not None and (level := _level(late)) > row.feedback_escalation:
            done += _raise_feedback(row, level, late)
    return done


@transaction.atomic
def _raise_feedback(row: Consultation, level: int, late: int) -> int:
    # By the row as it is: of two sweeps at once one raises it, and what was answered meanwhile is left alone.
    rows = Consultation.objects.filter(pk=row.pk, state="answered", feedback_escalation__lt=level)
    if not rows.update(feedback_escalation=level):
        return 0
    detail = {"level": level, "late_workdays": late, "due_on": str(row.feedback_due_on), "asker": row.asker.name}
    audit.record("consultation.escalate", actor=None, obj=row, locality=row.locality, detail=detail)
    notify(
        _receivers(level, row.asker, row.locality), kind="adoption.overdue", url=adoption_url(row),
        text=f"{row.asker.name}对“{row.project.name}”意见的采纳反馈已逾期 {late} 个工作日（期限 {row.feedback_due_on}）",
        key=f"adoption.overdue:{row.pk}:{level}",
    )  # fmt: skip
    return 1


def _escalate_proofs(today: date, calendar: WorkCalendar) -> int:
    done = 0
    rows = ItemAnswer.objects.unproven().filter(due_on__lt=today).select_related(
        "locality", "item__opinion__consultee__consultation__project", "item__opinion__consultee__consultation__asker"
    )  # fmt: skip
    for row in rows.order_by("pk"):
        late = _late_by(row.due_on, today, calendar)
        if late is not None and (level := _level(late)) > row.escalation:
            done += _raise_proof(row, level, late)
    return done


@transaction.atomic
def _raise_proof(row: ItemAnswer, level: int, late: int) -> int:
    if not ItemAnswer.objects.unproven().filter(pk=row.pk, escalation__lt=level).update(escalation=level):
        return 0
    consultation = row.item.opinion.consultee.consultation
    audit.record(
        "itemanswer.escalate", actor=None, obj=row, locality=row.locality,
        detail={"level": level, "late_workdays": late, "due_on": str(row.due_on), "owner": row.owner},
    )  # fmt: skip
    notify(
        _receivers(level, consultation.asker, row.locality), kind="adoption.undone", url=adoption_url(consultation),
        text=f"“{consultation.project.name}”{row.item}意见已采纳，落实期限 {row.due_on} 已过 {late} 个工作日，未登记落实",
        key=f"adoption.undone:{row.item_id}:{level}",
    )  # fmt: skip
    return 1
