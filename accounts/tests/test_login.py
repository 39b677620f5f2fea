"""Logging in and out."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from core.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]
UNREPEATABLE = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|\d{4}年\d+月\d+日 \d\d:\d\d|datetime="[^"]*"')


def plain(response) -> str:
    return UNREPEATABLE.sub("", response.content.decode())


def actions() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "result"))


def test_login_lands_on_home_and_is_audited(person, log_in):
    response = log_in()
    assert (response.status_code, response["Location"]) == (302, "/home/")
    entry = AuditEntry.objects.get(action="account.login")
    assert (entry.actor_id, entry.result) == (person.pk, "ok")


def test_login_page_is_chinese_and_promises_no_signup(client):
    page = client.get("/accounts/login/").content.decode()
    assert "用户名" in page
    assert "密码" in page
    assert 'lang="zh-CN"' in page
    assert "注册" not in page
    assert "signup" not in page
    assert "Password" not in page


def test_login_refuses_wrong_password_in_chinese_and_is_audited(person, log_in, client):
    response = log_in(password="Wrong-Password-1!")
    assert response.status_code == 200
    assert "用户名或密码不正确。" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert ("account.login_failed", "refused") in actions()
    assert "Wrong-Password" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_login_answers_the_same_for_known_and_unknown_names(person, log_in):
    known = log_in("wang.shi", "Wrong-Password-1!", to=Client())
    unknown = log_in("nobody.x", "Wrong-Password-1!", to=Client())
    assert known.status_code == unknown.status_code == 200
    assert plain(known).replace("wang.shi", "NAME") == plain(unknown).replace("nobody.x", "NAME")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/x",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
    ],
)
def test_login_never_redirects_elsewhere(person, log_in, target):
    assert log_in(data={"next": target})["Location"] == "/home/"


def test_login_returns_to_the_page_that_was_asked_for(person, log_in):
    assert log_in(data={"next": "/accounts/me/?a=1"})["Location"] == "/accounts/me/?a=1"


def test_login_gives_a_new_session_key(person, log_in, client):
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "1"
    session.save()
    before = session.session_key
    log_in()
    assert client.session.session_key != before


def test_login_survives_nul_bytes_and_long_names(db, log_in):
    assert log_in("a\0b").status_code == 200
    assert log_in("x" * 5000).status_code == 200


def test_logout_needs_post_and_is_audited(logged_in, person):
    assert logged_in.get("/accounts/logout/").status_code == 405
    assert "_auth_user_id" in logged_in.session
    response = logged_in.post("/accounts/logout/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert "_auth_user_id" not in logged_in.session
    assert ("account.logout", "ok") in actions()


def test_disabled_account_is_out_at_its_next_request(logged_in, person):
    assert logged_in.get("/accounts/me/").status_code == 200
    User.objects.filter(pk=person.pk).update(is_active=False)
    response = logged_in.get("/accounts/me/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/accounts/me/")


def test_disabled_account_cannot_log_in(person, log_in, client):
    User.objects.filter(pk=person.pk).update(is_active=False)
    log_in()
    assert "_auth_user_id" not in client.session


def test_demo_roles_are_offered_in_demo_alone(client, settings):
    settings.DEMO = True
    shown = client.get("/accounts/login/").content.decode()
    assert 'data-role="planner"' in shown
    assert 'data-place="tz"' in shown
    assert "示例数据" in shown
    settings.DEMO = False
    hidden = client.get("/accounts/login/").content.decode()
    assert "data-role" not in hidden
    assert "示例数据" not in hidden


@pytest.mark.parametrize("path", ["signup", "email", "confirm-email", "password/set", "password/reset"])
def test_what_is_not_offered_answers_404(logged_in, path):
    assert logged_in.get(f"/accounts/{path}/").status_code == 404
    data = {"username": "new", "password1": "x", "password2": "x"}
    assert Client().post(f"/accounts/{path}/", data).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "social/signup",
        "3rdparty",
        "login/code",
        "login/code/confirm",
        "phone/change",
        "phone/verify",
        "2fa/webauthn",
    ],
)
def test_allauths_other_pages_do_not_exist(logged_in, path):
    assert logged_in.get(f"/accounts/{path}/").status_code == 404
