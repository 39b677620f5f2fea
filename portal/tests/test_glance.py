"""The figures of the home page: each role has some, each opens to what it counts, and the count is the same there."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from core import audit
from core.calendar import load_calendar
from factories import Cast, make_cast, make_log, make_project
from factories_review import make_answer, make_consultation, make_consultee, make_opinion, make_rectification
from portal.glance import glance_for
from projects.models import StageDecision
from worklogs.services.figures import recount_year

ROLES = (
    "bureau",
    "leader",
    "city",
    "department",
    "finance",
    "evaluator",
    "sysadmin",
    "secadmin",
    "auditor",
    "planner",
    "unit_officer",
)


@pytest.fixture
def cast(db) -> Cast:
    load_calendar(only={2026})
    return make_cast()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tiles_of(user, today: date | None = None) -> dict[str, dict]:
    glance = glance_for(user, today=today or timezone.localdate())
    return {tile["label"]: tile for part in glance.parts for tile in part.tiles}


@pytest.mark.parametrize("who", ROLES)
def test_each_role_has_figures_and_each_opens(cast, who):
    user = getattr(cast, who)
    client, tiles = client_of(user), tiles_of(user)
    assert tiles
    assert {label: client.get(tile["url"]).status_code for label, tile in tiles.items()} == dict.fromkeys(tiles, 200)


def test_what_passed_unasked_is_red_and_counted_where_it_opens(cast):
    project = make_project(cast.locality, units=[cast.unit], stage="scheme")
    assert tiles_of(cast.leader)["未经征询即通过"]["tone"] == "good"
    StageDecision.objects.create(
        stage=project.stages.get(), decided_on=date(2026, 3, 2), ground="unconsulted", recorded_by=cast.bureau
    )
    tile = tiles_of(cast.leader)["未经征询即通过"]
    assert (tile["value"], tile["tone"]) == (1, "bad")
    assert project.name in client_of(cast.leader).get(tile["url"]).content.decode()
    assert tiles_of(cast.other_bureau)["未经征询即通过"]["value"] == 0


def test_what_was_taken_up_is_the_figure_of_its_page(cast):
    project = make_project(cast.locality, units=[cast.unit])
    asked = make_consultation(
        project, asker=cast.department.memberships.get().organisation, asked_by=cast.department,
        state="answered", feedback_due_on=date(2026, 6, 12),
    )  # fmt: skip
    make_answer(make_opinion(make_consultee(asked, cast.own_planner, state="answered")).items.first())
    today = timezone.localdate()
    tiles = tiles_of(cast.department, today)
    assert tiles["待反馈采纳情况"] | {"url": ""} == {
        "label": "待反馈采纳情况", "value": 1, "unit": "件", "url": "", "note": "其中逾期 1 件", "tone": "bad",
    }  # fmt: skip
    rate = tiles[f"{today.year}年意见采纳率"]
    assert f"{rate['value']}%" in client_of(cast.department).get(rate["url"]).content.decode().replace(" ", "")


def test_administrators_count_what_the_audit_page_lists(cast):
    for result in ("ok", "refused", "error"):
        audit.record("list.export", actor=cast.bureau, locality=cast.locality, detail={"list": "x"}, result=result)
    told = counted_and_listed(cast.auditor)
    assert told["其中被拒绝"] == told["其中出错"] == (1, 1)
    assert told["近七天审计记录"][0] == told["近七天审计记录"][1] >= 4
    held = counted_and_listed(cast.secadmin)
    assert held["有效身份"][0] > 5 and all(counted == listed for counted, listed in held.values())


def test_what_offices_count_is_what_the_page_behind_it_lists(cast):
    project = make_project(cast.locality, units=[cast.unit])
    office = cast.department.memberships.get().organisation
    for state in ("asked", "suspended", "answered", "answered", "settled"):
        make_consultation(project, asker=office, asked_by=cast.department, state=state)
    for state in ("open", "replied", "closed"):
        make_rectification(project, raised_by=cast.own_planner, state=state)
    found = counted_and_listed(cast.bureau)
    assert found["征询中"] == (1, 1) and found["待反馈采纳情况"] == (2, 2) and found["整改未办结"] == (2, 2)
    assert found["履行中的合同"] == (1, 1)
    make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 3), state="confirmed")
    recount_year(year=2026)
    money = counted_and_listed(cast.finance, date(2026, 7, 1))
    assert money["未达到要求"] == (1, 1) and money["履行中的合同"] == (1, 1)


def counted_and_listed(user, today: date | None = None) -> dict[str, tuple]:
    """Label of each tile → (its number, rows of the page that it opens)."""
    found, client = {}, client_of(user)  # logged in once, before anything is counted: the audit tells of it
    for label, tile in tiles_of(user, today).items():
        context = client.get(tile["url"]).context
        rows = context["lines"] if "lines" in context else context["table"].rows if "table" in context else ()
        found[label] = (tile["value"], len(rows))
    return found


def test_the_chart_has_twelve_months_and_says_them_in_words(cast):
    assert glance_for(cast.bureau, today=date(2026, 12, 5)).chart is None
    for on, kind in ((date(2026, 1, 5), "survey"), (date(2026, 12, 1), "meeting"), (date(2025, 12, 31), "survey")):
        make_log(cast.own_planner, cast.unit.charge, cast.contract, on, kind=kind)
    chart = glance_for(cast.bureau, today=date(2026, 12, 5)).chart
    assert chart.option["xAxis"]["data"][::11] == ["2026-01", "2026-12"]
    assert [bars["data"][::11] for bars in chart.option["series"]] == [[1, 0], [0, 1]]
    assert chart.words.startswith("2026年1月 1 条") and chart.words.endswith("2026年12月 1 条（会议 1 条）")
    assert glance_for(cast.other_bureau, today=date(2026, 12, 5)).chart is None


@pytest.mark.parametrize("who", ["bureau", "leader", "department", "secadmin"])
def test_the_page_takes_few_queries(cast, who, django_assert_max_num_queries):
    client = client_of(getattr(cast, who))
    client.get("/home/")
    with django_assert_max_num_queries(46):
        assert client.get("/home/").status_code == 200
