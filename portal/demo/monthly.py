"""Monthly reports of the demo: last month's in every state where the pack asks for them, older ones locked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from accounts.models import User
from planners.services.assignments import charges_of
from worklogs.models import MonthlyReport
from worklogs.services.entries import is_closed
from worklogs.services.monthly import ROWS
from worklogs.services.monthly_facts import facts_of, logs_of
from worklogs.services.monthly_plan import open_month, start_report

from .texts import MONTHLY_TEXTS

MONTHS = 3


def build_monthly(today: date) -> int:
    """Returns the number of reports. What nobody owes is shown too: one voluntary report of the demo's planners."""
    first = today.replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        open_month(first, today=today)
        _volunteer(first)
    reports = list(ROWS.order_by("month", "pk"))
    for number, report in enumerate(reports):
        _write(report, number, newest=(today.replace(day=1) - timedelta(days=1)).replace(day=1))
    return len(reports)


def _volunteer(month: date) -> None:
    for user in User.objects.filter(username__startswith="planner-", planner__isnull=False):
        served = charges_of(user.planner, month)
        if served and not MonthlyReport.objects.filter(month=month, locality=served[0].charge.locality).exists():
            start_report(user.planner, actor=user, charge=served[0].charge, month=month)


def _write(report: MonthlyReport, number: int, *, newest: date) -> None:
    """Written and handed in soon after the month; the last month's partly waits, partly is not written yet."""
    state = "locked" if is_closed(report.charge_id, report.month) else "submitted"
    if report.month == newest:
        state = ("submitted", "submitted", "draft", "returned")[number % 4]
    if state == "draft":
        return
    day = report.month + timedelta(days=35)
    at = timezone.make_aware(datetime.combine(day, time(10, 30)))
    officer = logs_of(report).exclude(confirmed_by=None).values_list("confirmed_by", flat=True).first()
    if officer is None and state != "submitted":
        state = "submitted"
    received = {"accepted_at": at + timedelta(days=1), "accepted_by_id": officer, "locked_at": at + timedelta(days=1)}
    MonthlyReport.objects.filter(pk=report.pk).update(
        texts=MONTHLY_TEXTS[number % len(MONTHLY_TEXTS)], facts=facts_of(report), state=state, submitted_at=at,
        return_reason="请补充下月计划的时间安排（示例）" if state == "returned" else "",
        **(received if state == "locked" else {}),
    )  # fmt: skip
