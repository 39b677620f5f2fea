"""Every move of every machine of review, from every state, by every role: who may, and that nothing else moves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import transaction

from core.errors import Refused, StaleState
from core.models import AuditEntry
from core.transitions import MACHINES, Machine, apply_move
from districts.access import forget_access
from factories_review import make_consultation, make_consultee, make_opinion
from projects.models import DataRequest, Dispute, Extension, HardQuestion
from projects.tests.field_cases import NOON, decide, raise_one, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
ROLES = (
    "bureau", "unit_officer", "department", "lead", "planner", "colleague", "leader", "city", "other_bureau",
    "other_unit_officer", "foreign", "finance", "evaluator", "sysadmin", "secadmin", "auditor",
)  # fmt: skip
OURS = sorted(name for name in MACHINES if name.startswith("projects."))
# What the database asks of a row in one state or another.
WHOLE = {
    "reason": "试", "answer": "试", "level": "internal", "outcome": "upheld", "ruling": "试", "ruled_on": date(2026, 6, 9),
    "closed_on": date(2026, 6, 9), "verdict": "agree", "submitted_at": datetime(2026, 6, 9, tzinfo=UTC),
}  # fmt: skip
# Moves that follow from what somebody did elsewhere: services make them, no button and no address leads to them.
FOLLOWING = {
    "projects.consultation": {"complete", "conclude", "lapse", "replace", "renew", "settle", "close"},
    "projects.consultee": {"answer", "let_go", "keep_out", "attend", "miss"},
    "projects.extension": {"drop"},
    "projects.opinion": {"fall_back", "renew"},
}
OFFICES = {"bureau", "unit_officer", "department"}
# The case: a project of the department in the unit, asked about by the department; its planner serves with a team.
DESK = {"bureau", "department"}
FOLLOWERS = {"planner", "lead", "colleague"}
# The tables of projects/README.md in this case.
WHO: dict[str, dict[str, set[str]]] = {
    "projects.project": dict.fromkeys(
        ("enter_initiation", "enter_scheme", "enter_construction", "enter_acceptance", "finish"), OFFICES
    ),
    "projects.projectstage": dict.fromkeys(("pass", "send_back", "skip", "go_back"), OFFICES),
    "projects.consultation": {
        "suspend": DESK, "resume": DESK, "withdraw": DESK, "withdraw_answered": {"bureau"},
    },
    "projects.consultee": {
        "decline": {"planner"}, "recuse": {"planner"} | DESK, "substitute": {"planner", "lead"} | DESK, "release": DESK,
    },
    "projects.extension": {"grant": DESK, "refuse": DESK},
    "projects.opinion": {
        "send": {"planner"}, "submit": {"planner"}, "take_back": {"planner"}, "endorse": {"lead"}, "return": {"lead"},
    },
    # A contractor answers through its link, lateness is the calendar's, and lifting follows a ruling.
    "projects.rectification": {
        "reply": OFFICES, "answer": set(), "close": FOLLOWERS, "reject": FOLLOWERS, "escalate": OFFICES | FOLLOWERS,
        "overdue": set(), "waive": {"bureau"}, "lift": {"leader"},
    },
    "projects.dispute": {"hear": FOLLOWERS, "rule": {"leader"}, "withdraw": {"department"}},
    "projects.hardquestion": {"answer": {"planner"}, "withdraw": {"leader", "bureau"}},
    "projects.datarequest": {"grant": {"bureau"}, "refuse": {"bureau"}, "withdraw": {"planner"}},
}  # fmt: skip


@pytest.fixture
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def things(cast) -> dict[str, Any]:
    """One of each, by machine."""
    decide(cast, review__waiver_by="[bureau]", review__endorsement="true")
    project = site(cast)
    department = cast.department.memberships.get().organisation
    asked = make_consultation(
        project, asker=department, asked_by=cast.department, due_on=date(2026, 6, 30), planners=(cast.own_planner,)
    )
    seat = asked.consultees.get()
    extension = Extension.objects.create(consultation=asked, days=3, reason="踏勘", asked_by=cast.planner)
    stage = project.stages.get()
    dispute = Dispute.objects.create(
        locality=cast.locality, project=project, stage=stage, number="FQ-1", title="工期", raised_by=cast.department,
        raised_for="委办局", raised_side="parties", filed_on=date(2026, 6, 1), route="区政府",
    )  # fmt: skip
    question = HardQuestion.objects.create(
        locality=cast.locality, planner=cast.own_planner, asker=cast.bureau.memberships.get().organisation,
        asked_by=cast.leader, asked_on=date(2026, 6, 1), title="老旧管线如何统筹", charge=cast.unit.charge,
    )  # fmt: skip
    data = DataRequest.objects.create(
        locality=cast.locality, project=project, planner=cast.own_planner, what="地下管线图", purpose="方案审查"
    )
    written = make_consultation(
        project, asker=department, asked_by=cast.department, due_on=date(2026, 6, 30),
        policy_version=cast.contract.policy_version,
    )  # fmt: skip
    opinion = make_opinion(make_consultee(written, cast.own_planner), state="draft")
    return {
        "projects.project": project, "projects.projectstage": stage, "projects.consultation": asked,
        "projects.consultee": seat, "projects.extension": extension, "projects.opinion": opinion,
        "projects.rectification": raise_one(cast, project), "projects.dispute": dispute,
        "projects.hardquestion": question, "projects.datarequest": data,
    }  # fmt: skip


def states_of(machine: Machine) -> list[str]:
    return [value for value, _ in machine.model_class._meta.get_field(machine.field).choices]


def put(thing: Any, machine: Machine, state: str) -> Any:
    """The same row in another state, as if it had always been there."""
    known = {field.name for field in machine.model_class._meta.fields}
    more = {name: value for name, value in WHOLE.items() if name in known}
    type(thing).objects.filter(pk=thing.pk).update(**{machine.field: state}, **more)
    return type(thing).objects.get(pk=thing.pk)


def test_nothing_of_review_moves_but_by_a_machine_that_is_tried_here(things):
    assert set(things) == set(OURS) == set(WHO)
    for name, moves in FOLLOWING.items():
        assert moves | set(WHO[name]) == {move.name for move in MACHINES[name].moves}


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_from_a_state_where_a_move_does_not_start_nobody_makes_it(cast, things, name):
    machine, thing = MACHINES[name], things[name]
    entries = AuditEntry.objects.filter(result="ok").count()
    for move in machine.moves:
        for state in set(states_of(machine)) - set(move.sources):
            row = put(thing, machine, state)
            for role in ROLES:
                with pytest.raises((Refused, StaleState)), transaction.atomic():
                    apply_move(row, machine, move.name, actor=getattr(cast, role), reason="试")
                assert getattr(type(row).objects.get(pk=row.pk), machine.field) == state
    assert AuditEntry.objects.filter(result="ok").count() == entries, "what was refused leaves no trace of an act"


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_each_move_is_made_by_whom_it_is_for_and_by_nobody_else(cast, things, name):
    machine, thing = MACHINES[name], things[name]
    found: dict[str, set[str]] = {}
    for move in machine.moves:
        if move.name in FOLLOWING.get(name, ()):
            continue
        who = found[move.name] = set()
        for state in move.sources:
            row = put(thing, machine, state)
            for role in ROLES:
                forget_access(getattr(cast, role))
                if move.predicate(getattr(cast, role), row):
                    who.add(role)
    assert found == WHO[name]
