"""Who serves which charge, when, and under which contract."""

from __future__ import annotations

from datetime import date

import pytest

from factories import make_assignment, make_contract, make_planner, make_unit
from planners.models import Contract, Group, TeamMember
from planners.services.assignments import charges_of, contract_for, members_of, service_periods

DAY = date(2026, 5, 20)


def test_member_serves_the_units_of_the_team(cast):
    served = charges_of(cast.own_planner, DAY)
    assert [(row.charge, row.contract, row.assignment) for row in served] == [
        (cast.unit.charge, cast.contract, cast.assignment)
    ]
    assert contract_for(cast.own_planner, cast.unit.charge, DAY) == cast.contract
    assert contract_for(cast.own_planner, cast.other_unit.charge, DAY) is None


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2028, 1, 1)])
def test_nobody_serves_outside_the_term(cast, day):
    assert charges_of(cast.own_planner, day) == []


def test_the_first_and_the_last_day_of_the_term_count(cast):
    assert len(charges_of(cast.own_planner, date(2025, 1, 1))) == 1
    assert len(charges_of(cast.own_planner, date(2027, 12, 31))) == 1


def test_a_draft_gives_nobody_anything_to_record(cast):
    Contract.objects.filter(pk=cast.contract.pk).update(state="draft")
    assert charges_of(cast.own_planner, DAY) == []


def test_service_stops_on_the_day_the_contract_was_ended(cast):
    Contract.objects.filter(pk=cast.contract.pk).update(state="ended", ended_on=DAY)
    assert contract_for(cast.own_planner, cast.unit.charge, DAY) == cast.contract
    assert contract_for(cast.own_planner, cast.unit.charge, date(2026, 5, 21)) is None


def test_who_left_the_team_serves_no_longer_but_did_until_then(cast):
    TeamMember.objects.filter(planner=cast.own_planner).update(end=DAY)
    assert len(charges_of(cast.own_planner, DAY)) == 1
    assert charges_of(cast.own_planner, date(2026, 5, 21)) == []


def test_a_group_serves_by_its_own_members_alone(cast):
    group = Group.objects.create(team=cast.team, name="第一组")
    TeamMember.objects.filter(planner=cast.own_planner).update(group=group)
    make_assignment(cast.contract, cast.other_unit.charge, group=group)
    assert {row.charge for row in charges_of(cast.own_planner, DAY)} == {cast.unit.charge, cast.other_unit.charge}
    assert {row.charge for row in charges_of(cast.colleague_planner, DAY)} == {cast.unit.charge}


def test_ones_own_assignment_counts_before_that_of_the_team(cast):
    own = make_contract(cast.locality, planner=cast.own_planner, policy_version=cast.contract.policy_version)
    make_assignment(own, cast.unit.charge, planner=cast.own_planner)
    assert contract_for(cast.own_planner, cast.unit.charge, DAY) == own
    assert contract_for(cast.colleague_planner, cast.unit.charge, DAY) == cast.contract


def test_members_of_an_assignment_come_with_the_days_they_belonged(cast):
    TeamMember.objects.filter(planner=cast.colleague_planner).update(end=date(2026, 3, 31))
    found = members_of(cast.assignment, date(2026, 1, 1), date(2026, 12, 31))
    assert [(row.planner, row.start, row.end) for row in found] == [
        (cast.lead_planner, date(2026, 1, 1), date(2026, 12, 31)),
        (cast.colleague_planner, date(2026, 1, 1), date(2026, 3, 31)),
        (cast.own_planner, date(2026, 1, 1), date(2026, 12, 31)),
    ]


def test_periods_of_many_take_three_queries(cast, django_assert_num_queries):
    for number in range(10):
        planner = make_planner(cast.locality)
        contract = make_contract(cast.locality, planner=planner, policy_version=cast.contract.policy_version)
        make_assignment(contract, make_unit(cast.locality, name=f"第{number}号街道").charge, planner=planner)
    with django_assert_num_queries(2):
        periods = service_periods(locality=cast.locality.pk, start=DAY, end=DAY)
    assert len(periods) == 13
    with django_assert_num_queries(3):
        assert len(service_periods(planners=[cast.own_planner.pk, planner.pk], start=DAY, end=DAY)) == 2
