"""Supplements, and what differs between two policies."""

import datetime as dt
from dataclasses import replace

import pytest

from districts.policy.schema import load_pack, load_supplement
from districts.policy.values import diff, merge
from districts.tests.test_policy_errors import GOOD, SUPPLEMENT

PACK = load_pack(GOOD)
DECISION = load_supplement(SUPPLEMENT)
BEFORE, AFTER = dt.date(2026, 1, 31), dt.date(2026, 2, 1)


def policy(*supplements, on=AFTER, locality=""):
    return merge(PACK, PACK.versions[0], supplements, on_date=on, locality=locality)


def test_a_supplement_fills_an_unset_value_from_its_date():
    assert policy(DECISION, on=BEFORE).get("quota.proration").origin == "unset"
    value = policy(DECISION).get("quota.proration")
    assert (value.value, value.origin, value.document) == ("by_days", "decision", "某规〔2026〕1号")
    assert value.decision.entered_by == "王某" and value.decision.date == dt.date(2026, 1, 5)
    assert not value.is_demo


def test_a_supplement_ends_with_its_last_day():
    ended = replace(DECISION, effective_to=dt.date(2026, 12, 31))
    assert policy(ended, on=dt.date(2026, 12, 31)).value("quota.proration") == "by_days"
    assert policy(ended, on=dt.date(2027, 1, 1)).value("quota.proration") is None


def test_a_supplement_never_changes_what_the_document_says():
    wrong = load_supplement(SUPPLEMENT.replace("quota.proration: {value: by_days", "quota.required_days: {value: 1"))
    value = policy(wrong).get("quota.required_days")
    assert (value.value, value.origin) == (30, "clause")


def test_the_earlier_decision_stands():
    later = replace(
        load_supplement(SUPPLEMENT.replace("by_days", "none")), effective_from=dt.date(2026, 3, 1), number="后来的"
    )
    assert policy(later, DECISION, on=dt.date(2026, 6, 1)).get("quota.proration").document == "某规〔2026〕1号"


def test_a_supplement_for_one_locality_does_not_reach_the_other():
    own = replace(DECISION, localities=("330400",))
    assert policy(own, locality="330400").value("quota.proration") == "by_days"
    assert policy(own, locality="330401").value("quota.proration") is None
    assert policy(replace(DECISION, pack="elsewhere")).value("quota.proration") is None


def test_an_unknown_key_is_a_programming_error_and_an_unset_one_is_not():
    with pytest.raises(KeyError):
        policy().get("quota.days_required")
    assert policy().get("deduction.formula").clause.origin == "unset"
    assert "deduction.formula" in policy().unset_keys()
    assert "quota.required_days" not in policy().unset_keys()


def test_unset_values_say_who_may_set_them():
    assert "财政" in policy().get("deduction.formula").setter


def test_diff_lists_exactly_what_differs():
    other = load_pack(
        GOOD.replace("value: 30,", "value: 40,").replace("quota.day_kind: {value: day", "quota.owner: {value: person")
    )
    rows = diff(policy(), merge(other, other.versions[0], on_date=AFTER))
    assert [(row.key, row.what) for row in rows] == [
        ("quota.required_days", "修改"), ("quota.day_kind", "改为未设定"), ("quota.owner", "新增")
    ]  # fmt: skip
    assert diff(policy(), policy()) == []
