"""The course of a request: suspended, extended, withdrawn, asked anew; settled by the answers; who may do what when."""

from __future__ import annotations

from datetime import date, datetime
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.models import Notification
from core.tests.access import answers
from core.tests.undone import undone
from projects.models import Consultation, Consultee, Extension, Opinion
from projects.permissions_consultations import can_withdraw
from projects.services.consultations import Request, add_consultee, ask
from projects.services.consultees import decline, release
from projects.services.course import resume, suspend, withdraw
from projects.services.extensions import answer_extension, ask_extension
from projects.services.meetings import move_meeting, record_meeting
from projects.services.opinions import Written, submit_opinion
from projects.tests.review_cases import MONDAY, SHANGHAI, answer, asked, of_planner, on_day, scan_of, write

ROLES = (
    "bureau", "department", "unit_officer", "other_unit_officer", "other_bureau", "planner", "colleague", "foreign",
    "leader", "sysadmin", "anonymous",
)  # fmt: skip
# The request is the unit office's own: the desk and the bureau act, the planner who was asked answers.
PAGES = {
    "consultation": (200, 404, 200, 404, 404, 200, 404, 404, 200, 404, 302),
    "consultation-again": (200, 404, 200, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-suspend": (200, 404, 200, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-resume": (403, 404, 403, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-withdraw": (200, 404, 200, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-add": (200, 404, 200, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-move": (403, 404, 403, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-meeting": (403, 404, 403, 404, 404, 403, 404, 404, 403, 404, 302),
    "consultation-minutes": (404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 302),
    "consultation-extend": (403, 404, 403, 404, 404, 200, 404, 404, 403, 404, 302),
}


def test_who_opens_which_page(cast, as_user):
    row = of_planner(cast, actor=cast.unit_officer)
    with on_day(MONDAY):
        assert answers(as_user, ROLES, {page: reverse(f"projects:{page}", args=[row.pk]) for page in PAGES}) == PAGES


def test_a_department_acts_on_its_own_requests_alone(cast, as_user):
    own, other = of_planner(cast, actor=cast.department), of_planner(cast)
    with on_day(MONDAY):
        client = as_user("department")
        assert client.get(reverse("projects:consultation-suspend", args=[own.pk])).status_code == 200
        assert client.get(reverse("projects:consultation-suspend", args=[other.pk])).status_code == 404
        # The unit's office reads what is asked about its project, and leaves it to whoever asked.
        assert as_user("unit_officer").get(own.get_absolute_url()).status_code == 200
        with pytest.raises(Refused, match="仅征询单位和规划主管部门可以办理"):
            suspend(own, actor=cast.unit_officer, reason="试")


# Which act starts from which state: everything else is refused, whoever asks.
ACTS = {
    "suspend": (lambda row, who: suspend(row, actor=who, reason="资料不全"), {"asked"}),
    "resume": (lambda row, who: resume(row, actor=who), {"suspended"}),
    "withdraw": (lambda row, who: withdraw(row, actor=who, reason="项目取消"), {"asked", "suspended", "unanswered"}),
    "again": (
        lambda row, who: ask(row.project, actor=who, request=Request(subject="新方案"), supersedes=row),
        {"asked", "suspended", "unanswered", "answered", "settled"},
    ),
}  # fmt: skip
STATES = [state for state, _ in Consultation.State.choices]


def test_every_act_starts_from_its_states_alone(cast, subtests):
    number = asked(cast).pk
    for (act, (do, allowed)), state in product(ACTS.items(), STATES):
        with subtests.test(act=act, state=state), undone(), on_day(MONDAY):
            Consultation.objects.filter(pk=number).update(state=state)
            row = Consultation.objects.get(pk=number)
            if state in allowed:
                do(row, cast.bureau)
                assert Consultation.objects.get(pk=number).state != state or act == "again"
                continue
            with pytest.raises((Refused, StaleState)):
                do(row, cast.bureau)
            assert Consultation.objects.get(pk=number).state == state


# --- time ---------------------------------------------------------------------------------------------------


def test_a_suspension_adds_the_workdays_that_it_lasted(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 3)):
        row = suspend(row, actor=cast.bureau, reason="补充资料")
        assert row.state == "suspended"
        with pytest.raises(Refused, match="已中止"):
            suspend(row, actor=cast.bureau, reason="再次")
    with on_day(date(2026, 6, 9)):
        row = resume(row, actor=cast.bureau)
    # Thursday, Friday and Monday rested: Monday 15 June and three workdays.
    assert (row.state, row.due_on) == ("asked", date(2026, 6, 18))
    texts = list(Notification.objects.filter(user=cast.lead).values_list("text", flat=True))
    assert any("已中止：补充资料" in t for t in texts) and any("顺延至 2026-06-18" in t for t in texts)


def test_resumed_on_the_same_day_nothing_is_added(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 3)):
        row = resume(suspend(row, actor=cast.bureau, reason="误点"), actor=cast.bureau)
    assert row.due_on == date(2026, 6, 15)


def test_what_is_overdue_is_not_suspended(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 16)), pytest.raises(Refused, match="已过答复期限"):
        suspend(row, actor=cast.bureau, reason="试")


