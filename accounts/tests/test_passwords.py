"""Both named profiles of password rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from accounts.validators import profile

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]


def codes(password, user=None):
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return sorted(error.code for error in refused.error_list)
    return []


def change(client, old, new):
    return client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": new})


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("Kx7!ab", ["password_too_short"]),
        ("kxqvbnmwe", ["password_too_simple"]),
        ("kxqvbnm77", ["password_too_simple"]),
        ("Kxqvbn77", []),
        ("kxqvb-77", []),
    ],
)
def test_dengbao_asks_for_three_kinds_of_characters(settings, password, refused):
    settings.PASSWORD_PROFILE = "dengbao"
    assert codes(password) == refused


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("Kxqvbn77!ab", ["password_too_short"]),
        ("quiet lantern over the canal", []),
        ("kxqvbnmwezzt", []),
    ],
)
def test_asvs_asks_for_length_alone(settings, password, refused):
    settings.PASSWORD_PROFILE = "asvs"
    assert codes(password) == refused


@pytest.mark.parametrize("chosen", ["dengbao", "asvs"])
def test_both_refuse_common_and_personal_passwords(settings, person, chosen):
    settings.PASSWORD_PROFILE = chosen
    assert "password_too_common" in codes("Password123") or "password_too_common" in codes("qwertyuiop123")
    assert "password_too_similar" in codes("Wang.Shi-2026", person)


def test_dengbao_refuses_the_last_five_passwords(settings, logged_in, person):
    settings.PASSWORD_PROFILE = "dengbao"
    settings.ACCOUNT_RATE_LIMITS = False
    used = [PASSWORD] + [f"Harbour-Lamp-{n}?" for n in range(5)]
    for old, new in pairwise(used):
        assert change(logged_in, old, new).status_code == 302
    for back in used[1:]:
        refused = change(logged_in, used[-1], back)
        assert refused.status_code == 200
        assert "最近 5 次" in refused.content.decode(), back
    assert change(logged_in, used[-1], used[0]).status_code == 302, "the sixth back may come again"


def test_handed_out_password_is_remembered_too(settings, logged_in):
    assert "最近 5 次" in change(logged_in, PASSWORD, PASSWORD).content.decode()
    assert change(logged_in, PASSWORD, "Harbour-Lamp-1?").status_code == 302
    assert "最近 5 次" in change(logged_in, "Harbour-Lamp-1?", PASSWORD).content.decode()


def test_asvs_keeps_no_history(settings, logged_in):
    settings.PASSWORD_PROFILE = "asvs"
    assert change(logged_in, PASSWORD, "Harbour-Lamp-77?").status_code == 302
    assert change(logged_in, "Harbour-Lamp-77?", PASSWORD).status_code == 302


@pytest.mark.parametrize(("chosen", "sent_to"), [("dengbao", "/accounts/password/change/"), ("asvs", None)])
def test_password_of_91_days_must_be_changed_under_dengbao_alone(settings, logged_in, person, chosen, sent_to):
    settings.PASSWORD_PROFILE = chosen
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC), tick=False) as clock:
        User.objects.filter(pk=person.pk).update(password_set_at=datetime(2026, 3, 2, tzinfo=UTC))
        logged_in.force_login(person)
        assert logged_in.get("/accounts/me/").status_code == 200
        clock.shift(timedelta(days=91))
        logged_in.force_login(person)
        response = logged_in.get("/accounts/me/")
        assert response.get("Location") == sent_to
        assert logged_in.get("/accounts/password/change/").status_code == 200


def test_initial_password_must_be_changed_first(logged_in, person):
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    assert logged_in.get("/example/")["Location"] == "/accounts/password/change/"
    assert logged_in.post("/example/", {}).status_code == 302
    assert change(logged_in, PASSWORD, "Harbour-Lamp-77?").status_code == 302
    assert logged_in.get("/example/").status_code == 200


def test_demo_people_are_never_asked_to_change(logged_in, person, settings):
    settings.DEMO = True
    User.objects.filter(pk=person.pk).update(is_demo=True, must_change_password=True)
    assert logged_in.get("/example/").status_code == 200
    settings.DEMO = False
    assert logged_in.get("/example/").status_code == 302


def test_unknown_profile_is_refused(settings):
    settings.PASSWORD_PROFILE = "none"
    with pytest.raises(ImproperlyConfigured, match="dengbao"):
        profile()


def test_wrong_present_password_is_refused(logged_in):
    response = change(logged_in, "Not-The-One-1!", "Harbour-Lamp-77?")
    assert response.status_code == 200
    assert "当前密码" in response.content.decode()


def test_rules_are_told_before_typing(logged_in):
    page = logged_in.get("/accounts/password/change/").content.decode()
    assert "至少 8 个字符" in page
    assert "3 类" in page
    assert "Your password" not in page
