"""Sending somebody somewhere: one lead at a time, nobody twice, and only who belongs to the contract's party."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from core.errors import Refused
from districts.services.units import retire_unit
from factories import make_cast, make_contract, make_planner, make_team
from planners.models import Assignment, Group
from planners.services.assigning import assign, end_assignment

START, END = date(2026, 1, 1), date(2026, 12, 31)


def own_contract(cast, planner):
    return make_contract(cast.locality, planner=planner, policy_version=cast.contract.policy_version)


def test_two_leads_of_one_unit_at_one_time_are_refused(cast):
    assign(
        cast.contract,
        cast.other_unit.charge,
        actor=cast.bureau,
        planner=cast.lead_planner,
        is_lead=True,
        start=START,
        end=END,
    )
    other = make_planner(cast.locality, name="仇英")
    contract = own_contract(cast, other)
    with pytest.raises(ValidationError, match="已有领衔：龚䶮"):
        assign(contract, cast.other_unit.charge, actor=cast.bureau, planner=other, is_lead=True, start=END)
    assign(contract, cast.other_unit.charge, actor=cast.bureau, planner=other, is_lead=False, start=END)
    after = make_planner(cast.locality, name="解缙")
    assign(
        own_contract(cast, after),
        cast.other_unit.charge,
        actor=cast.bureau,
        planner=after,
        is_lead=True,
        start=date(2027, 1, 1),
    )


def test_the_same_person_is_not_sent_to_one_unit_twice_at_a_time(cast):
    assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, planner=cast.own_planner, start=START, end=END)
    with pytest.raises(ValidationError, match="已派驻该责任对象"):
        assign(
            own_contract(cast, cast.own_planner),
            cast.other_unit.charge,
            actor=cast.bureau,
            planner=cast.own_planner,
            start=date(2026, 6, 1),
        )
    assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, planner=cast.own_planner, start=date(2027, 1, 1))


def test_an_assignment_without_an_end_runs_to_the_end_of_the_contract(cast):
    row = assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, planner=cast.own_planner, start=START)
    assert row.end == cast.contract.end


@pytest.mark.parametrize(("start", "end"), [(date(2024, 12, 31), None), (START, date(2028, 1, 1)), (END, START)])
def test_days_outside_the_term_or_backwards_are_refused(cast, start, end):
    with pytest.raises(ValidationError):
        assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, planner=cast.own_planner, start=start, end=end)


def test_only_the_contracts_party_is_sent(cast):
    stranger = make_planner(cast.locality)
    strange_team = make_team(cast.locality, members=(stranger,))
    strange_group = Group.objects.create(team=strange_team, name="第一组")
    for holder in ({"planner": stranger}, {"team": strange_team}, {"group": strange_group}, {}):
        with pytest.raises(ValidationError):
            assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, start=START, **holder)
    own = Group.objects.create(team=cast.team, name="第一组")
    assert assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, start=START, group=own).group == own


def test_an_institution_sends_its_people_and_its_teams(cast):
    contract = make_contract(cast.locality, institution=cast.institution, policy_version=cast.contract.policy_version)
    employee = make_planner(cast.locality, institution=cast.institution)
    assign(contract, cast.other_unit.charge, actor=cast.bureau, planner=employee, start=START)
    assign(contract, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=START)


def test_a_unit_of_another_locality_is_refused(cast):
    with pytest.raises(ValidationError, match="不属于合同所在地方"):
        assign(cast.contract, cast.foreign_unit.charge, actor=cast.bureau, planner=cast.own_planner, start=START)


def test_nobody_is_sent_to_a_unit_beyond_its_last_day(cast):
    retire_unit(cast.other_unit, actor=cast.bureau, on=date(2026, 12, 31))
    with pytest.raises(ValidationError, match="于 2026-12-31 撤销"):
        assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=START)
    assign(cast.contract, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=START, end=END)


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "other_bureau", "leader", "sysadmin"])
def test_only_the_bureau_sends(cast, who):
    with pytest.raises(Refused):
        assign(cast.contract, cast.other_unit.charge, actor=getattr(cast, who), planner=cast.own_planner, start=START)
    with pytest.raises(Refused):
        end_assignment(cast.assignment, actor=getattr(cast, who), on=START)


def test_an_assignment_is_cut_short_but_not_drawn_out(cast):
    assert end_assignment(cast.assignment, actor=cast.bureau, on=END).end == END
    with pytest.raises(ValidationError):
        end_assignment(cast.assignment, actor=cast.bureau, on=date(2027, 6, 30))


@pytest.mark.postgres
def test_the_database_itself_refuses_a_second_lead(cast):
    common = {"contract": cast.contract, "charge": cast.other_unit.charge, "is_lead": True, "start": START, "end": END}
    Assignment.objects.create(planner=cast.own_planner, **common)
    with pytest.raises(IntegrityError, match="assignment_one_lead_at_a_time"), transaction.atomic():
        Assignment.objects.create(planner=cast.colleague_planner, **common)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_lead_is_made():
    cast = make_cast()
    charge, answers, gate = cast.other_unit.charge, [], threading.Barrier(2)

    # Two contracts: with one, its own lock would hide a missing lock of the charge.
    def send(planner):
        try:
            contract = own_contract(cast, planner)
            gate.wait(5)
            assign(contract, charge, actor=cast.bureau, planner=planner, is_lead=True, start=START)
            answers.append("made")
        except ValidationError as error:
            answers.append(error.messages[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(p,)) for p in (cast.own_planner, cast.colleague_planner)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Assignment.objects.filter(charge=charge, is_lead=True).count() == 1
    assert sorted(answer == "made" for answer in answers) == [False, True]
    # The loser is told by the check under lock, in words, not by the database's constraint.
    assert any("已有领衔" in answer for answer in answers)
