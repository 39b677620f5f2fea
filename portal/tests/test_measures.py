"""R76 on one page: the share of meetings in recorded time equals a recount, and both measures open to their records."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from factories import make_cast, make_log, make_project
from factories_review import make_answer, make_consultation, make_consultee, make_opinion
from worklogs.meeting_time import Recorded, meeting_share, recompute
from worklogs.models import WorkLog

URL = "/measures/"
KINDS = list(WorkLog.Kind.values)


@pytest.fixture
def cast(db):
    with time_machine.travel("2026-06-15T02:00:00Z", tick=False):
        yield make_cast()


def as_user(cast, who: str) -> Client:
    client = Client()
    client.force_login(getattr(cast, who), backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client


@given(st.dictionaries(st.sampled_from(KINDS), st.tuples(st.integers(1, 60), st.integers(1, 30)), max_size=8))
def test_the_share_equals_a_recount_and_its_parts_alone_give_it(found):
    figure = meeting_share(
        [Recorded(kind, halves, logs) for kind, (halves, logs) in found.items()],
        labels=dict(WorkLog.Kind.choices), few=5,
    )  # fmt: skip
    whole = sum(halves for halves, _ in found.values())
    if not whole:
        assert figure.value is None
        return
    exact = Fraction(found.get("meeting", (0, 0))[0] * 100, whole)
    assert abs(Fraction(figure.value) - exact) <= Fraction(1, 20)
    assert recompute(figure.parts) == figure.value
    assert bool(figure.note) == (sum(logs for _, logs in found.values()) < 5)


@pytest.fixture
def logs(cast):
    for day, kind, slot in (
        (1, "meeting", "full"),
        (2, "meeting", "am"),
        (3, "survey", "full"),
        (4, "on_site", "full"),
    ):
        make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 6, day), kind=kind, slot=slot)
    make_log(cast.colleague_planner, cast.unit.charge, cast.contract, date(2026, 6, 5), slot="pm")
    # Neither a draft nor a returned log counts.
    for state in ("draft", "returned"):
        make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 6, 8), kind="meeting", state=state)
    return cast


def test_meetings_are_counted_in_half_days_by_unit_and_planner_and_open_to_the_logs(logs):
    client = as_user(logs, "bureau")
    page = client.get(URL)
    # 3 of 8 half days.
    assert page.context["share"].value == Decimal("37.5")
    rows = {row[0]: row for row in client.get(URL, {"by": "planner"}).context["table"].rows}
    assert "42.9%" in rows["单小雨"][3] and "0.0%" in rows["欧阳明"][3]
    url = str(rows["单小雨"][2]).split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "2026-06-01" in client.get(url).content.decode()
    assert client.get(URL, {"since": "2026-06-03"}).context["share"].value == Decimal("0.0")


def test_selective_uptake_stands_beside_it_for_the_same_period(logs):
    cast = logs
    request = make_consultation(
        make_project(cast.locality, units=[cast.unit]), asker=cast.unit.office, asked_by=cast.unit_officer,
        state="settled",
    )  # fmt: skip
    one, two = make_opinion(make_consultee(request, cast.own_planner, state="answered")).items.all()
    type(one).objects.filter(pk=one.pk).update(severity="must")
    make_answer(one, "refused")
    make_answer(two)
    page = as_user(cast, "bureau").get(URL, {"since": "2026-06-01"})
    gap = page.context["selective"][0]
    assert (gap.label, gap.value) == ("重要意见少采纳的幅度", "100.0")
    assert as_user(cast, "bureau").get(gap.parts[2].url).context["page"].count == 1
    assert as_user(cast, "bureau").get(URL, {"since": "2026-06-16"}).context["selective"][0].value is None


def test_each_sees_the_figures_of_what_they_may_see(logs):
    expected = {
        "bureau": "37.5", "leader": "37.5", "city": "37.5", "unit_officer": "37.5", "planner": "42.9", "lead": "37.5",
        "other_unit_officer": None, "other_bureau": None, "department": None,
    }  # fmt: skip
    for who, value in expected.items():
        share = as_user(logs, who).get(URL).context["share"].value
        assert (who, None if share is None else str(share)) == (who, value)
    for who in ("finance", "evaluator", "sysadmin", "auditor"):
        assert as_user(logs, who).get(URL).status_code == 403
    assert Client().get(URL).status_code == 302


def test_the_page_takes_the_same_queries_for_one_log_and_for_thirty(cast):
    client, counts = as_user(cast, "bureau"), []
    for size in (1, 30):
        for number in range(size):
            make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 1, 1 + number % 28))
        with CaptureQueriesContext(connection) as counted:
            assert client.get(URL).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1] <= 10
