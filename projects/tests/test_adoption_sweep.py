"""Answers that are owed: reminded before their day, carried upward after it, each step told once, and never lowered."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine

from core.models import AuditEntry, Notification
from factories import make_organisation
from projects.models import Consultation, ItemAnswer
from projects.services.adoption import answer_items, change_answer, hand_on
from projects.services.adoption_sweeps import sweep
from projects.tasks import sweep_adoption
from projects.tests.adoption_cases import TODAY, adopted, make_case, refused


@pytest.fixture(autouse=True)
def in_june():
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield


@pytest.fixture
def case(cast):
    # Due on Friday the 26th of June 2026.
    return make_case(cast, items=2)


def told(kind: str) -> dict[str, int]:
    """{name: how many} of the notices of a kind."""
    found: dict[str, int] = {}
    for row in Notification.objects.filter(kind=kind).select_related("user"):
        found[row.user.name] = found.get(row.user.name, 0) + 1
    return found


def test_who_owes_an_answer_is_reminded_once_three_workdays_before(case):
    assert sweep(date(2026, 6, 22)).reminded == 0  # Monday: four workdays left
    for _ in range(2):
        sweep(date(2026, 6, 23))
        sweep(date(2026, 6, 26))
    assert told("adoption.soon") == {"委办局干部": 1}


def test_a_late_answer_goes_up_to_the_bureau_and_then_to_the_leader_and_each_is_told_once(case):
    assert sweep(date(2026, 6, 26)).escalated == 0
    # Saturday and Sunday are no workdays.
    assert sweep(date(2026, 6, 28)).escalated == 0
    assert sweep(date(2026, 6, 29)).escalated == 1
    assert sweep(date(2026, 6, 29)).escalated == 0
    assert told("adoption.overdue") == {"委办局干部": 1, "分局干部": 1}
    assert sweep(date(2026, 7, 3)).escalated == 0
    assert sweep(date(2026, 7, 6)).escalated == 1
    assert told("adoption.overdue") == {"委办局干部": 2, "分局干部": 2, "区领导": 1}
    assert sweep(date(2026, 12, 1)).escalated == 0
    levels = [row.detail["level"] for row in AuditEntry.objects.filter(action="consultation.escalate").order_by("pk")]
    assert levels == [1, 2]


def test_without_a_term_nothing_is_late(cast):
    make_case(cast, feedback_due_on=None)
    assert sweep(date(2027, 1, 1)) == sweep(date(2027, 1, 1))
    assert sweep(date(2027, 1, 1)).escalated == 0
    assert not Notification.objects.exists()


def test_what_is_answered_is_not_carried_upward(case):
    answer_items(case.consultation, actor=case.cast.department, answers={item.pk: refused() for item in case.items})
    assert sweep(date(2026, 12, 1)).escalated == 0


def test_an_escalation_survives_a_new_version_and_a_change_of_the_body(case, cast):
    sweep(date(2026, 7, 6))
    assert Consultation.objects.get().feedback_escalation == 2
    hand_on(case.consultation.asker, actor=cast.bureau)
    case.consultation.refresh_from_db()
    assert case.consultation.feedback_escalation == 2
    assert sweep(date(2026, 7, 7)).escalated == 0


def test_what_was_adopted_and_not_done_in_time_goes_up_item_by_item(case, cast):
    one, two = case.items
    answer_items(case.consultation, actor=cast.department, answers={one.pk: adopted(), two.pk: refused()})
    assert sweep(date(2026, 7, 31)).escalated == 0
    assert sweep(date(2026, 8, 3)).escalated == 1
    assert told("adoption.undone") == {"委办局干部": 1, "分局干部": 1}
    # A new version of the answer does not begin anew.
    answer = one.answers.get()
    with time_machine.travel("2026-08-04T02:00:00Z", tick=False):
        made = change_answer(
            answer, actor=cast.department, given=adopted(due_on=date(2026, 8, 5)), change_reason="材料推迟"
        )
    assert made.escalation == 1
    assert sweep(date(2026, 8, 6)).escalated == 0
    assert sweep(date(2026, 8, 13)).escalated == 1
    assert told("adoption.undone")["区领导"] == 1


def test_a_request_with_nothing_to_answer_is_settled(cast):
    empty = make_case(cast, items=0)
    assert sweep(TODAY).settled == 1
    empty.consultation.refresh_from_db()
    assert empty.consultation.state == "settled"
    assert sweep(TODAY).settled == 0


def test_what_a_closed_body_came_to_owe_later_is_handed_on(case, cast):
    body = case.consultation.asker
    type(body).objects.filter(pk=body.pk).update(
        is_active=False, succeeded_by=make_organisation(cast.locality, "department")
    )
    assert (sweep(TODAY).handed_on, sweep(TODAY).handed_on) == (1, 0)
    case.consultation.refresh_from_db()
    assert (case.consultation.inherited_from, case.consultation.asker.is_active) == (body, True)


def test_the_task_sweeps_today(case):
    with time_machine.travel("2026-06-29T02:00:00Z", tick=False):
        assert (sweep_adoption(), sweep_adoption()) == (1, 0)
    assert ItemAnswer.objects.count() == 0
