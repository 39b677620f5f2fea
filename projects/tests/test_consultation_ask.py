"""Asking: who may, of whom, until when; and what the form does with what people type."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core import audit
from core.errors import Refused
from core.idempotency import new_key
from core.models import Notification
from districts.access import forget_access
from districts.models import Organisation
from factories import make_membership, make_organisation, make_project, make_unit, make_user
from factories_review import make_party
from projects.models import Consultation, ProjectFile, ProjectFileVersion, Recusal
from projects.services.consultations import Request, ask
from projects.tests.review_cases import MONDAY, SHANGHAI, on_day, scan_of

MATRIX = {
    "bureau": 200, "department": 200, "unit_officer": 200, "other_unit_officer": 404, "other_bureau": 404,
    "planner": 403, "lead": 403, "foreign": 404, "leader": 403, "city": 403, "finance": 403, "evaluator": 403,
    "sysadmin": 403, "secadmin": 403, "auditor": 403, "anonymous": 302,
}  # fmt: skip


@pytest.fixture
def project(cast):
    return make_project(cast.locality, name="雄安路口公共空间提升", stage="scheme", units=[cast.unit])


def page(project):
    return reverse("projects:consultation-create", args=[project.pk])


def sent(project, *, actor, day=MONDAY, **request):
    request.setdefault("subject", "请对方案提出意见")
    with on_day(day):
        return ask(project, actor=actor, request=Request(**request))


@pytest.mark.parametrize("who", MATRIX)
def test_who_may_ask(cast, project, as_user, who):
    assert as_user(who).get(page(project)).status_code == MATRIX[who]
    posted = as_user(who).post(page(project), {"subject": "x"})
    assert posted.status_code == MATRIX[who]
    if who != "anonymous" and MATRIX[who] != 200:
        with pytest.raises(Refused):
            ask(project, actor=getattr(cast, who), request=Request(subject="x"))
    assert not Consultation.objects.exists()


@pytest.mark.parametrize(
    ("who", "name"), [("bureau", "东城分局"), ("unit_officer", "景山街道办事处"), ("department", None)]
)
def test_it_is_asked_in_the_name_of_the_persons_body(cast, project, who, name):
    found = sent(project, actor=getattr(cast, who))
    assert found.asker.name == (name or Organisation.objects.get(kind="department").name)
    assert found.number == "ZX-110101-2026-0001"
    assert audit.history(found).get().detail["asked"] == ["龚䶮（负责“景山街道”）"]
    assert "请于" not in Notification.objects.get(user=cast.lead).text


def test_a_body_that_was_dissolved_asks_nobody(cast, project):
    Organisation.objects.filter(kind="department").update(is_active=False)
    with pytest.raises(ValidationError, match="已停用"):
        sent(project, actor=cast.department)


def test_an_officer_whose_role_names_no_body_asks_for_the_one_bureau(cast, project):
    other = make_user("同事")
    make_membership(other, Role.BUREAU, cast.locality)
    assert sent(project, actor=other).asker.name == "东城分局"
    make_organisation(cast.locality, "bureau", name="第二分局")
    forget_access(other)
    with pytest.raises(ValidationError, match="没有登记所在单位"):
        sent(project, actor=other)


def test_a_project_that_is_done_is_not_asked_about(cast):
    project = make_project(cast.locality, stage="done", units=[cast.unit])
    with pytest.raises(Refused, match="项目已办结"):
        sent(project, actor=cast.bureau)


# --- whom ---------------------------------------------------------------------------------------------------


def test_another_choice_than_the_packs_needs_a_reason(cast, project):
    chosen = {"planners": [cast.own_planner]}
    with pytest.raises(ValidationError, match="与制度规定的人选不同"):
        sent(project, actor=cast.bureau, **chosen)
    found = sent(project, actor=cast.bureau, change_reason="领衔出差", **chosen)
    row = found.consultees.get()
    assert (row.planner, row.chosen, row.reason) == (cast.own_planner, "manual", "领衔出差")
    detail = audit.history(found).get().detail
    assert (detail["left_out"], detail["reason"]) == (["龚䶮"], "领衔出差")


def test_the_packs_own_choice_ticked_by_hand_is_no_other_choice(cast, project):
    found = sent(project, actor=cast.bureau, planners=[cast.lead_planner])
    assert found.consultees.get().chosen == "charge"


def test_nobody_is_asked_of_another_place_or_out_of_the_register(cast, project):
    for planner in (cast.foreign_planner, cast.own_planner):
        type(planner).objects.filter(pk=cast.own_planner.pk).update(is_active=False)
        planner.refresh_from_db()
        with pytest.raises(ValidationError, match="不在本地方的规划师名册中"):
            sent(project, actor=cast.bureau, planners=[planner], change_reason="试")


def test_whose_institution_builds_is_not_asked_and_nobody_may_ask_them(cast, project):
    make_party(project, "designer", institution=cast.institution)
    with pytest.raises(ValidationError, match="没有可以征询的规划师"):
        sent(project, actor=cast.bureau)
    with pytest.raises(ValidationError, match="是本项目的设计单位，不能征询"):
        sent(project, actor=cast.bureau, planners=[cast.own_planner], change_reason="试")


def test_a_party_that_left_keeps_nobody_out(cast, project):
    make_party(project, "designer", institution=cast.institution, is_active=False)
    assert sent(project, actor=cast.bureau).consultees.count() == 1


def test_who_is_recused_is_kept_out_and_shown_as_such(cast, project, as_user):
    Recusal.objects.create(
        project=project, planner=cast.lead_planner, ground="declared", reason="亲属", recorded_by=cast.bureau
    )
    html = as_user("bureau").get(page(project)).content.decode()
    assert "已登记回避（本人申请回避）" in html
    assert "亲属" not in html


# --- until when ---------------------------------------------------------------------------------------------


def test_without_a_term_nothing_is_computed(cast, project):
    found = sent(project, actor=cast.bureau)
    assert (found.term_days, found.due_on, found.feedback_days) == (None, None, None)
    assert found.term_clause["origin"] == "unset"


@pytest.mark.parametrize(
    ("day", "term", "due"),
    [
        (date(2026, 6, 1), 5, date(2026, 6, 8)),
        # Asked on a Friday, on a Sunday, and across the Dragon Boat Festival (19–21 June 2026).
        (date(2026, 6, 5), 5, date(2026, 6, 12)),
        (date(2026, 6, 7), 5, date(2026, 6, 12)),
        (date(2026, 6, 17), 2, date(2026, 6, 22)),
    ],
)
def test_the_requests_own_term_counts_workdays(cast, project, day, term, due):
    found = sent(project, actor=cast.bureau, day=day, term_days=term)
    assert (found.due_on, found.term_clause) == (due, {"origin": "request"})


@pytest.mark.parametrize(
    ("chosen", "due", "term"),
    [
        (date(2026, 6, 12), date(2026, 6, 12), 9),
        # A Saturday, and the first day of the Dragon Boat Festival: the next workday.
        (date(2026, 6, 13), date(2026, 6, 15), 10),
        (date(2026, 6, 19), date(2026, 6, 22), 14),
    ],
)
def test_a_day_off_as_the_last_day_means_the_next_workday(cast, project, chosen, due, term):
    found = sent(project, actor=cast.bureau, due_on=chosen)
    assert (found.due_on, found.term_days) == (due, term)


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        ({"term_days": 5, "due_on": date(2026, 6, 30)}, "due_on", "只填一项"),
        ({"due_on": MONDAY}, "due_on", "须晚于今天"),
        ({"term_days": 0}, "term_days", "至少一个工作日"),
        ({"due_on": date(2031, 1, 6)}, "term_days", "尚未录入日历"),
        ({"way": "meeting"}, "meeting_at", "请填写会议时间"),
        ({"way": "meeting", "meeting_at": datetime(2026, 5, 30, 9, tzinfo=SHANGHAI)}, "meeting_at", "须晚于现在"),
    ],
)
def test_senseless_terms_are_refused_beside_their_field(cast, project, request_, field, words):
    with pytest.raises(ValidationError) as caught:
        sent(project, actor=cast.bureau, **request_)
    assert words in "".join(caught.value.message_dict[field])


def test_a_meeting_is_due_on_its_day_even_a_sunday(cast, project):
    at = datetime(2026, 6, 7, 9, 30, tzinfo=SHANGHAI)
    found = sent(project, actor=cast.bureau, way="meeting", meeting_at=at, meeting_place="区规划馆")
    assert (found.due_on, found.term_days) == (date(2026, 6, 7), None)
    assert "专家会，时间 2026-06-07 09:30，地点区规划馆" in Notification.objects.get(user=cast.lead).text


def test_the_scheme_is_one_of_the_project(cast, project):
    with on_day(MONDAY):
        elsewhere = ProjectFile.objects.create(project=make_project(cast.locality), kind="scheme", title="别处的方案")
        version = ProjectFileVersion.objects.create(
            document=elsewhere, number=1, file=scan_of(cast.bureau), uploaded_by=cast.bureau
        )
    with pytest.raises(ValidationError, match="不属于该项目"):
        sent(project, actor=cast.bureau, scheme=version)


# --- the form -----------------------------------------------------------------------------------------------


def test_the_page_says_what_the_pack_says(project, as_user):
    html = as_user("bureau").get(page(project)).content.decode()
    assert "必须征求：审批前书面征求意见，或邀请出席专家审查会" in html
    assert "制度未设定期限；不填则不设期限" in html
    assert "四(二)" in html


def test_one_request_however_often_it_is_sent(cast, project, as_user):
    client = as_user("bureau")
    data = {
        "submission_key": new_key(), "subject": "请对方案提出意见", "planners": [cast.lead_planner.pk],
        "way": "written", "term_days": "１０",
    }  # fmt: skip
    first, second = client.post(page(project), data), client.post(page(project), data)
    assert first.url == second.url
    found = Consultation.objects.get()
    assert (found.term_days, found.asked_on) == (10, timezone.localdate())
    assert Notification.objects.filter(user=cast.lead).count() == 1


def test_the_form_keeps_what_was_typed_beside_its_errors(cast, project, as_user):
    data = {
        "submission_key": new_key(),
        "subject": "请看沿街界面",
        "planners": [cast.colleague_planner.pk],
        "way": "written",
    }
    html = as_user("bureau").post(page(project), data).content.decode()
    assert "与制度规定的人选不同，请写明原因。" in html and "请看沿街界面" in html
    assert not Consultation.objects.exists()


def test_a_units_office_asks_whom_the_pack_names_though_it_sees_few_planners(cast, project, as_user):
    data = {
        "submission_key": new_key(), "subject": "请提意见", "planners": [cast.own_planner.pk],
        "change_reason": "由具体负责的规划师答复", "way": "written",
    }  # fmt: skip
    assert as_user("unit_officer").post(page(project), data).status_code == 302


def test_a_project_in_two_units_asks_each_planner_once(cast):
    street = make_unit(cast.locality)
    from factories import make_assignment

    make_assignment(cast.contract, street.charge, team=cast.team)
    project = make_project(cast.locality, stage="scheme", units=[cast.unit, street])
    assert sent(project, actor=cast.bureau).consultees.count() == 1
