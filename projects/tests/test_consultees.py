"""Those who were asked: declining, keeping out, standing in for one another, being let off; and who may do it."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core import audit
from core.errors import Refused, StaleState
from core.models import Notification
from core.tests.access import answers
from factories import make_planner
from factories_review import make_party
from projects.models import Consultation, Consultee, Opinion, Recusal
from projects.permissions_opinions import can_write, endorser_of
from projects.services.conflicts import record_recusal
from projects.services.consultees import decline, recuse, release, substitute
from projects.services.opinions import Written, submit_opinion
from projects.services.successors import successors_for
from projects.tests.review_cases import MONDAY, WRITTEN, answer, asked, of_planner, on_day, tongzhou, write

ROLES = (
    "bureau", "department", "unit_officer", "other_unit_officer", "other_bureau", "planner", "lead", "colleague",
    "foreign", "leader", "sysadmin", "anonymous",
)  # fmt: skip
# Asked by the unit's office of the planner: the lead of the team sees it and may name a substitute.
PAGES = {
    "consultee-decline": (403, 404, 403, 404, 404, 200, 403, 404, 404, 403, 404, 302),
    "consultee-recuse": (200, 404, 200, 404, 404, 200, 403, 404, 404, 403, 404, 302),
    "consultee-substitute": (200, 404, 200, 404, 404, 200, 200, 404, 404, 403, 404, 302),
    "consultee-release": (200, 404, 200, 404, 404, 403, 403, 404, 404, 403, 404, 302),
    "opinion-write": (403, 404, 403, 404, 404, 200, 403, 404, 404, 403, 404, 302),
    "opinion-paper": (200, 404, 200, 404, 404, 403, 403, 404, 404, 403, 404, 302),
}


def test_who_opens_which_page(cast, as_user):
    row = of_planner(cast, actor=cast.unit_officer).consultees.get()
    with on_day(MONDAY):
        assert answers(as_user, ROLES, {page: reverse(f"projects:{page}", args=[row.pk]) for page in PAGES}) == PAGES


ACTS = {
    "decline": lambda cast, row: decline(row, actor=cast.planner, reason="无暇"),
    "recuse": lambda cast, row: recuse(row, actor=cast.planner, reason="亲属参建"),
    "release": lambda cast, row: release(row, actor=cast.bureau, reason="不必"),
    "substitute": lambda cast, row: substitute(row, actor=cast.bureau, planner=cast.colleague_planner, reason="出差"),
}


def test_nothing_is_done_to_who_has_nothing_to_answer(cast, subtests):
    row = of_planner(cast).consultees.get()
    for state in set(Consultee.State.values) - {"asked"}:
        Consultee.objects.filter(pk=row.pk).update(state=state)
        for act, do in ACTS.items():
            row.refresh_from_db()
            with subtests.test(act=act, state=state):
                with on_day(MONDAY), pytest.raises((Refused, StaleState)):
                    do(cast, row)
                assert Consultee.objects.get().state == state


def test_nothing_is_done_once_the_request_is_over(cast, subtests):
    consultation = of_planner(cast)
    for state in set(Consultation.State.values) - {"asked", "suspended"}:
        Consultation.objects.filter(pk=consultation.pk).update(state=state)
        for act, do in ACTS.items():
            with subtests.test(act=act, state=state):
                with on_day(MONDAY), pytest.raises((Refused, StaleState)):
                    do(cast, Consultee.objects.get())
                assert Consultee.objects.get().state == "asked"


@pytest.mark.parametrize("act", ACTS)
def test_every_act_says_why(cast, act):
    row = of_planner(cast).consultees.get()
    given = {
        "decline": lambda: decline(row, actor=cast.planner, reason=" "),
        "recuse": lambda: recuse(row, actor=cast.planner, reason=""),
        "release": lambda: release(row, actor=cast.bureau, reason="\u3000"),
        "substitute": lambda: substitute(row, actor=cast.bureau, planner=cast.colleague_planner, reason=""),
    }
    with on_day(MONDAY), pytest.raises(ValidationError, match="请填写原因"):
        given[act]()


def test_declined_the_desk_hears_who_could_answer_instead(cast):
    row = of_planner(cast).consultees.get()
    with on_day(MONDAY):
        decline(row, actor=cast.planner, reason="无暇")
    text = Notification.objects.get(user=cast.bureau, kind="consultation.declined").text
    assert "单小雨谢绝答复" in text and "无暇，建议由龚䶮、欧阳明替补" in text


def test_who_keeps_out_sees_the_request_no_longer_and_is_registered(cast, as_user):
    consultation = of_planner(cast)
    row = consultation.consultees.get()
    url = reverse("projects:consultee-recuse", args=[row.pk])
    with on_day(MONDAY):
        done = as_user("planner").post(url, {"reason": "亲属在建设单位任职"})
        assert done.url == reverse("projects:consultation-list")
        assert as_user("planner").get(consultation.get_absolute_url()).status_code == 404
        page = as_user("planner").get(done.url).content.decode()
    assert consultation.number not in page
    found = Recusal.objects.get()
    assert (found.ground, found.reason, found.recorded_by) == ("declared", "亲属在建设单位任职", cast.planner)
    assert Consultation.objects.get().state == "unanswered"


def test_who_keeps_out_of_one_request_is_told_of_once_though_more_were_open(cast):
    first, second = of_planner(cast), of_planner(cast, project=Consultation.objects.first().project)
    with on_day(MONDAY):
        recuse(first.consultees.get(), actor=cast.bureau, reason="亲属在建设单位任职")
    told = Notification.objects.filter(kind__in=["recusal", "consultation.recused"])
    assert sorted(told.values_list("user__name", flat=True)) == ["单小雨"]
    assert "您已被登记回避" in told.get().text
    assert [one.state for one in Consultation.objects.order_by("pk")] == ["unanswered", "unanswered"]
    assert second.consultees.get().state == "recused"


def test_why_a_colleague_keeps_out_is_for_the_desk_alone(cast, as_user):
    consultation = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(MONDAY):
        recuse(consultation.consultees.get(planner=cast.own_planner), actor=cast.planner, reason="亲属在建设单位任职")
        other = as_user("colleague").get(consultation.get_absolute_url()).content.decode()
        desk = as_user("bureau").get(consultation.get_absolute_url()).content.decode()
    assert "已回避" in other and "亲属" not in other
    assert "亲属在建设单位任职" in desk


def test_a_conflict_found_later_takes_everything_owed_off_the_planner(cast):
    first, second = of_planner(cast), asked(cast, planners=[cast.own_planner], change_reason="负责")
    with on_day(MONDAY):
        record_recusal(first.project, cast.own_planner, actor=cast.bureau, ground="other", reason="所在单位中标设计")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("unanswered", "asked")


def test_a_conflict_that_came_up_since_stops_the_opinion(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner)
        make_party(row.project, "contractor", institution=cast.institution)
        with pytest.raises(Refused, match="请办理回避"):
            submit_opinion(draft, actor=cast.planner)


def test_a_colleague_who_came_into_conflict_writes_along_no_more_and_a_lead_in_conflict_endorses_nothing(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner, Written(items=WRITTEN.items, co_authors=[cast.colleague_planner]))
        assert can_write(cast.colleague, draft)
        for planner in (cast.colleague_planner, cast.lead_planner):
            record_recusal(row.project, planner, actor=cast.bureau, ground="other", reason="亲属参与")
        assert not can_write(cast.colleague, draft)
        assert can_write(cast.planner, draft)
        assert endorser_of(draft.consultee) is None


# --- standing in --------------------------------------------------------------------------------------------


def test_a_substitute_takes_the_seat_with_what_it_counts_as(db):
    place = tongzhou()
    from projects.services.consultations import Request, ask

    with on_day(MONDAY):
        row = ask(place.project, actor=place.bureau, request=Request(subject="请提意见"))
        seat = row.consultees.get(role_type="chief")
        made = substitute(seat, actor=place.bureau, planner=place.people["area"], reason="首席出国")
        seat.refresh_from_db()
    assert (seat.state, made.replaces, made.chosen) == ("replaced", seat, "substitute")
    assert (made.opinion_form, made.weight) == ("审查意见", "上报区政府决策的重要依据")
    assert made.role_type == "area" and made.reason == "替补首席甲：首席出国"
    told = {n.user.name for n in Notification.objects.filter(kind__in=["consultation.substituted"])}
    assert told == {"通州区分局", "首席甲"}


def test_the_one_who_is_away_names_a_colleague_of_the_team(cast):
    row = of_planner(cast).consultees.get()
    stranger = make_planner(cast.locality, name="外人")
    with on_day(MONDAY):
        with pytest.raises(ValidationError, match="只能由本团队的规划师替补"):
            substitute(row, actor=cast.planner, planner=stranger, reason="出差")
        made = substitute(row, actor=cast.planner, planner=cast.colleague_planner, reason="出差")
        answer(made.consultation, cast.colleague_planner)
    assert Consultation.objects.get().state == "answered"


def test_the_lead_names_one_too(cast):
    row = of_planner(cast).consultees.get()
    with on_day(MONDAY):
        made = substitute(row, actor=cast.lead, planner=cast.lead_planner, reason="病假")
    assert made.planner == cast.lead_planner


@pytest.mark.parametrize("who", ["colleague", "foreign", "other_unit_officer", "other_bureau", "leader"])
def test_nobody_else_does(cast, who):
    row = of_planner(cast).consultees.get()
    with on_day(MONDAY), pytest.raises(Refused, match="可以安排替补"):
        substitute(row, actor=getattr(cast, who), planner=cast.colleague_planner, reason="试")


def test_nobody_stands_in_twice_or_with_a_conflict(cast):
    consultation = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    row = consultation.consultees.get(planner=cast.own_planner)
    with on_day(MONDAY):
        with pytest.raises(ValidationError, match="已在被征询人之列"):
            substitute(row, actor=cast.bureau, planner=cast.colleague_planner, reason="出差")
        Recusal.objects.create(
            project=consultation.project, planner=cast.lead_planner, ground="other", reason="x", recorded_by=cast.bureau
        )
        with pytest.raises(ValidationError, match="不能征询"):
            substitute(row, actor=cast.bureau, planner=cast.lead_planner, reason="出差")
    row.refresh_from_db()
    assert row.state == "asked"


def test_the_draft_of_who_was_replaced_stays_theirs_and_goes_nowhere(cast):
    consultation = of_planner(cast)
    with on_day(MONDAY):
        draft = write(consultation, cast.own_planner)
        Opinion.objects.filter(pk=draft.pk).update(state="endorsing")
        substitute(consultation.consultees.get(), actor=cast.bureau, planner=cast.colleague_planner, reason="出差")
        draft.refresh_from_db()
        assert (draft.state, draft.return_reason) == ("returned", "已由欧阳明替补")
        with pytest.raises(Refused, match="已由他人替代"):
            submit_opinion(draft, actor=cast.planner)


def test_proposed_are_those_of_the_same_role_first(db):
    from factories import make_assignment, make_contract

    place = tongzhou()
    other = make_planner(place.locality, name="另一建筑师")
    contract = make_contract(
        place.locality, planner=other, role_type="architect",
        policy_version=place.people["chief"].teams_led.get().contracts.get().policy_version,
    )  # fmt: skip
    make_assignment(contract, place.project.units.get().charge, planner=other)
    from projects.services.consultations import Request, ask

    with on_day(MONDAY):
        row = ask(
            place.project, actor=place.bureau,
            request=Request(
                subject="x", planners=[place.people["chief"], place.people["architect"]], change_reason="一名建筑师即可"
            ),
        )  # fmt: skip
        found = successors_for(row.consultees.get(role_type="architect"))
    assert [one.planner.name for one in found] == ["另一建筑师", "片区乙"]


def test_the_page_offers_the_team_and_makes_one(cast, as_user):
    row = of_planner(cast).consultees.get()
    url = reverse("projects:consultee-substitute", args=[row.pk])
    with on_day(MONDAY):
        html = as_user("planner").get(url).content.decode()
        assert "欧阳明" in html and "龚䶮" in html and "或由其他规划师替补" not in html
        assert "或由其他规划师替补" in as_user("bureau").get(url).content.decode()
        empty = as_user("planner").post(url, {"reason": "出差", "submission_key": "0" * 20})
        assert "请选择由谁替补。" in empty.content.decode()
        data = {"planner": cast.colleague_planner.pk, "reason": "出差", "submission_key": "1" * 20}
        assert as_user("planner").post(url, data).status_code == 302
    assert list(Consultee.objects.order_by("pk").values_list("state", flat=True)) == ["replaced", "asked"]
    assert "出差" in str(audit.history(row).first().detail)


def test_a_day_later_the_term_is_what_is_left(cast):
    row = of_planner(cast).consultees.get()
    with on_day(date(2026, 6, 12)):
        made = substitute(row, actor=cast.bureau, planner=cast.colleague_planner, reason="出差")
    assert made.consultation.due_on == date(2026, 6, 15)
