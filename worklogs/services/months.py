"""A charge's month: what waits in it, what deserves a second look, one click to confirm, and its closing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from core import audit
from core.calendar import CalendarGap, WorkCalendar
from core.errors import StaleState
from core.names import sort_key
from core.notifications import notify
from core.permissions import require
from core.transitions import BulkResult, bulk_apply_move
from districts.models import Charge
from worklogs import permissions
from worklogs.models import MonthClosing, MonthlyReport, WorkLog
from worklogs.querysets import AWAITING, month_of, next_month
from worklogs.transitions import WORKLOG

from . import changes, monthly
from .findings import ShownFinding, findings_of
from .logs import confirm_log, lock_charge

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class MonthView:
    """What the month's page shows. By log id: `marks` say what a log is, `findings` what deserves a second look;
    neither forbids anything."""

    charge: Charge
    month: date
    logs: Sequence[WorkLog]
    closing: MonthClosing | None
    marks: dict[int, list[str]] = field(default_factory=dict)
    findings: dict[int, list[ShownFinding]] = field(default_factory=dict)
    reports: Sequence[MonthlyReport] = ()

    @property
    def title(self) -> str:
        return f"{self.charge.name} {self.month:%Y年%-m月}"

    @property
    def before(self) -> date:
        return month_of(self.month - timedelta(days=1))

    @property
    def after(self) -> date:
        return next_month(self.month)

    @property
    def waiting(self) -> list[WorkLog]:
        return [log for log in self.logs if log.state in AWAITING]

    @property
    def reports_waiting(self) -> list[MonthlyReport]:
        return [report for report in self.reports if report.state == "submitted"]

    @property
    def returned(self) -> list[WorkLog]:
        return [log for log in self.logs if log.state == "returned"]


def month_view(charge: Charge, month: date, *, user: User, calendar: WorkCalendar) -> MonthView:
    """The logs of the month that `user` may see, oldest first, with what is remarked on them."""
    logs = list(
        WorkLog.objects.visible_to(user)
        .filter(charge=charge)
        .in_month(month.year, month.month)
        .current()
        .select_related("planner", "charge", "project", "supersedes")
        .annotate(photo_count=Count("photos"))
        .order_by("date", "slot", "pk")
    )
    closing = MonthClosing.objects.holding(charge.pk, month).select_related("closed_by").first()
    return MonthView(
        charge, month, logs, closing, marks_of(logs, calendar=calendar), findings_of(logs, user=user),
        monthly.reports_of_month(charge, month, user=user),
    )  # fmt: skip


def marks_of(logs: Sequence[WorkLog], *, calendar: WorkCalendar) -> dict[int, list[str]]:
    """What the waiting ones are, beside a day's work: corrections, late entries, work on rest days."""
    marks: dict[int, list[str]] = defaultdict(list)
    for log in logs:
        if log.state not in AWAITING:
            continue
        if log.state == "proposed":
            marks[log.pk].append("作废申请" if log.voids else "更正" if log.supersedes_id else "补报")
        if _is_rest_day(log.date, calendar):
            marks[log.pk].append("非工作日")
    return dict(marks)


def _is_rest_day(on: date, calendar: WorkCalendar) -> bool:
    try:
        return not calendar.is_workday(on)
    except CalendarGap:
        # Years before the table begins are not remarked on.
        return False


