"""Enrolment, login with a code, codes that work once, roles that demand it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client, RequestFactory

from accounts.middleware import StandingMiddleware
from accounts.tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]
CHINESE_ONLY = re.compile(r">[^<>]*\b(Code|Password|Authenticator|Recovery|Activate|Deactivate|Sign)\b[^<>]*<")


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def enrol(client: Client) -> str:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert "data:image/svg+xml;base64," in page
    secret = re.search(r'class="secret-code">([A-Z2-7]+)<', page)[1]
    # Typed in a Chinese keyboard's full width, in two groups as the app shows it.
    typed = code_for(secret).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    response = client.post("/accounts/2fa/totp/activate/", {"code": f"{typed[:3]} {typed[3:]}"})
    assert response.status_code == 302
    return secret


def test_enrolment_asks_for_the_password_again(logged_in, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    response = logged_in.get("/accounts/2fa/totp/activate/")
    assert response["Location"].startswith("/accounts/reauthenticate/")


def test_enrolled_person_needs_a_code_to_log_in(logged_in, person, log_in):
    with time_machine.travel("2026-03-02T01:00:00Z", tick=False) as clock:
        secret = enrol(logged_in)
        clock.shift(300)
        fresh = Client()
        response = log_in(to=fresh)
        assert response["Location"].startswith("/accounts/2fa/authenticate/")
        assert fresh.get("/accounts/me/").status_code == 302, "nothing is reached between the two steps"
        wrong = fresh.post("/accounts/2fa/authenticate/", {"code": "000000"})
        assert wrong.status_code == 200
        used = code_for(secret)
        assert fresh.post("/accounts/2fa/authenticate/", {"code": used}).status_code == 302
        assert fresh.get("/accounts/me/").status_code == 200
        again = Client()
        log_in(to=again)
        again.post("/accounts/2fa/authenticate/", {"code": used})
        assert again.get("/accounts/me/").status_code == 302, "a code works once"


def test_second_factor_cannot_be_guessed_for_long(logged_in, person, log_in):
    with time_machine.travel("2026-03-02T01:00:00Z", tick=False) as clock:
        secret = enrol(logged_in)
        clock.shift(300)
        fresh = Client()
        log_in(to=fresh)
        for number in range(6):
            fresh.post("/accounts/2fa/authenticate/", {"code": f"00000{number}"})
        fresh.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
        assert fresh.get("/accounts/me/").status_code == 302


def test_recovery_codes_are_shown_once(logged_in, person):
    enrol(logged_in)
    first = logged_in.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r'class="secret-code">(\w{8,})<', first)
    assert len(codes) == 10
    assert not any(code in logged_in.get("/accounts/2fa/recovery-codes/").content.decode() for code in codes)


def test_pages_of_the_second_factor_are_chinese(logged_in, person):
    enrol(logged_in)
    for path in ("", "totp/deactivate/", "recovery-codes/", "recovery-codes/generate/"):
        page = logged_in.get(f"/accounts/2fa/{path}").content.decode()
        assert CHINESE_ONLY.search(page) is None, path


@pytest.mark.parametrize(
    ("role", "demo", "enrolled", "sent"),
    [
        ("sysadmin", False, False, True),
        ("sysadmin", False, True, False),
        ("sysadmin", True, False, False),
        ("planner", False, False, False),
    ],
)
def test_roles_that_demand_a_second_factor(settings, person, role, demo, enrolled, sent):
    settings.DEMO = demo
    if enrolled:
        Authenticator.objects.create(user=person, type="totp", data={})
    request = RequestFactory().get("/x/")
    request.user, request.membership = person, SimpleNamespace(role=role)
    assert StandingMiddleware(lambda r: None)._lacks_second_factor(request) is sent


def test_secret_is_encrypted_in_the_database(logged_in, person):
    secret = enrol(logged_in)
    kept = Authenticator.objects.get(user=person, type="totp").data["secret"]
    assert secret not in kept
    assert kept.startswith("v1:")
