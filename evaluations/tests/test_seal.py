"""Sealed means sealed: until a step has closed for everybody, an answer is its author's alone; one place opens it."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from core.errors import Refused, StaleState
from districts.access import forget_access
from evaluations.models import Answer, Sheet
from evaluations.permissions.sheets import SEALED, can_fill, can_read_answers, can_reopen_sheet, can_withdraw_sheet
from evaluations.services.rounds import open_round, pause_round
from evaluations.services.steps import close_step, extend_step, lock_open_step
from evaluations.tests.round_cases import TODAY, make_site
from factories import fill_sheet, make_membership, make_round, make_user

pytestmark = pytest.mark.django_db
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]


@pytest.fixture
def site(db):
    return make_site("jincheng", demo=True)


@pytest.fixture
def opened(site):
    return open_round(make_round(site.locality, actor=site.bureau), actor=site.bureau, today=TODAY)


@pytest.fixture
def of_unit(site, opened):
    """甲街道 about 龚䶮, submitted by its officer."""
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    return fill_sheet(sheet, site.unit_officer, 71, comment="密封意见")


@pytest.fixture
def of_planner(site, opened):
    """龚䶮 about 甲街道."""
    sheet = opened.sheets.get(planner=site.planners[0], subject__unit=site.unit)
    return fill_sheet(sheet, site.planner, 42, comment="密封评价")


def readers(site, sheet):
    return {who for who in EVERYBODY if Answer.objects.filter(sheet=sheet).readable_by(getattr(site, who)).exists()}


def test_before_the_step_closes_only_the_author_reads(site, of_unit, of_planner):
    assert readers(site, of_unit) == {"unit_officer"}
    assert readers(site, of_planner) == {"planner"}


def test_after_it_has_closed_for_everybody_those_who_collate_read_and_still_not_the_other_side(
    site, opened, of_unit, of_planner
):
    close_step(opened.steps.get(number=1), actor=site.bureau)
    assert readers(site, of_unit) == {"unit_officer", "bureau", "leader"}
    assert readers(site, of_planner) == {"planner", "bureau", "leader"}


def test_another_localitys_bureau_reads_nothing(site, opened, of_unit):
    close_step(opened.steps.get(number=1), actor=site.bureau)
    other = make_site("tongzhou", demo=True)
    assert not Answer.objects.readable_by(other.bureau).exists()


def test_a_draft_stays_its_authors_also_after_the_step_has_closed(site, opened):
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    fill_sheet(sheet, site.unit_officer, 10, submit=False)
    close_step(opened.steps.get(number=1), actor=site.bureau)
    assert readers(site, sheet) == {"unit_officer"}


def test_scoring_gets_nothing_before_the_step_has_closed(site, opened, of_unit, of_planner):
    assert not Answer.objects.opened().exists()
    close_step(opened.steps.get(number=1), actor=site.bureau)
    assert set(Answer.objects.opened().values_list("sheet", flat=True)) == {of_unit.pk, of_planner.pk}


def test_the_predicate_says_the_same_as_the_queryset_and_the_same_of_empty_and_full_sheets(site, opened, of_unit):
    empty = opened.sheets.get(subject__planner=site.planners[1], unit=site.other_unit)
    for who in EVERYBODY:
        user = getattr(site, who)
        assert bool(can_read_answers(user, of_unit)) == (who in readers(site, of_unit))
        if who != "unit_officer":
            assert can_read_answers(user, of_unit).reason == can_read_answers(user, empty).reason == SEALED


def test_a_colleague_of_the_office_does_not_read_the_draft(site, opened):
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    fill_sheet(sheet, site.unit_officer, 55, submit=False)
    colleague = make_user("甲专人二")
    make_membership(colleague, "unit", site.locality, unit=site.unit)
    assert not Answer.objects.readable_by(colleague).exists()
    assert not Sheet.objects.owed_by(colleague).filter(pk=sheet.pk).exists()


def test_who_sees_that_a_sheet_exists(site, opened, of_unit):
    def sees(who):
        return Sheet.objects.visible_to(getattr(site, who)).filter(pk=of_unit.pk).exists()

    assert {who for who in EVERYBODY if sees(who)} == {"bureau", "leader", "unit_officer"}


def test_withdrawing_ends_when_the_step_closes(site, opened, of_unit):
    assert can_withdraw_sheet(site.unit_officer, of_unit)
    close_step(opened.steps.get(number=1), actor=site.bureau)
    of_unit.step.refresh_from_db()
    assert not can_withdraw_sheet(site.unit_officer, of_unit)


def test_nothing_is_written_once_the_step_has_closed(site, opened):
    step = opened.steps.get(number=1)
    lock_open_step(step)
    close_step(step, actor=site.bureau)
    with pytest.raises(StaleState):
        lock_open_step(step)
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    assert "已截止" in can_fill(site.unit_officer, sheet).reason


def test_who_has_read_the_others_does_not_get_a_form_back(site, opened):
    step = opened.steps.get(number=1)
    close_step(step, actor=site.bureau)
    unit_sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    bureau_sheet = opened.sheets.filter(side="bureau").first()
    assert can_reopen_sheet(site.bureau, unit_sheet)
    assert not can_reopen_sheet(site.bureau, bureau_sheet)


def test_who_may_fill_in(site, opened):
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    assert {who for who in EVERYBODY if can_fill(getattr(site, who), sheet)} == {"unit_officer"}
    owner = opened.sheets.get(side="project_owner")
    assert {who for who in EVERYBODY if can_fill(getattr(site, who), owner)} == {"owner"}


def test_nobody_fills_in_while_it_is_paused(site, opened):
    pause_round(opened, actor=site.bureau, reason="机构调整")
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    forget_access(site.unit_officer)
    assert can_fill(site.unit_officer, sheet).reason == "评估已暂停"


def test_nobody_evaluates_themselves(site, opened):
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit)
    Sheet.objects.filter(pk=sheet.pk).update(assignee=site.planner)
    sheet.refresh_from_db()
    assert "不能评估自己" in can_fill(site.planner, sheet).reason


def test_a_deadline_moves_for_all_and_with_a_reason(site, opened):
    step = opened.steps.get(number=1)
    moved = extend_step(step, actor=site.bureau, due_on=date(2026, 3, 1), reason="春节", today=TODAY)
    assert moved.due_on == date(2026, 3, 1)
    with pytest.raises(Refused):
        extend_step(step, actor=site.planner, due_on=date(2026, 3, 2), reason="来不及", today=TODAY)


# --- one place opens answers --------------------------------------------------------------------------------

OPENERS = {"evaluations/permissions/sheets.py", "evaluations/services/answers.py", "evaluations/services/scores.py"}


def test_nothing_else_in_the_code_reaches_for_answers():
    """`Answer` is named, and a sheet's `answers` are followed, only where the seal is asked."""
    found = set()
    root = Path(settings.BASE_DIR)
    for app in ("accounts", "districts", "planners", "projects", "worklogs", "evaluations", "portal"):
        for path in (root / app).rglob("*.py"):
            name = str(path.relative_to(root))
            parts = set(path.parts)
            if parts & {"tests", "migrations", "models", "querysets", "scoring"} or name in OPENERS:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = {getattr(node, "id", None), getattr(node, "attr", None)}
                if isinstance(node, ast.ImportFrom):
                    names |= {alias.name for alias in node.names}
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    names |= {"answers"} if node.value.startswith("answers__") else set()
                if names & {"Answer", "answers", "answer_set"} and app == "evaluations":
                    found.add(name)
    assert found == set()
