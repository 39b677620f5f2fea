"""Who sees which entries of the navigation."""

from __future__ import annotations

import re

import pytest

from core import nav
from core.nav import Entry, NavItem

pytestmark = pytest.mark.urls("accounts.tests.ui_example")


@pytest.fixture
def items(monkeypatch):
    found = (
        NavItem("首页", "accounts-me", "home", order=1),
        NavItem("记录", "example", "notebook", roles={"planner"}, order=2, group="日常"),
        NavItem("审核", "example-lookup", "checks", roles={"unit", "bureau"}, order=3, group="日常", tab=True),
        NavItem("未建成", "nowhere:list", "home", order=4),
    )
    monkeypatch.setattr(nav, "collect", lambda: found)
    nav.entries_for.cache_clear()
    yield found
    nav.entries_for.cache_clear()


def labels(role):
    return [entry.label for entry in nav.entries_for(role)]


def test_entries_are_shown_by_role(items):
    assert labels("planner") == ["首页", "记录"]
    assert labels("bureau") == ["首页", "审核"]
    assert labels("") == ["首页"]


def test_bottom_bar_takes_marked_entries_else_the_first(items):
    assert [entry.label for entry in nav.tabs_for("bureau")] == ["审核"]
    assert [entry.label for entry in nav.tabs_for("planner")] == ["首页", "记录"]


def test_entry_that_leads_nowhere_is_a_check_error(items):
    assert [problem.id for problem in nav.check_navigation()] == ["core.E101"]


def test_unknown_icon_is_a_check_error(monkeypatch):
    monkeypatch.setattr(nav, "collect", lambda: (NavItem("首页", "example", "no-such-icon"),))
    assert [problem.id for problem in nav.check_navigation()] == ["core.E102"]


def test_current_entry_is_the_longest_that_fits():
    def entry(label, *owns):
        return Entry(label, label, "/", "home", "", False, tuple(re.compile(pattern) for pattern in owns))

    entries = [
        entry("名录", "/planners/"),
        entry("合同", "/planners/contracts/", "/planners/assignments/"),
        entry("地方", "/districts/$", r"/districts/\d{6}/"),
    ]
    assert nav.current_entry(entries, "/planners/assignments/3/").label == "合同"
    assert nav.current_entry(entries, "/planners/3/").label == "名录"
    assert nav.current_entry(entries, "/districts/110101/policy/").label == "地方"
    assert nav.current_entry(entries, "/districts/substitutions/") is None
    assert nav.current_entry(entries, "/elsewhere/") is None
