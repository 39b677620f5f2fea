"""The same project asks whom each locality's pack says, and what their word counts as there."""

from __future__ import annotations

from datetime import date

import pytest

from projects.models import Consultation, Consultee
from projects.services.consultations import Request, ask
from projects.tests.review_cases import MONDAY, beijing, jincheng, liaocheng, on_day, tongzhou

pytestmark = pytest.mark.django_db
REQUEST = Request(subject="请对方案提出意见")


def send(place, request: Request = REQUEST) -> Consultation:
    with on_day(MONDAY):
        return ask(place.project, actor=place.bureau, request=request)


def names(consultation: Consultation) -> set[str]:
    return set(consultation.consultees.values_list("planner__name", flat=True))


@pytest.mark.parametrize("demo", [False, True], ids=["as published", "with the overlay"])
@pytest.mark.parametrize(
    ("tier", "expected", "form", "weight"),
    [
        ("区级战略项目", {"顶级丁"}, "决策参考", ""),
        ("区级重点项目", {"首席甲", "建筑师丙"}, "审查意见", "上报区政府决策的重要依据"),
        ("普通项目", {"片区乙", "建筑师丙"}, "咨询建议", "相关工作的重要支撑"),
    ],
)
def test_tongzhou_asks_by_its_tier_table(demo, tier, expected, form, weight):
    found = send(tongzhou(tier=tier, demo=demo))
    assert names(found) == expected
    rows = set(found.consultees.values_list("opinion_form", "weight", "chosen"))
    # The table says nothing of a strategic project's weight; what a stage counts as does not stand in for it.
    assert rows == {(form, weight, "tier")}
    row = found.consultees.first()
    assert row.clause["document"] == "通政办发〔2021〕10号" and row.clause["article"] == "三(四)2"
    # 三(一)6: a written opinion on the 实施方案 of a renewal project.
    assert found.mode == "required"


def test_tongzhou_has_a_term_with_the_overlay_alone():
    published = send(tongzhou())
    assert (published.term_days, published.due_on, published.term_clause["origin"]) == (None, None, "unset")


def test_tongzhou_terms_of_the_overlay_are_workdays():
    found = send(tongzhou(demo=True))
    # Seven workdays after Monday 1 June 2026.
    assert (found.term_days, found.due_on, found.term_clause["origin"]) == (7, date(2026, 6, 10), "decision")
    assert found.feedback_days == 15


def test_tongzhou_asks_nobody_to_consult_where_its_pack_has_no_row_for_the_stage():
    found = send(tongzhou(kind="building"))
    assert (found.mode, found.clause["origin"]) == ("", "clause")
    assert names(found) == {"首席甲", "建筑师丙"}


def test_tongzhou_without_a_tier_asks_whoever_serves_the_unit():
    found = send(tongzhou(tier=""))
    assert names(found) == {"首席甲"}
    assert set(found.consultees.values_list("chosen", flat=True)) == {"charge"}


@pytest.mark.parametrize("demo", [False, True], ids=["as published", "with the overlay"])
def test_beijing_core_asks_the_team_that_serves_the_street_by_its_lead(demo):
    found = send(beijing(demo=demo))
    assert names(found) == {"领衔甲"}
    assert (found.mode, found.consultees.get().weight) == ("required", "审批的重要参考")
    assert found.consultees.get().opinion_form == ""
    assert found.due_on == (date(2026, 6, 15) if demo else None)


@pytest.mark.parametrize(
    ("stage", "mode"),
    [("initiation", "takes_part"), ("scheme", "required"), ("construction", "regular"), ("acceptance", "required")],
)
def test_beijing_core_says_of_each_stage_how_strongly(stage, mode):
    assert send(beijing(stage=stage)).mode == mode


@pytest.mark.parametrize("demo", [False, True], ids=["as published", "with the overlay"])
def test_jincheng_asks_the_planners_of_the_project_and_of_the_unit(demo):
    found = send(jincheng(demo=demo))
    assert names(found) == {"单元甲", "项目乙"}
    assert found.mode == "takes_part"
    assert found.due_on == (date(2026, 6, 15) if demo else None)


def test_liaocheng_invites_the_group_that_serves_the_unit():
    found = send(liaocheng())
    assert names(found) == {"外地甲", "本地乙"}
    assert found.mode == "invited"
    text = found.consultees.first().planner.user.notifications.get().text
    assert "邀请您提出意见" in text


def test_liaocheng_as_published_has_lapsed_and_binds_nobody():
    found = send(liaocheng(demo=False))
    assert (found.policy_version_id, found.mode, found.due_on) == (None, "", None)
    assert names(found) == {"外地甲", "本地乙"}


def test_an_empty_seat_is_told_and_recorded():
    place = tongzhou()
    place.people["architect"].team_memberships.update(end=date(2026, 1, 1))
    found = send(place)
    assert names(found) == {"首席甲"}
    from core import audit

    assert audit.history(found).get().detail["empty_seats"] == ["责任建筑师"]


def test_a_contract_that_has_ended_seats_nobody():
    place = tongzhou(tier="区级战略项目")
    place.people["top_chief"].contracts.update(state="ended", ended_on=date(2026, 5, 31))
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError, match="没有可以征询的规划师"):
        send(place)
    assert Consultee.objects.count() == 0
