"""Where one is logged in: seen, ended one by one or all others; a security administrator ends those of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from accounts.devices import device_of
from accounts.models import LoginSession
from accounts.services import disable_account, end_session
from accounts.tasks import clear_sessions
from accounts.tests.conftest import PASSWORD
from core.errors import Refused, StaleState
from core.models import AuditEntry
from factories import make_cast, make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db
ME, LIST = "/accounts/me/", "/accounts/sessions/"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.44"
)
DESK = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36 Edg/120"
)


@pytest.fixture
def devices(person, log_in):
    """The same person at a desk and on a phone, in that order."""
    desk, phone = Client(HTTP_USER_AGENT=DESK), Client(HTTP_USER_AGENT=PHONE, REMOTE_ADDR="10.0.0.7")
    for client in (desk, phone):
        assert log_in(to=client).status_code == 302
        client.get(ME)
    return desk, phone


def row_of(client):
    return LoginSession.objects.get(pk=client.session["_login"])


@pytest.mark.parametrize("agent, words", [
    (PHONE, "微信 · iPhone"), (DESK, "Edge · Windows"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Firefox/120", "Firefox · Linux"),
    ("curl/8", "未知设备"), ("", "未知设备"),
])  # fmt: skip
def test_device_is_named_as_people_name_it(agent, words):
    assert device_of(agent) == words


def test_list_names_device_address_and_which_one_this_is(devices):
    desk, phone = devices
    page = phone.get(LIST).content.decode()
    assert (page.count("/end/"), page.count("/end-others/")) == (1, 1), "the desk's, and all others"
    assert f"/accounts/sessions/{row_of(desk).pk}/end/" in page
    assert ("Edge · Windows" in page, "微信 · iPhone" in page, "10.0.0.7" in page, "本机" in page) == (True,) * 4


def test_one_device_is_ended_and_the_other_stays(devices, person):
    desk, phone = devices
    url = f"/accounts/sessions/{row_of(desk).pk}/end/"
    assert phone.post(url).status_code == 302
    assert desk.get(ME).status_code == 302
    assert phone.get(ME).status_code == 200
    assert phone.post(url).status_code == 409, "over already"
    entry = AuditEntry.objects.get(action="account.session_ended")
    assert (entry.actor, entry.detail) == (person, {"device": "Edge · Windows"})
    with pytest.raises(StaleState):
        end_session(LoginSession.objects.get(pk=LoginSession.objects.earliest("pk").pk), actor=person)


def test_nobody_ends_or_sees_a_login_of_somebody_else(devices):
    other = make_user("别人")
    client = Client()
    client.force_login(other)
    row = row_of(devices[0])
    assert client.post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    with pytest.raises(Refused):
        end_session(row, actor=other)
    assert "Edge" not in client.get(LIST).content.decode()
    assert devices[0].get(ME).status_code == 200


def test_login_that_is_ended_stays_ended_although_its_key_has_changed(devices, person):
    """A change of password gives the session a new key, which its row learns at the next request at the latest."""
    desk, phone = devices
    new = "Harbour-Lamp-77?"
    desk.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert [row.pk for row in LoginSession.objects.filter(ended_at=None)] == [row_of(desk).pk], "the phone is out"
    phone.post("/accounts/login/", {"login": "wang.shi", "password": new})
    assert phone.post(f"/accounts/sessions/{row_of(desk).pk}/end/").status_code == 302
    assert desk.get(ME).status_code == 302


def test_use_is_noted_once_a_minute_and_what_ran_out_is_not_listed(person, log_in):
    start = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        client = Client()
        log_in(to=client)
        clock.shift(timedelta(seconds=90))
        client.get(ME)
        assert row_of(client).seen_at == start + timedelta(seconds=90)
        assert row_of(client).started_at == start
        clock.shift(timedelta(seconds=30))
        client.get(ME)
        assert row_of(client).seen_at == start + timedelta(seconds=90)
        clock.shift(timedelta(hours=1))
        again = Client()
        log_in(to=again)
        assert [row.pk for row in LoginSession.objects.running(datetime.now(UTC))] == [row_of(again).pk]
        clock.shift(timedelta(days=91))
        assert clear_sessions() == 2


def test_logging_out_closes_the_row(devices):
    desk, _ = devices
    row = row_of(desk)
    desk.post("/accounts/logout/")
    row.refresh_from_db()
    assert row.ended_at is not None


# --- security administrators ---------------------------------------------------------------------------


def posted():
    return {"reason": "疑似被盗用", "submission_key": str(uuid4())}


@pytest.mark.parametrize("who, status", [
    ("secadmin", 302), ("sysadmin", 403), ("auditor", 403), ("bureau", 404), ("planner", 403), ("leader", 404),
])  # fmt: skip
def test_security_administrator_ends_the_logins_of_somebody(who, status):
    cast = make_cast()
    victim, actor = Client(), Client()
    victim.force_login(cast.planner)
    victim.get(ME)
    actor.force_login(getattr(cast, who))
    seen = actor.get(f"/accounts/people/{cast.planner.pk}/")
    assert ("正在使用的登录" in seen.content.decode()) is (who == "secadmin")
    url = f"/accounts/people/{cast.planner.pk}/sessions/end/"
    assert actor.post(url, posted()).status_code == status
    if who != "planner":
        assert victim.get(ME).status_code == (302 if who == "secadmin" else 200)
    entry = AuditEntry.objects.filter(action="account.sessions_ended").first()
    assert (entry.detail if entry else None) == ({"reason": "疑似被盗用"} if who == "secadmin" else None)


def test_not_of_another_locality_nor_ones_own():
    cast = make_cast()
    client = Client()
    client.force_login(cast.secadmin)
    stranger = make_user("外区", locality_code="110112")
    assert client.post(f"/accounts/people/{stranger.pk}/sessions/end/", posted()).status_code == 404
    assert client.post(f"/accounts/people/{cast.secadmin.pk}/sessions/end/", posted()).status_code == 403
    make_membership(cast.bureau, "bureau", make_locality("110112", "通州区"), organisation=None)
    assert client.post(f"/accounts/people/{cast.bureau.pk}/sessions/end/", posted()).status_code == 403


def test_disabled_account_has_no_running_login():
    cast = make_cast()
    client = Client()
    client.force_login(cast.planner)
    client.get(ME)
    disable_account(cast.planner, actor=cast.sysadmin, reason="离岗")
    assert not LoginSession.objects.filter(user=cast.planner, ended_at=None).exists()