def test_a_request_without_a_term_rests_and_stays_without(cast):
    row = asked(cast, term_days=None)
    with on_day(date(2026, 6, 16)):
        row = resume(suspend(row, actor=cast.bureau, reason="补充资料"), actor=cast.bureau)
    assert row.due_on is None


def test_an_extension_is_asked_and_answered_one_at_a_time(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 10)):
        first = ask_extension(row, actor=cast.lead, days=3, reason="需现场核实")
        with pytest.raises(Refused, match="已有一份延期申请待答复"):
            ask_extension(row, actor=cast.lead, days=2, reason="再次")
        with pytest.raises(ValidationError, match="不同意延期须写明原因"):
            answer_extension(first, actor=cast.bureau, granted=False)
        answer_extension(first, actor=cast.bureau, granted=True)
        with pytest.raises((Refused, StaleState)):
            answer_extension(first, actor=cast.bureau, granted=False, answer="晚了")
        row.refresh_from_db()
        # 15 June, and three workdays: 16, 17, 18.
        assert row.due_on == date(2026, 6, 18)
        second = ask_extension(row, actor=cast.lead, days=1, reason="等资料")
        answer_extension(second, actor=cast.bureau, granted=False, answer="报批在即")
    row.refresh_from_db()
    assert row.due_on == date(2026, 6, 18)
    told = Notification.objects.filter(user=cast.lead, kind="consultation.extension").values_list("text", flat=True)
    assert any("期限为 2026-06-18" in text for text in told) and any("报批在即" in text for text in told)
    assert Notification.objects.filter(user=cast.bureau, text__contains="申请延期 3 个工作日：需现场核实").exists()


def test_extension_and_suspension_add_up(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 3)):
        suspend(row, actor=cast.bureau, reason="补充资料")
    with on_day(date(2026, 6, 9)):
        resume(row, actor=cast.bureau)
        answer_extension(ask_extension(row, actor=cast.lead, days=2, reason="核实"), actor=cast.bureau, granted=True)
    row.refresh_from_db()
    # 18 June is a Thursday, then the festival and the weekend.
    assert row.due_on == date(2026, 6, 23)


@pytest.mark.parametrize("who", ["bureau", "unit_officer", "planner", "leader", "foreign"])
def test_only_who_is_to_answer_asks_for_time(cast, who):
    row = asked(cast)
    with on_day(MONDAY), pytest.raises(Refused, match="只有尚未答复的被征询人"):
        ask_extension(row, actor=getattr(cast, who), days=1, reason="试")


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "other_bureau", "leader"])
def test_only_the_desk_answers_it(cast, who):
    row = asked(cast)
    with on_day(MONDAY):
        extension = ask_extension(row, actor=cast.lead, days=1, reason="试")
        with pytest.raises(Refused):
            answer_extension(extension, actor=getattr(cast, who), granted=True)


def test_the_page_of_an_extension(cast, as_user):
    row = asked(cast, day=timezone.localdate())
    extension = ask_extension(row, actor=cast.lead, days=3, reason="需现场核实")
    url = reverse("projects:extension-answer", args=[extension.pk])
    found = {who: as_user(who).get(url).status_code for who in ROLES}
    assert found == dict(
        zip(ROLES, (200, 404, 403, 404, 404, 404, 404, 404, 403, 404, 302), strict=True)
    )  # fmt: skip
    html = as_user("bureau").get(url).content.decode()
    assert "申请延期 3 个工作日：需现场核实" in html and "同意后为" in html
    assert as_user("bureau").post(url, {"decision": "refuse", "answer": ""}).status_code == 200
    assert as_user("bureau").post(url, {"decision": "grant"}).status_code == 302
    assert Extension.objects.get().state == "granted"


# --- settled by the answers ---------------------------------------------------------------------------------


