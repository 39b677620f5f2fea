"""What waits at home once a round has been collated, for each of those whose turn it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from districts.access import forget_access
from evaluations.models import FilingPackage, Publication, Result, Round
from evaluations.services.letters import reply_to_result
from evaluations.services.objections import raise_objection
from evaluations.tests.outcome_cases import announced, deliberated, published, result_of
from evaluations.tests.round_cases import Site, make_site
from portal.todo import todos_for
from portal.todo_item import OVERDUE

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db: None) -> Site:
    return make_site("beijing-core", demo=True)


def waits(user: Any, *, today: date | None = None) -> dict[str, Any]:
    forget_access(user)
    return {todo.text: todo for todo in todos_for(user, today=today or timezone.localdate())}


def has(user: Any, words: str, **more: Any) -> bool:
    return any(words in text for text in waits(user, **more))


def test_the_group_is_told_to_deliberate_and_the_bureau_to_check(site):
    deliberated(site)
    assert has(site.leader, "待审议") and has(site.bureau, "待审议")
    Round.objects.update(state="collation")
    assert has(site.bureau, "核对测算后提交审议") and not has(site.leader, "核对测算")


def test_a_subject_is_told_of_its_result_until_it_has_replied(site):
    round_ = announced(site)
    result = result_of(round_, subject__direction="planner")
    assert has(site.planner, "结果待阅知") and has(site.unit_officer, "结果待阅知")
    assert not has(site.department, "结果待阅知")
    forget_access(site.planner)
    reply_to_result(result, actor=site.planner)
    assert not has(site.planner, "结果待阅知")


def test_an_objection_waits_for_who_may_review_it(site):
    round_ = announced(site)
    forget_access(site.planner)
    raise_objection(result_of(round_, subject__direction="planner"), actor=site.planner, grounds="漏计三次走访")
    assert has(site.bureau, "异议待受理")
    assert not has(site.leader, "异议待受理"), "the leader recorded the meeting"


def test_letters_notice_and_taking_effect(site):
    round_ = announced(site)
    assert has(site.bureau, "告知书待生成") and has(site.bureau, "待公示")
    Publication.objects.create(round=round_, kind="notice", state="out", start=timezone.localdate())
    assert not has(site.bureau, "待公示")
    assert not has(site.bureau, "异议期已满")
    assert has(site.bureau, "异议期已满", today=round_.objections_until + timedelta(days=1))


def test_an_office_owes_its_response_and_the_bureau_confirms(site):
    round_ = published(site)
    response = result_of(round_, subject__unit=site.unit).response
    assert has(site.unit_officer, "结果待回应") and not has(site.other_officer, "改进情况待报告")
    type(response).objects.filter(pk=response.pk).update(state="done")
    assert has(site.bureau, "改进情况待确认") and not has(site.unit_officer, "结果待回应")


def test_the_filing_is_due_in_the_first_quarter_and_late_after_it(site):
    published(site)
    assert has(site.bureau, "结果待备案")
    todo = next(row for text, row in waits(site.bureau, today=date(2026, 4, 1)).items() if "结果待备案" in text)
    assert todo.urgency == OVERDUE and "2026-03-31" in todo.note
    late = waits(site.city, today=date(2026, 4, 1))
    assert any("逾期未报送备案" in text and site.locality.name in row.note for text, row in late.items())
    assert not any("逾期未报送备案" in text for text in waits(site.city, today=date(2026, 3, 1)))


def test_a_package_waits_with_whoever_has_it(site):
    round_ = published(site)
    package = FilingPackage.objects.create(round=round_, recipient="市规自委", state="sent", sent_at=timezone.now())
    assert has(site.city, "待签收") and not has(site.bureau, "待备案") and not has(site.bureau, "待报送")
    FilingPackage.objects.filter(pk=package.pk).update(state="returned", return_reason="缺页")
    assert has(site.bureau, "被退回补正")
    FilingPackage.objects.filter(pk=package.pk).update(state="accepted", receipt="HZ-1", accepted_at=timezone.now())
    assert has(site.bureau, "可以完成备案") and Result.objects.exists()
