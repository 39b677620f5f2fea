"""整改: asked for by the planner on the spot, answered, looked at again, settled; and what stands before acceptance."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from districts.models import Membership
from factories import make_assignment, make_contract, make_planner, make_policy_version, make_project, make_user
from factories_review import make_party
from planners.models import Assignment, Contract
from projects.models import Rectification, RectificationPhoto, RectificationReply, Recusal
from projects.services import field_sweeps
from projects.services.rectifications import (
    Upload,
    enter_reply,
    escalate,
    open_rectification,
    open_rectifications,
    reinspect,
    waive,
)

from .field_cases import NOON, TODAY, decide, picture, raise_one, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
ROLES = (
    "planner", "lead", "colleague", "unit_officer", "department", "bureau", "leader", "city", "other_unit_officer",
    "other_bureau", "foreign", "finance", "sysadmin", "anonymous",
)  # fmt: skip


@pytest.fixture
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def project(cast):
    return site(cast)


@pytest.fixture
def row(cast, project):
    return raise_one(cast, project)


def told(user, kind):
    return Notification.objects.filter(user=user, kind=kind).count()


# --- asked for ------------------------------------------------------------------------------------------------------


def test_planner_asks_with_clause_contractor_and_photo(cast, project, row):
    assert (row.state, row.raised_by, row.contractor.name) == ("open", cast.own_planner, "示例施工公司")
    assert (row.number, row.raised_on, row.due_on) == ("ZG-110101-2026-0001", TODAY, None)
    assert (row.clause["origin"], row.clause["article"]) == ("clause", "四(二)")
    assert row.photos.count() == 1
    assert AuditEntry.objects.filter(action="rectification.open", object_id=str(row.pk)).count() == 1
    assert [told(who, "rectification.open") for who in (cast.unit_officer, cast.department, cast.planner)] == [1, 1, 0]


def test_term_of_the_policy_is_the_day_unless_the_planner_names_one(cast, project):
    from projects.services import rectifications

    assert rectifications.term_days(project) is None, "the document gives no term"
    named = raise_one(cast, project, due_on=date(2026, 7, 1))
    assert named.due_on == date(2026, 7, 1)
    with pytest.raises(ValidationError) as error:
        raise_one(cast, project, due_on=date(2026, 6, 9))
    assert error.value.message_dict == {"due_on": ["整改期限不能早于提出日期。"]}


def test_term_that_ends_on_a_day_of_rest_ends_on_the_next_workday(cast):
    from projects.stage_policy import day_after_days

    assert day_after_days(date(2026, 6, 10), 2) == date(2026, 6, 12), "a Friday"
    assert day_after_days(date(2026, 6, 10), 3) == date(2026, 6, 15), "Saturday → Monday"


@pytest.mark.parametrize("who", ["lead", "colleague", "unit_officer", "bureau", "leader", "foreign"])
def test_nobody_asks_in_the_planners_name(cast, project, who):
    with pytest.raises(Refused, match="责任规划师本人"):
        open_rectification(
            project, actor=getattr(cast, who), planner=cast.own_planner, subject="node", text="檐口不符。",
            contractor=project.parties.first(),
        )  # fmt: skip
    assert not Rectification.objects.exists()


def test_where_the_policy_has_no_rectification_none_is_asked_for(cast):
    make_policy_version(cast.other_locality, "tongzhou")
    elsewhere = make_project(cast.other_locality, units=[cast.foreign_unit], stage="construction")
    with pytest.raises(Refused, match="本地制度对整改未设定"):
        open_rectification(
            elsewhere, actor=cast.foreign, planner=cast.foreign_planner, subject="node", text="檐口不符。",
            contractor=make_party(elsewhere),
        )  # fmt: skip


def test_planner_in_conflict_asks_for_nothing_and_sees_nothing(cast, project, row, as_user):
    Recusal.objects.create(
        project=project, planner=cast.own_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    with pytest.raises(Refused, match="已登记回避"):
        raise_one(cast, project)
    assert not Rectification.objects.visible_to(cast.planner).exists()
    assert as_user("planner").get(row.get_absolute_url()).status_code == 404
    assert row.number not in as_user("planner").get(reverse("projects:rectifications")).content.decode()


def test_planner_of_a_party_asks_for_nothing(cast, project):
    make_party(project, "designer", name="示例规划设计院", institution=cast.institution)
    with pytest.raises(Refused, match="是本项目的设计单位"):
        raise_one(cast, project)


def test_contractor_of_another_project_is_no_contractor(cast, project):
    with pytest.raises(ValidationError) as error:
        raise_one(cast, project, contractor=make_party(make_project(cast.locality)))
    assert list(error.value.message_dict) == ["contractor"]


def test_done_project_is_past_asking(cast):
    done = make_project(cast.locality, units=[cast.unit], stage="done")
    with pytest.raises(Refused, match="已办结"):
        raise_one(cast, done, contractor=make_party(done))


# --- seen -----------------------------------------------------------------------------------------------------------

SEEN = {
    "planner": 200, "lead": 200, "colleague": 200, "unit_officer": 200, "department": 200, "bureau": 200,
    "leader": 200, "city": 404, "other_unit_officer": 404, "other_bureau": 404, "foreign": 404, "finance": 404,
    "sysadmin": 404, "anonymous": 302,
}  # fmt: skip


def test_who_sees_it(cast, row, as_user):
    Membership.objects.filter(user=cast.city).update(locality=cast.other_locality)
    found = {who: as_user(who).get(row.get_absolute_url()).status_code for who in ROLES}
    assert found == SEEN
    photo = reverse("projects:rectification-photo", args=[row.pk, row.photos.get().pk])
    assert {who: as_user(who).get(photo).status_code for who in ROLES} == SEEN


ACTS = {
    # who: reply, reinspect, escalate, waive, link
    "planner": (403, 200, 200, 403, 200),
    "lead": (403, 200, 200, 403, 200),
    "colleague": (403, 200, 200, 403, 200),
    "unit_officer": (200, 403, 200, 403, 200),
    "department": (200, 403, 200, 403, 200),
    "bureau": (200, 403, 200, 200, 200),
    "leader": (403, 403, 403, 403, 403),
    "other_unit_officer": (404,) * 5,
    "other_bureau": (404,) * 5,
    "foreign": (404,) * 5,
    "finance": (404,) * 5,
    "sysadmin": (404,) * 5,
    "anonymous": (302,) * 5,
}


def test_who_may_do_what(cast, row, as_user):
    decide(cast, review__waiver_by="[bureau]")
    names = ("rectification-reply", "rectification-reinspect", "rectification-escalate", "rectification-waive")
    urls = [reverse(f"projects:{name}", args=[row.pk]) for name in (*names, "link-create")]
    assert {who: tuple(as_user(who).get(url).status_code for url in urls) for who in ACTS} == ACTS


def test_list_holds_what_one_sees_and_costs_the_same_for_many(cast, project, row, as_user, django_assert_num_queries):
    url = reverse("projects:rectifications")
    shown = {who: row.number in as_user(who).get(url).content.decode() for who in SEEN if who != "anonymous"}
    assert {who for who, there in shown.items() if there} == {
        "planner", "lead", "colleague", "unit_officer", "department", "bureau", "leader", "city"
    }  # fmt: skip
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = as_user("planner")
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for _ in range(29):
        raise_one(cast, project, photos=0)
    with CaptureQueriesContext(connection) as many:
        page = client.get(url).content.decode()
    assert page.count("ZG-110101-2026-") >= 30
    assert len(many) == len(one)


def test_filters_find_what_is_late_and_by_contractor(cast, project, row, as_user, time_machine):
    late = raise_one(cast, project, due_on=date(2026, 6, 12), photos=0)
    time_machine.move_to("2026-06-20 12:00:00+08:00")
    client, url = as_user("bureau"), reverse("projects:rectifications")
    page = client.get(url, {"late": "1"}).content.decode()
    assert late.number in page and row.number not in page
    assert "逾期 8 天" in page
    assert row.number in client.get(url, {"q": "示例施工"}).content.decode()
    assert row.number not in client.get(url, {"q": "没有这家"}).content.decode()


# --- answered and looked at again -----------------------------------------------------------------------------------


def test_reply_stands_beside_the_original_and_reinspection_closes(cast, row, as_user):
    before = row.photos.get()
    enter_reply(
        row, actor=cast.unit_officer, text="已按方案返工。", signed_as="张三", uploads=[Upload(picture(), before)]
    )
    row.refresh_from_db()
    assert (row.state, before.answered_by.count()) == ("replied", 1)
    assert told(cast.planner, "rectification.replied") == 1
    page = as_user("planner").get(row.get_absolute_url()).content.decode()
    assert "整改后照片 1-1" in page and "张三（景山专人 代登记）" in page
    reinspect(row, actor=cast.planner, passed=True, text="现场已改正。")
    row.refresh_from_db()
    assert (row.state, row.closed_on) == ("closed", TODAY)
    assert list(row.replies.values_list("kind", "accepted")) == [("reply", None), ("reinspection", True)]
    assert told(cast.unit_officer, "rectification.ended") == 1


def test_what_is_not_mended_is_open_again_with_a_new_day(cast, row):
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    reinspect(row, actor=cast.planner, passed=False, text="仍有一处未改。", due_on=date(2026, 6, 30))
    row.refresh_from_db()
    assert (row.state, row.due_on) == ("open", date(2026, 6, 30))
    with pytest.raises(Refused, match="尚未回复"):
        reinspect(row, actor=cast.planner, passed=False, text="还是没改。")


def test_planner_never_answers_for_the_contractor(cast, row):
    with pytest.raises(Refused, match="代参建单位登记回复"):
        enter_reply(row, actor=cast.planner, text="已整改。", signed_as="张三")


def test_offices_never_close_it(cast, row):
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    for who in (cast.unit_officer, cast.department, cast.bureau, cast.leader):
        with pytest.raises(Refused, match="可以复查"):
            reinspect(row, actor=who, passed=True, text="看过了。")


def test_nothing_moves_once_it_is_settled(cast, row):
    reinspect(row, actor=cast.planner, passed=True, text="现场已改正。")
    row.refresh_from_db()
    acts = [
        lambda: enter_reply(row, actor=cast.bureau, text="已整改。", signed_as="张三"),
        lambda: reinspect(row, actor=cast.planner, passed=True, text="再看一次。"),
        lambda: escalate(row, actor=cast.planner, reason="拖延"),
        lambda: waive(row, actor=cast.bureau, reason="不再需要"),
    ]
    decide(cast, review__waiver_by="[bureau]")
    for act in acts:
        with pytest.raises(Refused, match="已销项"):
            act()


def test_second_of_two_reinspections_is_told(cast, row):
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    row.refresh_from_db()
    stale = Rectification.objects.get(pk=row.pk)
    reinspect(row, actor=cast.planner, passed=True, text="现场已改正。")
    with pytest.raises(StaleState, match="已销项"):
        reinspect(stale, actor=cast.lead, passed=False, text="未改正。")
    assert RectificationReply.objects.filter(rectification=row, kind="reinspection").count() == 1


def test_successor_follows_up_what_a_predecessor_raised(cast, row):
    successor = make_planner(cast.locality, user=make_user("接任规划师"))
    Membership.objects.create(user=successor.user, role="planner", locality=cast.locality, valid_from=date(2026, 1, 1))
    assert not Rectification.objects.visible_to(successor.user).exists()
    Contract.objects.filter(pk=cast.contract.pk).update(state="ended", ended_on=date(2026, 6, 1))
    Assignment.objects.filter(contract=cast.contract).update(end=date(2026, 6, 1))
    contract = make_contract(cast.locality, planner=successor, start=date(2026, 6, 1))
    make_assignment(contract, cast.unit.charge, planner=successor)
    assert Rectification.objects.visible_to(successor.user).get() == row
    reinspect(row, actor=successor.user, passed=True, text="现场已改正。")


def test_end_of_a_contract_tells_the_offices_who_goes_on(cast, row):
    from planners.services.contracts import end_contract

    end_contract(cast.contract, actor=cast.bureau, on=TODAY, reason="双方协商终止")
    assert [told(who, "rectification.inherited") for who in (cast.unit_officer, cast.bureau)] == [1, 1]
    row.refresh_from_db()
    assert row.state == "open"


def test_photo_that_is_no_picture_refuses_the_whole_answer(cast, row):
    from django.core.files.uploadedfile import SimpleUploadedFile

    bad = SimpleUploadedFile("现场.jpg", b"MZ" + b"\0" * 400, "image/jpeg")
    with pytest.raises(ValidationError) as error:
        enter_reply(
            row, actor=cast.unit_officer, text="已整改。", signed_as="张三", uploads=[Upload(picture()), Upload(bad)]
        )
    assert "不是照片" in "".join(error.value.message_dict["photos"])
    row.refresh_from_db()
    assert (row.state, row.replies.count(), row.photos.filter(reply__isnull=False).count()) == ("open", 0, 0)


def test_photo_of_another_matter_is_no_original(cast, project, row):
    other = raise_one(cast, project)
    with pytest.raises(ValidationError, match="不属于这项整改"):
        enter_reply(
            row, actor=cast.bureau, text="已整改。", signed_as="张三", uploads=[Upload(picture(), other.photos.get())]
        )
    assert not RectificationPhoto.objects.filter(answers__isnull=False).exists()


def test_double_click_makes_one_reply(cast, row, as_user):
    client, url = as_user("unit_officer"), reverse("projects:rectification-reply", args=[row.pk])
    data = {"submission_key": new_key(), "text": "已整改。", "signed_as": "张三"}
    for _ in range(2):
        assert client.post(url, data).status_code == 302
    assert row.replies.count() == 1


def test_reinspection_page_with_photos(cast, row, as_user):
    client, url = as_user("planner"), reverse("projects:rectification-reinspect", args=[row.pk])
    beside = f"beside_{row.photos.get().pk}"
    blank = client.post(url, {"submission_key": new_key()}).content.decode()
    assert "请选择复查结论" in blank and "请写明复查情况" in blank
    key = new_key()
    for _ in range(2):
        sent = {
            "submission_key": key,
            "passed": "yes",
            "text": "现场已改正。",
            beside: picture(),
            "photos": [picture("二.jpg")],
        }
        assert client.post(url, sent).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.photos.filter(reply__isnull=False).count()) == ("closed", 2)


# --- taken further, let go ------------------------------------------------------------------------------------------


def test_escalation_needs_a_reason_and_reaches_the_leaders_the_second_time(cast, row):
    with pytest.raises(ValidationError):
        escalate(row, actor=cast.planner, reason=" ")
    escalate(row, actor=cast.planner, reason="多次催促未改")
    row.refresh_from_db()
    assert (row.state, row.escalation, row.reason) == ("escalated", 1, "多次催促未改")
    assert (told(cast.bureau, "rectification.escalated"), told(cast.leader, "rectification.escalated")) == (1, 0)
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    row.refresh_from_db()
    reinspect(row, actor=cast.planner, passed=False, text="未改正。")
    row.refresh_from_db()
    escalate(row, actor=cast.planner, reason="仍未改")
    row.refresh_from_db()
    assert (row.escalation, told(cast.leader, "rectification.escalated")) == (2, 1)


def test_whom_the_policy_names_lets_it_go_and_nobody_while_it_names_nobody(cast, row):
    with pytest.raises(Refused, match="谁可批准免予整改，本地制度未设定"):
        waive(row, actor=cast.bureau, reason="已无必要")
    decide(cast, review__waiver_by="[bureau, planner]")
    for who in (cast.planner, cast.unit_officer, cast.leader):
        with pytest.raises(Refused, match="只有下列单位可以批准"):
            waive(row, actor=who, reason="已无必要")
    with pytest.raises(ValidationError):
        waive(row, actor=cast.bureau, reason="")
    waive(row, actor=cast.bureau, reason="该处已拆除")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("waived", "该处已拆除")


def test_open_ones_follow_the_project_until_settled_or_waived(cast, project, row):
    decide(cast, review__waiver_by="[bureau]")
    others = [raise_one(cast, project, photos=0) for _ in range(3)]
    escalate(others[0], actor=cast.planner, reason="拖延")
    waive(others[1], actor=cast.bureau, reason="该处已拆除")
    reinspect(others[2], actor=cast.planner, passed=True, text="已改正。")
    assert set(open_rectifications(project)) == {row, others[0]}
    project.stages.update(state="passed", closed_on=TODAY)
    assert open_rectifications(project).count() == 2, "whatever the stage"


# --- the calendar ---------------------------------------------------------------------------------------------------


def test_morning_reminds_once_then_reports_what_is_late(cast, project):
    row = raise_one(cast, project, due_on=TODAY + timedelta(days=2))
    for _ in range(2):
        field_sweeps.sweep(TODAY)
    assert told(cast.unit_officer, "rectification.due") == 1
    row.refresh_from_db()
    assert row.state == "open", "the day itself is in time"
    for _ in range(2):
        field_sweeps.sweep(TODAY + timedelta(days=3))
    row.refresh_from_db()
    assert (row.state, row.escalation) == ("escalated", 1)
    assert row.reason == "逾期未整改（期限 2026-06-12）"
    assert told(cast.bureau, "rectification.escalated") == 1
    entry = AuditEntry.objects.get(action="rectification.overdue")
    assert entry.actor is None


def test_without_a_day_nothing_is_late(cast, row):
    field_sweeps.sweep(date(2027, 6, 1))
    row.refresh_from_db()
    assert row.state == "open"


def test_what_was_answered_is_not_reported_as_late(cast, project):
    row = raise_one(cast, project, due_on=TODAY)
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    field_sweeps.sweep(TODAY + timedelta(days=9))
    row.refresh_from_db()
    assert row.state == "replied"


def test_people_do_not_make_the_portals_own_moves(cast, row):
    from core.transitions import apply_move
    from projects.transitions import RECTIFICATION

    for who in (cast.bureau, cast.planner, cast.leader):
        for name in ("overdue", "answer"):
            with pytest.raises(Refused):
                apply_move(row, RECTIFICATION, name, actor=who, reason="x", changes={"reason": "x"})
