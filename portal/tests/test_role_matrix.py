"""Every address of the portal × every role, as `docs/role-matrix.md` has it; and never a crash, whoever asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.middleware import StandingMiddleware
from districts.models import Membership
from portal.tests import role_matrix
from portal.tests.role_matrix import ANONYMOUS, FOREIGN, LOGIN, NOT_OFFERED, OPEN, Address, Matrix, Stage, addresses
from portal.tests.site import ROLES

pytestmark = pytest.mark.slow

# What a stranger may see: the front page, the way in, whether the portal is well, and whether a document is genuine.
PUBLIC = {
    "portal:front", "portal:notice-list", "portal:notice", "account_login", "core:health", "core:verify-entry",
    "core:verify",
    # One-time links are for people without a login; what they open is tested in projects/tests/test_party_link.py.
    "party:link", "party:code", "party:reply", "party:done", "party:photo",
}  # fmt: skip
# Resolved only because the login package asks for their names; nobody is served there.
NOWHERE = {
    "account_signup", "account_email", "account_email_verification_sent", "account_set_password",
    "account_reset_password",
}  # fmt: skip
THREE = ("sysadmin", "secadmin", "auditor")
# Ways out that answer a stranger by sending him on.
ENTRANCE = {"account_logout", "account_inactive", "mfa_authenticate"}
# What belongs to no locality, or to whoever asks: the calendar, one's own draft, institutions, kinds of tables, the
# parts of one's own figures.
OF_NO_LOCALITY = {
    "core:calendar-publish", "core:calendar-scan", "core:calendar-year", "core:draft", "core:import-upload",
    "core:import-template", "planners:institution-edit", "projects:adoption-records",
    "portal:notice", "worklogs:calendar-month",
    "party:link", "party:code", "party:reply", "party:done",
}  # fmt: skip
GARBAGE = {
    "pk": 10**21, "charge": 10**21, "log": 10**21, "planner_pk": 10**21, "photo_pk": 0, "part": 10**9,
    "number": 10**9, "month": 99, "year": 10**6, "code": "999999", "side": "nowhere", "role": "nobody",
    "link_pk": 0, "file_pk": 0, "version_pk": 0, "finding_pk": 0, "token": "no-such-link",
    "kind": "no-such-table", "what": "no-such-thing", "form_key": "'; --",
    "direction": "nowhere", "move": "no-such-move",
}  # fmt: skip
NOISE = {
    "q": "\0'\"%_\\", "sort": "-password", "page": "-1", "after": "zz", "before": "zz", "year": "9" * 30, "month": "x",
    "charge": "x", "planner": "9" * 30, "state": "x", "from": "2026-02-30", "copy": "zz", "next": "//example.org",
    "on": "2026-02-30",
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with role_matrix.staged(django_db_blocker) as found:
        yield found


@pytest.fixture(scope="module")
def found(stage: Stage) -> Matrix:
    return role_matrix.ask_everywhere(stage)


def test_pages_answer_as_the_table_says(found):
    if os.environ.get("WRITE_ROLE_MATRIX"):
        role_matrix.TABLE.write_text(role_matrix.write(found), encoding="utf-8")
    expected = role_matrix.TABLE.read_text(encoding="utf-8")
    wrong = role_matrix.differences(role_matrix.read(expected), found)
    assert wrong == [], "\n".join(["`make matrix` writes the table anew; then read its difference.", *wrong])
    assert role_matrix.write(found) == expected


def test_no_page_crashes_in_any_cell(found):
    assert {key: cells for key, cells in found.items() if any(word.startswith("5") for word in cells.values())} == {}


def test_table_tells_of_each_way_to_be_wrong(found):
    """The comparison itself: an address too many, one too few, a cell changed."""
    (name, method), cells = next(iter(found.items()))
    changed = {**found, (name, method): {**cells, "planner": "x"}, ("no:where", "GET"): cells}
    del changed[next(key for key in found if key[0] == "portal:home")]
    told = role_matrix.differences(changed, found)
    assert told == sorted([
        "portal:home GET: not in the table",
        "no:where GET: in the table, but no such address",
        f"{name} {method}, 规划师: table 'x', page {cells['planner']!r}",
    ])  # fmt: skip


def test_three_administrators_share_no_right_to_change(found):
    """等保 8.1.5: what one of the three may change the other two may not, but for their own account and notices."""
    several = {
        name for (name, method), cells in found.items()
        if method == "POST" and [cells[who] for who in THREE].count(OPEN) > 1
        and not all(cells[role] == OPEN for role in ROLES)
    }  # fmt: skip
    assert several == set()
    assert {name for (name, method), cells in found.items() if method == "POST" and cells["auditor"] == OPEN} == {
        name
        for (name, method), cells in found.items()
        if method == "POST" and all(cells[role] == OPEN for role in ROLES)
    }
    assert found["portal:audit", "GET"]["sysadmin"] == "403", "the system administrator reads no audit"


def test_nothing_opens_without_the_second_factor_that_a_role_demands(stage, settings):
    """ASVS 6.3.3: every address, but those by which one is bound, the password is changed, or one leaves."""
    settings.DEMO = False
    opened = set()
    for address in addresses():
        if address.name not in NOWHERE | {"account_login", "account_logout"}:
            response = stage.ask(stage.own["sysadmin"], "get", stage.url(address))
            if response.headers.get("Location") != "/accounts/2fa/totp/activate/":
                opened.add(address.name)
    assert opened <= StandingMiddleware.OPEN | {"mfa_authenticate"}, opened


def test_strangers_get_the_login_page_but_where_the_portal_is_public(found):
    answered = {name for (name, _), cells in found.items() if cells[ANONYMOUS] not in {LOGIN, NOT_OFFERED}}
    assert answered - NOWHERE - ENTRANCE == PUBLIC


def test_objects_of_a_locality_do_not_exist_for_another(found):
    got = {key: set(cells[FOREIGN].split("/")) - {"404", ""} for key, cells in found.items()}
    assert {key[0] for key, words in got.items() if words} == OF_NO_LOCALITY


def test_role_that_is_taken_away_is_gone_at_the_next_request(stage, found):
    """For each role a page that not everybody opens: open, then the role ends, then not."""
    routes = {address.name: address for address in addresses()}
    for role in ROLES:
        name = next(
            name
            for (name, method), cells in found.items()
            if method == "GET" and cells[role] == OPEN and {"403", "404"} & {cells[other] for other in ROLES}
        )
        url, user = stage.url(routes[name]), stage.own[role]
        assert role_matrix.word(stage.ask(user, "get", url)) == OPEN
        held = Membership.objects.filter(user=user)
        held.update(ended_from=timezone.localdate(), end_reason="调岗")
        try:
            assert role_matrix.word(stage.ask(user, "get", url)) in {"403", "404"}, (role, name)
        finally:
            held.update(ended_from=None, end_reason="")


def test_nobody_gets_a_crash_whatever_is_asked_for(stage, found):
    """Each address is asked with sense by those who may open it, and with nonsense by one of them; where nobody may, by
    one who may not."""
    crashed = []
    for address in addresses():
        cells = found.get((address.name, "GET"), {})
        may = [role for role in ROLES if cells.get(role) == OPEN]
        askers = {*may[:1], *may[len(may) // 2 : len(may) // 2 + 1], *may[-1:]} or {"bureau"}
        sense, nonsense = stage.url(address), _nonsense(address)
        for number, role in enumerate(sorted(askers)):
            for url in (sense, *(() if number else (f"{sense}?{urlencode(NOISE)}", *nonsense))):
                status = stage.ask(stage.own[role], "get", url).status_code
                if status >= 500:
                    crashed.append((role, status, url))
    assert crashed == []


def _nonsense(address: Address) -> list[str]:
    try:
        return [reverse(address.name, kwargs={key: GARBAGE[key] for key in address.arguments})]
    except NoReverseMatch:
        return []  # the pattern itself keeps such values out


def test_seeded_flaw_would_be_seen(stage):
    """The walk itself: a view that raises is reported as 500, not swallowed."""
    with mock.patch("portal.views.home.todos_for", side_effect=ZeroDivisionError):
        assert stage.ask(stage.own["planner"], "get", "/home/").status_code == 500
