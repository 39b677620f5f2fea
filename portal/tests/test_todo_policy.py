"""What the home page says of the policy: a decision that counts nothing yet, and rules that lapse."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.roles import Role
from districts.models import PolicyVersion
from districts.services.decisions import create_decision, fingerprint, record_trial
from districts.services.policies import load_policy_files
from factories import make_locality, make_membership, make_user
from portal.todo import LATER, SOON, WAITING, todos_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    place = make_locality("371500", "聊城市")
    load_policy_files(only={"liaocheng"})
    return place


@pytest.fixture
def officer(city):
    user = make_user()
    make_membership(user, Role.BUREAU, city)
    return user


def said(user, today) -> list[tuple[int, str]]:
    return [(todo.urgency, todo.text) for todo in todos_for(user, today=today) if "制度" in todo.text]


def test_todo_of_a_policy_that_lapses(officer):
    assert said(officer, date(2023, 1, 1)) == []
    assert said(officer, date(2023, 5, 1)) == [(LATER, "制度方案将于 2023-05-31 到期")]
    assert said(officer, date(2023, 6, 1)) == [(SOON, "制度方案已于 2023-05-31 失效，不能据以签订新合同")]


def test_todo_of_a_decision_until_it_is_in_force(city, officer):
    decision = create_decision(
        city, actor=officer, kind="amendment", base=PolicyVersion.objects.select_related("pack").get(), values={},
        number="聊自资规〔2023〕6号", title="延续试行的决定", issuer="聊城市自然资源和规划局", date=date(2023, 5, 20),
        effective_from=date(2023, 6, 1), effective_to=date(2024, 5, 31),
    )  # fmt: skip
    assert said(officer, date(2023, 1, 1)) == [(WAITING, "制度决定“延续试行的决定”待试算")]
    record_trial(
        decision, actor=officer, fingerprint_seen=fingerprint(decision), summary=[], url="/", year=2023
    )  # fmt: skip
    assert said(officer, date(2023, 1, 1)) == [(WAITING, "制度决定“延续试行的决定”已阅试算，待施行")]
    leader = make_user()
    make_membership(leader, Role.LEADER, city)
    assert said(leader, date(2023, 1, 1)) == []