def test_answered_when_the_last_one_has_answered_or_was_let_off(cast):
    row = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(date(2026, 6, 3)):
        answer(row, cast.own_planner)
        row.refresh_from_db()
        assert row.state == "asked"
        decline(row.consultees.get(planner=cast.colleague_planner), actor=cast.colleague, reason="出差")
    row.refresh_from_db()
    assert (row.state, row.answered_on, row.feedback_due_on) == ("answered", date(2026, 6, 3), None)
    assert Notification.objects.filter(user=cast.bureau, text__contains="请逐条反馈采纳情况").exists()


def test_the_feedback_is_due_by_the_packs_term(cast):
    row = of_planner(cast)
    Consultation.objects.filter(pk=row.pk).update(feedback_days=5)
    with on_day(date(2026, 6, 15)):
        answer(row, cast.own_planner)
    row.refresh_from_db()
    # Five workdays after Monday 15 June, over the festival.
    assert row.feedback_due_on == date(2026, 6, 23)


def test_agreed_without_any_item_there_is_nothing_to_feed_back(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 3)):
        answer(row, cast.own_planner, Written(verdict="agree", summary="同意该方案。"))
    row.refresh_from_db()
    assert (row.state, row.reason) == ("settled", "规划师同意，没有需要反馈的意见条目。")


def test_nobody_left_means_it_has_to_be_asked_anew(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 3)):
        extension = ask_extension(row, actor=cast.planner, days=1, reason="核实")
        decline(row.consultees.get(), actor=cast.planner, reason="无暇")
    row.refresh_from_db()
    extension.refresh_from_db()
    assert (row.state, extension.state, extension.answer) == ("unanswered", "refused", "征询已办结，无须延期。")
    assert Notification.objects.filter(user=cast.bureau, text__contains="已无人可以答复").exists()


# --- withdrawn, asked anew ----------------------------------------------------------------------------------


def test_a_withdrawn_request_is_owed_by_nobody_and_takes_no_more_answers(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 3)):
        draft = write(row, cast.own_planner)
        withdraw(row, actor=cast.bureau, reason="项目取消")
        assert row.consultees.get().state == "released"
        assert Notification.objects.filter(user=cast.planner, text__contains="已撤回，无须再答复：项目取消").exists()
        with pytest.raises(Refused, match="不需要再提交意见书"):
            submit_opinion(draft, actor=cast.planner)
    draft.refresh_from_db()
    assert draft.state == "draft"
    # What was written is still its author's to read.
    assert Opinion.objects.visible_to(cast.planner).get() == draft
    assert not Opinion.objects.visible_to(cast.bureau).exists()


def test_what_was_answered_is_not_withdrawn(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 3)):
        answer(row, cast.own_planner)
        row.refresh_from_db()
        with pytest.raises(Refused, match="不能撤回；请逐条反馈采纳情况"):
            withdraw(row, actor=cast.bureau, reason="算了")
    row.refresh_from_db()
    assert row.state == "answered"


def test_half_answered_it_is_not_withdrawn_the_others_are_let_off(cast):
    row = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(date(2026, 6, 3)):
        answer(row, cast.own_planner)
        with pytest.raises(Refused, match="可以办理“无须答复”"):
            withdraw(row, actor=cast.bureau, reason="算了")
        assert not can_withdraw(cast.bureau, row)
        release(row.consultees.get(planner=cast.colleague_planner), actor=cast.bureau, reason="意见已足够")
    row.refresh_from_db()
    assert row.state == "answered"
    assert Notification.objects.filter(user=cast.colleague, text__contains="无须再答复：意见已足够").exists()


def test_asked_anew_on_a_later_version_the_earlier_request_is_over(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 10)):
        again = ask(row.project, actor=cast.bureau, request=Request(subject="修改后的方案"), supersedes=row)
        with pytest.raises((Refused, StaleState)):
            ask(row.project, actor=cast.bureau, request=Request(subject="又一次"), supersedes=row)
    row.refresh_from_db()
    assert (row.state, again.supersedes, again.asked_on) == ("superseded", row, date(2026, 6, 10))
    assert row.consultees.get().state == "released" and again.consultees.get().state == "asked"


def test_asked_anew_what_was_answered_stays_owed(cast):
    row = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(date(2026, 6, 10)):
        answer(row, cast.own_planner)
        ask(row.project, actor=cast.bureau, request=Request(subject="修改后的方案"), supersedes=row)
    row.refresh_from_db()
    assert row.state == "answered"
    assert set(row.consultees.values_list("state", flat=True)) == {"answered", "released"}


