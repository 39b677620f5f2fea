"""The organisers' pages: what is missing and who may set it, forms as data, opening, moving on, deadlines."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.explain import Figure
from districts.policy.schema import load_supplement
from districts.services.policy_loading import add_supplement
from evaluations.evidence import Evidence
from evaluations.models import Form, Indicator, Round
from evaluations.services import counts
from evaluations.services.form_editing import add_question, copy_form, edit_form, edit_line, remove_question
from evaluations.services.forms import form_digest
from evaluations.services.rounds import open_round
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import everything, later, logged_in, make_filling, submit
from evaluations.tests.round_cases import make_site
from factories import make_round

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()


@pytest.fixture
def prepared(db):
    return make_filling(prepared=True)


@pytest.fixture
def filling(db):
    return make_filling()


def url_of(round_, name="round", **kwargs):
    return reverse(f"evaluations:{name}", kwargs={"pk": round_.pk, **kwargs})


def form_url(form, name="form", **kwargs):
    return url_of(form.step.round, name, number=form.step.number, direction=form.direction, **kwargs)


def planner_form(filling):
    return Form.objects.select_related("step__round").get(
        step__round=filling.round, step__number=1, direction="planner"
    )  # fmt: skip


# --- the checklist --------------------------------------------------------------------------------------------


def test_as_published_the_page_names_each_key_and_who_may_set_it_and_opens_nothing():
    site = make_site("tongzhou", demo=False)
    made = make_round(site.locality, actor=site.bureau, scope="planner", today=timezone.localdate())
    client = logged_in(site.bureau)
    text = client.get(url_of(made)).content.decode()
    for key, setter in (
        ("evaluation.planner_weights", "规划主管部门依地方补充规定录入"), ("evaluation.cutoffs", "政府（或工作组）决定"),
        ("evaluation.missing_raters", "政府（或工作组）决定"),
    ):  # fmt: skip
        assert key in text and setter in text
    assert reverse("districts:policy-supplement", args=[site.locality.code]) in text
    after = client.post(url_of(made, "round-open"), follow=True).content.decode()
    assert "“对责任规划师的指标权重”未设定" in after
    made.refresh_from_db()
    assert (made.state, made.rules) == ("preparation", {})


def test_the_form_page_says_that_there_is_no_weight_and_who_may_set_one():
    site = make_site("tongzhou", demo=False)
    made = make_round(site.locality, actor=site.bureau, scope="planner", today=timezone.localdate())
    form = Form.objects.select_related("step__round").get(step__round=made)
    text = logged_in(site.bureau).get(form_url(form)).content.decode()
    assert "系统不代为设定" in text and "evaluation.planner_weights" in text


def test_prepared_from_the_page_once_even_when_sent_twice():
    site = make_site("tongzhou", demo=True)
    client, url = logged_in(site.bureau), reverse("evaluations:round-prepare")
    page = client.get(url)
    choice = page.context["form"].fields["plan"].choices[0][0]
    key = page.context["form"]["submission_key"].value()
    for _ in range(2):
        assert client.post(url, {"plan": choice, "submission_key": key}).status_code == 302
    assert Round.objects.count() == 1
    assert client.post(url, {"plan": "planner/2020-01-01/x", "submission_key": "k" * 20}).status_code == 200
    assert logged_in(site.leader).get(url).status_code in (403, 404)


def test_opened_moved_on_paused_resumed_and_cancelled_from_the_page(prepared):
    client, made = logged_in(prepared.site.bureau), prepared.round
    assert client.post(url_of(made, "round-open")).status_code == 302
    made.refresh_from_db()
    assert made.state == "scoring"
    assert client.post(url_of(made, "round-pause"), {"reason": ""}).status_code == 200
    client.post(url_of(made, "round-pause"), {"reason": "机构调整"})
    assert "已暂停" in client.get(url_of(made)).content.decode()
    assert client.post(url_of(made, "round-move", move="collate")).status_code == 403
    client.post(url_of(made, "round-resume"))
    assert "须先截止" in client.post(url_of(made, "round-move", move="collate"), follow=True).content.decode()
    assert client.get(url_of(made, "round-move", move="no-such-move")).status_code == 404
    assert client.post(url_of(made, "round-move", move="cancel"), {"reason": ""}).status_code == 200
    client.post(url_of(made, "round-move", move="cancel"), {"reason": "改期"})
    made.refresh_from_db()
    assert made.state == "cancelled"


def test_steps_one_after_the_other_from_the_page(filling):
    client, made = logged_in(filling.site.bureau), filling.round
    second = {"number": 2}
    assert "前一步骤尚未截止" in client.post(
        url_of(made, "step-open", **second), {"due_on": later(filling.today, 9)}
    ).content.decode()  # fmt: skip
    first = {"number": 1}
    assert client.post(url_of(made, "step-extend", **first), {"due_on": "2020-01-01", "reason": "r"}).status_code == 200
    assert client.post(url_of(made, "step-extend", **first), {"due_on": later(filling.today, 30)}).status_code == 200
    client.post(url_of(made, "step-extend", **first), {"due_on": later(filling.today, 30), "reason": "春节"})
    assert filling.step.due_on == later(filling.today, 30)
    client.post(url_of(made, "step-chase", **first))
    client.post(url_of(made, "step-close", **first))
    assert client.post(url_of(made, "step-close", **first)).status_code == 409
    assert client.post(url_of(made, "step-open", **second), {"due_on": "2020-01-01"}).status_code == 200
    client.post(url_of(made, "step-open", **second), {"due_on": later(filling.today, 9)})
    assert list(made.steps.values_list("state", flat=True)) == ["closed", "open"]
    assert client.post(url_of(made, "step-open", number=9)).status_code == 404


@pytest.mark.parametrize("who", ["leader", "city", "unit_officer", "planner", "department"])
def test_nobody_but_the_bureau_moves_anything(filling, who):
    client, made = logged_in(getattr(filling.site, who)), filling.round
    assert client.get(url_of(made)).status_code == 200
    for name, more in (
        ("round-refresh", {}), ("round-open", {}), ("round-pause", {}), ("round-resume", {}),
        ("round-move", {"move": "collate"}), ("step-close", {"number": 1}), ("step-extend", {"number": 1}),
        ("step-chase", {"number": 1}), ("step-open", {"number": 2}), ("round-sheets-bulk", {}),
    ):  # fmt: skip
        assert client.post(url_of(made, name, **more), {"reason": "r"}).status_code == 403, name
    made.refresh_from_db()
    assert (made.state, made.standing, filling.step.state) == ("scoring", "active", "open")


def test_raters_and_rated_see_phases_and_no_counts(filling):
    sheet = filling.of_unit()
    submit(sheet, filling.site.unit_officer, everything(sheet))
    for who in ("planner", "city", "unit_officer"):
        text = logged_in(getattr(filling.site, who)).get(url_of(filling.round)).content.decode()
        assert "评估步骤" in text and "未提交</th>" not in text and "评估人安排" not in text, who
    for who in ("bureau", "leader"):
        assert "未提交</th>" in logged_in(getattr(filling.site, who)).get(url_of(filling.round)).content.decode()


def test_a_round_in_preparation_is_nobodys_business_yet(prepared):
    for who in ("planner", "unit_officer", "department"):
        client = logged_in(getattr(prepared.site, who))
        assert client.get(url_of(prepared.round)).status_code == 404
        assert "2025年度互评" not in client.get(reverse("evaluations:round-list")).content.decode()


def test_another_place_finds_nothing(filling):
    other = make_site("tongzhou", demo=True)
    client = logged_in(other.bureau)
    form = planner_form(filling)
    for url in (
        url_of(filling.round),
        url_of(filling.round, "round-sheets"),
        form_url(form),
        form_url(form, "form-edit"),
    ):
        assert client.get(url).status_code == 404


def test_the_list_asks_the_same_at_one_round_and_at_thirty(filling):
    client, url = logged_in(filling.site.bureau), reverse("evaluations:round-list")
    client.get(url)
    counts = []
    for extra in (0, 29):
        for n in range(extra):
            Round.objects.create(
                locality=filling.site.locality, policy_version=filling.round.policy_version, scope="both",
                title=f"第{n}", period_kind="year", start=date(1990 - n, 1, 1), end=date(1990 - n, 12, 31),
                prepared_by=filling.site.bureau,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10, counts
    for odd in ("?year=abc", "?state=nothing", "?sort=-nothing", "?year=99999999999999999999", "?q=%00"):
        assert client.get(url + odd).status_code == 200, odd


# --- forms -------------------------------------------------------------------------------------------------------


def test_a_line_is_answered_as_the_bureau_decides_and_weighs_what_the_policy_says(prepared):
    form = planner_form(prepared)
    client, line = logged_in(prepared.site.bureau), form.indicators.first()
    url = form_url(form, "line-edit", code=line.code)
    data = {
        "revision": form.revision, "note": "看驻场", "kind": "score", "low": "1", "high": "5", "increment": "1",
        "comment_at_most": "25", "comment_at_least": "", "evidence": ["days", "visits"], "is_required": "on",
        "source": "", "full_at": "", "weight": "99", "title": "我改的", "code": "other",
    }  # fmt: skip
    assert client.post(url, data).status_code == 302
    line.refresh_from_db()
    assert (line.low, line.high, line.evidence, line.comment_at_most) == (1, 5, ["days", "visits"], 25)
    assert line.weight is None and line.title != "我改的" and line.code != "other"
    opened = open_round(prepared.round, actor=prepared.site.bureau, today=prepared.today)
    asked = {row["indicator"]: row["weight"] for row in opened.rules["evaluation.planner_weights"]["value"]}
    line.refresh_from_db()
    assert str(line.weight.normalize()) == str(asked[line.code])


@pytest.mark.parametrize(
    "change, field",
    [
        ({"high": "1", "low": "5"}, "high"), ({"increment": "0"}, "increment"), ({"increment": "7"}, "increment"),
        ({"kind": "count"}, "source"), ({"comment_at_most": "90", "comment_at_least": "10"}, "comment_at_least"),
        ({"comment_at_most": "101"}, "comment_at_most"), ({"evidence": ["secret"]}, "evidence"),
        ({"low": "NaN"}, "low"), ({"kind": "text"}, "kind"),
    ],
)  # fmt: skip
def test_a_scale_that_makes_no_sense_is_refused_beside_its_field(prepared, change, field):
    form = planner_form(prepared)
    line = form.indicators.first()
    data = {"revision": 0, "kind": "score", "low": "0", "high": "100", "increment": "1", "is_required": "on", **change}
    page = logged_in(prepared.site.bureau).post(form_url(form, "line-edit", code=line.code), data)
    assert page.status_code == 200 and field in page.context["form"].errors
    line.refresh_from_db()
    assert (line.kind, line.high, line.increment) == ("score", 100, 1)


def test_questions_are_added_changed_and_removed_while_it_is_prepared(prepared):
    form, bureau = planner_form(prepared), prepared.site.bureau
    client = logged_in(bureau)
    url = form_url(form, "question-add")
    key = client.get(url).context["form"]["submission_key"].value()
    data = {"revision": form.revision, "title": "突出事例", "submission_key": key}
    for _ in range(2):
        assert client.post(url, data).status_code == 302
    made = form.indicators.get(kind="text")
    form.refresh_from_db()
    with pytest.raises(ValidationError):
        edit_line(made, actor=bureau, values={"weight": 50}, revision=form.revision)
    scored = form.indicators.exclude(kind="text").first()
    with pytest.raises(ValidationError, match="不能删除"):
        remove_question(scored, actor=bureau, revision=form.revision)
    assert client.post(form_url(form, "question-remove", code=made.code)).status_code == 302
    assert not form.indicators.filter(kind="text").exists()


def test_two_who_edit_at_once_do_not_write_over_each_other(prepared):
    form, bureau = planner_form(prepared), prepared.site.bureau
    edit_form(form, actor=bureau, title="甲改的", note="", revision=form.revision)
    with pytest.raises(StaleState, match="已被他人修改"):
        edit_form(form, actor=bureau, title="乙改的", note="", revision=form.revision)


def test_after_the_opening_nothing_of_a_form_changes_and_no_weight_does(filling):
    form, site = planner_form(filling), filling.site
    line, digest = form.indicators.first(), form.digest
    for act in (
        lambda: edit_form(form, actor=site.bureau, title="x", note="", revision=form.revision),
        lambda: edit_line(line, actor=site.bureau, values={"note": "x"}, revision=form.revision),
        lambda: add_question(
            form, actor=site.bureau, title="x", note="", is_required=False, revision=form.revision
        ),
        lambda: copy_form(form, form, actor=site.bureau, revision=form.revision),
    ):  # fmt: skip
        with pytest.raises(Refused, match="权重已锁定"):
            act()
    client = logged_in(site.bureau)
    for name, more in (("form-edit", {}), ("line-edit", {"code": line.code}), ("question-add", {}), ("form-copy", {})):
        assert client.post(form_url(form, name, **more), {"revision": 0, "weight": 1}).status_code == 403, name
    # A decision taken afterwards, by the policy's own way, does not reach the round either.
    weights = dict(form.indicators.values_list("code", "weight"))
    base = filling.round.policy_version
    supplement = base.supplements_by.first()
    supplement.is_withdrawn = True
    supplement.save()
    asked = ", ".join(f"{{indicator: {code}, weight: {100 // len(weights)}}}" for code in weights)
    add_supplement(base, actor=site.bureau, supplement=load_supplement(
        f"schema: 1\nsupplements: jincheng\n"
        f"decision: {{number: N9, date: 2026-01-01, title: T, issuer: I, entered_by: E}}\neffective_from: 2026-01-01\n"
        f"values:\n  evaluation.planner_indicators: "
        f"{{value: [{', '.join(f'{{code: {c}, title: x}}' for c in weights)}], "
        f"summary: s}}\n  evaluation.planner_weights: {{value: [{asked}], summary: s}}\n".encode()
    ))  # fmt: skip
    form.refresh_from_db()
    assert dict(form.indicators.values_list("code", "weight")) == weights and form_digest(form) == digest


def test_how_a_form_asks_is_copied_from_the_year_before_and_its_weights_are_not(prepared):
    site, form = prepared.site, planner_form(prepared)
    before = make_round(site.locality, actor=site.bureau, scope="both", year=2023, today=prepared.today)
    source = Form.objects.select_related("step__round").get(
        step__round=before, step__number=1, direction="planner"
    )  # fmt: skip
    source.indicators.update(note="去年的说明", comment_at_most=50, weight=7)
    add_question(source, actor=site.bureau, title="建议", note="", is_required=False, revision=0)
    client = logged_in(site.bureau)
    posted = client.post(form_url(form, "form-copy"), {"revision": form.revision, "source": source.pk})
    assert posted.status_code == 302
    assert set(form.indicators.exclude(kind="text").values_list("note", "comment_at_most", "weight")) == {
        ("去年的说明", 50, None)
    }
    assert form.indicators.filter(kind="text", title="建议").exists()
    other = Form.objects.get(step__round=before, step__number=1, direction="department")
    refused = client.post(form_url(form, "form-copy"), {"revision": form.revision + 1, "source": other.pk})
    assert refused.status_code == 200


def test_previewed_as_each_rater_and_nothing_is_kept(prepared):
    form = planner_form(prepared)
    client = logged_in(prepared.site.bureau)
    for side in ("unit", "project_owner", "no-such-side"):
        text = client.get(form_url(form, "form-preview") + f"?side={side}").content.decode()
        assert "本页不保存任何内容" in text and "data-sheet-autosave" not in text
    assert not prepared.round.sheets.exclude(state="waiting").exists()
    assert logged_in(prepared.site.city).get(form_url(form, "form-preview")).status_code == 403


def test_counted_by_the_portal_needs_a_figure_before_it_opens(prepared, monkeypatch):
    """What the policy leaves unset cannot be counted: said on the checklist, not found out at the closing."""
    unset = [Evidence("days", "服务天数", Figure(None, unset=("quota.days",)))]
    monkeypatch.setattr(counts, "evidence_for", lambda query, only=None: unset)
    form = planner_form(prepared)
    Indicator.objects.filter(form=form, code=form.indicators.first().code).update(
        kind="count", source="days", full_at=100
    )  # fmt: skip
    text = logged_in(prepared.site.bureau).get(url_of(prepared.round)).content.decode()
    assert "由系统数据计分，但" in text
    with pytest.raises(ValidationError, match="由系统数据计分"):
        open_round(prepared.round, actor=prepared.site.bureau, today=prepared.today)


def test_rules_are_shown_with_their_clause_and_as_locked(filling):
    text = logged_in(filling.site.unit_officer).get(url_of(filling.round, "round-rules")).content.decode()
    assert "示例〔2026〕" in text and "已锁定" in text and "未设定" in text


def test_given_back_forms_hold_up_the_collation_until_their_day(filling):
    from evaluations.services.assigning import reopen_sheet
    from evaluations.services.checklist import checklist

    sheet = filling.of_unit()
    submit(sheet, filling.site.unit_officer, everything(sheet))
    close_step(filling.step, actor=filling.site.bureau)
    sheet.refresh_from_db()
    until = later(filling.today, 2)
    reopen_sheet(sheet, actor=filling.site.bureau, reason="漏项", until=until, today=filling.today)

    def held(today):
        return any("已重新开放至" in o.text for o in checklist(filling.round, "collate", today=today))

    assert held(until) and not held(later(until, 1))
