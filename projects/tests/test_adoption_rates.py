"""Adoption in figures: every share is explained by its parts, and equals a recount of the rows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import adoption
from projects.adoption import (
    ANSWERED,
    DUE,
    OUTCOMES,
    Bundle,
    adoption_rate,
    answer_rate,
    done_rate,
    grouped,
    late_rate,
    percent,
    rates_of,
    recompute,
    same_rate,
    same_reasons,
    severity_gap,
    taken_rate,
    worse_rate,
)

FEW = 5
outcomes = st.sampled_from(OUTCOMES)
items = st.lists(st.tuples(st.integers(1, 400), outcomes), unique_by=lambda row: row[0], max_size=60)
decisions = st.sampled_from(ANSWERED)


def exactly(part: int, whole: int) -> Decimal:
    """Half up by whole numbers alone, a second way to the same figure."""
    tenths = Fraction(part * 1000, whole)
    floor = tenths.numerator // tenths.denominator
    return Decimal(floor + (1 if tenths - floor >= Fraction(1, 2) else 0)) / 10


@given(items)
def test_every_rate_is_recomputed_from_its_parts_alone_and_equals_a_recount(rows):
    bundle = Bundle.of(rows)
    rates, count = rates_of(bundle, few=FEW), Counter(outcome for _, outcome in rows)
    answered, due = sum(count[o] for o in ANSWERED), sum(count[o] for o in DUE)
    expected = {
        adoption.RATE: (count["adopted"], answered),
        adoption.TAKEN_RATE: (count["adopted"] + count["partly"], answered),
        adoption.ANSWER_RATE: (answered, due), adoption.LATE_RATE: (count["late"], due),
    }  # fmt: skip
    for code, figure in rates.figures.items():
        over, under = expected[code]
        assert figure.value == (exactly(over, under) if under else None)
        assert recompute(figure) == figure.value
        assert all(len(part.records) == part.value for part in figure.parts if not part.code.startswith("formula"))
    assert (rates.answered, bundle.total) == (answered, len(rows))


@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), outcomes, st.integers(1, 30)), max_size=40))
def test_groups_that_share_no_item_add_up_to_the_whole(rows):
    groups = grouped(rows)
    whole = sum(groups.values(), Bundle({}))
    assert {outcome: whole.count(outcome) for outcome in OUTCOMES} == {
        outcome: sum(n for _, o, n in rows if o == outcome) for outcome in OUTCOMES
    }
    for group, bundle in groups.items():
        assert bundle.total == sum(n for g, _, n in rows if g == group)


@given(items, items)
def test_the_gap_between_weighty_and_small_remarks_equals_a_recount(musts, others):
    figure = severity_gap(Bundle.of(musts), Bundle.of(others), few=FEW)
    sides = [Counter(outcome for _, outcome in rows) for rows in (others, musts)]
    answered = [sum(side[o] for o in ANSWERED) for side in sides]
    if all(answered):
        shares = [Fraction((s["adopted"] + s["partly"]) * 100, n) for s, n in zip(sides, answered, strict=True)]
        assert abs(Fraction(figure.value) - (shares[0] - shares[1])) <= Fraction(1, 20)
    else:
        assert figure.value is None
    assert recompute(figure) == figure.value


@given(st.lists(st.tuples(st.integers(1, 99), st.sampled_from("甲乙"), st.sampled_from(["不符", "不 符。", "另有安排", ""])),
                unique_by=lambda row: row[0]))  # fmt: skip
def test_reasons_in_the_same_words_are_found_apart_from_punctuation_within_one_department(rows):
    plain = Counter((group, text.replace(" ", "").replace("。", "")) for _, group, text in rows)
    expected = {pk for pk, group, text in rows if text and plain[group, text.replace(" ", "").replace("。", "")] > 1}
    assert same_reasons(rows) == expected
    figure = same_rate(rows, few=FEW)
    assert figure.value == (exactly(len(expected), len(rows)) if rows else None)
    assert recompute(figure) == figure.value


@given(st.lists(st.lists(decisions, min_size=1, max_size=4), max_size=20))
def test_what_now_says_less_than_before_is_counted(said):
    rank = {"refused": 0, "partly": 1, "adopted": 2}
    worse = sum(max(map(rank.get, one)) > rank[one[-1]] for one in said)
    figure = worse_rate(list(enumerate(said, start=1)), few=FEW)
    assert figure.value == (exactly(worse, len(said)) if said else None)
    assert recompute(figure) == figure.value


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 3, "33.3"), (2, 3, "66.7"), (1, 8, "12.5"), (1, 2000, "0.1")]
)
def test_shares_have_one_decimal_halves_up(part, whole, expected):
    assert percent(part, whole) == Decimal(expected)


def test_rates_over_few_items_are_marked_as_such_and_others_are_not():
    few, enough = Bundle({"adopted": 4}), Bundle({"adopted": 4, "refused": 1})
    assert adoption_rate(few, few=FEW).note == "只有 4 条，不足 5 条，仅供参考"
    assert adoption_rate(enough, few=FEW).note == ""
    assert (rates_of(few, few=FEW).is_small, rates_of(enough, few=FEW).is_small) == (True, False)


def test_without_an_answer_there_is_no_rate_and_the_figure_says_so():
    bundle = Bundle({"owed": 3, "late": 1, "pending": 2, "lapsed": 5})
    assert (adoption_rate(bundle, few=FEW).value, adoption_rate(bundle, few=FEW).note) == (None, "还没有已反馈的意见")
    assert taken_rate(bundle, few=FEW).value is None
    # What cannot be answered yet, or was taken back, is not due.
    assert (answer_rate(bundle, few=FEW).value, late_rate(bundle, few=FEW).value) == (Decimal("0.0"), Decimal("25.0"))
    assert answer_rate(Bundle({"pending": 2, "lapsed": 1}), few=FEW).value is None


def test_what_is_adopted_on_paper_alone_lowers_the_share_of_what_was_done():
    figure = done_rate(Bundle({"done": 3, "overdue": 1, "running": 9}), few=3)
    assert (figure.value, recompute(figure)) == (Decimal("75.0"), Decimal("75.0"))


def test_an_item_twice_is_counted_once():
    assert Bundle.of([(1, "adopted"), (1, "adopted"), (2, "late")]).counts == {"adopted": 1, "late": 1}
