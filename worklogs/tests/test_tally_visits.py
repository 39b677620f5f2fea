"""Monthly visits and the principal (聊城市责任规划师制度 一(三))."""

from datetime import date

import pytest

from worklogs.tally import recompute, tally
from worklogs.tests.tally_cases import CALENDAR, GROUPS, YEAR, make_log, make_rules, make_subject, on

AFTER = date(YEAR + 1, 1, 15)


def count(rules, *, logs=(), subject=None, today=AFTER):
    return tally(
        subject or make_subject(), year=YEAR, logs=logs, calendar=CALENDAR, rules=make_rules(**rules), today=today
    )


def met(number, day, **extra):
    return make_log(number, day, met_principal=True, **extra)


def test_each_month_needs_its_own_visit():
    found = count(GROUPS, logs=[met(m, on(m, 5)) for m in range(1, 12)])
    assert (found.visits.value, found.required_visits.value, found.shortfall_visits.value) == (11, 12, 1)


def test_many_visits_in_one_month_do_not_make_up_for_another():
    found = count(GROUPS, logs=[met(d, on(3, d)) for d in range(1, 13)])
    assert (found.visits.value, found.shortfall_visits.value) == (12, 11)
    assert recompute(found.shortfall_visits) == 11


def test_a_visit_without_the_principal_does_not_count_where_they_must_be_met():
    logs = [met(1, on(3, 5)), make_log(2, on(4, 7))]
    strict, mild = count(GROUPS, logs=logs), count({**GROUPS, "visits__principal_required": False}, logs=logs)
    assert (strict.visits.value, strict.principal_met.value) == (1, 1)
    assert (mild.visits.value, mild.principal_met.value) == (2, 1)
    left = [(p.value, p.records) for p in strict.months[3].visits.parts if p.code == "info:not_met"]
    assert left == [(1, (2,))]


def test_two_entries_on_one_day_are_one_visit_and_the_weekend_counts():
    logs = [make_log(1, on(3, 8), slot="am"), met(2, on(3, 8), slot="pm", planner=2)]
    assert count(GROUPS, logs=logs).visits.value == 1


def test_only_listed_kinds_are_visits():
    logs = [met(1, on(3, 5), kind="training"), met(2, on(4, 7), kind="meeting")]
    assert count(GROUPS, logs=logs).visits.value == 1


def test_unset_list_of_kinds_matters_as_soon_as_there_is_work():
    rules = {k: v for k, v in GROUPS.items() if k != "visits__log_kinds"}
    assert count(rules).visits.value == 0
    assert count(rules, logs=[met(1, on(3, 5))]).visits.unset == ("visits.log_kinds",)


def test_without_a_rule_about_visits_they_are_unset():
    found = count({k: v for k, v in GROUPS.items() if not k.startswith("visits")}, logs=[met(1, on(3, 5))])
    assert found.visits.unset == ("visits.required_per_month", "visits.principal_required", "visits.log_kinds")
    assert found.required_visits.unset == ("visits.required_per_month",)
    assert found.days.value == 1


def test_in_a_running_year_only_months_that_are_over_can_be_missed():
    found = count(GROUPS, today=on(4, 1))
    assert (found.required_visits.value, found.shortfall_visits.value) == (12, 3)
    assert [m.due for m in found.months] == [True] * 3 + [False] * 9
    assert count(GROUPS, today=on(3, 31)).shortfall_visits.value == 2


@pytest.mark.parametrize(
    ("rule", "start", "asked"),
    [
        ("none", on(7, 20), 6), ("by_days", on(7, 20), 5), ("by_days", on(7, 10), 6), ("by_months", on(7, 16), 5),
        ("by_months", on(7, 15), 6),
    ],
)  # fmt: skip
def test_a_month_served_in_part_is_asked_for_as_the_quota_is_prorated(rule, start, asked):
    figure = count({**GROUPS, "quota__proration": rule}, subject=make_subject(start=start)).required_visits
    assert (figure.value, recompute(figure)) == (asked, asked)


def test_months_with_part_service_leave_the_visits_asked_for_open_while_proration_is_unset():
    assert count(GROUPS, subject=make_subject(start=on(7, 20))).required_visits.unset == ("quota.proration",)
    assert count(GROUPS, subject=make_subject(start=on(7, 1))).required_visits.value == 6
