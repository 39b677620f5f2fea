"""What holds for any logs under any rules, set or open."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from worklogs.tally import FeePeriod, Span, assess, atoms_of, collect, recompute, tally
from worklogs.tally.rules import FEE, KEYS
from worklogs.tests.tally_cases import CALENDAR, FIRST, LAST, YEAR, make_log, make_rules, make_subject

DAYS = [FIRST + timedelta(n) for n in range(365)]
KINDS = ("survey", "meeting", "training")
OPEN = {
    "quota__required_days": [None, Decimal(30), Decimal(1), Decimal(0)],
    "quota__day_kind": ["workday", "day", None],
    "quota__counts_non_workdays": [True, False, None],
    "quota__half_day": ["counts_half", "counts_whole", "not_counted", None],
    "quota__owner": ["group", None],
    "quota__same_day_members": ["one", "each", None],
    "quota__proration": ["none", "by_days", "by_months", None],
    "quota__needs_confirmation": [True, False, None],
    "visits__required_per_month": [None, 1, 2, 0],
    "visits__principal_required": [True, False, None],
    "visits__log_kinds": [("survey",), KINDS, None],
    "deduction__triggers": [("days",), ("visits",), ("days", "visits"), None],
    "deduction__formula": ["none", "days", "visits", "larger", "sum", None],
    "deduction__basis": ["annual_fee", "contract_fee", None],
    "deduction__share": ["equal", "whole", None],
    "deduction__cap": [None, Decimal("0.3"), Decimal(1)],
}


@st.composite
def logs(draw, most=12):
    """Few dates, so that the same day and the same half often meet."""
    near = st.sampled_from([DAYS[24], DAYS[25], DAYS[26], DAYS[28], DAYS[60], DAYS[66], DAYS[190], DAYS[270]])
    rows = draw(st.lists(
        st.tuples(
            st.one_of(near, st.sampled_from(DAYS)), st.integers(1, 3), st.sampled_from(["am", "pm", "full"]),
            st.sampled_from(KINDS), st.booleans(), st.booleans(),
        ), max_size=most,
    ))  # fmt: skip
    return [
        make_log(
            n, day, planner=planner, slot=slot, kind=kind, state="confirmed" if ok else "submitted", met_principal=met
        )
        for n, (day, planner, slot, kind, ok, met) in enumerate(rows, start=1)
    ]


policies = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in OPEN.items()})
closed_policies = st.fixed_dictionaries(
    {
        key: st.sampled_from([v for v in values if v is not None] or [None])
        for key, values in OPEN.items()
        if key != "deduction__cap"
    }
)


@st.composite
def subjects(draw):
    start = draw(st.sampled_from([FIRST, date(YEAR, 2, 16), date(YEAR, 7, 1), date(YEAR - 1, 6, 1)]))
    end = draw(st.sampled_from([LAST, date(YEAR, 9, 15), date(YEAR + 1, 3, 1)]))
    return make_subject(
        start=start, end=end, sharing=draw(st.sampled_from([1, 3])), contract_fee=Decimal(90000),
        fees=(FeePeriod(start, end, Decimal("30000.01")),), ambiguous=draw(st.booleans()),
    )  # fmt: skip


todays = st.sampled_from([date(YEAR, 3, 10), date(YEAR, 9, 16), date(YEAR + 1, 4, 1)])


def count(subject, entries, policy, today):
    return tally(subject, year=YEAR, logs=entries, calendar=CALENDAR, rules=make_rules(**policy), today=today)


def every_figure(found):
    yield from found.figures().items()
    yield "per_month", found.forecast.per_month
    yield "projected", found.forecast.projected
    for month in found.months:
        for name in ("days", "visits", "principal_met"):
            yield f"{name} of {month.month}", getattr(month, name)


@given(subjects(), logs(), policies, todays)
def test_recomputing_from_the_shown_parts_alone_gives_the_figure(subject, entries, policy, today):
    for name, figure in every_figure(count(subject, entries, policy, today)):
        if figure.value is not None:
            assert recompute(figure) == figure.value, name


@given(subjects(), logs(), policies, todays)
def test_a_figure_is_open_exactly_when_it_names_what_is_unset(subject, entries, policy, today):
    unset = {key for key in KEYS if policy.get(key.replace(".", "__")) is None} | {FEE}
    for name, figure in count(subject, entries, policy, today).figures().items():
        assert (figure.value is None) == bool(figure.unset), name
        assert set(figure.unset) <= unset, name


@given(subjects(), logs(), policies, todays, st.sampled_from(sorted(OPEN)), st.data())
def test_a_determined_figure_stays_whatever_is_decided_later(subject, entries, policy, today, key, data):
    """A figure may only be shown while a rule is open if setting that rule, any way, leaves it as it is."""
    # Confirmation and cap exist only once somebody sets them; a quota that nobody has set is no reading.
    settable = {
        "quota__counts_non_workdays", "quota__half_day", "quota__same_day_members", "quota__proration",
        "visits__principal_required", "visits__log_kinds", "deduction__basis", "deduction__share",
    }  # fmt: skip
    if key not in settable or policy[key] is not None:
        return
    chosen = data.draw(st.sampled_from([value for value in OPEN[key] if value is not None]))
    before = count(subject, entries, policy, today)
    after = count(subject, entries, {**policy, key: chosen}, today)
    for name, figure in before.figures().items():
        if figure.value is not None:
            assert after.figures()[name].value == figure.value, name


@given(subjects(), logs(), closed_policies, todays, logs(most=1))
def test_one_more_log_never_takes_a_day_or_a_visit_away(subject, entries, policy, today, more):
    extra = [entry._replace(id=1000) for entry in more]
    before, after = count(subject, entries, policy, today), count(subject, entries + extra, policy, today)
    assert after.days.value >= before.days.value
    assert after.visits.value >= before.visits.value
    assert after.deduction.value <= before.deduction.value


@given(subjects(), logs(), closed_policies, todays)
def test_bounds(subject, entries, policy, today):
    found = count(subject, entries, policy, today)
    people = len({m.planner_id for m in subject.members}) if policy["quota__same_day_members"] == "each" else 1
    assert 0 <= found.days.value <= 365 * people
    assert 0 <= found.deduction.value <= max(Decimal(90000), sum(fee.amount for fee in subject.fees))
    assert 0 <= found.shortfall_days.value <= found.required_days.value
    assert 0 <= found.shortfall_visits.value <= found.required_visits.value


@given(subjects(), logs(), policies, todays, st.randoms(use_true_random=False))
def test_the_order_of_the_logs_does_not_matter(subject, entries, policy, today, random):
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert count(subject, entries, policy, today) == count(subject, shuffled, policy, today)


@given(subjects(), logs(), closed_policies)
def test_workdays_and_days_differ_exactly_by_work_on_days_off(subject, entries, policy):
    today = date(YEAR + 1, 1, 1)
    workdays = count(subject, entries, {**policy, "quota__counts_non_workdays": False}, today).days.value
    days = count(subject, entries, {**policy, "quota__counts_non_workdays": True}, today).days.value
    off = [entry for entry in entries if not CALENDAR.is_workday(entry.date)]
    on_days_off = count(subject, off, {**policy, "quota__counts_non_workdays": True}, today).days.value
    assert days - workdays == on_days_off


@given(logs(), closed_policies, st.integers(1, 364))
def test_two_halves_of_a_year_hold_the_days_of_the_whole(entries, policy, cut):
    """Splitting the service between two contracts loses and doubles nothing."""
    today = date(YEAR + 1, 1, 1)
    whole = count(make_subject(), entries, policy, today)
    first = count(make_subject(end=DAYS[cut - 1]), entries, policy, today)
    second = count(make_subject(start=DAYS[cut]), entries, policy, today)
    assert first.days.value + second.days.value == whole.days.value


@given(subjects(), logs(), policies, todays)
def test_numbers_from_counts_alone_are_those_of_the_explanation(subject, entries, policy, today):
    rules = make_rules(**policy)
    atoms = atoms_of(collect(subject, year=YEAR, logs=entries, calendar=CALENDAR, rules=rules))
    numbers = assess(subject, year=YEAR, atoms=atoms, rules=rules, today=today)
    shown = tally(subject, year=YEAR, logs=entries, calendar=CALENDAR, rules=rules, today=today)
    for name, figure in shown.figures().items():
        assert (figure.value, figure.unset) == (numbers.outcome(name).value, numbers.outcome(name).unset)


def test_a_gap_in_the_service_is_not_asked_for():
    spans = (Span(FIRST, date(YEAR, 3, 31)), Span(date(YEAR, 7, 1), LAST))
    import dataclasses

    subject = dataclasses.replace(make_subject(), spans=spans)
    policy = {"quota__required_days": Decimal(365), "quota__proration": "by_days"}
    assert count(subject, [], policy, date(YEAR + 1, 1, 1)).required_days.value == 365 - 30 - 31 - 30
