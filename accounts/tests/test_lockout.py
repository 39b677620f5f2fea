"""Five wrong passwords close a user name for a quarter of an hour."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from core.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def fail(log_in, times, username="wang.shi", **extra):
    return [log_in(username, f"Wrong-Password-{n}!", to=Client(), **extra) for n in range(times)][-1]


def test_lockout_after_five_failures_says_when_to_retry(person, log_in):
    with time_machine.travel(START, tick=False):
        assert fail(log_in, 4).status_code == 200
        locked = fail(log_in, 1)
        assert locked.status_code == 429
        assert locked["Retry-After"] == "900"
        page = locked.content.decode()
        assert "2026年3月2日 09:15" in page
        assert "15 分钟" in page
        assert log_in().status_code == 429, "the right password is refused too"
    assert list(AuditEntry.objects.filter(action="account.locked").values_list("result", flat=True)) == ["refused"] * 2


def test_lockout_ends_by_itself_and_is_not_prolonged_by_trying(person, log_in):
    with time_machine.travel(START, tick=False) as clock:
        fail(log_in, 5)
        clock.shift(timedelta(minutes=14))
        assert log_in(to=Client()).status_code == 429
        clock.shift(timedelta(minutes=1, seconds=1))
        assert log_in(to=Client()).status_code == 302


def test_lockout_is_the_same_for_unknown_names(person, log_in):
    with time_machine.travel(START, tick=False):
        known, unknown = fail(log_in, 6), fail(log_in, 6, "nobody.x")
    assert known.status_code == unknown.status_code == 429
    assert TOKEN.sub("", known.content.decode()) == TOKEN.sub("", unknown.content.decode())


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_USER_AGENT"])
def test_lockout_is_not_escaped_by_headers(person, log_in, header):
    for number in range(5):
        response = log_in(password="Wrong-Password-1!", to=Client(), **{header: f"10.9.8.{number}"})
    assert response.status_code == 429
    assert log_in(to=Client(), **{header: "10.1.1.1"}).status_code == 429


@pytest.mark.parametrize("spelling", ["WANG.SHI", " wang.shi ", "ｗａｎｇ.ｓｈｉ", "Wang.Shi"])
def test_lockout_counts_every_spelling_as_one_name(person, log_in, spelling):
    fail(log_in, 4, spelling)
    assert fail(log_in, 1).status_code == 429


def test_lockout_closes_one_name_and_not_the_office(person, log_in):
    fail(log_in, 5, "somebody.else")
    assert log_in().status_code == 302


def test_success_forgets_earlier_failures(person, log_in):
    fail(log_in, 4)
    assert log_in(to=Client()).status_code == 302
    assert fail(log_in, 4).status_code == 200


def test_guessing_inside_a_session_is_counted_too(logged_in):
    for _ in range(5):
        response = logged_in.post("/accounts/reauthenticate/", {"password": "Wrong-Password-1!"})
    assert response.status_code == 429


def test_login_data_kept_by_lockout_holds_no_password(person, log_in):
    from axes.models import AccessAttempt

    fail(log_in, 1)
    kept = str(AccessAttempt.objects.values().get())
    assert "Wrong-Password" not in kept


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "10.0.0.9"), (2, "10.0.0.8")])
def test_recorded_address_is_what_our_own_proxies_wrote(person, log_in, settings, proxies, address):
    from axes.models import AccessAttempt

    settings.PROXY_COUNT = proxies
    fail(log_in, 1, HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.8, 10.0.0.9")
    assert AccessAttempt.objects.get().ip_address == address
