"""What a score is: worked by hand, so that anybody can check it with the numbers on the page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evaluations.scoring import (
    grade_all,
    grade_of,
    group_mean,
    keys_needed,
    outliers,
    points_of_count,
    points_of_score,
    score,
    shown_groups,
)
from evaluations.scoring.rules import Limit
from evaluations.tests.scoring_cases import D, abstained, missing, rules, sheet, step, subject


def value(*sheets, **changes):
    return score(subject(step(*sheets)), rules(**changes)).value


def scored(*values, **changes):
    """One subject for each value, each with one sheet that gives exactly that."""
    found = [score(subject(step(sheet(n, "unit", v, v)), record=n), rules(**changes)) for n, v in enumerate(values, 1)]
    return grade_all(found, rules(**changes))


def grades(*values, **changes):
    return {row.record: row.grade for row in scored(*values, **changes)}


def test_a_sheet_is_the_weighted_mean_of_its_answers():
    assert value(sheet(1, "unit", 90, 80)) == D("84.00")


def test_sides_count_by_weight_however_many_raters_each_has():
    # unit (80 + 90) / 2 = 85, bureau 100, department 60: 40 % + 40 % + 20 %.
    found = value(
        sheet(1, "unit", 80, 80), sheet(2, "unit", 90, 90), sheet(3, "bureau", 100, 100), sheet(4, "department", 60, 60)
    )
    assert found == D("86.00")


def test_shares_within_a_side():
    assert value(sheet(1, "unit", 60, 60, share=3), sheet(2, "unit", 100, 100)) == D("70.00")


def test_a_side_that_owed_nothing_does_not_count():
    assert value(sheet(1, "unit", 90, 90), sheet(2, "bureau", 70, 70)) == D("80.00")


def test_steps_count_by_weight():
    found = score(
        subject(step(sheet(1, "unit", 90, 90)), step(sheet(2, "bureau", 80, 80), number=2)), rules()
    )  # fmt: skip
    assert found.value == D("86.00")


@pytest.mark.parametrize(
    "policy, expected",
    [
        # Within its side the other rater stands for both: unit 90, bureau 70, half and half.
        ("ignore", D("80.00")),
        # The missing rater's half of the unit's weight goes to all others: (20·90 + 40·70) ÷ 60.
        ("reweight", D("76.67")),
        # 60 is put in: unit (90 + 60) ÷ 2 = 75, bureau 70.
        ("set", D("72.50")),
    ],
)
def test_a_missing_rater_is_treated_as_the_policy_says(policy, expected):
    sheets = (sheet(1, "unit", 90, 90), missing(2, "unit"), sheet(3, "bureau", 70, 70))
    assert value(*sheets, missing_raters=policy) == expected


@pytest.mark.parametrize("policy, expected", [("ignore", None), ("reweight", D("70.00")), ("set", D("65.00"))])
def test_a_whole_side_missing(policy, expected):
    assert value(missing(1, "unit"), sheet(2, "bureau", 70, 70), missing_raters=policy) == expected


@pytest.mark.parametrize(
    "policy, expected", [("reweight", D("80.00")), ("full", D("88.00")), ("refused", None), (None, None)]
)
def test_not_applicable(policy, expected):
    assert value(sheet(1, "unit", None, 80), not_applicable=policy) == expected


def test_who_abstains_is_left_out_or_missing_as_the_policy_says():
    sheets = (sheet(1, "unit", 90, 90), abstained(2, "unit"), sheet(3, "bureau", 70, 70))
    assert value(*sheets, abstentions="excluded") == D("80.00")
    assert value(*sheets, abstentions="missing", missing_raters="set") == D("72.50")


def test_all_abstained_gives_no_score_and_says_so():
    found = score(subject(step(abstained(1, "unit"), abstained(2, "bureau"))), rules())
    assert found.value is None and "全部弃权" in found.figure.note


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"weights": {}}, "evaluation.planner_weights"),
        ({"side_weights": {}}, "evaluation.evaluator_weights"),
        ({"step_weights": {}}, "evaluation.stage_weights"),
        ({"missing_raters": None}, "evaluation.missing_raters"),
        ({"missing_raters": "set", "missing_score": None}, "evaluation.missing_score"),
        ({"abstentions": None}, "evaluation.abstentions"),
        ({"not_applicable": None}, "evaluation.not_applicable"),
    ],
)
def test_an_unset_rule_gives_no_score_and_is_named(changes, key):
    one = step(sheet(1, "unit", None, 80), missing(2, "bureau"), sheet(3, "bureau", 70, 70), abstained(4, "unit"))
    found = score(subject(one, step(sheet(5, "bureau", 80, 80), number=2)), rules(**changes))
    assert found.value is None
    assert key in found.figure.unset


def test_a_cutoff_exactly_met_counts():
    assert grade_of(D("90.00"), rules()) == "优秀"
    assert grade_of(D("89.99"), rules()) == "良好"
    assert grade_of(D(0), rules()) == "不达标"


def test_the_grade_goes_by_the_score_that_is_shown():
    # 89.9950 is shown as 90.00.
    found = score(subject(step(sheet(1, "unit", "89.995", "89.995"))), rules())
    assert found.value == D("90.00")
    assert grade_all([found], rules())[0].grade == "优秀"


def test_without_cutoffs_there_is_no_grade_and_the_key_is_named():
    (row,) = scored(95, cutoffs=())
    assert row.grade is None and row.unset == ("evaluation.cutoffs",)


LIMIT = (Limit("优秀", D("0.25"), "down"),)


def test_beyond_the_limit_the_next_grade():
    assert grades(99, 98, 85, 70, limits=LIMIT, ties="all_out") == {1: "优秀", 2: "良好", 3: "良好", 4: "达标"}


@pytest.mark.parametrize(
    "ties, expected",
    [("all_in", ("优秀", "优秀")), ("all_out", ("良好", "良好")), ("deliberate", (None, None)), (None, (None, None))],
)
def test_equal_scores_at_the_limit(ties, expected):
    found = grades(95, 95, 85, 70, limits=LIMIT, ties=ties)
    assert (found[1], found[2]) == expected


def test_equal_scores_are_told_apart_by_the_heaviest_indicator():
    # Both 92; the outcome weighs more than the daily work.
    found = [
        score(subject(step(sheet(1, "unit", 98, 88)), record=1), rules()),
        score(subject(step(sheet(2, "unit", 86, 96)), record=2), rules()),
        *(score(subject(step(sheet(n, "unit", 70, 70)), record=n), rules()) for n in (3, 4)),
    ]
    assert found[0].value == found[1].value == D("92.00")
    rows = {r.record: r.grade for r in grade_all(found, rules(limits=LIMIT, ties="by_indicator"))}
    assert (rows[1], rows[2]) == ("良好", "优秀")


@pytest.mark.parametrize("rounding, best", [("down", 0), ("up", 1), ("half_up", 1)])
def test_part_of_a_person_counts_as_the_pack_says(rounding, best):
    limit = (Limit("优秀", D("0.5"), rounding),)
    assert list(grades(95, limits=limit, ties="all_out").values()).count("优秀") == best


def test_equal_scores_share_a_rank_and_leave_the_next_open():
    assert [(row.score, row.rank) for row in scored(95, 95, 80)] == [(D(95), 1), (D(95), 1), (D(80), 3)]


def test_sheets_far_from_the_others_are_reported_and_change_nothing():
    item = score(subject(step(sheet(1, "unit", 90, 90), sheet(2, "unit", 88, 88), sheet(3, "unit", 40, 40))), rules())
    (row,) = outliers([item])
    assert (row.sheet, row.off) == (3, Decimal("-48.0000"))
    assert item.value == D("72.67")


def test_two_sheets_alone_say_nothing_of_each_other():
    assert outliers([score(subject(step(sheet(1, "unit", 90, 90), sheet(2, "unit", 10, 10))), rules())]) == []


def test_small_groups_are_hidden_and_cannot_be_subtracted():
    assert shown_groups({"a": 5, "b": 4, "c": 1}, 3) == {"a"}
    assert shown_groups({"a": 5, "b": 2, "c": 2}, 3) == {"a"}
    assert shown_groups({"a": 5, "b": 4, "c": 1}, 3, total_shown=False) == {"a", "b"}
    assert shown_groups({"a": 5}, None) == set()


def test_a_mean_of_few_is_not_shown():
    assert group_mean([D(80), D(90)], rules()).value is None
    assert group_mean([D(80), D(90), D(91)], rules()).value == D("87.00")
    assert group_mean([D(80)] * 5, rules(smallest_group=None)).unset == ("evaluation.smallest_group",)


def test_scales():
    assert points_of_score(D(3), D(1), D(5)) == D(50)
    assert points_of_count(D(40), D(30)) == D(100)
    assert points_of_count(D(15), D(30)) == D(50)
    with pytest.raises(ValueError):
        points_of_score(D(6), D(1), D(5))


def test_what_is_not_needed_is_not_asked_for():
    needed = keys_needed(rules(), sides_in_a_step=1, steps=1)
    assert "evaluation.evaluator_weights" not in needed and "evaluation.stage_weights" not in needed
    assert "evaluation.ties" not in needed and "evaluation.missing_score" not in needed
    more = keys_needed(rules(limits=LIMIT, missing_raters="set"), sides_in_a_step=3, steps=2)
    assert {
        "evaluation.evaluator_weights", "evaluation.stage_weights", "evaluation.ties", "evaluation.missing_score"
    } <= set(more)  # fmt: skip
