"""The timeline and the board: everything that happened, each with who and when, for whoever may know of it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core import audit
from factories import make_project, make_unit
from factories_review import (
    make_answer,
    make_consultation,
    make_consultee,
    make_opinion,
    make_rectification,
)
from projects.models import Consultation, Dispute, DisputeStatement, RectificationReply
from projects.permissions_disputes import Matter
from projects.services.disputes import file_dispute, state_position
from projects.services.parties import add_party
from projects.services.stages import decide_stage, send_back
from projects.tests.test_files import put
from projects.timeline import KINDS, happenings

PAGES = ("timeline", "timeline-export", "board")


def everything(project: Any, cast: Any) -> None:
    """One of each: imported rows, without entries of their own."""
    stage = project.stages.get(state="open")
    asked = make_consultation(project, asker=project.owner, asked_by=cast.department, subject="方案征询一")
    Consultation.objects.filter(pk=asked.pk).update(created=timezone.now() - timedelta(hours=1))
    opinion = make_opinion(make_consultee(asked, cast.lead_planner))
    make_answer(opinion.items.first(), "refused")
    fix = make_rectification(project, raised_by=cast.lead_planner, stage=stage)
    RectificationReply.objects.create(rectification=fix, kind="reply", text="已改", by=cast.department)
    dispute = Dispute.objects.create(
        locality=project.locality, project=project, stage=stage, item=opinion.items.last(), number="FQ-1", title="檐口之争",
        raised_side="planner", raised_by=cast.lead, raised_for="龚䶮", filed_on="2026-06-20", route="区政府",
    )  # fmt: skip
    DisputeStatement.objects.create(dispute=dispute, side="planner", text="须退让", by=cast.lead)


def test_everything_that_happened_stands_there_with_who_and_when(cast, project):
    put(project, cast)
    add_party(project, actor=cast.department, role="contractor", name="丙建工")
    everything(project, cast)
    send_back(project.stages.get(), actor=cast.department, reason="沿街界面须调整")
    found = happenings(project, cast.bureau)
    assert {each.kind for each in found} == set(KINDS) - {"conflict"}
    told = {(each.what, each.who) for each in found}
    assert {
        ("登记项目", "分局干部"), ("上传项目资料", "分局干部"), ("登记参建单位", "委办局干部"), ("征询", "委办局干部"),
        ("提交意见书", "龚䶮"), ("反馈：不采纳", "委办局干部"), ("提出整改意见", "龚䶮"), ("整改回复", "委办局干部"),
        ("提请分歧协调", "龚䶮"), ("陈述（责任规划师）", "龚䶮"), ("退回修改", "委办局干部"),
    } <= told  # fmt: skip
    assert all(each.when for each in found)
    assert [each.when for each in found] == sorted((each.when for each in found), reverse=True)
    (back,) = [each for each in found if each.what == "退回修改"]
    assert "原因：沿街界面须调整" in back.note


def test_what_has_an_entry_of_its_own_is_told_once(cast, project):
    row = make_consultation(project, asker=project.owner, asked_by=cast.department)
    audit.record("consultation.create", actor=cast.department, obj=row, label="发出征询")
    words = [each.what for each in happenings(project, cast.bureau, kind="consultation")]
    assert words == ["发出征询"]
    assert [each.what for each in happenings(project, cast.bureau, kind="stage")] == ["开始阶段"]


def test_refusals_and_readings_are_left_to_the_auditors(cast, project, as_user):
    version = put(project, cast, level="nda").versions.get()
    as_user("bureau").get(reverse("projects:file", args=[version.pk]))
    as_user("planner").get(reverse("projects:file", args=[version.pk]))
    as_user("planner").get(reverse("projects:project-edit", args=[project.pk]))
    words = [each.what for each in happenings(project, cast.bureau)]
    assert sorted(words) == ["上传项目资料", "开始阶段", "登记项目"]


def test_the_timeline_shows_nobody_what_its_page_would_not(cast, project, subtests):
    everything(project, cast)
    whole = {"consultation", "opinion", "rectification", "dispute"}
    # Whoever serves there too sees what is to be mended, not what others were asked.
    shown = dict.fromkeys(("bureau", "leader", "unit_officer", "department", "lead"), whole) | {
        "colleague": {"rectification"}, "finance": set(),
    }  # fmt: skip
    for who, kinds in shown.items():
        with subtests.test(who=who):
            user = getattr(cast, who)
            assert {each.kind for each in happenings(project, user)} & whole == kinds
            # What was left out of the whole is left out of each part.
            for kind in KINDS:
                assert all(each.kind == kind for each in happenings(project, user, kind=kind))


def test_what_was_entered_later_is_told_once_with_its_day(cast, project):
    day = timezone.localdate() - timedelta(days=3)
    decide_stage(project.stages.get(), actor=cast.bureau, decided_on=timezone.localdate(), unconsulted=True)
    project.stages.filter(state="open").update(opened_on=day)
    opened = [each for each in happenings(project, cast.bureau) if each.what == "开始阶段" and "施工" in each.note]
    assert [(each.when.date() > day, f"日期 {day}" in each.note) for each in opened] == [(True, True)]


def test_what_is_entered_of_a_dispute_is_not_told_again_by_what_was_said(cast, project):
    stage = project.stages.get()
    fix = make_rectification(project, raised_by=cast.own_planner, stage=stage)
    one = file_dispute(
        Matter(project, rectification=fix),
        actor=cast.department,
        title="檐口",
        text="已按图施工。",
        raised_for="甲公司",
    )
    state_position(one, actor=cast.planner, text="与方案不符。")
    said = [each.what for each in happenings(project, cast.bureau, kind="dispute")]
    assert sorted(said) == ["对方陈述", "提请分歧协调"]


def test_red_is_red_on_the_timeline_too(cast, project):
    decide_stage(project.stages.get(), actor=cast.bureau, decided_on=timezone.localdate(), unconsulted=True)
    assert [each.tone for each in happenings(project, cast.bureau) if each.what == "登记未经征询即通过"] == ["bad"]


@pytest.mark.parametrize("page", PAGES)
def test_who_may_open_the_pages(cast, project, as_user, page):
    url = reverse("projects:board") if page == "board" else reverse(f"projects:{page}", args=[project.pk])
    hidden = 200 if page == "board" else 404
    expected = {
        "bureau": 200, "department": 200, "unit_officer": 200, "planner": 200, "leader": 200, "city": 200,
        "other_unit_officer": hidden, "other_bureau": hidden, "anonymous": 302,
    }  # fmt: skip
    assert {who: as_user(who).get(url).status_code for who in expected} == expected


def test_the_sheet_holds_exactly_what_the_page_shows(cast, project, as_user):
    everything(project, cast)
    for who in ("bureau", "colleague"):
        content = b"".join(as_user(who).get(reverse("projects:timeline-export", args=[project.pk])))
        rows = list(load_workbook(BytesIO(content)).worksheets[0].iter_rows(values_only=True))
        found = happenings(project, getattr(cast, who))
        told = {(each.what, each.who) for each in found if each.what != "导出项目办理记录"}
        assert told <= {(row[2], row[4]) for row in rows}
        assert ("檐口之争" in str(rows)) == (who == "bureau")


def test_the_pages_take_the_same_queries_for_little_and_for_much(cast, project, as_user, django_assert_max_num_queries):
    client = as_user("bureau")
    for page in ("project", "timeline"):
        url, counts = reverse(f"projects:{page}", args=[project.pk]), []
        everything(project, cast)
        put(project, cast, title=page)
        client.get(url)  # the policy's document is read once for all
        for _ in range(2):
            with django_assert_max_num_queries(40) as counted:
                assert client.get(url).status_code == 200
            counts.append(len(counted))
            for number in range(5):
                asked = make_consultation(project, asker=project.owner, asked_by=cast.department)
                make_answer(make_opinion(make_consultee(asked, cast.own_planner)).items.first())
                put(project, cast, title=f"图{number}{page}")
                add_party(project, actor=cast.bureau, role="other", name=f"单位{page}{number}{len(counts)}")
        assert counts[0] == counts[1], page
        Dispute.objects.filter(number="FQ-1").update(number=f"FQ-{page}", state="withdrawn", item=None)


# --- the board ----------------------------------------------------------------------------------------------------


def test_the_board_has_each_project_in_its_stage_with_its_days(cast, project, as_user):
    project.stages.update(opened_on=timezone.localdate() - timedelta(days=9))
    make_project(cast.locality, name="已办结项目", stage="done")
    make_project(cast.other_locality, name="绝密项目", number="绝密一号", stage="scheme")
    page = as_user("bureau").get(reverse("projects:board"))
    lanes = {lane.code: lane for lane in page.context["lanes"]}
    assert [lane.count for lane in lanes.values()] == [0, 1, 0, 0, 1]
    card = lanes["scheme"].cards[0]
    assert (card.project, card.days, card.units) == (project, 9, "景山街道")
    assert "本阶段第 10 天" in page.content.decode()
    assert "绝密" not in page.content.decode()


def test_the_board_is_narrowed_like_the_list(cast, project, as_user):
    make_project(cast.locality, name="别的", stage="scheme", kind="other")
    page = as_user("bureau").get(reverse("projects:board"), {"kind": "public_space"})
    assert [card.project for lane in page.context["lanes"] for card in lane.cards] == [project]


def test_the_board_takes_the_same_queries_for_one_project_and_for_thirty(cast, as_user, django_assert_max_num_queries):
    client, counts = as_user("bureau"), []
    for size in (1, 30):
        for number in range(size):
            stage = ("initiation", "scheme", "construction")[number % 3]
            make_project(cast.locality, units=[cast.unit, make_unit(cast.locality)], stage=stage)
        with django_assert_max_num_queries(16) as counted:
            assert client.get(reverse("projects:board")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]
