"""Days: 工作日 and 天, halves, two members on one day, confirmation."""

from datetime import date
from decimal import Decimal

import pytest

from worklogs.tally import recompute, tally
from worklogs.tests.tally_cases import CALENDAR, CORE, FULL, GROUPS, YEAR, make_log, make_rules, make_subject, on

NEXT_YEAR = date(YEAR + 1, 1, 15)
MONDAY, SATURDAY, MADE_UP, SPRING_FESTIVAL = on(3, 3), on(3, 8), on(1, 26), on(1, 29)


def count(logs, rules, subject=None, today=NEXT_YEAR):
    return tally(
        subject or make_subject(), year=YEAR, logs=logs, calendar=CALENDAR, rules=make_rules(**rules), today=today
    )


@pytest.mark.parametrize(
    ("day", "workdays", "days"),
    [(MONDAY, 1, 1), (SATURDAY, 0, 1), (MADE_UP, 1, 1), (SPRING_FESTIVAL, 0, 1)],
)
def test_a_workday_and_a_day_are_different_units(day, workdays, days):
    """京核心区 五(一) counts 工作日, 聊城 一(三) counts 天; a made-up Sunday is a workday."""
    logs = [make_log(1, day)]
    assert count(logs, CORE).days.value == workdays
    assert count(logs, GROUPS).days.value == days


@pytest.mark.parametrize(("rule", "days"), [("counts_half", "0.5"), ("counts_whole", "1"), ("not_counted", "0")])
def test_half_days_count_as_the_policy_says(rule, days):
    assert count([make_log(1, MONDAY, slot="am")], {**CORE, "quota__half_day": rule}).days.value == Decimal(days)


@pytest.mark.parametrize(
    ("slots", "days"), [(("am", "pm"), 1), (("full", "am"), 1), (("am", "am"), "0.5"), (("full", "full"), 1)]
)
def test_one_persons_day_is_never_more_than_one(slots, days):
    logs = [make_log(number, MONDAY, slot=slot) for number, slot in enumerate(slots)]
    assert count(logs, CORE).days.value == Decimal(days)


@pytest.mark.parametrize(("rule", "days"), [("one", 1), ("each", 2)])
def test_two_members_on_one_day(rule, days):
    logs = [make_log(1, MONDAY), make_log(2, MONDAY, planner=2)]
    assert count(logs, {**CORE, "quota__same_day_members": rule}).days.value == days


def test_halves_of_two_members_together_make_the_group_present_all_day():
    logs = [make_log(1, MONDAY, slot="am"), make_log(2, MONDAY, planner=2, slot="pm")]
    assert count(logs, {**CORE, "quota__same_day_members": "one"}).days.value == 1


def test_unset_rule_about_members_matters_only_when_two_came_on_one_day():
    apart = count([make_log(1, MONDAY), make_log(2, on(3, 4), planner=2)], CORE)
    together = count([make_log(1, MONDAY), make_log(2, MONDAY, planner=2)], CORE)
    assert (apart.days.value, apart.days.unset) == (2, ())
    assert (together.days.value, together.days.unset) == (None, ("quota.same_day_members",))
    assert "按不同口径为 1–2 个工作日" in together.days.note
    assert "规划主管部门" in together.days.note


def test_readings_of_an_open_rule_are_shown_with_what_they_give():
    shown = count([make_log(1, MONDAY), make_log(2, MONDAY, planner=2)], CORE).days.parts
    assert [(p.label, p.value) for p in shown if p.code == "reading"] == [
        ("若“同日多名成员到场”为“合计一天”", 1),
        ("若“同日多名成员到场”为“每人各计一天”", 2),
    ]


def test_two_open_rules_name_only_the_one_that_matters():
    rules = {k: v for k, v in CORE.items() if k not in ("quota__half_day", "quota__counts_non_workdays")}
    assert count([make_log(1, MONDAY)], rules).days.value == 1
    assert count([make_log(1, SATURDAY)], rules).days.unset == ("quota.counts_non_workdays",)
    assert count([make_log(1, MONDAY, slot="pm")], rules).days.unset == ("quota.half_day",)


