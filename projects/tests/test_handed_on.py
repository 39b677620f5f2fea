"""Whoever goes on with what others began: the heir of a dissolved body, the successor of a planner; and nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from core.models import Notification
from districts.access import access_of, forget_access
from districts.models import Membership, Organisation
from districts.services.organisations import update_organisation
from factories import make_assignment, make_contract, make_membership, make_organisation, make_planner, make_user
from factories_review import make_answer
from planners.models import Assignment, Contract
from projects.matters import KINDS, matters_for
from projects.models import Consultation, Dispute, HardQuestion, ItemAnswer, Opinion, Rectification, Recusal
from projects.permissions_disputes import Matter
from projects.querysets import offices_of
from projects.services import field_sweeps
from projects.services.disputes import file_dispute
from projects.services.rectifications import enter_reply, escalate, reinspect
from projects.services.worklists import waiting_for
from projects.tests.adoption_cases import make_case
from projects.tests.field_cases import NOON, TODAY, raise_one, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
KINDS_OF_MATTERS = (Consultation, Opinion, ItemAnswer, Rectification, Dispute, HardQuestion, Recusal)


@pytest.fixture
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def officer_of(body: Organisation, name: str) -> User:
    user = make_user(name, locality_code=body.locality.code)
    make_membership(user, Role.DEPARTMENT, body.locality, organisation=body)
    return user


def close(body: Organisation, heir: Organisation | None, actor: User) -> None:
    values: dict[str, Any] = {"is_active": False, **({"succeeded_by": heir} if heir else {})}
    update_organisation(Organisation.objects.get(pk=body.pk), actor=actor, **values)


def seen_by(user: User) -> dict[str, int]:
    fresh = User.objects.get(pk=user.pk)
    return {model.__name__: model.objects.visible_to(fresh).count() for model in KINDS_OF_MATTERS}


# --- a body that was dissolved -----------------------------------------------------------------------------------


@pytest.fixture
def old(cast) -> Organisation:
    """A department with an answered request that is settled, a dispute of its own and a hard question."""
    body = cast.department.memberships.get().organisation
    case = make_case(cast, items=2, state="settled")
    for item in case.items:
        make_answer(item, decision="refused")
    project = case.project
    project.owner = body
    project.save(update_fields=["owner"])
    raise_one(cast, project, contractor=project.parties.create(role="contractor", name="示例施工公司"))
    Dispute.objects.create(
        locality=cast.locality, project=project, stage=project.stages.get(), number="FQ-9", title="界面高度",
        raised_by=cast.department, raised_for="委办局", raised_side="parties", filed_on=date(2026, 6, 1), route="区政府",
        item=case.items[0],
    )  # fmt: skip
    Recusal.objects.create(
        project=project, planner=cast.colleague_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    return body


def test_people_of_a_dissolved_body_see_its_matters_no_longer_and_its_heir_does(cast, old):
    heir = make_organisation(cast.locality, "department", name="城市管理委员会")
    officer = officer_of(heir, "城管干部")
    before = seen_by(cast.department)
    assert before == {
        "Consultation": 1, "Opinion": 1, "ItemAnswer": 2, "Rectification": 1, "Dispute": 1, "HardQuestion": 0,
        "Recusal": 1,
    }  # fmt: skip
    assert not any(seen_by(officer).values())
    close(old, heir, cast.bureau)
    assert not any(seen_by(cast.department).values())
    assert seen_by(officer) == before
    person = User.objects.get(pk=cast.department.pk)
    assert [row for row in matters_for(person) if row["m_mine"]] == []
    assert waiting_for(person, today=TODAY) == []
    client = Client()
    client.force_login(cast.department, backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert client.get(Consultation.objects.get().get_absolute_url()).status_code == 404
    assert client.get(reverse("projects:desk")).status_code == 200


def test_an_heir_that_was_dissolved_in_its_turn_passes_everything_on(cast, old):
    middle = make_organisation(cast.locality, "department", name="中间单位")
    last = make_organisation(cast.locality, "department", name="末位单位")
    between, officer = officer_of(middle, "中间干部"), officer_of(last, "末位干部")
    close(old, middle, cast.bureau)
    assert seen_by(between)["Consultation"] == 1
    close(middle, last, cast.bureau)
    assert (seen_by(between)["Consultation"], seen_by(officer)["Consultation"]) == (0, 1)
    assert offices_of(access_of(User.objects.get(pk=officer.pk))) == {last.pk, middle.pk, old.pk}


def test_without_an_heir_the_bureau_alone_goes_on_reading(cast, old):
    close(old, None, cast.bureau)
    assert not any(seen_by(cast.department).values())
    assert seen_by(cast.bureau)["Consultation"] == 1


def test_another_body_that_is_closed_concerns_nobody(cast, old):
    other = make_organisation(cast.locality, "department", name="无关单位")
    close(other, None, cast.bureau)
    assert seen_by(cast.department)["Consultation"] == 1


def test_knowing_for_whom_one_acts_takes_one_query_however_many_were_dissolved(cast, old):
    counts = []
    for size in (0, 5):
        for number in range(size):
            gone = make_organisation(cast.locality, "department", name=f"旧单位{number}", is_active=False)
            Organisation.objects.filter(pk=gone.pk).update(succeeded_by=old)
        forget_access(cast.department)
        access = access_of(cast.department)
        with CaptureQueriesContext(connection) as counted:
            found = offices_of(access)
        counts.append((len(counted), len(found)))
    assert counts == [(1, 1), (1, 6)]


# --- a planner who serves no more ---------------------------------------------------------------------------------


@pytest.fixture
def row(cast) -> Rectification:
    return raise_one(cast, site(cast))


def own_kinds(user: User) -> set[str]:
    return {one.kind for one in waiting_for(User.objects.get(pk=user.pk), today=TODAY)}


def successor(cast) -> User:
    """The contract of the team is over; somebody else serves the unit from now on."""
    person = make_planner(cast.locality, name="接任规划师", user=make_user("接任规划师"))
    Membership.objects.create(user=person.user, role="planner", locality=cast.locality, valid_from=date(2026, 1, 1))
    Contract.objects.filter(pk=cast.contract.pk).update(state="ended", ended_on=date(2026, 6, 1))
    Assignment.objects.filter(contract=cast.contract).update(end=date(2026, 6, 1))
    contract = make_contract(cast.locality, planner=person, start=date(2026, 6, 1))
    make_assignment(contract, cast.unit.charge, planner=person)
    return person.user


def told(user: User, kind: str) -> int:
    return Notification.objects.filter(user=user, kind=kind).count()


def test_a_reply_waits_for_whoever_asked_for_it_and_a_report_for_the_bureau(cast, row):
    assert "reinspect" not in own_kinds(cast.planner)
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    assert "reinspect" in own_kinds(cast.planner)
    assert "reinspect" not in own_kinds(cast.colleague) | own_kinds(cast.bureau)
    row.refresh_from_db()
    escalate(row, actor=cast.planner, reason="拒不按图返工")
    assert "reinspect" not in own_kinds(cast.planner)
    assert "escalated" in own_kinds(cast.bureau)
    assert "escalated" not in own_kinds(cast.unit_officer)


def test_once_the_planner_serves_no_more_it_waits_for_whoever_serves_the_project_now(cast, row):
    after = successor(cast)
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    assert "reinspect" in own_kinds(after)
    assert told(after, "rectification.replied") == 1
    assert told(cast.planner, "rectification.replied") == 0
    reinspect(row, actor=after, passed=True, text="现场已改正。")
    assert "reinspect" not in own_kinds(after)


def test_who_keeps_out_since_is_neither_told_nor_asked_to_look_again(cast, row):
    Recusal.objects.create(
        project=row.project, planner=cast.own_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    assert "reinspect" not in own_kinds(cast.planner)
    assert "reinspect" in own_kinds(cast.colleague)
    assert (told(cast.planner, "rectification.replied"), told(cast.colleague, "rectification.replied")) == (0, 1)


@pytest.mark.parametrize("state", ["replied", "escalated"])
def test_what_nobody_takes_up_is_reminded_of_once_after_three_workdays(cast, row, state, time_machine):
    if state == "replied":
        enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    else:
        escalate(row, actor=cast.planner, reason="拒不按图返工")
    who, other = (cast.planner, cast.bureau) if state == "replied" else (cast.bureau, cast.planner)
    # Wednesday 10 June: the third workday after it is Monday the 15th.
    for day, expected in ((TODAY + timedelta(days=2), 0), (date(2026, 6, 15), 1), (date(2026, 6, 24), 1)):
        field_sweeps.sweep(day)
        assert told(who, "rectification.waiting") == expected, day
    assert told(other, "rectification.waiting") == 0
    row.refresh_from_db()
    assert row.state == state, "a reminder moves nothing"
    # Answered anew after a further inspection it is reminded of anew.
    if state == "replied":
        time_machine.move_to("2026-06-25 12:00:00+08:00", tick=False)
        reinspect(row, actor=cast.planner, passed=False, text="坡度仍不符。")
        row.refresh_from_db()
        enter_reply(row, actor=cast.unit_officer, text="再次整改。", signed_as="张三")
        field_sweeps.sweep(date(2026, 7, 2))
        assert told(who, "rectification.waiting") == 2


def test_every_kind_of_matter_has_the_page_where_it_is_done():
    for kind in KINDS.values():
        assert reverse(kind.url_name, args=[1]).startswith("/projects/")


def test_a_dispute_filed_for_a_body_is_over_for_its_people_with_the_body(cast):
    project = site(cast)
    raised = file_dispute(
        Matter(project), actor=cast.department,
        title="工期", text="整改期限过短。", raised_for="委办局",
    )  # fmt: skip
    close(cast.department.memberships.get().organisation, None, cast.bureau)
    assert not Dispute.objects.visible_to(User.objects.get(pk=cast.department.pk)).filter(pk=raised.pk).exists()
