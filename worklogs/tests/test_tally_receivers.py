"""Appointments, memberships and policies that change are recounted."""

from datetime import date

import pytest

import factories
from districts.services.policies import apply_demo_overlay
from planners.models import Assignment, Contract, TeamMember
from planners.signals import assignments_changed, contract_ended, contract_signed
from worklogs.models import FigureTouch
from worklogs.tests.tally_cases import fill_calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    cast = factories.make_cast()
    fill_calendar()
    return cast


def touched():
    return set(FigureTouch.objects.values_list("contract_id", "year"))


@pytest.mark.parametrize("signal", [contract_signed, contract_ended])
def test_a_contract_that_begins_or_ends_is_recounted_for_its_years(cast, signal):
    signal.send(sender=Contract, contract=cast.contract)
    assert (cast.contract.pk, 2025) in touched()
    assert (cast.contract.pk, 2024) not in touched()


def test_a_changed_assignment_recounts_the_contracts_of_the_charge(cast):
    other = factories.make_contract(cast.locality, planner=cast.own_planner)
    assignments_changed.send(sender=Assignment, charge_ids=[cast.unit.charge_id], planner_ids=[])
    assert {pk for pk, _ in touched()} == {cast.contract.pk}
    assert other.pk


def test_a_new_member_recounts_what_the_team_serves(cast):
    assignments_changed.send(sender=TeamMember, charge_ids=[], planner_ids=[cast.own_planner.pk])
    assert {pk for pk, _ in touched()} == {cast.contract.pk}


def test_a_supplement_recounts_the_contracts_under_its_version(cast):
    apply_demo_overlay()
    assert (cast.contract.pk, 2025) in touched()


def test_a_draft_is_nothing_to_recount(cast):
    Contract.objects.filter(pk=cast.contract.pk).update(state="draft", start=date(2025, 1, 1))
    assignments_changed.send(sender=Assignment, charge_ids=[cast.unit.charge_id], planner_ids=[])
    assert touched() == set()
