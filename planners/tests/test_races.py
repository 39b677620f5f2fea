"""Two officers at the same moment, on two real connections: the lock, behind it the database's constraint, and what
happens with neither (so that the tests are known to race)."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet

from core import saving
from core.errors import StaleState
from districts.models import Unit, UnitChange
from districts.services.unit_changes import Order, end_unit, rename_unit
from factories import Cast, make_cast, make_contract, make_planner
from planners.models import AnnualSigning, Assignment, TeamMember
from planners.services.assigning import assign
from planners.services.contracts import add_annual_signing
from planners.services.teams import add_member, set_lead

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
START, END = date(2026, 1, 1), date(2026, 12, 31)
# Migrations whose constraints are the second wall.
WALLS = {
    name: (table, rule)
    for module in ("0002_overlaps_refused", "0005_more_overlaps_refused")
    for name, given in importlib.import_module(f"planners.migrations.{module}").CONSTRAINTS.items()
    for table, rule in [given if isinstance(given, tuple) else ("planners_assignment", given)]
}


@dataclass(frozen=True)
class Race:
    """Two acts that may not both succeed. `door`: module that saves; `wall`: constraint; `told`: what the second one of
    them is told by the check, then by the constraint; `made`: the rows that they make."""

    door: str
    wall: str
    acts: tuple[Callable[[], Any], Callable[[], Any]]
    told: tuple[str, str]
    made: QuerySet[Any]


def lead(cast: Cast) -> Race:
    charge, people = cast.other_unit.charge, (cast.own_planner, cast.colleague_planner)
    contracts = [make_contract(cast.locality, planner=p, policy_version=cast.contract.policy_version) for p in people]
    acts = [
        lambda c=c, p=p: assign(c, charge, actor=cast.bureau, planner=p, is_lead=True, start=START, end=END)
        for c, p in zip(contracts, people, strict=True)
    ]
    made = Assignment.objects.filter(charge=charge, is_lead=True)
    words = ("该责任对象在此期间已有领衔：", "该责任对象在此期间已有领衔，可能刚由他人办理")
    return Race("planners.services.assigning", "assignment_one_lead_at_a_time", tuple(acts), words, made)


def holder(cast: Cast) -> Race:
    charge = cast.other_unit.charge
    roles = ("member", "architect")
    contracts = [
        make_contract(cast.locality, team=cast.team, role_type=r, policy_version=cast.contract.policy_version)
        for r in roles
    ]
    acts = [
        lambda c=c: assign(c, charge, actor=cast.bureau, planner=cast.own_planner, start=START, end=END)
        for c in contracts
    ]
    made = Assignment.objects.filter(charge=charge)
    words = ("在此期间已派驻该责任对象（", "在此期间已派驻该责任对象，可能刚由他人办理")
    return Race("planners.services.assigning", "assignment_planner_once_at_a_time", tuple(acts), words, made)


def party(cast: Cast) -> Race:
    charge, people = cast.other_unit.charge, (cast.own_planner, cast.colleague_planner)
    contracts = [
        make_contract(cast.locality, team=cast.team, policy_version=cast.contract.policy_version) for _ in people
    ]
    acts = [
        lambda c=c, p=p: assign(c, charge, actor=cast.bureau, planner=p, start=START, end=END)
        for c, p in zip(contracts, people, strict=True)
    ]
    made = Assignment.objects.filter(charge=charge)
    words = ("同一受聘方的合同", "同一受聘方的另一份合同在此期间已派驻该责任对象，可能刚由他人办理")
    wall = "assignment_party_one_contract_at_a_time"
    return Race("planners.services.assigning", wall, tuple(acts), words, made)


def member(cast: Cast) -> Race:
    planner = make_planner(cast.locality)
    acts = [lambda on=on: add_member(cast.team, planner, actor=cast.bureau, start=on) for on in (START, END)]
    made = TeamMember.objects.filter(planner=planner)
    words = ("在此期间已在本团队；换组", "该规划师在此期间已在本团队，可能刚由他人登记")
    return Race("planners.services.teams", "team_member_once_at_a_time", tuple(acts), words, made)


def signing(cast: Cast) -> Race:
    starts = (date(2025, 1, 1), date(2025, 6, 1))
    acts = [
        lambda on=on: add_annual_signing(
            cast.contract, actor=cast.bureau, start=on, end=date(2025, 12, 31), signed_on=on
        )
        for on in starts
    ]
    words = ("与已登记的年度重叠", "与刚刚登记的年度重叠")
    wall = "annual_signing_once_at_a_time"
    return Race("planners.services.contracts", wall, tuple(acts), words, AnnualSigning.objects.all())


def run(acts: Any, door: str, monkeypatch: Any, *, locked: bool) -> list[str]:
    """Run both acts, each on its own connection, until both are about to save (or one is kept waiting by the other)."""
    gate, turn = threading.Barrier(2), threading.Lock()

    def save(obj: Any, **kwargs: Any) -> None:
        # Behind a lock only one gets here; it goes on alone after a moment. Without, both do, however slow the machine.
        with contextlib.suppress(threading.BrokenBarrierError):
            gate.wait(0.4 if locked else 10)
        # One row is there, uncommitted, before the other comes: two that look for each other at once may each wait for
        # the other, which the database ends in other words.
        with turn:
            saving.save_checked(obj, **kwargs)

    monkeypatch.setattr(f"{door}.save_checked", save)
    if not locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
    answers: list[str] = []

    def act(one: Callable[[], Any]) -> None:
        try:
            one()
            answers.append("done")
        except ValidationError as error:
            answers.append("；".join(error.messages))
        except StaleState as error:
            answers.append(error.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers, key=lambda answer: answer != "done")


@pytest.fixture
def without_wall():
    """Take a constraint away for one test."""
    taken: list[str] = []

    def take(name: str) -> None:
        taken.append(name)
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {WALLS[name][0]} DROP CONSTRAINT {name}")

    yield take
    for name in taken:
        table, rule = WALLS[name]
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}")


def test_of_two_at_once_one_is_told_by_the_check_or_by_the_database_and_with_neither_both_get_in(
    monkeypatch, without_wall
):
    cast = make_cast()
    for make in (lead, holder, party, member, signing):
        race = make(cast)
        for locked, told in ((True, race.told[0]), (False, race.told[1])):
            with monkeypatch.context() as patch:
                answers = run(race.acts, race.door, patch, locked=locked)
            assert (race.wall, answers[0], race.made.count()) == (race.wall, "done", 1)
            assert told in answers[1]
            race.made.delete()
        without_wall(race.wall)
        with monkeypatch.context() as patch:
            assert (race.wall, run(race.acts, race.door, patch, locked=False)) == (race.wall, ["done", "done"])
        assert race.made.count() == 2
        race.made.delete()


@pytest.mark.parametrize("locked", [True, False])
def test_of_two_leads_set_at_once_the_second_is_told(monkeypatch, locked):
    cast = make_cast()
    seen = cast.team.lead_id
    acts = [
        lambda p=p: set_lead(cast.team, p, actor=cast.bureau, on=START, seen=seen)
        for p in (cast.own_planner, cast.colleague_planner)
    ]
    answers = run(acts, "planners.services.teams", monkeypatch, locked=locked)
    if locked:
        assert answers[0] == "done"
        assert answers[1].startswith("已被他人处理：领衔规划师刚刚改为")
    else:
        assert answers == ["done", "done"]


@pytest.mark.parametrize("locked", [True, False])
def test_of_two_changes_of_one_unit_at_once_one_is_made(monkeypatch, locked):
    cast = make_cast()
    order = Order(
        effective=date(2026, 7, 1), document_number="东政发〔2026〕8号", document_date=date(2026, 6, 1), seen=0
    )
    acts = [
        lambda name=name: rename_unit(cast.unit, actor=cast.bureau, order=order, name=name)
        for name in ("甲街道", "乙街道")
    ]
    answers = run(acts, "districts.services.unit_changes", monkeypatch, locked=locked)
    if locked:
        assert answers[0] == "done"
        assert answers[1].startswith("已被他人处理：")
        assert UnitChange.objects.count() == 1
    else:
        assert UnitChange.objects.count() == 2


def test_a_unit_that_somebody_just_ended_is_not_ended_again():
    cast = make_cast()
    order = Order(effective=date(2026, 7, 1), document_number="东政发〔2026〕8号", document_date=date(2026, 6, 1))
    stale = Unit.objects.get(pk=cast.other_unit.pk)
    end_unit(cast.other_unit, actor=cast.bureau, order=order)
    with pytest.raises(StaleState, match="已被他人处理"):
        rename_unit(stale, actor=cast.bureau, order=Order(**{**_fields(order), "seen": 0}), name="甲街道")


def _fields(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in ("effective", "document_number", "document_date")}
