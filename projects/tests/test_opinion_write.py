"""Writing an opinion: by whom, structured as the pack says, kept as one writes, together with colleagues."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core import audit
from core.errors import Refused, StaleState
from core.models import Notification
from factories import make_planner
from projects.models import Opinion, OpinionItem, Recusal
from projects.services.consultations import Request, ask
from projects.services.opinions import ItemGiven, Written, discard_draft, save_opinion, sections_for, submit_opinion
from projects.tests.review_cases import (
    MONDAY,
    WRITTEN,
    answer,
    asked,
    beijing,
    jincheng,
    of_planner,
    on_day,
    tongzhou,
    write,
)

INITIATION = [
    "性质与规模是否符合上位规划", "是否符合首都功能疏解等政策", "具体功能与建筑风貌的初步建议", "对规划条件的补充完善建议"
]  # fmt: skip
SCHEME = ["是否落实上位规划", "是否符合技术规范和街区城市设计导则"]
ARCHITECT = ["建筑风貌", "公共空间", "交通组织", "市政基础设施"]


def seat(place, role=""):
    with on_day(MONDAY):
        row = ask(place.project, actor=place.bureau, request=Request(subject="请提意见"))
    return row.consultees.get(role_type=role) if role else row.consultees.first()


@pytest.mark.parametrize(
    ("stage", "points"),
    [
        ("initiation", INITIATION), ("scheme", SCHEME),
        ("construction", ["整体风貌", "重要节点", "建筑与公共空间的关系"]), ("acceptance", []),
    ],
)  # fmt: skip
def test_beijing_core_structures_an_opinion_by_its_stages(db, stage, points):
    assert sections_for(seat(beijing(stage=stage))) == points


def test_tongzhous_architect_speaks_to_four_subjects_and_the_chief_to_none(db):
    place = tongzhou()
    consultee = seat(place, "architect")
    assert sections_for(consultee) == ARCHITECT
    assert sections_for(consultee.consultation.consultees.get(role_type="chief")) == []


def test_where_the_pack_names_no_points_there_are_none(db):
    assert sections_for(seat(jincheng())) == []


def page(row, planner):
    return reverse("projects:opinion-write", args=[row.consultees.get(planner=planner).pk])


def data(items=(), **extra):
    """The form as a browser sends it."""
    found = {"revision": "0", "items-TOTAL_FORMS": str(len(items)), "items-INITIAL_FORMS": "0", **extra}
    for n, item in enumerate(items):
        for name, value in {"section": "", "severity": "should", **item}.items():
            found[f"items-{n}-{name}"] = value
    return found


TWO = [
    {"section": SCHEME[0], "text": "首层应开放。", "severity": "must", "basis": "导则第 12 条"},
    {"section": SCHEME[1], "text": "", "basis": ""},
    {"text": "建议增加座椅。", "basis": "公共空间规范"},
]


def test_the_page_has_a_row_for_each_point_and_one_besides(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        response = as_user("planner").get(page(row, cast.own_planner))
    sections = [form.initial["section"] for form in response.context["items"]]
    assert sections == [*SCHEME, ""]
    html = response.content.decode()
    assert all(f'<option value="{base}">' in html for base in ("上位规划", "相关技术规范", "街区城市设计导则"))
    # Looking makes nothing.
    assert not Opinion.objects.exists()


def test_saved_as_it_stands_points_without_a_word_fall_away(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        done = as_user("planner").post(page(row, cast.own_planner), data(TWO, save="1", summary="大体可行"))
        assert done.status_code == 302
        opinion = Opinion.objects.get()
        assert (opinion.state, opinion.revision, opinion.summary) == ("draft", 1, "大体可行")
        assert list(opinion.items.values_list("position", "section", "severity", "text")) == [
            (1, SCHEME[0], "must", "首层应开放。"), (2, "", "should", "建议增加座椅。"),
        ]  # fmt: skip
        again = as_user("planner").get(page(row, cast.own_planner))
    # What nothing speaks to yet is offered again.
    assert [form.initial["section"] for form in again.context["items"]] == [SCHEME[0], "", SCHEME[1], ""]


def test_a_row_is_taken_out_by_its_box(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        as_user("planner").post(page(row, cast.own_planner), data(TWO, save="1", **{"items-0-DELETE": "on"}))
    assert list(OpinionItem.objects.values_list("text", flat=True)) == ["建议增加座椅。"]


def test_kept_as_one_writes_each_answer_names_the_next_revision(cast, as_user):
    row = of_planner(cast)
    url = reverse("projects:opinion-autosave", args=[row.consultees.get().pk])
    client = as_user("planner")
    with on_day(MONDAY):
        first = client.post(url, data(TWO[:1]))
        assert (first.status_code, first.json()) == (200, {"revision": 1, "saved": "10:00"})
        second = client.post(url, data(TWO, revision="1"))
        assert second.json()["revision"] == 2
        # A row that stands as it was saved is still a row.
        assert client.post(url, data(TWO, revision="2")).json()["revision"] == 3
        stale = client.post(url, data(TWO[:1], revision="1"))
        assert stale.status_code == 409 and "已在别处保存过" in stale.json()["error"]
        wrong = client.post(url, data([{"text": "长" * 2001}], revision="3"))
        assert wrong.status_code == 400
    assert OpinionItem.objects.count() == 2


def test_two_tabs_lose_no_words(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        write(row, cast.own_planner)
        html = as_user("planner").post(page(row, cast.own_planner), data([{"text": "另一页的文字"}], save="1"))
    assert html.status_code == 200
    assert "已在别处保存过" in html.content.decode() and "另一页的文字" in html.content.decode()
    assert OpinionItem.objects.count() == 2


def test_nothing_changed_leaves_no_trace(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = write(row, cast.own_planner)
        save_opinion(opinion.consultee, actor=cast.planner, written=WRITTEN, revision=1)
    assert audit.history(opinion).filter(action="opinion.save").count() == 1


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        (Written(items=[ItemGiven("x", "别处的要点")]), "items", "第 1 条的要点或程度无效"),
        (Written(items=[ItemGiven("x", severity="urgent")]), "items", "第 1 条的要点或程度无效"),
        (Written(items=[ItemGiven("长" * 2001)]), "items", "第 1 条意见有 2001 字"),
        (Written(items=[ItemGiven("x", basis="长" * 301)]), "items", "第 1 条的依据有 301 字"),
        (Written(items=[ItemGiven(f"第{n}") for n in range(61)]), "items", "意见最多 60 条"),
        (Written(summary="长" * 4001), "summary", "综合意见有 4001 字"),
        (Written(verdict="maybe"), "verdict", "请选择总体意见"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(cast, written, field, words):
    row = of_planner(cast)
    with on_day(MONDAY), pytest.raises(ValidationError) as caught:
        write(row, cast.own_planner, written)
    assert words in "".join(caught.value.message_dict[field])
    assert not Opinion.objects.exists()


def test_rare_characters_and_control_characters(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        write(
            row, cast.own_planner, Written(items=[ItemGiven("龚䶮𠮷㛃买买提·吐尔逊\x00\u202e", basis="导则\n第 1 条")])
        )
    item = OpinionItem.objects.get()
    assert (item.text, item.basis) == ("龚䶮𠮷㛃买买提·吐尔逊", "导则 第 1 条")


# --- together -----------------------------------------------------------------------------------------------


def test_colleagues_write_along_the_author_hands_in(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        as_user("planner").post(
            page(row, cast.own_planner), data(TWO, save="1", co_authors=[cast.colleague_planner.pk], verdict="agree")
        )
        assert Notification.objects.filter(user=cast.colleague, text__contains="邀您共同撰写").exists()
        colleague = as_user("colleague")
        assert "邀您共同撰写意见书" in colleague.get(row.get_absolute_url()).content.decode()
        shown = colleague.get(page(row, cast.own_planner))
        assert shown.status_code == 200 and "由单小雨提交" in shown.content.decode()
        assert "共同撰写人" not in [field.label for field in shown.context["form"]]
        changed = data([{"text": "同事改过", "basis": "导则"}], save="1", revision="1", co_authors=[], verdict="agree")
        assert colleague.post(page(row, cast.own_planner), changed).status_code == 302
        opinion = Opinion.objects.get()
        assert opinion.items.get().text == "同事改过" and opinion.co_authors.count() == 1
        with pytest.raises(Refused, match="只有被征询人本人可以提交"):
            submit_opinion(opinion, actor=cast.colleague)
        submit_opinion(opinion, actor=cast.planner)
        # What was written together stays with both, and is edited by neither.
        assert colleague.get(page(row, cast.own_planner)).status_code == 403


def test_only_the_team_writes_along_and_nobody_with_a_conflict(cast):
    row = of_planner(cast)
    stranger = make_planner(cast.locality, name="外人")
    with on_day(MONDAY):
        with pytest.raises(ValidationError, match="外人不在您的团队中"):
            write(row, cast.own_planner, Written(items=WRITTEN.items, co_authors=[stranger]))
        Recusal.objects.create(
            project=row.project, planner=cast.colleague_planner, ground="other", reason="x", recorded_by=cast.bureau
        )
        with pytest.raises(ValidationError, match="不能共同撰写"):
            write(row, cast.own_planner, Written(items=WRITTEN.items, co_authors=[cast.colleague_planner]))
    assert not Opinion.objects.exists()


# --- who may, and what is nobody else's business ------------------------------------------------------------


def test_a_draft_is_its_authors_own(cast, as_user, subtests):
    row = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(MONDAY):
        draft = write(row, cast.own_planner)
        for who in ("colleague", "lead", "bureau", "unit_officer", "leader", "city"):
            with subtests.test(who=who):
                assert as_user(who).get(draft.get_absolute_url()).status_code == 404
                assert not Opinion.objects.visible_to(getattr(cast, who)).exists()
                listed = as_user(who).get(row.get_absolute_url()).content.decode()
                assert "沿街首层" not in listed and draft.get_absolute_url() not in listed
                with pytest.raises(Refused):
                    save_opinion(draft.consultee, actor=getattr(cast, who), written=WRITTEN, revision=1)


def test_a_draft_is_given_up_by_its_author_alone(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner)
        url = reverse("projects:opinion-discard", args=[draft.pk])
        assert as_user("bureau").post(url).status_code == 404
        assert as_user("planner").get(url).status_code == 200
        assert as_user("planner").post(url).status_code == 302
        assert not Opinion.objects.exists()
        with pytest.raises(StaleState):
            save_opinion(row.consultees.get(), actor=cast.planner, written=WRITTEN, revision=1)
        submitted = answer(row, cast.own_planner)
        with pytest.raises(Refused, match="不能放弃"):
            discard_draft(submitted, actor=cast.planner)


def test_unasked_nobody_gives_an_opinion(cast, as_user):
    row = of_planner(cast)
    url = page(row, cast.own_planner)
    for who in ("colleague", "foreign", "lead"):
        assert as_user(who).post(url, data(TWO, save="1")).status_code in (403, 404)
    assert not Opinion.objects.exists()


def test_while_the_request_rests_one_writes_and_hands_in_later(cast):
    from projects.services.course import resume, suspend

    row = of_planner(cast)
    with on_day(date(2026, 6, 3)):
        suspend(row, actor=cast.bureau, reason="补充资料")
        draft = write(row, cast.own_planner)
        with pytest.raises(Refused, match="征询已中止"):
            submit_opinion(draft, actor=cast.planner)
        resume(row, actor=cast.bureau)
        assert submit_opinion(draft, actor=cast.planner).state == "submitted"


def test_a_form_without_its_rows_is_no_crash(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        response = as_user("planner").post(page(row, cast.own_planner), {"revision": "0"})
        tampered = as_user("planner").post(
            page(row, cast.own_planner), {"revision": "0", "items-TOTAL_FORMS": "99999", "items-INITIAL_FORMS": "x"}
        )
    assert (response.status_code, tampered.status_code) == (200, 200)
    assert not Opinion.objects.exists()
