"""From answers to results: nothing before all has closed, recount equals result, versions, and what is handed down."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal as D
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from core.errors import Refused, StaleState
from core.jobs import run_waiting
from core.models import Job
from evaluations.models import Result, Sheet
from evaluations.services.checklist import NotReady, checklist
from evaluations.services.consequences import TAIL, consequences_of
from evaluations.services.deliberation import settle_result
from evaluations.services.results import (
    COMPUTE_KIND,
    correct_result,
    results_of,
    start_computation,
    write_results,
)
from evaluations.services.rounds import move_round
from evaluations.services.rules import frozen_rules
from evaluations.services.scores import evaluate, recount
from evaluations.services.shown import shown_result
from evaluations.services.steps import close_step
from evaluations.tests.result_cases import (
    announced,
    answer_all,
    change,
    close_all,
    collated,
    deliberated,
    meet,
    of_planner,
    open_scoring,
    published,
    settle,
)
from evaluations.tests.round_cases import TODAY, make_site
from factories import fill_sheet
from planners.models import Assessment

pytestmark = pytest.mark.django_db


@pytest.fixture
def tongzhou(db):
    return make_site("tongzhou", demo=True)


@pytest.fixture
def jincheng(db):
    return make_site("jincheng", demo=True)


# --- computing --------------------------------------------------------------------------------------------------


def test_nothing_is_computed_before_every_step_has_closed_for_everybody(jincheng):
    opened = open_scoring(jincheng)
    answer_all(jincheng, opened)
    close_step(opened.steps.get(number=1), actor=jincheng.bureau)
    with pytest.raises(ValidationError, match="截止后"):
        evaluate(opened)
    with pytest.raises(CommandError, match="截止后"):
        call_command("evaluate", cycle=opened.pk, json=True, stdout=StringIO())
    with pytest.raises(Refused):
        start_computation(opened, actor=jincheng.bureau)
    assert not Result.objects.exists()


def test_moving_to_the_collation_computes_by_a_job_and_the_score_is_that_of_the_pack(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    job = Job.objects.get(kind=COMPUTE_KIND)
    assert (job.state, job.progress_done, job.progress_total) == ("done", 1, 1)
    result = of_planner(moved)
    assert (result.score, result.grade, result.rank, result.version) == (D("85.00"), "良好", 1, 1)
    assert (result.final_score, result.final_grade) == (D("85.00"), "良好")


def test_sides_and_steps_weigh_as_the_pack_says(jincheng):
    opened = open_scoring(jincheng)
    planner = jincheng.planners[0]
    answer_all(jincheng, opened, 90)
    fill_sheet(opened.sheets.get(subject__planner=planner, side="unit"), jincheng.unit_officer, 60)
    fill_sheet(opened.sheets.get(subject__planner=planner, side="project_owner"), jincheng.owner, 90)
    fill_sheet(opened.sheets.get(subject__planner=planner, side="bureau"), jincheng.bureau, 80)
    close_all(jincheng, opened)
    moved = move_round(opened, "collate", actor=jincheng.bureau, today=TODAY)
    run_waiting()
    # Step 1: unit 40, owner 20 → (60×40 + 90×20)/60 = 70; step 2: 80. 70×60 % + 80×40 % = 74.
    assert of_planner(moved, planner).score == D("74.00")


def test_recount_equals_result_at_every_level_and_a_changed_part_is_noticed(jincheng):
    moved = collated(jincheng, open_scoring(jincheng), 77)
    rows = list(results_of(moved))
    assert rows and all(row.figures["sheets"] and recount(row.figures) == [] for row in rows)
    figures = rows[0].figures
    sheet = next(iter(figures["sheets"].values()))
    points = next(part for part in sheet["parts"] if part["code"].startswith("points:"))
    points["value"] = "3.0000"
    assert recount(figures)


def test_what_the_command_prints_is_what_is_kept_with_parts_tail_and_clauses(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    out = StringIO()
    call_command("evaluate", cycle=moved.pk, json=True, stdout=out)
    (row,) = json.loads(out.getvalue())
    assert (row["score"], row["grade"], row["agrees"], row["unset"]) == ("85.00", "良好", True, [])
    assert row["tail"]["ratio"] == "0.95" and "示例〔2026〕2号" in row["tail"]["clause"]
    assert row["tail"]["share"] == "0.30"
    assert {part["code"] for part in row["parts"]} == {"formula:total", "step:1", "step_weight:1"}
    assert all(step["parts"] for step in row["steps"]) and len(row["sheets"]) == 4


def test_the_command_names_rounds_when_the_number_is_wrong(tongzhou):
    opened = open_scoring(tongzhou, "planner")
    with pytest.raises(CommandError, match=str(opened.pk)):
        call_command("evaluate", cycle=opened.pk + 1000, stdout=StringIO())


def test_computing_again_without_a_change_makes_no_version(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"))
    start_computation(moved, actor=tongzhou.bureau)
    run_waiting()
    assert Result.objects.count() == 1


def test_a_sheet_handed_in_anew_makes_a_new_version_and_the_old_one_stays(tongzhou):
    opened = open_scoring(tongzhou, "planner")
    moved = collated(tongzhou, opened, 85)
    sheet = moved.sheets.filter(side="bureau").get()
    fill_sheet(sheet, tongzhou.bureau, 55)
    Sheet.objects.filter(pk=sheet.pk).update(revision=sheet.revision + 1)
    assert any("有变动" in o.text for o in checklist(moved, "deliberate", today=TODAY))
    with pytest.raises(NotReady):
        move_round(moved, "deliberate", actor=tongzhou.bureau, today=TODAY)
    start_computation(moved, actor=tongzhou.bureau)
    run_waiting()
    assert list(Result.objects.order_by("version").values_list("version", "score")) == [
        (1, D("85.00")),
        (2, D("73.00")),
    ]
    assert of_planner(moved).version == 2
    assert not [o for o in checklist(moved, "deliberate", today=TODAY) if o.blocking]


def test_a_computation_still_running_when_the_round_moves_on_writes_nothing(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    found = evaluate(moved)
    start_computation(moved, actor=tongzhou.bureau)
    job = Job.objects.filter(kind=COMPUTE_KIND).latest("pk")
    # The checklist waits for it; even if it did not, the job would write nothing.
    assert "正在测算，请等待完成" in [o.text for o in checklist(moved, "deliberate", today=TODAY)]
    type(moved).objects.filter(pk=moved.pk).update(state="deliberation")
    run_waiting()
    job.refresh_from_db()
    assert job.state == "failed" and "审议" in job.error
    with pytest.raises(Refused, match="审议"):
        write_results(moved, found, actor=tongzhou.bureau)


def test_a_sheet_that_changes_while_it_is_computed_is_not_computed_half(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    found = evaluate(moved)
    moved.sheets.filter(side="bureau").update(revision=99)
    with pytest.raises(StaleState):
        write_results(moved, found, actor=tongzhou.bureau)


def test_asked_twice_it_is_computed_once(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"))
    assert start_computation(moved, actor=tongzhou.bureau) == start_computation(moved, actor=tongzhou.bureau)


@pytest.mark.parametrize("who", ["leader", "city", "planner", "unit_officer", "department"])
def test_only_the_bureau_computes(tongzhou, who):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"))
    with pytest.raises(Refused):
        start_computation(moved, actor=getattr(tongzhou, who))


# --- rough handling -----------------------------------------------------------------------------------------------


def test_one_planner_alone_under_a_limit_of_a_fifth_gets_the_next_grade_and_the_reason():
    site = make_site("beijing-core", demo=True)
    moved = collated(site, open_scoring(site), 95)
    result = of_planner(moved)
    assert (result.score, result.by_score, result.grade, result.note) == (D("95.00"), "优秀", "良好", "“优秀”限 0 名")


def test_a_cutoff_exactly_met_counts_and_a_hundredth_less_does_not(tongzhou):
    assert of_planner(collated(tongzhou, open_scoring(tongzhou, "planner"), 90)).by_score == "优秀"


def test_a_hundredth_below_the_cutoff_is_the_grade_below(tongzhou):
    assert of_planner(collated(tongzhou, open_scoring(tongzhou, "planner"), D("89.99"))).by_score == "良好"


def test_where_all_abstained_there_is_no_score_and_the_group_has_to_say_what_follows():
    site = make_site("beijing-core", demo=True)
    opened = open_scoring(site)
    opened.sheets.update(state="abstained", reason="不了解情况")
    close_all(site, opened)
    moved = move_round(opened, "collate", actor=site.bureau, today=TODAY)
    run_waiting()
    result = of_planner(moved)
    assert result.score is None and result.grade == "" and "全部弃权" in result.note
    moved = move_round(moved, "deliberate", actor=site.bureau, today=TODAY)
    with pytest.raises(ValidationError, match="不评定等级"):
        settle_result(result, actor=site.leader)
    settle(site, moved)
    assert of_planner(moved).state == "settled" and of_planner(moved).adjustments.get().reason == "样本不足，不评定等级"


def test_who_is_missing_enters_as_the_pack_says(jincheng):
    opened = open_scoring(jincheng)
    planner = jincheng.planners[1]
    unit = opened.sheets.get(subject__planner=planner, side="unit")
    moved = collated(jincheng, opened, 90, leave={unit.pk})
    # 晋城's overlay counts who did not answer as 60: step 1 is 60, step 2 is 90 → 60×60 % + 90×40 %.
    assert of_planner(moved, planner).score == D("72.00")


def test_a_draft_that_was_not_handed_in_enters_no_score(jincheng):
    opened = open_scoring(jincheng)
    planner = jincheng.planners[1]
    unit = opened.sheets.get(subject__planner=planner, side="unit")
    answer_all(jincheng, opened, 90)
    fill_sheet(unit, jincheng.other_officer, 100, submit=False)
    close_all(jincheng, opened)
    moved = move_round(opened, "collate", actor=jincheng.bureau, today=TODAY)
    run_waiting()
    assert of_planner(moved, planner).score == D("72.00")


def test_far_off_sheets_are_reported_with_the_middle_and_change_no_score(tongzhou):
    opened = open_scoring(tongzhou, "planner")
    answer_all(tongzhou, opened, 80)
    fill_sheet(opened.sheets.get(side="bureau"), tongzhou.bureau, 20)
    close_all(tongzhou, opened)
    moved = move_round(opened, "collate", actor=tongzhou.bureau, today=TODAY)
    run_waiting()
    result = of_planner(moved)
    assert [(row["value"], row["middle"], row["off"]) for row in result.figures["outliers"]] == [
        ("20.0000", "80.0000", "-60.0000")
    ]
    assert result.score == D("56.00")


def test_reading_a_round_takes_the_same_queries_for_one_and_for_many(jincheng, django_assert_num_queries):
    opened = open_scoring(jincheng)
    answer_all(jincheng, opened)
    close_all(jincheng, opened)
    with django_assert_num_queries(11):
        evaluate(opened)


# --- taking effect ------------------------------------------------------------------------------------------------


def test_published_results_are_handed_down_once_with_grade_score_and_source(tongzhou):
    moved = published(tongzhou, open_scoring(tongzhou, "planner"), 85)
    result = of_planner(moved)
    assert result.state == "published"
    row = Assessment.objects.get()
    assert (row.contract, row.grade, row.score, row.team) == (tongzhou.contract, "良好", D("85.00"), tongzhou.team)
    assert row.source == f"evaluations.result:{result.pk}" and (row.start, row.end) == (moved.start, moved.end)


def test_nothing_is_handed_down_before_it_is_published(tongzhou):
    announced(tongzhou, open_scoring(tongzhou, "planner"))
    assert not Assessment.objects.exists()


def test_departments_results_go_to_no_contract(jincheng):
    moved = published(jincheng, open_scoring(jincheng))
    assert Assessment.objects.count() == results_of(moved).filter(subject__direction="planner").count() == 2


def test_a_published_result_is_corrected_by_a_new_version_and_handed_down_as_such(tongzhou):
    moved = published(tongzhou, open_scoring(tongzhou, "planner"), 85)
    old = of_planner(moved)
    made = correct_result(
        old, actor=tongzhou.leader, to_score=D("70"), to_grade="达标", reason="计分有误", today=date(2026, 4, 1)
    )
    old.refresh_from_db()
    assert (old.final_grade, made.final_grade, made.version, made.supersedes) == ("良好", "达标", 2, old)
    first, second = Assessment.objects.order_by("pk")
    assert second.supersedes == first and second.grade == "达标"
    with pytest.raises(StaleState):
        correct_result(old, actor=tongzhou.leader, to_score=D("50"), to_grade="不达标", reason="再改", today=TODAY)


def test_a_correction_needs_a_reason(tongzhou):
    old = of_planner(published(tongzhou, open_scoring(tongzhou, "planner"), 85))
    with pytest.raises(ValidationError, match="理由"):
        correct_result(old, actor=tongzhou.leader, to_score=D("70"), to_grade="达标", reason=" ", today=TODAY)


def test_the_tail_follows_the_final_grade_and_names_its_decision(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    result = of_planner(moved)
    change(tongzhou, result, "70", "达标")
    result.refresh_from_db()
    tail = next(c for c in consequences_of(result, rules=frozen_rules(moved), on=TODAY) if c.kind == TAIL)
    assert tail.ratio == D("0.85") and tail.clause.origin == "decision" and tail.clause.document == "示例〔2026〕2号"


def test_rewards_and_sanctions_apply_by_the_grade_that_the_document_names(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"), 95)
    result = of_planner(moved)
    rules = frozen_rules(moved)
    result.final_grade = "优秀"
    found = {c.text: c.applies for c in consequences_of(result, rules=rules, on=TODAY)}
    assert found["年度优秀团队奖励"] is True and found["可解除合同，不再续聘"] is False
    result.final_grade = "不达标"
    found = {c.text: c.applies for c in consequences_of(result, rules=rules, on=TODAY)}
    assert found["年度优秀团队奖励"] is False and found["可解除合同，不再续聘"] is True


def test_jincheng_who_fails_is_shown_the_door_by_the_document_and_nobody_else(jincheng):
    moved = deliberated(jincheng, open_scoring(jincheng), 30)
    result = of_planner(moved, jincheng.planners[0])
    found = {c.text: c.applies for c in consequences_of(result, rules=frozen_rules(moved), on=TODAY)}
    assert result.final_grade == "不合格" and found["退出责任规划师队伍"] is True
    result.final_grade = "合格"
    found = {c.text: c.applies for c in consequences_of(result, rules=frozen_rules(moved), on=TODAY)}
    assert found["退出责任规划师队伍"] is False


# --- what a subject is told ---------------------------------------------------------------------------------------


def test_a_department_rated_by_too_few_is_told_no_figure(jincheng):
    moved = announced(jincheng, open_scoring(jincheng), 42)
    result = results_of(moved).get(subject__unit=jincheng.unit)
    view = shown_result(result)
    assert (view.score, view.grade, view.means, view.sheets) == (None, "", (), None)
    assert view.hidden == "参评人数较少，为保护评价人不显示" and result.score == D("42.00")


def test_a_planner_is_told_score_and_grade_and_no_means_of_a_small_group(jincheng):
    view = shown_result(of_planner(announced(jincheng, open_scoring(jincheng), 70), jincheng.planners[1]))
    assert (view.score, view.grade, view.means, view.sheets) == (D("70.00"), "合格", (), None)


def test_means_are_told_only_when_every_one_rests_on_enough_answers(tongzhou):
    result = of_planner(announced(tongzhou, open_scoring(tongzhou, "planner"), 70))
    assert [value for _, value in shown_result(result).means] == ["70.0000", "70.0000"]
    result.figures["answered"] = {"daily": 4, "outcome": 2}
    assert shown_result(result).means == ()


def test_the_meeting_comes_before_the_announcement(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"))
    with pytest.raises(NotReady, match="尚未登记审议"):
        move_round(moved, "announce", actor=tongzhou.leader, today=TODAY)
    meet(tongzhou, moved)
    with pytest.raises(NotReady, match="尚未审定"):
        move_round(moved, "announce", actor=tongzhou.leader, today=TODAY)
