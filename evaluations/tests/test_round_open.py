"""A round opens when nothing is unset: as published nowhere, with the overlay in all four, and in a made-up fifth."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused
from core.models import AuditEntry
from districts.models import PolicyPack, PolicyScope
from districts.policy.schema import load_supplement
from districts.services.policy_loading import add_supplement, load_policy_files
from evaluations.models import Form, Round, Sheet
from evaluations.plans import plans_of
from evaluations.services.checklist import NotReady, checklist
from evaluations.services.forms import form_digest
from evaluations.services.rounds import move_round, offered_rounds, open_round, prepare_round
from evaluations.services.rules import frozen_rules, rules_of
from evaluations.services.steps import close_step
from evaluations.tests.round_cases import PLACES, TODAY, make_site

pytestmark = pytest.mark.django_db
SCOPES = {
    "beijing-core": ["both"], "tongzhou": ["planner"], "jincheng": ["both"], "liaocheng": ["planner", "department"]
}  # fmt: skip


def prepare(site, scope, today=TODAY, year=2025, **extra):
    end = site.contract.end if scope == "planner" and site.locality.code == PLACES["liaocheng"] else date(year, 12, 31)
    return prepare_round(
        site.locality, actor=site.bureau, scope=scope, start=date(year, 1, 1), end=end, today=today, **extra
    )


def rated_by(round_, direction):
    """{(step, subject's kind): sides that rate}."""
    rows = round_.sheets.filter(subject__direction=direction).values_list("step__number", "side")
    return {number: {side for n, side in rows if n == number} for number, _ in rows}


@pytest.mark.parametrize("slug", list(PLACES))
def test_with_the_overlay_a_round_opens_in_all_four(slug):
    site = make_site(slug, demo=True)
    assert [plan.scope for plan, _ in offered_rounds(site.locality, today=TODAY)]
    for scope in SCOPES[slug]:
        opened = open_round(prepare(site, scope), actor=site.bureau, today=TODAY)
        assert opened.state == ("self_report" if opened.has_self_report else "scoring")
        assert opened.subjects.exists() and opened.sheets.exists()
        assert set(Form.objects.filter(step__round=opened).values_list("state", flat=True)) == {"frozen"}


@pytest.mark.parametrize("slug", list(PLACES))
def test_as_published_a_round_does_not_open_and_says_what_is_missing_and_who_may_set_it(slug):
    # 聊城's trial was in force until 2023-05-31.
    today, year = (date(2023, 1, 10), 2022) if slug == "liaocheng" else (TODAY, 2025)
    site = make_site(slug, demo=False, start=date(year, 1, 1))
    for scope in SCOPES[slug]:
        prepared = prepare(site, scope, today=today, year=year)
        with pytest.raises(NotReady) as refusal:
            open_round(prepared, actor=site.bureau, today=today)
        keys = {obstacle.key for obstacle in refusal.value.obstacles}
        assert f"evaluation.{'department' if scope == 'department' else 'planner'}_weights" in keys
        assert ("evaluation.cutoffs" in keys) is (scope != "department")
        assert all(obstacle.setter in obstacle.text for obstacle in refusal.value.obstacles if obstacle.key)
        prepared.refresh_from_db()
        assert prepared.state == "preparation" and prepared.rules == {}


def test_beijing_core_both_sides_in_one_step():
    site = make_site("beijing-core", demo=True)
    opened = open_round(prepare(site, "both"), actor=site.bureau, today=TODAY)
    assert rated_by(opened, "planner") == {1: {"unit"}}
    assert rated_by(opened, "department") == {1: {"planner"}}
    # The team is the planner there (二), so one subject; each unit's office is one on the other side.
    assert list(opened.subjects.filter(direction="planner").values_list("team", flat=True)) == [site.team.pk]
    assert opened.subjects.filter(direction="department").count() == 2
    assert opened.has_self_report


def test_tongzhou_one_way_with_three_sides():
    site = make_site("tongzhou", demo=True)
    opened = open_round(prepare(site, "planner"), actor=site.bureau, today=TODAY)
    assert rated_by(opened, "planner") == {1: {"bureau", "department", "unit"}}
    assert not opened.subjects.filter(direction="department").exists()


def test_jincheng_two_steps_and_the_owner_of_the_project_on_the_other_side():
    site = make_site("jincheng", demo=True)
    opened = open_round(prepare(site, "both"), actor=site.bureau, today=TODAY)
    assert opened.state == "scoring"
    assert rated_by(opened, "planner") == {1: {"unit", "project_owner"}, 2: {"bureau"}}
    assert rated_by(opened, "department") == {1: {"planner"}}
    owner = opened.sheets.get(side="project_owner")
    assert (owner.subject.planner, owner.rater) == (site.planners[0], "项目业主单位")
    assert opened.subjects.filter(direction="department", organisation__name="项目业主单位").exists()
    assert list(opened.steps.values_list("number", "state")) == [(1, "open"), (2, "pending")]


def test_liaocheng_a_term_for_planners_and_a_year_for_districts_and_streets():
    site = make_site("liaocheng", demo=True)
    term = open_round(prepare(site, "planner"), actor=site.bureau, today=TODAY)
    assert (term.period_kind, term.end) == ("term", site.contract.end)
    assert rated_by(term, "planner") == {1: {"bureau"}}
    year = open_round(prepare(site, "department"), actor=site.bureau, today=TODAY)
    assert year.period_kind == "year"
    kinds = set(year.subjects.values_list("organisation__kind", flat=True))
    assert kinds == {"unit_office", "government"}


FIFTH = Path(__file__).parents[2] / "districts/tests/data/fifth_locality.yaml"
FILLS = """\
schema: 1
supplements: yunhe-new-town
decision: {number: 云河规〔2024〕1号, date: 2024-01-05, title: 评议办法, issuer: 云河新城管理委员会, entered_by: 张某}
effective_from: 2024-01-01
values:
  evaluation.organiser: {value: government, summary: 管委会组织}
  evaluation.department_indicators: {value: [{code: help, title: 支持}], summary: 一项}
  evaluation.department_weights: {value: [{indicator: help, weight: 100}], summary: 一项}
  evaluation.missing_raters: {value: ignore, summary: 不计}
  evaluation.abstentions: {value: excluded, summary: 不计}
  evaluation.not_applicable: {value: refused, summary: 不允许}
  evaluation.rater_shares: {value: equal, summary: 相同}
  evaluation.smallest_group: {value: 2, summary: 两人}
  evaluation.fill_days: {value: 10, summary: 十天}
"""


def test_a_fifth_locality_is_a_file_and_its_decision(tmp_path):
    (tmp_path / FIFTH.name).write_text(FIFTH.read_text(encoding="utf-8"), encoding="utf-8")
    load_policy_files(tmp_path)
    pack = PolicyPack.objects.get(slug="yunhe-new-town")
    today = date(2025, 12, 20)
    site = make_site("yunhe-new-town", demo=False, code="659900")
    PolicyScope.objects.get_or_create(pack=pack, locality=site.locality)
    prepared = prepare_round(
        site.locality, actor=site.bureau, scope="department", start=date(2024, 1, 1), end=date(2025, 12, 31),
        today=today,
    )  # fmt: skip
    with pytest.raises(NotReady, match="未设定"):
        open_round(prepared, actor=site.bureau, today=today)
    first = pack.versions.get(number=1)
    add_supplement(first, actor=site.bureau, supplement=load_supplement(FILLS.encode()))
    opened = open_round(prepared, actor=site.bureau, today=today)
    assert opened.period_kind == "two_years"
    assert list(opened.subjects.values_list("organisation__kind", flat=True)) == ["government"]
    assert set(opened.sheets.values_list("rater", flat=True)) == {"龚䶮", "欧阳明"}


def test_a_pack_that_says_nothing_asks_for_no_round():
    class Empty:
        def value(self, key):
            return None

    assert plans_of(Empty()) == []


def test_rules_set_at_the_opening_stay_whatever_is_decided_later():
    site = make_site("tongzhou", demo=True)
    opened = open_round(prepare(site, "planner"), actor=site.bureau, today=TODAY)
    before = frozen_rules(opened).value("evaluation.planner_weights")
    supplement = opened.policy_version.supplements_by.get()
    supplement.is_withdrawn = True
    supplement.save()
    again = Round.objects.get(pk=opened.pk)
    assert frozen_rules(again).value("evaluation.planner_weights") == before
    assert rules_of(again).get("evaluation.planner_weights").clause.document == "示例〔2026〕2号"


def test_forms_cannot_change_unnoticed_once_open():
    site = make_site("tongzhou", demo=True)
    opened = open_round(prepare(site, "planner"), actor=site.bureau, today=TODAY)
    form = Form.objects.get(step__round=opened)
    assert {line.code: line.weight for line in form.indicators.all()} == {"daily": 40, "outcome": 60}
    assert form_digest(form) == form.digest
    form.indicators.filter(code="daily").update(weight=50)
    assert form_digest(form) != form.digest


def test_forms_are_copied_from_the_year_before():
    site = make_site("tongzhou", demo=True)
    last = prepare(site, "planner")
    line = Form.objects.get(step__round=last).indicators.get(code="daily")
    line.note, line.comment_at_most = "看驻场和会议", 60
    line.save()
    again = prepare(site, "planner", today=date(2027, 1, 5), year=2026, copy_from=last)
    copy = Form.objects.get(step__round=again).indicators.get(code="daily")
    assert (copy.note, copy.comment_at_most) == ("看驻场和会议", 60)


def test_who_served_too_short_is_left_out_with_the_reason():
    site = make_site("tongzhou", demo=True)
    add_supplement(
        site.contract.policy_version,
        actor=site.bureau,
        supplement=load_supplement(
            b"schema: 1\nsupplements: tongzhou\n"
            b"decision: {number: N1, date: 2025-01-01, title: T, issuer: I, entered_by: E}\n"
            b"effective_from: 2025-01-01\n"
            b"values:\n  evaluation.least_service_days: {value: 180, summary: s}\n"
        ),
    )
    site.contract.assignments.update(end=date(2025, 3, 31))
    prepared = prepare(site, "planner")
    assert "90 天" in prepared.subjects.get().left_out_reason
    with pytest.raises(NotReady, match="没有可评估的"):
        open_round(prepared, actor=site.bureau, today=TODAY)


def test_days_are_shares_where_the_pack_says_so():
    site = make_site("jincheng", demo=True)
    site.contract.assignments.filter(charge=site.unit.charge).update(end=date(2025, 6, 30))
    sheets = prepare(site, "both").sheets.filter(step__number=1, subject__planner=site.planners[0])
    assert set(sheets.values_list("side", "share")) == {("unit", 181), ("project_owner", 365)}


@pytest.mark.parametrize("who", ["planner", "unit_officer", "leader", "city", "department"])
def test_only_the_bureau_prepares_and_opens(who):
    site = make_site("tongzhou", demo=True)
    prepared = prepare(site, "planner")
    with pytest.raises(Refused):
        open_round(prepared, actor=getattr(site, who), today=TODAY)
    with pytest.raises(Refused):
        prepare_round(
            site.locality, actor=getattr(site, who), scope="planner", start=date(2026, 1, 1), end=date(2026, 12, 31),
            today=TODAY,
        )  # fmt: skip


def test_the_same_period_is_evaluated_once():
    site = make_site("tongzhou", demo=True)
    prepare(site, "planner")
    with pytest.raises(ValidationError, match="已建立"):
        prepare(site, "planner")
    with pytest.raises(ValidationError, match="不符"):
        prepare_round(
            site.locality, actor=site.bureau, scope="planner", start=date(2024, 2, 1), end=date(2024, 12, 31),
            today=TODAY,
        )  # fmt: skip
    assert (date(2025, 1, 1)) not in [period.start for _, period in offered_rounds(site.locality, today=TODAY)]


def test_the_next_phase_waits_for_every_step():
    site = make_site("jincheng", demo=True)
    opened = open_round(prepare(site, "both"), actor=site.bureau, today=TODAY)
    close_step(opened.steps.get(number=1), actor=site.bureau)
    with pytest.raises(NotReady, match="年底统一考评"):
        move_round(opened, "collate", actor=site.bureau, today=TODAY)
    assert [o.text for o in checklist(opened, "collate", today=TODAY)] == ["“年底统一考评”未开始，须先截止"]


def test_opening_is_in_the_audit_log():
    site = make_site("tongzhou", demo=True)
    opened = open_round(prepare(site, "planner"), actor=site.bureau, today=TODAY)
    actions = set(AuditEntry.objects.filter(object_id=str(opened.pk)).values_list("action", flat=True))
    assert {"round.prepare", "round.freeze", "round.open"} <= actions
    assert Sheet.objects.filter(round=opened).count() == 4
