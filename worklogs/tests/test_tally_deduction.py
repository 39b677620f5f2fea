"""The deduction (聊城市责任规划师制度 一(三): 达不到规定天数和次数，按相应比例扣减服务费)."""

from datetime import date
from decimal import Decimal

import pytest

from worklogs.tally import FeePeriod, recompute, tally
from worklogs.tests.tally_cases import CALENDAR, CORE, FULL, GROUPS, LAST, YEAR, make_log, make_rules, make_subject, on

AFTER = date(YEAR + 1, 1, 15)
VISITS = [make_log(m, on(m, 5), met_principal=True) for m in range(1, 13)]
MORE = [make_log(100 + n, day) for n, day in enumerate(CALENDAR.workdays(on(1, 6), LAST)[:60]) if day.day != 5]


def count(rules, logs, *, today=AFTER, **subject):
    found = tally(
        make_subject(**subject), year=YEAR, logs=logs, calendar=CALENDAR, rules=make_rules(**rules), today=today
    )
    if found.deduction.value is not None:
        assert recompute(found.deduction) == found.deduction.value
    return found


# 12 visits in 12 months on 12 days: 18 days short. 30 days within three months: 9 visits missed.
SHORT_OF_DAYS = VISITS
SHORT_OF_VISITS = [make_log(n, day, met_principal=True) for n, day in enumerate(CALENDAR.workdays(on(1, 2), LAST)[:40])]
SHORT_OF_BOTH = VISITS[:6]


@pytest.mark.parametrize(
    ("formula", "amount"),
    [("none", "0"), ("days", "48000"), ("visits", "30000"), ("larger", "48000"), ("sum", "60000")],
)
def test_each_formula_on_a_double_shortfall(formula, amount):
    """24 of 30 days and 6 of 12 visits are missing: 0.8 and 0.5 of 60,000 yuan; never more than the whole fee."""
    rules = {**FULL, "deduction__formula": formula, "deduction__cap": None}
    assert count(rules, SHORT_OF_BOTH).deduction.value == Decimal(amount)


@pytest.mark.parametrize(("cap", "amount"), [("0.5", "30000"), ("0.9", "48000"), ("0", "0")])
def test_the_cap_limits_the_ratio(cap, amount):
    assert count({**FULL, "deduction__cap": Decimal(cap)}, SHORT_OF_BOTH).deduction.value == Decimal(amount)


def test_formula_left_open_matters_only_when_days_and_visits_both_fall_short():
    """The document deducts for both and gives no formula: one shortfall alone has one answer."""
    days_only, both = count(GROUPS, SHORT_OF_DAYS), count(GROUPS, SHORT_OF_BOTH)
    assert (days_only.deduction.value, days_only.deduction.unset) == (Decimal("36000.00"), ())
    assert (both.deduction.value, both.deduction.unset) == (None, ("deduction.formula",))
    assert "按不同口径为 48000–60000 元" in both.deduction.note


def test_no_shortfall_is_no_deduction_whatever_is_unset():
    rules = {k: v for k, v in GROUPS.items() if not k.startswith("deduction")}
    found = count(rules, [*VISITS, *MORE], fees=())
    assert (found.shortfall_days.value, found.shortfall_visits.value, found.deduction.value) == (0, 0, 0)


def test_where_the_document_deducts_nothing_a_shortfall_leaves_the_deduction_unset():
    found = count(CORE, [])
    assert found.deduction.value is None
    assert "deduction.formula" in found.deduction.unset
    assert "visits.required_per_month" in found.deduction.unset


def test_a_deduction_for_days_alone_needs_no_rule_about_visits():
    rules = {**CORE, "deduction__triggers": ("days",), "deduction__basis": "annual_fee"}
    # 8 of the 12 days were workdays: 22 of 30 are missing.
    assert count(rules, VISITS).deduction.value == Decimal("44000.00")


def test_what_is_open_in_the_days_keeps_the_deduction_open():
    found = count(GROUPS, [*SHORT_OF_DAYS, make_log(50, on(3, 5), planner=2)])
    assert found.deduction.unset == ("quota.same_day_members",)


def test_a_cap_can_make_open_rules_irrelevant():
    rules = {**GROUPS, "deduction__cap": Decimal("0.1")}
    assert count(rules, SHORT_OF_BOTH).deduction.value == Decimal("6000.00")


def test_a_fee_that_is_not_recorded_is_named():
    assert count(FULL, SHORT_OF_DAYS, fees=()).deduction.unset == ("contract.annual_fee",)


def test_a_contract_with_several_subjects_leaves_open_whose_fee_it_is():
    """One contract serves ten groups (一(二)); what part of the fee one group's shortfall reduces is stated nowhere."""
    found = count(GROUPS, SHORT_OF_DAYS, sharing=10)
    assert found.deduction.unset == ("deduction.share",)
    assert count({**GROUPS, "deduction__share": "equal"}, SHORT_OF_DAYS, sharing=10).deduction.value == 3600
    assert count({**GROUPS, "deduction__share": "whole"}, SHORT_OF_DAYS, sharing=10).deduction.value == 36000


def test_basis_of_the_whole_contract():
    rules = {**FULL, "deduction__basis": "contract_fee", "deduction__cap": None}
    assert count(rules, SHORT_OF_DAYS, contract_fee=Decimal(180000)).deduction.value == 108000


def test_fee_of_the_year_follows_the_signings_by_days():
    fees = (
        FeePeriod(date(2024, 7, 1), on(6, 30), Decimal(36500)),
        FeePeriod(on(7, 1), date(2026, 6, 30), Decimal(73000)),
    )
    found = count({**FULL, "deduction__cap": None}, [], fees=fees)
    assert found.deduction.value == Decimal("18100.00") + Decimal("36800.00")


def test_amounts_are_rounded_half_up_to_the_cent():
    logs = [make_log(n, day) for n, day in enumerate(CALENDAR.workdays(on(1, 6), LAST)[:29])]
    rules = {**FULL, "deduction__formula": "days"}
    found = count(rules, logs, fees=(FeePeriod(on(1, 1), LAST, Decimal("100.05")),))
    assert found.deduction.value == Decimal("3.34")  # 100.05 / 30 = 3.335


def test_a_running_year_is_marked_as_provisional():
    found = count(FULL, SHORT_OF_DAYS, today=on(8, 1))
    assert not found.final
    assert "按目前记录试算" in found.deduction.note
