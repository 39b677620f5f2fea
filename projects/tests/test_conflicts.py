"""The conflict guard: in assignment, in what is seen, in what counts; recusals with who, why and by whom replaced."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.models import Notification
from factories import make_planner
from factories_review import (
    make_answer,
    make_consultation,
    make_consultee,
    make_opinion,
    make_party,
    make_rectification,
)
from planners.services.assigning import assign
from projects.models import Consultation, Dispute, ItemAnswer, Opinion, Rectification, Recusal
from projects.services.conflicts import conflict_of, end_recusal, record_recusal
from projects.services.parties import add_party, update_party
from projects.services.registry import recognise_project
from projects.timeline import happenings


def asked(project: Any, cast: Any, *planners: Any) -> Consultation:
    return make_consultation(project, asker=project.owner, asked_by=cast.department, planners=planners)


def recuse(project: Any, cast: Any, planner: Any, **extra: Any) -> Recusal:
    extra.setdefault("ground", "declared")
    extra.setdefault("reason", "亲属在建设单位任职")
    return record_recusal(project, planner, actor=cast.bureau, **extra)


@pytest.mark.parametrize("role", ["builder", "designer", "contractor", "other"])
def test_a_planner_keeps_out_where_their_institution_is_party(cast, project, role):
    assert conflict_of(cast.own_planner, project) is None
    party = make_party(project, role, name="某公司", institution=cast.institution)
    conflict = conflict_of(cast.own_planner, project)
    assert conflict.ground == "institution"
    assert cast.institution.name in conflict.words
    party.is_active = False
    party.save()
    assert conflict_of(cast.own_planner, project) is None


def test_the_institution_of_the_team_counts_as_well_as_the_name_on_the_party(cast, project):
    outsider = make_planner(cast.locality, name="外聘")
    assert conflict_of(outsider, project) is None
    make_party(project, "designer", name=cast.institution.name)
    assert conflict_of(outsider, project) is None
    cast.team.members.create(planner=outsider, start=timezone.localdate())
    assert conflict_of(outsider, project).ground == "institution"
    cast.team.members.filter(planner=outsider).update(end="2026-01-01", start="2025-01-01")
    assert conflict_of(outsider, project) is None


def test_a_party_is_tied_to_the_register_by_its_name(cast, project):
    party = add_party(project, actor=cast.bureau, role="designer", name=cast.institution.name)
    assert party.institution == cast.institution
    update_party(party, actor=cast.bureau, name="另一家设计院")
    party.refresh_from_db()
    assert party.institution is None


def test_nobody_is_appointed_to_a_project_that_they_keep_out_of(cast, project):
    charge = recognise_project(project, actor=cast.bureau).charge
    party = make_party(project, "builder", institution=cast.institution)
    with pytest.raises(ValidationError, match="须回避该项目"):
        assign(cast.contract, charge, actor=cast.bureau, planner=cast.own_planner, start=timezone.localdate())
    with pytest.raises(ValidationError, match="须回避该项目"):
        assign(cast.contract, charge, actor=cast.bureau, team=cast.team, start=timezone.localdate())
    party.is_active = False
    party.save()
    recuse(project, cast, cast.own_planner)
    with pytest.raises(ValidationError, match="须回避该项目"):
        assign(cast.contract, charge, actor=cast.bureau, planner=cast.own_planner, start=timezone.localdate())
    # One of the team keeps out; the others serve.
    assert assign(cast.contract, charge, actor=cast.bureau, team=cast.team, start=timezone.localdate()).pk


def everything_seen(user: Any) -> list[int]:
    models = (Consultation, Opinion, ItemAnswer, Rectification, Dispute)
    return [model.objects.visible_to(user).count() for model in models]


@pytest.mark.parametrize("how", ["recusal", "institution"])
def test_whoever_keeps_out_sees_nothing_of_what_is_asked_and_said(cast, project, as_user, how):
    """Lists, counts, the page and the timeline: none says that there is anything."""
    row = asked(project, cast, cast.lead_planner, cast.own_planner)
    seat = row.consultees.get(planner=cast.own_planner)
    opinion = make_opinion(seat)
    make_answer(opinion.items.first())
    fix = make_rectification(project, raised_by=cast.own_planner)
    Dispute.objects.create(
        locality=project.locality, project=project, stage=project.stages.get(), item=opinion.items.last(),
        number="FQ-1", title="机密分歧", raised_side="planner", raised_by=cast.planner, raised_for="单小雨",
        filed_on="2026-06-20", route="区政府",
    )  # fmt: skip
    assert everything_seen(cast.planner) == [1, 1, 1, 1, 1]
    if how == "recusal":
        recuse(project, cast, cast.own_planner)
    else:
        make_party(project, "contractor", institution=cast.institution)
    assert everything_seen(cast.planner) == [0, 0, 0, 0, 0]
    url = reverse("projects:project", args=[project.pk])
    page = as_user("planner").get(url).content.decode()
    assert "您须回避本项目" in page
    for word in (row.number, fix.number, "机密分歧", "意见书 1 份"):
        assert word not in page
    told = " ".join(f"{each.what}{each.note}" for each in happenings(project, cast.planner))
    for word in (row.number, row.subject, fix.number, "机密分歧"):
        assert word not in told
    # The bureau goes on seeing all of it.
    assert everything_seen(cast.bureau) == [1, 1, 1, 1, 1]


def test_a_stage_that_was_passed_does_not_tell_them_that_others_were_asked(cast, project, as_user):
    from projects.services.stages import decide_stage

    other = make_planner(cast.locality, name="他人")
    make_opinion(make_consultee(asked(project, cast), other))
    decide_stage(project.stages.get(), actor=cast.bureau, decided_on=timezone.localdate())
    url = reverse("projects:project", args=[project.pk])
    assert "已征询" in as_user("planner").get(url).content.decode()
    recuse(project, cast, cast.own_planner)
    page = as_user("planner").get(url).content.decode()
    assert "已征询" not in page
    assert "已通过" in page


def test_a_recusal_leaves_the_open_seat_and_whoever_replaces_takes_it(cast, project):
    row = asked(project, cast, cast.own_planner)
    row.consultees.update(role_type="chief", opinion_form="审查意见")
    other = make_planner(cast.locality, name="接替人")
    made = recuse(project, cast, cast.own_planner, replaced_by=other)
    seats = {seat.planner: seat for seat in row.consultees.all()}
    assert seats[cast.own_planner].state == "recused"
    assert (seats[other].state, seats[other].role_type, seats[other].replaces) == (
        "asked",
        "chief",
        seats[cast.own_planner],
    )
    row.refresh_from_db()
    assert row.state == "asked"
    assert made.replaced_by == other
    texts = list(Notification.objects.filter(user=cast.department).values_list("text", flat=True))
    assert texts == [f"征询 {row.number}：单小雨回避，由接替人接替。"]


def heard(who: Any) -> list[str]:
    return list(Notification.objects.filter(user=who, kind="recusal").values_list("text", flat=True))


def test_each_person_hears_of_a_recusal_once_whatever_is_open(cast, project):
    first, second = asked(project, cast, cast.own_planner), asked(project, cast, cast.own_planner)
    record_recusal(project, cast.own_planner, actor=cast.planner, ground="declared", reason="亲属在建设单位任职")
    (bureau,), (department,) = heard(cast.bureau), heard(cast.department)
    assert bureau.startswith(f"项目“{project.name}”：单小雨申请回避，原因：亲属在建设单位任职。")
    assert all(one.number in text for one in (first, second) for text in (bureau, department))
    assert "申请回避" not in department
    assert heard(cast.planner) == []


def test_a_new_party_is_told_of_once_as_well(cast, project):
    for _ in range(2):
        asked(project, cast, cast.own_planner)
    add_party(project, actor=cast.department, role="designer", name=cast.institution.name)
    assert [len(heard(who)) for who in (cast.bureau, cast.planner)] == [1, 1]


def test_with_nobody_to_replace_them_the_request_is_unanswered_and_the_asker_is_told(cast, project):
    row = asked(project, cast, cast.own_planner)
    recuse(project, cast, cast.own_planner)
    row.refresh_from_db()
    assert row.state == "unanswered"
    told = Notification.objects.filter(user=cast.department).values_list("text", flat=True)
    assert any("请另行选择规划师" in text for text in told)


def test_what_others_have_answered_goes_on(cast, project):
    row = asked(project, cast, cast.own_planner, cast.lead_planner)
    make_opinion(row.consultees.get(planner=cast.lead_planner))
    row.consultees.filter(planner=cast.lead_planner).update(state="answered")
    recuse(project, cast, cast.own_planner)
    row.refresh_from_db()
    assert (row.state, row.answered_on) == ("answered", timezone.localdate())


def test_a_new_party_recuses_whoever_was_asked_at_once(cast, project):
    row = asked(project, cast, cast.own_planner)
    add_party(project, actor=cast.department, role="designer", name=cast.institution.name)
    made = Recusal.objects.get()
    assert (made.planner, made.ground, made.recorded_by) == (cast.own_planner, "institution", cast.department)
    row.refresh_from_db()
    assert row.state == "unanswered"
    told = Notification.objects.filter(kind="recusal").values_list("user", flat=True)
    assert {cast.planner.pk, cast.bureau.pk} <= set(told)


def test_a_new_party_recuses_whoever_is_appointed_to_the_project(cast, project):
    charge = recognise_project(project, actor=cast.bureau).charge
    assign(cast.contract, charge, actor=cast.bureau, planner=cast.own_planner, start=timezone.localdate())
    add_party(project, actor=cast.bureau, role="builder", name=cast.institution.name)
    assert Recusal.objects.get().planner == cast.own_planner


def test_a_recusal_is_recorded_once_with_a_reason_and_a_free_heir(cast, project):
    with pytest.raises(ValidationError, match="请写明原因"):
        recuse(project, cast, cast.own_planner, reason=" ")
    with pytest.raises(ValidationError, match="不能是本人"):
        recuse(project, cast, cast.own_planner, replaced_by=cast.own_planner)
    with pytest.raises(ValidationError, match="本地方在册"):
        recuse(project, cast, cast.own_planner, replaced_by=cast.foreign_planner)
    recuse(project, cast, cast.lead_planner)
    with pytest.raises(ValidationError, match="接替人也须回避"):
        recuse(project, cast, cast.own_planner, replaced_by=cast.lead_planner)
    recuse(project, cast, cast.own_planner)
    with pytest.raises(StaleState, match="已登记回避"):
        recuse(project, cast, cast.own_planner)


def test_a_planner_declares_for_themselves_alone(cast, project, as_user):
    with pytest.raises(Refused, match="只能为本人申请回避"):
        record_recusal(project, cast.lead_planner, actor=cast.planner, ground="declared", reason="试")
    url = reverse("projects:recusal-create", args=[project.pk])
    as_user("planner").post(
        url, {"reason": "与建设单位有合作", "planner": cast.lead_planner.pk, "submission_key": "k" * 20}
    )
    made = Recusal.objects.get()
    assert (made.planner, made.ground) == (cast.own_planner, "declared")
    assert "单小雨申请回避" in Notification.objects.get(user=cast.bureau).text


def test_who_may_record_and_lift_a_recusal(cast, project, as_user):
    new = reverse("projects:recusal-create", args=[project.pk])
    end = reverse("projects:recusal-end", args=[recuse(project, cast, cast.own_planner).pk])
    expected = {
        "bureau": (200, 200), "planner": (200, 403), "lead": (200, 404), "unit_officer": (403, 403),
        "department": (403, 403), "other_unit_officer": (404, 404), "leader": (403, 403), "city": (403, 403),
        "other_bureau": (404, 404), "sysadmin": (403, 404), "anonymous": (302, 302),
    }  # fmt: skip
    found = {who: (as_user(who).get(new).status_code, as_user(who).get(end).status_code) for who in expected}
    assert found == expected


def test_a_lifted_recusal_counts_no_more_and_stays_readable(cast, project, as_user):
    row = asked(project, cast, cast.lead_planner, cast.own_planner)
    made = recuse(project, cast, cast.own_planner)
    with pytest.raises(ValidationError, match="请写明解除原因"):
        end_recusal(made, actor=cast.bureau, reason="")
    end_recusal(made, actor=cast.bureau, reason="亲属已离职")
    with pytest.raises(StaleState):
        end_recusal(made, actor=cast.bureau, reason="再次")
    assert conflict_of(cast.own_planner, project) is None
    # What they left they have left: the seat is not given back by itself.
    assert row.consultees.get(planner=cast.own_planner).state == "recused"
    page = as_user("bureau").get(reverse("projects:project", args=[project.pk])).content.decode()
    assert "解除：亲属已离职" in page


def test_a_units_office_reads_of_conflicts_of_those_planners_alone_whom_it_may_see(cast, project):
    from planners.models import Planner
    from projects.pages import serving_conflicts

    add_party(project, actor=cast.bureau, role="builder", name=cast.institution.name)
    today = timezone.localdate()
    assert len(serving_conflicts(project, cast.bureau, today)) == 3
    for who in (cast.unit_officer, cast.other_unit_officer, cast.finance):
        seen = set(Planner.objects.visible_to(who).values_list("pk", flat=True))
        assert {planner.pk for planner, _ in serving_conflicts(project, who, today)} <= seen


def test_the_bureau_sees_who_serves_there_and_has_to_keep_out(cast, project, as_user):
    make_party(project, "designer", name=cast.institution.name)
    url = reverse("projects:project", args=[project.pk])
    words = f"所在单位“{cast.institution.name}”是本项目的设计单位"
    assert as_user("bureau").get(url).content.decode().count(words) == 3
    assert as_user("foreign").get(url).status_code == 404
