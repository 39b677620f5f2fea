"""The three-valued reading of what a role asks for: logic that holds for every tree, and the items one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planners.qualification import (
    MET,
    NOT_MET,
    UNKNOWN,
    Facts,
    Node,
    Verdict,
    all_of,
    any_of,
    evaluate,
    explained,
    full_years,
    needs_of,
)

ON = date(2026, 6, 1)
NOBODY = Facts("none", "无", (), "", None, ON)
STATES = st.sampled_from([MET, NOT_MET, UNKNOWN])
ORDER = {NOT_MET: 0, UNKNOWN: 1, MET: 2}


def facts(**changed) -> Facts:
    values = {"title": "none", "title_label": "无", "registrations": (), "education": "", "since": None, "on": ON}
    return Facts(**{**values, **changed})


def verdict(word: str) -> Verdict:
    return Verdict(word, word, "分局干部", ON, "面谈记录")


def leaf(state: str, number: int = 0) -> dict:
    return {"judged": {"text": f"{state}{number}"}}


VERDICTS = {f"{state}{n}": verdict(state) for state in (MET, NOT_MET) for n in range(3)}
LEAVES = st.builds(leaf, STATES, st.integers(0, 2))
PREFERRED = st.builds(lambda state: {"judged": {"text": f"{state}0", "preferred": True}}, STATES)
TREES = st.recursive(
    LEAVES | PREFERRED,
    lambda inner: st.builds(
        lambda op, rows: {op: rows}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


def state_of(tree: dict) -> str:
    return evaluate(tree, NOBODY, VERDICTS).state


@given(st.lists(STATES))
def test_all_is_the_least_and_any_the_greatest(states):
    assert ORDER[all_of(states)] == min((ORDER[s] for s in states), default=2)
    assert ORDER[any_of(states)] == max((ORDER[s] for s in states), default=0)


@given(TREES)
def test_knowing_more_never_turns_a_known_result(tree):
    """What is met or not met stays so whichever way the open criteria are decided later."""
    before = state_of(tree)
    for word in (MET, NOT_MET):
        later = {**VERDICTS, **{f"{UNKNOWN}{n}": verdict(word) for n in range(3)}}
        after = evaluate(tree, NOBODY, later).state
        assert after != UNKNOWN or before == UNKNOWN
        assert before in (UNKNOWN, after)


@given(TREES)
def test_judging_better_never_makes_worse(tree):
    better = {**VERDICTS, **{f"{NOT_MET}{n}": verdict(MET) for n in range(3)}}
    assert ORDER[evaluate(tree, NOBODY, better).state] >= ORDER[state_of(tree)]


@given(TREES, TREES)
def test_order_of_conditions_does_not_count(left, right):
    assert state_of({"all": [left, right]}) == state_of({"all": [right, left]})
    assert state_of({"any": [left, right]}) == state_of({"any": [right, left]})


@given(TREES)
def test_preferred_conditions_never_decide(tree):
    for word in (MET, NOT_MET, UNKNOWN):
        wished = {"judged": {"text": f"{word}0", "preferred": True}}
        assert state_of({"all": [tree, wished]}) == state_of({"all": [tree]})


@given(TREES)
def test_every_item_is_shown_once_in_order_with_its_ground(tree):
    leaves = list(evaluate(tree, NOBODY, VERDICTS).leaves())
    assert [node.number for node in leaves] == list(range(len(leaves)))
    assert all(node.words and node.reason for node in leaves)


@given(TREES)
def test_result_says_what_is_lacking(tree):
    root = evaluate(tree, NOBODY, VERDICTS)
    words = explained(root)
    assert words == "各项任职条件均符合。" if root.state == MET else "“" in words


@given(st.dates(date(1960, 1, 1), date(2030, 1, 1)), st.integers(0, 50))
def test_years_are_full_on_their_day_and_not_before(since, years):
    later = (
        since.replace(year=since.year + years)
        if (since.month, since.day) != (2, 29)
        else date(since.year + years, 3, 1)
    )
    assert full_years(since, later) == years
    assert full_years(since, later - timedelta(days=1)) == max(0, years - 1)


@pytest.mark.parametrize(
    "need, held, state",
    [
        ({"title": {"min": "intermediate"}}, {"title": "middle"}, MET),
        ({"title": {"min": "intermediate"}}, {"title": "junior"}, NOT_MET),
        ({"title": {"min": "senior"}}, {"title": "middle"}, NOT_MET),
        ({"title": {"min": "senior_engineer"}}, {"title": "professor"}, MET),
        ({"certificate": {"name": "registered_planner"}}, {"registrations": ["registered_planner"]}, MET),
        ({"certificate": {"name": "registered_planner"}}, {"registrations": ["first_class_architect"]}, NOT_MET),
        ({"certificate": {"name": "registered_architect"}}, {"registrations": ["first_class_architect"]}, MET),
        ({"certificate": {"name": "first_class_architect"}}, {"registrations": ["registered_architect"]}, NOT_MET),
        ({"experience": {"years": 5}}, {"since": date(2021, 6, 1)}, MET),
        ({"experience": {"years": 5}}, {"since": date(2021, 6, 2)}, NOT_MET),
        ({"experience": {"years": 5}}, {}, UNKNOWN),
        ({"degree": {"min": "bachelor"}}, {"education": "本科"}, MET),
        ({"degree": {"min": "graduate"}}, {"education": "本科"}, NOT_MET),
        ({"degree": {"min": "graduate"}}, {"education": "博士研究生"}, MET),
        ({"degree": {"min": "bachelor"}}, {}, UNKNOWN),
        ({"judged": {"text": "未判断"}}, {}, UNKNOWN),
    ],
)
def test_item_against_what_is_registered(need, held, state):
    assert evaluate(need, facts(**held), {}).state == state


def test_a_persons_preferred_counts_as_met():
    assert evaluate({"judged": {"text": "x"}}, NOBODY, {"x": verdict("preferred")}).state == MET


def test_alternatives_are_named_together():
    tree = {"all": [{"any": [{"title": {"min": "senior"}}, {"certificate": {"name": "registered_planner"}}]}]}
    root = evaluate(tree, NOBODY, {})
    assert isinstance(root, Node)
    assert explained(root) == "不符合：“高级以上职称、或注册规划师”。"


def test_the_row_of_the_role_comes_before_the_row_for_every_role():
    rows = [{"role": "*", "needs": "every"}, {"role": "chief", "needs": "own"}]
    assert (needs_of(rows, "chief"), needs_of(rows, "unit"), needs_of(None, "unit")) == ("own", "every", None)