def test_somebody_more_is_asked_with_a_reason(cast):
    row = asked(cast)
    with on_day(MONDAY):
        made = add_consultee(row, actor=cast.bureau, planner=cast.own_planner, reason="涉及交通")
        with pytest.raises(ValidationError, match="已在被征询人之列"):
            add_consultee(row, actor=cast.bureau, planner=cast.own_planner, reason="再次")
        with pytest.raises(ValidationError, match="请填写原因"):
            add_consultee(row, actor=cast.bureau, planner=cast.colleague_planner, reason=" ")
    assert (made.chosen, made.reason) == ("manual", "涉及交通")
    assert Notification.objects.filter(user=cast.planner, text__contains="请于 2026-06-15 前答复").exists()


# --- meetings -----------------------------------------------------------------------------------------------


def meeting(cast, **extra):
    return asked(
        cast, way="meeting", meeting_at=datetime(2026, 6, 10, 14, tzinfo=SHANGHAI), meeting_place="区规划馆",
        planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责", **extra,
    )  # fmt: skip


def test_a_meeting_is_over_with_who_came(cast):
    row = meeting(cast)
    came = row.consultees.get(planner=cast.own_planner)
    with on_day(date(2026, 6, 9)), pytest.raises(ValidationError, match="会议尚未召开"):
        record_meeting(row, actor=cast.bureau, present=[came.pk])
    with on_day(date(2026, 6, 11)):
        row = record_meeting(row, actor=cast.bureau, present=[came.pk], minutes=scan_of(cast.bureau))
        with pytest.raises(Refused):
            record_meeting(row, actor=cast.bureau, present=[])
    assert (row.state, "没有另行提交书面意见" in row.reason) == ("settled", True)
    assert set(row.consultees.values_list("planner__name", "state")) == {("单小雨", "attended"), ("欧阳明", "absent")}


def test_after_the_meeting_a_written_opinion_has_to_be_answered_for(cast):
    row = meeting(cast)
    came = row.consultees.get(planner=cast.own_planner)
    with on_day(date(2026, 6, 11)):
        record_meeting(row, actor=cast.bureau, present=[came.pk])
        answer(row, cast.own_planner)
    row.refresh_from_db()
    came.refresh_from_db()
    assert (row.state, came.state) == ("answered", "answered")


def test_nobody_came_and_nobody_wrote(cast):
    row = meeting(cast)
    with on_day(date(2026, 6, 11)):
        row = record_meeting(row, actor=cast.bureau, present=[])
    assert row.state == "unanswered"


def test_a_meeting_moves_with_a_reason_and_everybody_is_told(cast):
    row = meeting(cast)
    later = datetime(2026, 6, 12, 9, tzinfo=SHANGHAI)
    with on_day(date(2026, 6, 9)):
        with pytest.raises(ValidationError, match="请填写原因"):
            move_meeting(row, actor=cast.bureau, meeting_at=later, meeting_place="", reason="")
        row = move_meeting(row, actor=cast.bureau, meeting_at=later, meeting_place="二楼", reason="专家时间冲突")
    assert row.due_on == date(2026, 6, 12)
    assert Notification.objects.filter(user=cast.planner, text__contains="改期：2026-06-12 09:00，二楼").exists()


def test_a_meeting_has_no_term_to_suspend_or_extend(cast):
    row = meeting(cast)
    with on_day(MONDAY):
        with pytest.raises(Refused, match="请改期"):
            suspend(row, actor=cast.bureau, reason="试")
        with pytest.raises(Refused, match="改期"):
            ask_extension(row, actor=cast.planner, days=1, reason="试")


def test_who_was_not_invited_cannot_be_recorded_as_present(cast, as_user):
    row = meeting(cast)
    other = asked(cast).consultees.get()
    with on_day(date(2026, 6, 11)), pytest.raises(ValidationError, match="请先增补"):
        record_meeting(row, actor=cast.bureau, present=[other.pk])
    assert Consultee.objects.filter(state="attended").count() == 0


def test_the_page_records_who_came_with_the_minutes(cast, as_user):
    row = meeting(cast)
    url = reverse("projects:consultation-meeting", args=[row.pk])
    from django.core.files.uploadedfile import SimpleUploadedFile

    from projects.tests.review_cases import PDF

    bad = SimpleUploadedFile("纪要.pdf", b"MZ\x90\x00", content_type="application/pdf")
    client = as_user("bureau")
    refused = client.post(url, {"present": [row.consultees.first().pk], "minutes": bad})
    assert refused.status_code == 200 and Consultation.objects.get().state == "asked"
    good = SimpleUploadedFile("纪要.pdf", PDF, content_type="application/pdf")
    assert client.post(url, {"present": [row.consultees.first().pk], "minutes": good}).status_code == 302
    minutes = reverse("projects:consultation-minutes", args=[row.pk])
    assert as_user("planner").get(minutes).status_code == 200
    assert as_user("other_unit_officer").get(minutes).status_code == 404
