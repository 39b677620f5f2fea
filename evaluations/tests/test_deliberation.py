"""The working group: adjusts only with a reason, settles what is decided, and its minutes say what it had before it."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pypdf import PdfReader

from core.errors import Refused, StaleState
from core.jobs import run_waiting
from core.models import AuditEntry, IssuedDocument, Job
from evaluations.models import Adjustment, Deliberation
from evaluations.services.checklist import checklist
from evaluations.services.deliberation import (
    MINUTES_KIND,
    issue_minutes,
    record_deliberation,
    settle_result,
    settle_round,
    snapshot,
    start_minutes,
    unsettle_result,
)
from evaluations.services.results import results_of
from evaluations.services.rounds import move_round
from evaluations.tests.result_cases import change, deliberated, meet, of_planner, open_scoring, settle
from evaluations.tests.round_cases import TODAY, make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    return make_site("tongzhou", demo=True)


@pytest.fixture
def moved(site):
    return deliberated(site, open_scoring(site, "planner"), 85)


def text_of(document):
    pages = PdfReader(io.BytesIO(document.file.read())).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")


# --- adjusting ----------------------------------------------------------------------------------------------------


def test_an_adjustment_keeps_what_was_computed_beside_it_with_reason_and_name(site, moved):
    result = change(site, of_planner(moved), "70", "达标", "未参加联席会议")
    result.refresh_from_db()
    assert (str(result.score), result.grade) == ("85.00", "良好")
    assert (str(result.final_score), result.final_grade) == ("70.00", "达标")
    row = Adjustment.objects.get()
    assert (row.from_grade, row.to_grade, row.reason, row.made_by) == ("良好", "达标", "未参加联席会议", site.leader)
    entry = AuditEntry.objects.get(action="result.adjust")
    assert entry.detail["reason"] == "未参加联席会议"


REFUSED = [
    ("70", "达标", "  ", "reason"), ("70", "特优", "理由", "to_grade"), ("100.01", "达标", "理由", "to_score"),
    ("-1", "达标", "理由", "to_score"), ("70.123", "达标", "理由", "to_score"), (None, "达标", "理由", "to_score"),
    ("85", "良好", "理由", "to_grade"), ("95", "优秀", "理由", "to_grade"),
]  # fmt: skip


def test_what_an_adjustment_may_not_be(site, moved, subtests):
    for score, grade, reason, field in REFUSED:
        with subtests.test(score=score, grade=grade, reason=reason):
            with pytest.raises(ValidationError) as refusal:
                change(site, of_planner(moved), score, grade, reason)
            assert set(refusal.value.error_dict) == {field}
            assert not Adjustment.objects.exists()


def test_the_second_of_two_who_adjust_at_once_is_told(site, moved):
    result = of_planner(moved)
    change(site, result, "70", "达标", seen=0)
    with pytest.raises(StaleState, match="刚被他人调整"):
        change(site, result, "60", "达标", seen=0)
    assert Adjustment.objects.count() == 1


def test_who_rated_the_subject_does_not_adjust_it(site, moved):
    with pytest.raises(Refused, match="评估过"):
        change(site, of_planner(moved), "70", "达标", actor=site.bureau)


def test_who_is_the_subject_does_not_adjust_it():
    """聊城: the government is evaluated, and its leader sits in the group."""
    site = make_site("liaocheng", demo=True)
    moved = deliberated(site, open_scoring(site, "department"))
    result = results_of(moved).get(subject__organisation__kind="government")
    with pytest.raises(Refused, match="受评对象"):
        change(site, result, "95", "")


@pytest.mark.parametrize("who", ["city", "planner", "unit_officer", "department", "colleague"])
def test_others_do_not_adjust_settle_or_record(site, moved, who):
    actor = getattr(site, who)
    with pytest.raises(Refused):
        change(site, of_planner(moved), "70", "达标", actor=actor)
    with pytest.raises(Refused):
        settle_round(moved, actor=actor)
    with pytest.raises(Refused):
        record_deliberation(
            moved, actor=actor, body="组", held_on=TODAY, attendees="甲", minutes="同意", today=timezone.localdate()
        )


def test_another_localitys_leader_does_nothing_here(site, moved):
    other = make_site("jincheng", demo=True)
    with pytest.raises(Refused):
        change(site, of_planner(moved), "70", "达标", actor=other.leader)


def test_what_is_settled_is_adjusted_only_after_it_was_taken_back_with_a_reason(site, moved):
    result = of_planner(moved)
    settle_result(result, actor=site.leader)
    with pytest.raises(StaleState, match="撤回审定"):
        change(site, result, "70", "达标")
    with pytest.raises(ValidationError, match="填写"):
        unsettle_result(of_planner(moved), actor=site.leader, reason="")
    unsettle_result(of_planner(moved), actor=site.leader, reason="补充材料")
    assert change(site, of_planner(moved), "70", "达标").final_grade == "达标"


def test_settling_again_says_that_somebody_was_first(site, moved):
    result = of_planner(moved)
    settle_result(result, actor=site.leader)
    with pytest.raises(StaleState):
        settle_result(of_planner(moved), actor=site.leader)
    assert settle_round(moved, actor=site.leader).moved == []


# --- the meeting and its minutes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"held_on": timezone.localdate() + timedelta(days=1)}, "held_on"),
        ({"held_on": TODAY - timedelta(days=400)}, "held_on"),
        ({"minutes": " "}, "minutes"),
        ({"attendees": ""}, "attendees"),
        ({"body": "\x00"}, "body"),
    ],
)
def test_a_meeting_says_who_when_and_what(site, moved, values, field):
    given = {"body": "工作组", "held_on": timezone.localdate(), "attendees": "甲", "minutes": "同意", **values}
    with pytest.raises(ValidationError) as refusal:
        record_deliberation(moved, actor=site.leader, today=timezone.localdate(), **given)
    assert set(refusal.value.error_dict) == {field} and not Deliberation.objects.exists()


def test_minutes_are_one_document_with_results_reasons_and_what_follows(site, moved):
    change(site, of_planner(moved), "70", "达标", "未参加联席会议")
    settle(site, moved)
    meeting = meet(site, moved)
    start_minutes(meeting, actor=site.leader)
    start_minutes(meeting, actor=site.leader)
    run_waiting()
    meeting.refresh_from_db()
    text = text_of(meeting.document)
    assert "85.00良好70.00达标" in text and "未参加联席会议" in text and "尾款按85%支付" in text
    assert IssuedDocument.objects.filter(kind="evaluation_minutes").count() == 1
    assert start_minutes(meeting, actor=site.leader) is None


def test_minutes_name_nobody_who_rated_and_quote_nobody(site, moved):
    settle(site, moved)
    meeting = meet(site, moved)
    text = text_of(issue_minutes(meeting.pk, snapshot(meeting), actor=site.leader))
    assert "密封说明" not in text
    assert not any(sheet.rater in text for sheet in moved.sheets.all())


def test_minutes_still_being_made_when_the_round_moves_on_say_what_the_meeting_had_before_it(site, moved):
    settle(site, moved)
    meeting = meet(site, moved)
    started = start_minutes(meeting, actor=site.leader)
    announced = move_round(moved, "announce", actor=site.leader, today=TODAY)
    results_of(announced).update(final_grade="不达标", final_score=1)
    assert start_minutes(meeting, actor=site.leader) == started
    run_waiting()
    meeting.refresh_from_db()
    assert Job.objects.filter(kind=MINUTES_KIND).count() == 1
    text = text_of(meeting.document)
    assert "85.00良好85.00良好" in text and "不达标" not in text.replace("可解除合同", "")


def test_announcing_asks_for_the_minutes_by_itself(site, moved):
    settle(site, moved)
    meeting = meet(site, moved)
    move_round(moved, "announce", actor=site.leader, today=TODAY)
    run_waiting()
    meeting.refresh_from_db()
    assert meeting.document is not None


def test_what_is_changed_after_the_minutes_needs_a_meeting_of_its_own(site, moved):
    meeting = meet(site, moved)
    start_minutes(meeting, actor=site.leader)
    run_waiting()
    change(site, of_planner(moved), "70", "达标")
    settle(site, moved)
    assert "审议纪要生成后又调整了结果，须另行登记审议" in [o.text for o in checklist(moved, "announce", today=TODAY)]
    meet(site, moved)
    assert not [o for o in checklist(moved, "announce", today=TODAY) if o.blocking]


def test_a_worker_that_died_before_noting_the_minutes_leaves_one_document(site, moved):
    settle(site, moved)
    meeting = meet(site, moved)
    content = snapshot(meeting)
    first = issue_minutes(meeting.pk, content, actor=site.leader)
    Deliberation.objects.filter(pk=meeting.pk).update(document=None)
    assert issue_minutes(meeting.pk, content, actor=site.leader) == first
