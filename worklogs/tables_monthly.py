"""Rows of the list of monthly reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from worklogs import permissions_monthly as may
from worklogs.models import MonthlyReport

if TYPE_CHECKING:
    from accounts.models import User

TONES = {"draft": "neutral", "submitted": "waiting", "returned": "bad", "accepted": "info", "locked": "good"}


@dataclass(frozen=True, slots=True)
class MonthlyLine:
    """A report as a row: `url` empty where the person may know that it is owed, but not read it yet."""

    report: MonthlyReport
    url: str
    tone: str
    late_days: int
    may_accept: bool

    @property
    def state(self) -> str:
        return self.report.get_state_display()


def lines_of(rows: Sequence[MonthlyReport], *, user: User, today: date) -> list[MonthlyLine]:
    return [line_of(report, user=user, today=today) for report in rows]


def line_of(report: MonthlyReport, *, user: User, today: date) -> MonthlyLine:
    hidden = report.state == MonthlyReport.State.DRAFT and not may.is_author(user, report)
    late = 0
    if report.is_required and report.is_open and report.due_on is not None:
        late = max(0, (today - report.due_on).days)
    return MonthlyLine(
        report, "" if hidden else report.get_absolute_url(), TONES[report.state], late,
        bool(may.can_accept(user, report)),
    )  # fmt: skip