def test_without_any_quota_there_are_no_days_only_records():
    """通政办发〔2021〕10号 三(三)1 asks for presence without a figure: the right answer is 未设定."""
    found = count([make_log(1, MONDAY), make_log(2, on(3, 4))], {})
    assert found.days.value is None
    assert found.days.unset == (
        "quota.required_days", "quota.day_kind", "quota.counts_non_workdays", "quota.half_day", "quota.owner",
    )  # fmt: skip
    assert [(p.value, p.records) for p in found.days.parts if p.code == "info:logs"] == [(2, (1, 2))]
    assert found.required_days.unset == ("quota.required_days",)
    assert found.forecast.text == "未设定"


def test_days_count_where_only_the_number_required_is_unset():
    rules = {k: v for k, v in CORE.items() if k != "quota__required_days"}
    found = count([make_log(1, MONDAY)], rules)
    assert (found.days.value, found.required_days.value, found.shortfall_days.value) == (1, None, None)
    assert found.shortfall_days.unset == ("quota.required_days",)


def test_owner_left_open_keeps_days_open_where_it_would_change_the_subject():
    rules = {k: v for k, v in CORE.items() if k != "quota__owner"}
    assert count([make_log(1, MONDAY)], rules, make_subject(ambiguous=True)).days.unset == ("quota.owner",)
    assert count([make_log(1, MONDAY)], rules, make_subject(ambiguous=False)).days.value == 1


def test_confirmation_counts_only_what_was_confirmed():
    logs = [make_log(1, MONDAY), make_log(2, on(3, 4), state="submitted")]
    found = count(logs, {**CORE, "quota__needs_confirmation": True})
    assert found.days.value == 1
    assert [(p.value, p.records) for p in found.days.parts if p.code == "info:waiting"] == [(1, (2,))]


def test_without_a_rule_about_confirmation_both_count_and_are_shown_apart():
    logs = [make_log(1, MONDAY), make_log(2, on(3, 4), state="submitted")]
    found = count(logs, CORE)
    assert found.days.value == 2
    assert [(p.code, p.records) for p in found.days.parts if p.code in ("info:confirmed", "info:unconfirmed")] == [
        ("info:confirmed", (1,)), ("info:unconfirmed", (2,)),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["draft", "returned", "withdrawn", "proposed", "void"])
def test_what_is_not_handed_in_never_counts(state):
    assert count([make_log(1, MONDAY, state=state)], CORE).days.value == 0


@pytest.mark.parametrize("extra", [{"planner": 9}, {"charge": 9}])
def test_work_outside_of_service_does_not_count_and_is_shown(extra):
    found = count([make_log(1, MONDAY, **extra)], CORE)
    assert (found.days.value, found.outside) == (0, (1,))


def test_work_before_a_member_came_does_not_count():
    found = count([make_log(1, MONDAY)], CORE, make_subject(start=on(3, 4)))
    assert (found.days.value, found.outside) == (0, (1,))


def test_other_years_do_not_count():
    assert count([make_log(1, date(YEAR - 1, 12, 31)), make_log(2, date(YEAR + 1, 1, 2))], CORE).days.value == 0


def test_months_open_to_their_records():
    logs = [make_log(1, MONDAY), make_log(2, on(3, 4), slot="am"), make_log(3, on(5, 6)), make_log(4, SATURDAY)]
    found = count(logs, CORE)
    march = found.months[2]
    assert march.days.value == Decimal("1.5")
    assert march.records == (1, 2, 4)
    by_code = {p.code: (p.value, p.records) for p in march.days.parts}
    assert by_code["full"] == (1, (1,))
    assert by_code["half"] == (1, (2,))
    assert by_code["info:rest"] == (1, (4,))
    assert recompute(march.days) == Decimal("1.5")
    assert [(p.label, p.value) for p in found.days.parts if p.code == "term"] == [("3月", Decimal("1.5")), ("5月", 1)]


def test_every_part_of_a_rule_names_its_clause():
    parts = {p.code: p for p in count([make_log(1, MONDAY)], CORE).days.parts}
    assert str(parts["rule:quota.day_kind"].clause) == "试行办法 一"
    assert str(parts["rule:quota.same_day_members"].clause) == "未设定"


def test_a_calendar_not_yet_published_is_named():
    import dataclasses

    provisional = dataclasses.replace(CALENDAR, provisional_years=frozenset([YEAR]))
    found = tally(make_subject(), year=YEAR, logs=[], calendar=provisional, rules=make_rules(**FULL), today=NEXT_YEAR)
    assert "尚未公布，暂按法定节假日推算" in found.note
