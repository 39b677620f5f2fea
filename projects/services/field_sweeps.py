"""What the calendar does to rectifications and disputes: reminders, and reports when a day has passed.

Swept from the rows every morning, so a run that was missed is made up for; run again it does nothing more.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from core import audit
from core.calendar import load_work_calendar
from core.errors import StaleState
from core.notifications import notify
from projects.models import Dispute, PartyLink, Rectification

from .audience import bureau_of, followers_of, leaders_of, logins_with_leads, offices_of_project
from .disputes import other_side
from .party_links import OPEN, standing
from .rectifications import fall_overdue

log = logging.getLogger(__name__)
REMIND_BEFORE = timedelta(days=3)
# By which acts a rectification comes to wait for somebody.
_ENTERED = {
    "replied": ["rectification.reply", "rectification.answer"],
    "escalated": ["rectification.escalate", "rectification.overdue"],
}


def sweep(today: date | None = None) -> dict[str, int]:
    """Everything, for the morning's task; how many rows each part touched."""
    today = today or timezone.localdate()
    return {
        "reminded": remind_of_rectifications(today),
        "overdue": escalate_overdue(today),
        "waiting": remind_of_waiting(today),
        "links": tell_unused_links(today),
        "disputes": remind_of_disputes(today),
    }


def remind_of_rectifications(today: date) -> int:
    """Before the day, once for each day that was set; to the offices that can press the contractor."""
    rows = Rectification.objects.filter(state="open", due_on__range=(today, today + REMIND_BEFORE))
    told = 0
    for row in rows.select_related("project", "contractor").order_by("pk"):
        notify(
            [*offices_of_project(row.project), *logins_with_leads([row.raised_by_id])], kind="rectification.due",
            text=f"“{row.project.name}”整改 {row.number} 将于 {row.due_on} 到期，{row.contractor.name}尚未回复",
            url=row.get_absolute_url(), key=f"rectification.due:{row.pk}:{row.due_on}",
        )  # fmt: skip
        told += 1
    return told


def escalate_overdue(today: date) -> int:
    """What was not answered in its time is reported; answered or settled at this very moment it is left alone."""
    rows = Rectification.objects.filter(state="open", due_on__lt=today).select_related("project", "locality")
    moved = 0
    for row in rows.order_by("pk"):
        try:
            fall_overdue(row)
        except StaleState:
            log.info("rectification %s was handled meanwhile", row.pk)
        else:
            moved += 1
    return moved


def remind_of_waiting(today: date) -> int:
    """What waits without a term: an answer for its re-inspection, a report for the bureau. Some workdays later, once
    for each answer and each report, whoever should act is told; the bureau where nobody is left to re-inspect."""
    days = settings.REVIEW["waiting_workdays"]
    calendar = load_work_calendar(today - timedelta(days=days * 2 + 30), today)
    rows = Rectification.objects.filter(state__in=["replied", "escalated"])
    told = 0
    for row in rows.select_related("project__locality", "raised_by").order_by("pk"):
        since = audit.history(row).filter(action__in=_ENTERED[row.state], result="ok").first()
        day = timezone.localtime(since.at).date() if since is not None else row.raised_on
        if calendar.workdays_between(max(day, today - timedelta(days=days * 2 + 30)), today) <= days:
            continue
        bureau = bureau_of(row.project.locality)
        people = bureau if row.state == "escalated" else followers_of(row.project, row.raised_by) or bureau
        words = "已上报，尚未处理" if row.state == "escalated" else "已回复，尚未复查"
        notify(
            people, kind="rectification.waiting", text=f"“{row.project.name}”整改 {row.number} 自 {day} 起{words}",
            url=row.get_absolute_url(), key=f"rectification.waiting:{row.pk}:{since.pk if since else 0}",
        )  # fmt: skip
        told += 1
    return told


def tell_unused_links(today: date) -> int:
    """A link that ran out unused: whoever sent it should know, and may send another."""
    now = timezone.now()
    rows = PartyLink.objects.filter(
        used_at=None, revoked_at=None, expires_at__range=(now - timedelta(days=7), now),
        rectification__state__in=["open", "escalated"],
    ).select_related("rectification", "party")  # fmt: skip
    told = 0
    for link in rows.order_by("pk"):
        if standing(link) == OPEN:
            continue
        notify(
            [link.created_by_id], kind="partylink.expired",
            text=f"发给{link.party.name}的整改回复链接（{link.rectification.number}）已过期，未收到回复",
            url=link.rectification.get_absolute_url(), key=f"partylink.expired:{link.pk}",
        )  # fmt: skip
        told += 1
    return told


def remind_of_disputes(today: date) -> int:
    """The other side before and after its term, the leaders before theirs ends; the bureau too once it is over."""
    told = 0
    filed = Dispute.objects.filter(state="filed", statement_due_on__lte=today + REMIND_BEFORE)
    for row in filed.select_related("project").order_by("pk"):
        late = row.statement_due_on is not None and row.statement_due_on < today
        people = [*other_side(row), *leaders_of(row.project.locality)] if late else other_side(row)
        words = f"陈述期限 {row.statement_due_on} 已过，可以裁定" if late else f"请于 {row.statement_due_on} 前陈述"
        _tell(row, people, "dispute.statement_due", words, f"{row.statement_due_on}:{late}")
        told += 1
    open_ones = Dispute.objects.unsettled().filter(ruling_due_on__lte=today + REMIND_BEFORE)
    for row in open_ones.select_related("project").order_by("pk"):
        late = row.ruling_due_on is not None and row.ruling_due_on < today
        people = (
            [*leaders_of(row.project.locality), *bureau_of(row.project.locality)]
            if late
            else leaders_of(row.project.locality)
        )
        words = f"已过裁定期限 {row.ruling_due_on}" if late else f"请于 {row.ruling_due_on} 前裁定"
        _tell(row, people, "dispute.ruling_due", words, f"{row.ruling_due_on}:{late}")
        told += 1
    return told


def _tell(dispute: Dispute, people: list[int], kind: str, words: str, moment: str) -> None:
    notify(
        people, kind=kind, text=f"分歧 {dispute.number}“{dispute.title}”：{words}", url=dispute.get_absolute_url(),
        key=f"{kind}:{dispute.pk}:{moment}",
    )  # fmt: skip
