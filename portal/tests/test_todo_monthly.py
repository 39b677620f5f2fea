"""What the home page says of monthly reports: to whoever owes one, and to whoever receives it."""

from __future__ import annotations

from datetime import date

import pytest

from factories import make_cast
from portal.todo import LATER, OVERDUE, SOON, WAITING, todos_for
from worklogs.models import MonthlyReport
from worklogs.tests.monthly_cases import report_of

APRIL = date(2026, 4, 8)


@pytest.fixture
def cast(db):
    return make_cast()


def said(user, today=APRIL) -> list[tuple[int, str]]:
    return [(todo.urgency, todo.text) for todo in todos_for(user, today=today) if "月报" in todo.text]


def test_todo_of_a_report_grows_urgent_with_its_day_and_never_without_one(cast):
    report_of(cast)
    assert said(cast.planner) == [(LATER, "景山街道2026年3月工作月报待撰写")]
    MonthlyReport.objects.update(is_required=True)
    assert said(cast.planner, date(2030, 1, 1)) == [(WAITING, "景山街道2026年3月工作月报待撰写")]
    MonthlyReport.objects.update(due_on=date(2026, 4, 10))
    assert [said(cast.planner, date(2026, 4, day))[0][0] for day in (1, 8, 10, 11)] == [WAITING, SOON, SOON, OVERDUE]
    assert said(cast.bureau) == []
    assert said(cast.bureau, date(2026, 4, 11)) == [(WAITING, "工作月报已过期限未提交")]


def test_todo_of_a_report_handed_in_is_the_officers(cast):
    report_of(cast, submitted=True)
    assert said(cast.planner) == [] == said(cast.other_unit_officer)
    assert said(cast.unit_officer) == [(WAITING, "工作月报待接受")]
    MonthlyReport.objects.update(state="returned", return_reason="请补充")
    assert said(cast.planner) == [(SOON, "景山街道2026年3月工作月报被退回")]
    assert said(cast.unit_officer) == []