def confirm_logs(ids: Iterable[int], *, actor: User) -> BulkResult:
    """Confirm many at once; those that may not be confirmed stay, each with its reason.

    Plain logs go in one statement; corrections one by one, because each also retires what it corrects.
    Side effects: audit per log, one notice per planner and month, the tally is told.
    """
    with transaction.atomic():
        mine = WorkLog.objects.visible_to(actor).filter(pk__in=list(ids)).select_related("planner", "charge")
        corrections = list(mine.filter(state="proposed", supersedes__isnull=False))
        values = {"confirmed_at": timezone.now(), "confirmed_by": actor}
        plain = mine.exclude(pk__in=[log.pk for log in corrections])
        result = bulk_apply_move(plain, WORKLOG, "confirm", actor=actor, changes=values)
        moved, refused = list(result.moved), dict(result.refused)
        for log in corrections:
            decision = permissions.can_confirm(actor, log)
            if decision:
                confirm_log(log, actor=actor)
                moved.append(log.pk)
            else:
                refused[log.pk] = decision.reason
        confirmed = list(WorkLog.objects.filter(pk__in=result.moved).select_related("planner"))
        changes.tell(confirmed)
        monthly.tell_corrected(confirmed)
        _tell_planners(confirmed)
        return BulkResult(moved, refused)


def _tell_planners(logs: Iterable[WorkLog]) -> None:
    counts = Counter((log.planner.user_id, month_of(log.date)) for log in logs if log.planner.user_id is not None)
    for (user_id, month), count in counts.items():
        notify(
            [user_id],
            kind="worklog.confirmed",
            text=f"您 {month:%Y年%-m月} 的 {count} 条履职记录已确认",
            url=changes.calendar_url(month),
        )


def close_month(charge: Charge, *, actor: User, month: date) -> MonthClosing:
    """Close a month of a charge: from then on its logs change by new versions, and late ones give a reason.

    Side effects: accepted monthly reports are locked with their figures; audit.
    Raises: Refused (not entitled; the month is not over), ValidationError (logs or reports still wait), StaleState
    (already closed).
    """
    month = month_of(month)
    require(permissions.can_close_month(actor, charge, month))
    try:
        with transaction.atomic():
            lock_charge(charge.pk)
            waiting = WorkLog.objects.filter(charge=charge, state="submitted", superseded_by=None).in_month(
                month.year, month.month
            )
            if waiting.exists():
                raise ValidationError(f"该月还有 {waiting.count()} 条记录待确认，请先确认或退回。")
            locked = monthly.settle_month(charge, actor=actor, month=month)
            closing = MonthClosing.objects.create(
                locality_id=charge.locality_id, charge=charge, month=month, closed_by=actor
            )
            audit.record(
                "worklog.close_month",
                actor=actor,
                obj=closing,
                label="锁定月份",
                detail={"charge": charge.name, "month": f"{month:%Y-%m}", "reports": locked},
            )
            return closing
    except IntegrityError as exc:
        raise StaleState("已被他人处理：该月已锁定。") from exc


def confirm_and_close(
    charge: Charge, *, actor: User, month: date, ids: Iterable[int], reports: Iterable[int] = ()
) -> BulkResult:
    """Confirm the chosen logs, accept the chosen monthly reports and close the month: all of it or nothing.

    Raises: as `close_month`; ValidationError when a chosen log or report could not be confirmed or accepted.
    """
    require(permissions.can_close_month(actor, charge, month_of(month)))
    with transaction.atomic():
        result = confirm_logs(ids, actor=actor)
        accepted = monthly.accept_reports(reports, actor=actor)
        for refused in (*result.refused.values(), *accepted.refused.values()):
            raise ValidationError(refused)
        close_month(charge, actor=actor, month=month)
        return result


def months_waiting(user: User) -> list[tuple[Charge, date, int]]:
    """Charges and months with logs that `user` is asked to confirm, the oldest first."""
    rows = (
        WorkLog.objects.visible_to(user)
        .awaiting_confirmation()
        .current()
        .values_list("charge_id", "date")
        .order_by("date")
    )
    counts = Counter((charge_id, month_of(on)) for charge_id, on in rows)
    charges = Charge.objects.in_bulk({charge_id for charge_id, _ in counts})
    found = [(charges[charge_id], month, count) for (charge_id, month), count in counts.items()]
    return sorted(found, key=lambda row: (row[1], sort_key(row[0].name)))
