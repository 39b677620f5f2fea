"""What holds for any answers under any rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from evaluations.scoring import Given, ScoringRules, grade_all, recompute, score
from evaluations.scoring.rules import Limit
from evaluations.tests.scoring_cases import INDICATORS, rules, sheet, step, subject

SIDES = ["bureau", "department", "unit"]
points = st.one_of(st.integers(0, 100), st.decimals(0, 100, places=2)).map(Decimal)


@st.composite
def weights(draw, names):
    """Weights that add up to 100, none of them zero."""
    parts = [draw(st.integers(1, 50)) for _ in names]
    found = [Decimal(100 * part // sum(parts)) or Decimal(1) for part in parts]
    found[0] += 100 - sum(found)
    assume(found[0] > 0)
    return dict(zip(names, found, strict=True))


@st.composite
def some_rules(draw) -> ScoringRules:
    return rules(
        weights=draw(weights([item.code for item in INDICATORS])),
        side_weights=draw(weights(SIDES)),
        step_weights=draw(weights([1, 2])),
        missing_raters=draw(st.sampled_from(["ignore", "reweight", "set"])),
        missing_score=draw(points),
        abstentions=draw(st.sampled_from(["excluded", "missing"])),
        not_applicable=draw(st.sampled_from(["reweight", "full", "refused"])),
    )


@st.composite
def some_sheets(draw, first=1, least=1, most=6, whole=False):
    rows = []
    for n in range(draw(st.integers(least, most))):
        given_ = Given.SUBMITTED if whole else draw(st.sampled_from([Given.SUBMITTED] * 4 + list(Given)))
        answers = [draw(points if whole else st.one_of(points, points, points, st.none())) for _ in INDICATORS]
        rows.append(
            sheet(
                first + n, draw(st.sampled_from(SIDES)), *(answers if given_ == Given.SUBMITTED else ()),
                share=draw(st.integers(1, 5)), given=given_,
            )
        )  # fmt: skip
    return rows


@st.composite
def subjects(draw, record=1, whole=False):
    base = record * 1000
    steps = [step(*draw(some_sheets(base + 100 * n, whole=whole)), number=n) for n in range(1, draw(st.integers(2, 3)))]
    return subject(*steps, record=record)


@given(subjects(), some_rules())
def test_every_figure_follows_from_its_parts_alone(found, policy):
    result = score(found, policy)
    for figure in [result.figure, *result.steps.values(), *result.sheets.values()]:
        assert recompute(figure) == figure.value


@given(subjects(), some_rules())
def test_a_score_lies_between_nothing_and_a_hundred(found, policy):
    value = score(found, policy).value
    assert value is None or 0 <= value <= 100


@given(subjects(), some_rules(), st.randoms(use_true_random=False))
def test_the_order_of_anything_changes_nothing(found, policy, random):
    def mixed(rows):
        rows = list(rows)
        random.shuffle(rows)
        return tuple(rows)

    steps = [
        replace(
            one, indicators=mixed(one.indicators),
            sheets=mixed(replace(s, answers=mixed(s.answers)) for s in one.sheets),
        )
        for one in found.steps
    ]  # fmt: skip
    assert score(replace(found, steps=mixed(steps)), policy).value == score(found, policy).value


@given(subjects(), some_rules(), st.data())
def test_a_better_answer_never_makes_a_worse_score(found, policy, data):
    places = [
        (i, j, k)
        for i, one in enumerate(found.steps)
        for j, s in enumerate(one.sheets)
        for k, answer in enumerate(s.answers)
        if answer.points is not None
    ]
    assume(places)
    i, j, k = data.draw(st.sampled_from(places))
    one, paper = found.steps[i], found.steps[i].sheets[j]
    better = replace(paper.answers[k], points=data.draw(st.decimals(paper.answers[k].points, 100, places=2)))
    answers = (*paper.answers[:k], better, *paper.answers[k + 1 :])
    sheets = (*one.sheets[:j], replace(paper, answers=answers), *one.sheets[j + 1 :])
    steps = (*found.steps[:i], replace(one, sheets=sheets), *found.steps[i + 1 :])
    before, after = score(found, policy).value, score(replace(found, steps=steps), policy).value
    assert (before is None) == (after is None)
    assert before is None or after >= before


@given(some_sheets(whole=True), some_rules())
def test_with_every_answer_in_the_score_is_the_plain_weighted_sum(sheets, policy):
    """Computed a second time, the other way round: each answer with its whole weight."""
    sides = {s.side for s in sheets}
    all_sides = sum(Fraction(policy.side_weights[side]) for side in sides)
    total = Fraction(0)
    for paper in sheets:
        within = sum(Fraction(s.share) for s in sheets if s.side == paper.side)
        part = Fraction(policy.side_weights[paper.side]) / all_sides * Fraction(paper.share) / within
        for answer in paper.answers:
            total += part * Fraction(policy.weights[answer.indicator]) / 100 * Fraction(answer.points)
    assert abs(Fraction(score(subject(step(*sheets)), policy).value) - total) <= Fraction(1, 150)


@given(st.decimals(0, 100, places=2), some_rules(), st.integers(1, 6))
def test_if_all_say_the_same_that_is_the_score_whatever_the_weights(value, policy, raters):
    papers = [sheet(n, SIDES[n % 3], value, value) for n in range(1, raters + 1)]
    assert score(subject(step(*papers), step(*papers, number=2)), policy).value == value


@given(subjects(), some_rules())
def test_weights_count_by_proportion_alone(found, policy):
    """Twice every weight is the same weight: nothing hides a sum of 100."""
    doubled = replace(policy, **{
        name: {key: 2 * weight for key, weight in getattr(policy, name).items()}
        for name in ("weights", "side_weights", "step_weights")
    })  # fmt: skip
    assert score(found, doubled).value == score(found, policy).value


@given(
    st.lists(st.integers(55, 100), min_size=1, max_size=12), st.sampled_from(["all_in", "all_out", "by_indicator"]),
    st.decimals(0, 1, places=2), st.sampled_from(["down", "up", "half_up"]), st.data(),
)  # fmt: skip
def test_a_better_score_never_means_a_worse_grade(values, ties, ratio, rounding, data):
    policy = rules(limits=(Limit("优秀", ratio, rounding),), ties=ties)
    order = [grade for grade, _ in policy.cutoffs] + [None]

    def grades(numbers):
        found = [score(subject(step(sheet(n, "unit", v, v)), record=n), policy) for n, v in enumerate(numbers, 1)]
        return {row.record: row for row in grade_all(found, policy)}

    rows = grades(values)
    by_rank = sorted(rows.values(), key=lambda row: row.rank)
    places = [order.index(row.grade) for row in by_rank if row.grade is not None]
    assert places == sorted(places)
    chosen = data.draw(st.integers(1, len(values)))
    raised = list(values)
    raised[chosen - 1] = data.draw(st.integers(values[chosen - 1], 100))
    after = grades(raised)[chosen]
    if rows[chosen].grade is not None and after.grade is not None:
        assert order.index(after.grade) <= order.index(rows[chosen].grade)


@given(
    st.lists(st.integers(90, 100), min_size=1, max_size=12), st.decimals(0, 1, places=2),
    st.sampled_from(["down", "up", "half_up"]), st.sampled_from(["all_out", "by_indicator", "deliberate"]),
)  # fmt: skip
def test_a_limit_holds_unless_the_rule_for_ties_goes_beyond_it(values, ratio, rounding, ties):
    policy = rules(limits=(Limit("优秀", ratio, rounding),), ties=ties)
    found = [score(subject(step(sheet(n, "unit", v, v)), record=n), policy) for n, v in enumerate(values, 1)]
    best = sum(row.grade == "优秀" for row in grade_all(found, policy))
    allowed = Fraction(ratio) * len(values)
    assert best <= allowed + (1 if rounding == "up" else Fraction(1, 2) if rounding == "half_up" else 0)
