"""What the home page says of project review: what waits, how pressing it is, one click from the act."""

from __future__ import annotations

from datetime import date

import pytest

from core.calendar import load_calendar
from factories import make_cast, make_project
from factories_review import make_consultation, make_consultee, make_opinion
from portal.todo import OVERDUE, SOON, WAITING, todos_for

NAMES = ("待反馈采纳情况", "待出具意见")


@pytest.fixture
def cast(db):
    load_calendar()
    return make_cast()


def said(user, today: date) -> list[tuple[int, str, int, str]]:
    return [(one.urgency, one.text, one.count, one.note) for one in todos_for(user, today=today) if one.text in NAMES]


def answered(cast, **more):
    project = make_project(cast.locality, units=[cast.unit])
    request = make_consultation(
        project, asker=cast.department.memberships.get().organisation, asked_by=cast.department, **more
    )
    consultee = make_consultee(request, cast.own_planner, state="answered" if more.get("state") else "asked")
    if more.get("state"):
        make_opinion(consultee)
    return request


def test_a_request_waits_for_the_planner_and_its_answer_for_who_asked(cast):
    asked = answered(cast)
    assert said(cast.planner, date(2026, 6, 2)) == [(WAITING, "待出具意见", 1, "最近期限 2026-06-12")]
    assert said(cast.planner, date(2026, 6, 10))[0][0] == SOON
    assert said(cast.planner, date(2026, 6, 13)) == [(OVERDUE, "待出具意见", 1, "期限 2026-06-12，已逾期")]
    assert said(cast.department, date(2026, 6, 13)) == [] == said(cast.bureau, date(2026, 6, 13))
    type(asked).objects.update(state="answered", feedback_due_on=None)
    asked.consultees.update(state="answered")
    assert said(cast.planner, date(2026, 6, 13)) == []
    assert said(cast.department, date(2030, 6, 13)) == [(WAITING, "待反馈采纳情况", 1, "")]


def test_several_of_a_kind_are_one_entry_that_opens_the_worklist(cast):
    for day in (12, 30):
        request = answered(cast, state="answered", feedback_due_on=date(2026, 6, day))
    (todo,) = [one for one in todos_for(cast.department, today=date(2026, 6, 15)) if one.text in NAMES]
    assert (todo.urgency, todo.count, todo.note) == (OVERDUE, 2, "其中 1 项已逾期")
    assert todo.url == "/projects/desk/?kind=feedback"
    type(request).objects.filter(pk=request.pk).update(state="settled")
    (todo,) = [one for one in todos_for(cast.department, today=date(2026, 6, 15)) if one.text in NAMES]
    assert todo.url.endswith("/adoption/")
