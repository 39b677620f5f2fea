"""How long a login lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ME = "/accounts/me/"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def test_idle_session_ends_and_says_why(clock, logged_in):
    assert logged_in.get(ME).status_code == 200
    clock.shift(timedelta(minutes=29))
    assert logged_in.get(ME).status_code == 200
    clock.shift(timedelta(minutes=31))
    response = logged_in.get(ME + "?tab=1")
    assert response["Location"] == "/accounts/login/?next=%2Faccounts%2Fme%2F%3Ftab%3D1"
    assert "长时间未操作" in logged_in.get(response["Location"]).content.decode()
    assert logged_in.get(ME).status_code == 302


def test_busy_session_ends_after_the_absolute_limit(clock, logged_in):
    logged_in.get(ME)
    for _ in range(36):
        clock.shift(timedelta(minutes=20))
        assert logged_in.get(ME).status_code == 200
    clock.shift(timedelta(minutes=20))
    assert logged_in.get(ME).status_code == 302


def test_what_a_page_asks_by_itself_is_no_use_of_the_session(clock, logged_in):
    logged_in.get(ME)
    for _ in range(3):
        clock.shift(timedelta(minutes=10))
        assert logged_in.get(ME, headers={"X-Passive": "1"}).status_code == 200
    clock.shift(timedelta(minutes=1))
    assert logged_in.get(ME).status_code == 302


def test_partial_request_after_the_end_reloads_the_whole_page(clock, logged_in):
    logged_in.get(ME)
    clock.shift(timedelta(hours=1))
    response = logged_in.get(ME, headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/accounts/login/"


def test_limits_are_settings(clock, logged_in, settings):
    settings.SESSION_IDLE_SECONDS = 60
    logged_in.get(ME)
    clock.shift(timedelta(seconds=61))
    assert logged_in.get(ME).status_code == 302


def test_busy_session_is_written_once_a_minute(clock, logged_in):
    logged_in.get(ME)

    def written():
        with CaptureQueriesContext(connection) as queries:
            assert logged_in.get(ME).status_code == 200
        return sum('UPDATE "django_session"' in query["sql"] for query in queries)

    clock.shift(timedelta(seconds=30))
    assert written() == 0
    clock.shift(timedelta(seconds=31))
    assert written() == 1


def test_other_devices_are_logged_out_and_this_one_stays(logged_in, person):
    elsewhere = Client()
    elsewhere.force_login(person)
    assert elsewhere.get(ME).status_code == 200
    assert logged_in.post("/accounts/sessions/end-others/").status_code == 302
    assert elsewhere.get(ME).status_code == 302
    assert logged_in.get(ME).status_code == 200


def test_changing_the_password_logs_out_other_devices(logged_in, person):
    from accounts.tests.conftest import PASSWORD

    elsewhere = Client()
    elsewhere.force_login(person)
    new = "Harbour-Lamp-77?"
    response = logged_in.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert response["Location"] == ME
    assert elsewhere.get(ME).status_code == 302
    assert logged_in.get(ME).status_code == 200
