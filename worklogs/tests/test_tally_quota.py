"""The prorated quota, what is missing from it, and the forecast."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from worklogs.tally import recompute, tally
from worklogs.tests.tally_cases import CALENDAR, CORE, LAST, YEAR, make_log, make_rules, make_subject, on

AFTER = date(YEAR + 1, 1, 15)


def count(rules, *, logs=(), subject=None, today=AFTER):
    return tally(
        subject or make_subject(), year=YEAR, logs=logs, calendar=CALENDAR, rules=make_rules(**rules), today=today
    )


def days_of_work(number):
    return [make_log(n, day) for n, day in enumerate(CALENDAR.workdays(on(1, 1), LAST)[:number], start=1)]


def test_a_whole_year_asks_for_the_whole_quota_even_while_proration_is_unset():
    found = count(CORE)
    assert (found.required_days.value, found.shortfall_days.value) == (30, 30)


@pytest.mark.parametrize(
    ("rule", "start", "required"),
    [
        ("none", on(7, 1), "30"),
        ("by_days", on(7, 1), "15.12"),  # 30 × 184/365
        ("by_months", on(7, 1), "15"),
        ("by_months", on(7, 15), "15"),  # the 15th is in service: July counts
        ("by_months", on(7, 16), "12.5"),  # it is not
    ],
)
def test_part_years_are_prorated_as_the_policy_says(rule, start, required):
    figure = count({**CORE, "quota__proration": rule}, subject=make_subject(start=start)).required_days
    assert figure.value == Decimal(required)
    assert recompute(figure) == Decimal(required)


def test_proration_left_open_leaves_a_part_year_open():
    found = count(CORE, subject=make_subject(start=on(7, 1)))
    assert found.required_days.unset == ("quota.proration",)
    assert found.shortfall_days.unset == ("quota.proration",)
    assert "按不同口径为 15–30 个工作日" in found.required_days.note


def test_successive_contracts_share_the_months_of_a_year_out():
    rules = {**CORE, "quota__proration": "by_months"}
    for change in (on(3, 1), on(3, 15), on(3, 16), on(3, 31)):
        before = count(rules, subject=make_subject(end=change - timedelta(days=1))).required_days.value
        after = count(rules, subject=make_subject(start=change)).required_days.value
        assert before + after == 30


def test_no_service_in_the_year_asks_for_nothing():
    found = count(CORE, subject=make_subject(start=date(2024, 1, 1), end=date(2024, 12, 31)))
    assert (found.required_days.value, found.shortfall_days.value, found.final) == (0, 0, True)


@pytest.mark.parametrize(("done", "short"), [(0, 30), (29, 1), (30, 0), (31, 0)])
def test_shortfall_is_what_is_missing_and_never_negative(done, short):
    figure = count(CORE, logs=days_of_work(done)).shortfall_days
    assert (figure.value, recompute(figure)) == (short, short)


def test_forecast_says_how_many_days_a_month_are_still_needed():
    found = count(CORE, logs=days_of_work(18), today=on(8, 1))
    assert found.forecast.text == "18 / 30，还需每月 2.4 个工作日"
    assert found.forecast.per_month.value == Decimal("2.4")
    assert recompute(found.forecast.per_month) == Decimal("2.4")
    assert recompute(found.forecast.projected) == found.forecast.projected.value
    assert not found.final


@pytest.mark.parametrize(
    ("done", "today", "text"),
    [
        (30, on(8, 1), "30 / 30，已达到要求"),
        (18, AFTER, "18 / 30，差 12 个工作日"),
        (18, LAST, "18 / 30，还需每月 400 个工作日"),
    ],
)
def test_forecast_in_words(done, today, text):
    assert count(CORE, logs=days_of_work(done), today=today).forecast.text == text


def test_forecast_warns_when_the_workdays_left_are_too_few():
    assert count(CORE, logs=days_of_work(18), today=on(12, 25)).forecast.note == "余下只有 5 个工作日，少于所差的 12 天"
    assert count(CORE, logs=days_of_work(18), today=on(8, 1)).forecast.note == ""


def test_figures_of_a_running_year_say_so():
    found = count(CORE, today=on(8, 1))
    assert "尚未结束" in found.shortfall_days.note
    assert not count(CORE).shortfall_days.note
