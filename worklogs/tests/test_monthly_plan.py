"""Who owes a monthly report, and by when, is the pack's to say; where it says nothing nobody owes one."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from accounts.roles import Role
from core.models import Notification
from districts.services.policy_loading import apply_demo_overlay
from factories import make_membership, make_policy_version, make_user
from planners.models import Planner
from worklogs.models import MonthlyReport
from worklogs.services.monthly_plan import open_month, plan_of, remind, start_report
from worklogs.tests.monthly_cases import MARCH, tongzhou_team

APRIL = date(2026, 4, 2)


@pytest.fixture
def contract(cast):
    return tongzhou_team(cast)


def test_monthly_plan_as_published_asks_teams_and_sets_no_day(cast, contract):
    plan = plan_of(cast.other_locality, MARCH)
    assert (plan.title, plan.is_required, plan.by_team, plan.due_days) == ("工作月报", True, True, None)
    assert plan.due_on(MARCH) is None
    assert [value.is_set for value in plan.origins] == [True, True, False]


def test_monthly_plan_with_a_local_day_is_counted_from_the_end_of_the_month(cast, contract):
    apply_demo_overlay()
    assert plan_of(cast.other_locality, MARCH).due_on(MARCH) == date(2026, 4, 10)
    assert plan_of(cast.other_locality, MARCH).due_on(date(2028, 2, 1)) == date(2028, 3, 10)


@pytest.mark.parametrize("slug", ["beijing-core", "jincheng", "liaocheng"])
def test_monthly_plan_of_a_pack_without_ledgers_asks_nobody(cast, slug):
    make_policy_version(cast.locality, slug)
    plan = plan_of(cast.locality, date(2022, 12, 1))
    assert not plan.is_required and plan.due_on(MARCH) is None
    assert open_month(MARCH, today=APRIL) == 0


def test_monthly_plan_opens_one_draft_for_each_team_and_place_once(cast, contract):
    assert open_month(MARCH, today=date(2026, 3, 31)) == 0, "the month is not over"
    assert open_month(MARCH, today=APRIL) == 1
    assert open_month(MARCH, today=APRIL) == 0
    report = MonthlyReport.objects.get()
    assert (report.author, report.is_team, report.is_required) == (contract.team.lead, True, True)
    # Where no day is set nobody is ever late.
    assert (report.due_on, MonthlyReport.objects.late(date(2030, 1, 1)).count()) == (None, 0)
    assert Notification.objects.filter(user=cast.foreign, kind="monthly.open").count() == 1
    assert remind(date(2030, 1, 1)) == 0


def test_monthly_plan_reminds_before_and_after_the_day_once_each(cast, contract):
    apply_demo_overlay()
    open_month(MARCH, today=APRIL)
    told = [remind(date(2026, 4, day)) for day in (6, 7, 8, 10, 11, 12)]
    assert told == [0, 1, 1, 1, 1, 1]
    texts = Notification.objects.filter(user=cast.foreign, kind="monthly.due").order_by("pk")
    assert [n.text.partition("：")[2] for n in texts] == ["请于 2026-04-10 前提交", "已过报送期限 2026-04-10"]
    assert MonthlyReport.objects.late(date(2026, 4, 10)).count() == 0
    assert MonthlyReport.objects.late(date(2026, 4, 11)).count() == 1


def test_monthly_plan_leaves_the_teams_report_to_its_lead(cast, contract):
    member = Planner.objects.filter(team_memberships__team=contract.team).exclude(pk=contract.team.lead_id).get()
    member.user = make_user("组员")
    make_membership(member.user, Role.PLANNER, cast.other_locality)
    member.save()
    charge = contract.assignments.get().charge
    with pytest.raises(ValidationError, match="由团队领衔规划师上报"):
        start_report(member, actor=member.user, charge=charge, month=MARCH)
    report = start_report(contract.team.lead, actor=cast.foreign, charge=charge, month=MARCH)
    assert report.is_team and start_report(contract.team.lead, actor=cast.foreign, charge=charge, month=MARCH) == report


def test_monthly_plan_lets_anybody_write_one_of_their_own_accord(cast):
    report = start_report(cast.own_planner, actor=cast.planner, charge=cast.unit.charge, month=date(2026, 3, 17))
    assert (report.month, report.is_required, report.is_team, report.due_on) == (MARCH, False, False, None)
    with pytest.raises(ValidationError, match="不在“东四街道”服务"):
        start_report(cast.own_planner, actor=cast.planner, charge=cast.other_unit.charge, month=MARCH)
    with pytest.raises(ValidationError, match="尚未开始"):
        start_report(cast.own_planner, actor=cast.planner, charge=cast.unit.charge, month=date(2199, 1, 1))
