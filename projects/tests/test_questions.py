"""Hard questions: asked by the government where the pack has it so, of a planner who serves there; answered once; found
again."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import Notification
from districts.models import PolicyScope
from districts.services.policies import forget_policies
from factories import make_organisation, make_policy_version
from planners.services.contracts import end_contract
from projects.models import HardQuestion
from projects.services.questions import answer_question, ask_question, reassign_question, withdraw_question

TODAY = date(2022, 6, 15)
ROLES = (
    "planner",
    "colleague",
    "unit_officer",
    "bureau",
    "other_bureau",
    "department",
    "leader",
    "sysadmin",
    "anonymous",
)
TITLE = "老旧管线如何统筹改造"


@pytest.fixture(autouse=True)
def in_force():
    """A day on which the trial system of 聊城 was in force."""
    forget_policies()
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield
    forget_policies()


@pytest.fixture
def cast(cast):
    """东城 under the pack of 聊城, served since 2020."""
    version = make_policy_version(cast.locality, "liaocheng")
    PolicyScope.objects.filter(locality=cast.locality).exclude(pack=version.pack).delete()
    for row in (cast.contract, cast.assignment):
        row.start = date(2020, 1, 1)
        row.save()
    cast.body = make_organisation(cast.locality, "government", name="区人民政府")
    return cast


def ask(cast, **more) -> HardQuestion:
    values = {"actor": cast.leader, "asker": cast.body, "planner": cast.own_planner, "title": TITLE, **more}
    return ask_question(cast.locality, **values)


def test_the_government_asks_and_the_planner_answers_and_both_are_told(cast):
    question = ask(cast, charge=cast.unit.charge)
    assert question.clause["article"] == "三(二)"
    assert Notification.objects.filter(user=cast.planner, kind="question.asked").count() == 1
    answer_question(question, actor=cast.planner, answer="先易后难，结合道路大修统筹。")
    assert (question.state, question.answered_at is not None) == ("answered", True)
    assert Notification.objects.filter(user=cast.leader, kind="question.answered").count() == 1
    with pytest.raises(Refused):
        answer_question(question, actor=cast.planner, answer="另一种说法。")


def test_where_no_pack_has_it_nobody_asks(cast):
    PolicyScope.objects.filter(locality=cast.locality).delete()
    forget_policies()
    with pytest.raises(Refused, match="未设定"):
        ask(cast)


def test_only_the_government_and_the_bureau_for_it_ask(cast):
    for who in ("planner", "unit_officer", "department", "city", "sysadmin"):
        with pytest.raises(Refused):
            ask(cast, actor=getattr(cast, who))
    assert ask(cast, actor=cast.bureau).asker == cast.body
    with pytest.raises(ValidationError, match="由本地方的区政府"):
        ask(cast, asker=cast.bureau.memberships.get().organisation)


def test_only_who_serves_there_is_asked(cast):
    with pytest.raises(ValidationError, match="目前不在本地方服务"):
        ask(cast, planner=cast.foreign_planner)
    with pytest.raises(ValidationError, match="目前不服务"):
        ask(cast, charge=cast.other_unit.charge)
    with pytest.raises(ValidationError, match="不能早于今天"):
        ask(cast, due_on=date(2022, 6, 14))


def test_it_is_taken_back_before_it_is_answered_and_not_after(cast):
    question, stale = ask(cast), ask(cast)
    with pytest.raises(Refused):
        withdraw_question(question, actor=cast.planner, reason="不再需要")
    with pytest.raises(ValidationError, match="请填写原因"):
        withdraw_question(question, actor=cast.leader, reason=" ")
    withdraw_question(question, actor=cast.leader, reason="已有方案")
    assert Notification.objects.get(user=cast.planner, kind="question.withdrawn").text.endswith("原因：已有方案")
    seen = HardQuestion.objects.get(pk=stale.pk)
    answer_question(stale, actor=cast.planner, answer="先易后难。")
    with pytest.raises(StaleState, match="已解答"):
        withdraw_question(seen, actor=cast.leader, reason="已有方案")


def test_it_is_put_to_somebody_else_and_both_are_told(cast):
    question = ask(cast)
    with pytest.raises(ValidationError, match="正由这位规划师解答"):
        reassign_question(question, actor=cast.leader, planner=cast.own_planner, reason="出差")
    made = reassign_question(question, actor=cast.leader, planner=cast.colleague_planner, reason="出差")
    assert made.planner == cast.colleague_planner
    assert Notification.objects.filter(user=cast.planner, kind="question.reassigned").exists()
    assert Notification.objects.filter(user=cast.colleague, kind="question.asked").exists()
    question.refresh_from_db()
    with pytest.raises(Refused, match="本人解答"):
        answer_question(question, actor=cast.planner, answer="先易后难。")


def test_when_the_planners_contract_ends_who_asked_is_told_and_the_question_stands(cast):
    question = ask(cast)
    end_contract(cast.contract, actor=cast.bureau, on=TODAY, reason="双方协商")
    told = {row.user for row in Notification.objects.filter(kind="question.stuck")}
    assert told == {cast.leader, cast.bureau}
    question.refresh_from_db()
    assert question.state == "asked"


def test_pages_access_and_the_form_asks_once(cast, as_user):
    url = reverse("projects:question-create")
    data = {"submission_key": new_key(), "title": TITLE, "asker": cast.body.pk, "planner": cast.own_planner.pk}
    first, second = as_user("leader").post(url, data), as_user("leader").post(url, data)
    question = HardQuestion.objects.get()
    assert first.url == second.url == question.get_absolute_url()
    pages = {
        url: (403, 403, 403, 200, 403, 403, 200, 403, 302),
        reverse("projects:questions"): (200,) * 8 + (302,),
        question.get_absolute_url(): (200, 404, 404, 200, 404, 404, 200, 404, 302),
        reverse("projects:question-answer", args=[question.pk]): (200, 404, 404, 403, 404, 404, 403, 404, 302),
        reverse("projects:question-withdraw", args=[question.pk]): (403, 404, 404, 200, 404, 404, 200, 404, 302),
        reverse("projects:question-reassign", args=[question.pk]): (403, 404, 404, 200, 404, 404, 200, 404, 302),
    }  # fmt: skip
    for page, expected in pages.items():
        found = {who: as_user(who).get(page).status_code for who in ROLES}
        assert found == dict(zip(ROLES, expected, strict=True)), page


def test_what_was_answered_once_is_found_again_by_its_answer(cast, as_user):
    question = ask(cast)
    answer_question(question, actor=cast.planner, answer="结合道路大修统筹。")
    ask(cast, title="停车位不足")
    for words, number in (("道路大修", 1), ("管线", 1), ("不相干", 0), ("", 2)):
        page = as_user("leader").get(reverse("projects:questions"), {"q": words})
        assert len(page.context["table"].rows) == number


def test_the_list_takes_the_same_few_queries_for_one_and_for_thirty(cast, as_user, django_assert_max_num_queries):
    client, counts = as_user("leader"), []
    for size in (1, 30):
        for _ in range(size):
            ask(cast)
        with django_assert_max_num_queries(9) as counted:
            assert client.get(reverse("projects:questions")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]
