"""System administrators look after accounts: create, disable, enable, reset a password; nobody else does."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from accounts.passwords import one_time_password
from accounts.roles import THREE_ADMINISTRATORS, Role
from accounts.services import create_account, create_first_account, disable_account, enable_account, reset_password
from accounts.tests.conftest import LOGIN
from core.errors import Refused, StaleState
from core.models import AuditEntry
from factories import PASSWORD, make_cast, make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db
LIST, NEW = "/accounts/people/", "/accounts/people/new/"


@pytest.fixture
def cast():
    return make_cast()


def client_of(user):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def url(account, act=""):
    return f"/accounts/people/{account.pk}/{act + '/' if act else ''}"


def filled(**extra):
    return {
        "username": "li.xin",
        "name": "李新",
        "locality_code": "110101",
        "submission_key": str(uuid4()),
        **extra,
    }


def reason(**extra):
    return {"reason": "本人申请", "submission_key": str(uuid4()), **extra}


def shown_password(response):
    return re.search(r'class="revealed">([^<]+)<', response.content.decode()).group(1)


OTHERS = [
    "bureau",
    "unit_officer",
    "department",
    "lead",
    "colleague",
    "leader",
    "city",
    "finance",
    "evaluator",
]


# --- who ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who, status", [
    (None, 302), ("sysadmin", 200), ("secadmin", 200), ("auditor", 200), *((who, 403) for who in OTHERS)
])  # fmt: skip
def test_list_is_read_by_the_three_administrators(cast, who, status):
    client = client_of(getattr(cast, who) if who else None)
    assert client.get(LIST).status_code == status
    assert client.get(url(cast.planner)).status_code == (404 if status == 403 else status)


@pytest.mark.parametrize("who", ["secadmin", "auditor", *OTHERS])
def test_only_system_administrators_change_accounts(cast, who):
    client = client_of(getattr(cast, who))
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, filled()).status_code == 403
    expected = 403 if who in {"secadmin", "auditor"} else 404
    for act in ("disable", "enable", "password"):
        assert client.get(url(cast.planner, act)).status_code == expected
        assert client.post(url(cast.planner, act), reason()).status_code == expected
    after = User.objects.get(pk=cast.planner.pk)
    assert (after.is_active, after.password) == (True, cast.planner.password)
    assert not User.objects.filter(username="li.xin").exists()


def test_accounts_of_another_locality_are_not_found(cast):
    client = client_of(cast.sysadmin)
    page = client.get(LIST).content.decode()
    assert f">{cast.planner.username}<" in page
    assert f">{cast.foreign.username}<" not in page
    for act in ("", "disable", "enable", "password"):
        assert client.get(url(cast.foreign, act)).status_code == 404
    assert "没有符合条件的账号" in client.get(LIST, {"q": cast.foreign.username}).content.decode()
    for service in (disable_account, reset_password):
        with pytest.raises(Refused, match="不属于本地方"):
            service(cast.foreign, actor=cast.sysadmin, reason="本人申请")


def test_account_with_a_role_elsewhere_is_looked_after_from_above(cast):
    make_membership(cast.planner, Role.EVALUATOR, cast.other_locality)
    client = client_of(cast.sysadmin)
    assert "由上级地方的系统管理员办理" in client.get(url(cast.planner)).content.decode()
    assert client.post(url(cast.planner, "password"), reason()).status_code == 403
    assert client.post(url(cast.planner, "disable"), reason()).status_code == 403
    above = make_locality("110100", "北京市")
    for place in (cast.locality, cast.other_locality):
        place.parent = above
        place.save()
    chief = make_user("市系统管理员", locality_code=above.code)
    make_membership(chief, Role.SYSADMIN, above)
    assert client_of(chief).post(url(cast.planner, "disable"), reason()).status_code == 302


def test_nobody_resets_or_disables_their_own_account(cast):
    client = client_of(cast.sysadmin)
    for act in ("disable", "password"):
        response = client.post(url(cast.sysadmin, act), reason())
        assert response.status_code == 403
        assert "自己的" in response.content.decode()


@pytest.mark.parametrize("who", ["secadmin", "auditor"])
def test_system_administrator_cannot_slip_into_another_administrators_account(cast, who, monkeypatch):
    """A reset password would open it, unless a second factor stands behind (等保 8.1.5)."""
    other = getattr(cast, who)
    client = client_of(cast.sysadmin)
    assert "双因素认证" in client.get(url(other)).content.decode()
    assert client.post(url(other, "password"), reason()).status_code == 403
    assert User.objects.get(pk=other.pk).check_password(PASSWORD)
    monkeypatch.setattr("accounts.permissions.is_mfa_enabled", lambda user: user.pk == other.pk)
    assert client.post(url(other, "password"), reason()).status_code == 200
    assert not User.objects.get(pk=other.pk).check_password(PASSWORD)


# --- creating ----------------------------------------------------------------------------------------


def test_new_account_has_no_role_and_must_change_its_password(cast, client):
    response = client_of(cast.sysadmin).post(NEW, filled(username="ＬＩ.Xin"))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    password = shown_password(response)
    account = User.objects.get(username="li.xin")
    assert (account.name, account.locality_code, account.must_change_password) == ("李新", "110101", True)
    assert not account.memberships.exists()
    assert client.post(LOGIN, {"login": "li.xin", "password": password}).status_code == 302
    assert client.get("/home/")["Location"] == "/accounts/password/change/"
    new = "Harbour-Lamp-77?"
    client.post("/accounts/password/change/", {"oldpassword": password, "password1": new, "password2": new})
    assert client.get("/accounts/me/").status_code == 200
    assert not User.objects.get(pk=account.pk).must_change_password
    entry = AuditEntry.objects.get(action="account.create")
    assert (entry.actor_id, entry.object_id, entry.locality_code) == (cast.sysadmin.pk, str(account.pk), "110101")


def test_password_is_shown_once_and_stored_nowhere(cast):
    browser, data = client_of(cast.sysadmin), filled()
    password = shown_password(browser.post(NEW, data))
    again = browser.post(NEW, data).content.decode()
    assert password not in again
    assert "不能再次查看" in again
    assert User.objects.filter(username="li.xin").count() == 1
    kept = str(list(AuditEntry.objects.values())) + str(list(User.objects.values()))
    assert password not in kept


@pytest.mark.parametrize("extra, words", [
    ({"username": "a"}, "3—30 位"), ({"username": "李新"}, "3—30 位"), ({"name": ""}, "必填"),
    ({"locality_code": "110112"}, "选择一个有效的选项"), ({"username": "x" * 40}, "30"),
])  # fmt: skip
def test_form_says_what_is_wrong(cast, extra, words):
    response = client_of(cast.sysadmin).post(NEW, filled(**extra))
    page = response.content.decode()
    assert response.status_code == 200
    assert words in page or "有效" in page
    assert "field-error" in page
    assert not User.objects.filter(name="李新").exists()


def test_taken_name_is_refused_in_whatever_case(cast):
    make_user(username="Li.Xin")
    page = client_of(cast.sysadmin).post(NEW, filled()).content.decode()
    assert "已被使用" in page


def test_no_extra_field_can_be_posted(cast):
    client_of(cast.sysadmin).post(NEW, filled(is_superuser="on", is_staff="on", is_demo="on", is_active=""))
    account = User.objects.get(username="li.xin")
    assert (account.is_superuser, account.is_staff, account.is_demo, account.is_active) == (False, False, False, True)


def test_service_checks_again(cast):
    for actor in (cast.secadmin, cast.auditor, cast.bureau):
        with pytest.raises(Refused):
            create_account(username="li.xin", name="李新", locality_code="110101", actor=actor)
    with pytest.raises(Refused, match="只能在本地方"):
        create_account(username="li.xin", name="李新", locality_code="110112", actor=cast.sysadmin)


def test_operator_makes_the_first_account(cast):
    account, password = create_first_account(username="first", name="首位", locality_code="110101")
    assert account.check_password(password)
    assert AuditEntry.objects.get(action="account.create").actor is None


@pytest.mark.parametrize("profile", ["dengbao", "asvs"])
def test_one_time_passwords_satisfy_the_rules_and_differ(settings, profile):
    settings.PASSWORD_PROFILE = profile
    made = {one_time_password(User(username="wang")) for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) >= 14 and not set(password) & set("0O1lI") for password in made)


# --- disabling, enabling, resetting --------------------------------------------------------------------


def test_disabled_account_is_out_at_its_next_request_and_cannot_log_in(cast, client):
    person = client_of(cast.planner)
    assert person.get("/accounts/me/").status_code == 200
    assert client_of(cast.sysadmin).post(url(cast.planner, "disable"), reason()).status_code == 302
    assert person.get("/accounts/me/").status_code == 302
    client.post(LOGIN, {"login": cast.planner.username, "password": PASSWORD})
    assert client.get("/accounts/me/").status_code == 302
    assert cast.planner.memberships.count() == 1
    entry = AuditEntry.objects.get(action="account.disable")
    assert (entry.actor_id, entry.detail["reason"]) == (cast.sysadmin.pk, "本人申请")


def test_enabled_account_logs_in_again_and_old_sessions_stay_ended(cast, client):
    person = client_of(cast.planner)
    administrator = client_of(cast.sysadmin)
    administrator.post(url(cast.planner, "disable"), reason())
    assert administrator.post(url(cast.planner, "enable"), reason()).status_code == 302
    assert person.get("/accounts/me/").status_code == 302
    client.post(LOGIN, {"login": cast.planner.username, "password": PASSWORD})
    assert client.get("/accounts/me/").status_code == 200


def test_reset_ends_sessions_and_old_password_and_asks_for_a_new_one(cast, client):
    person = client_of(cast.planner)
    response = client_of(cast.sysadmin).post(url(cast.planner, "password"), reason())
    password = shown_password(response)
    assert "no-store" in response["Cache-Control"]
    assert person.get("/accounts/me/").status_code == 302
    client.post(LOGIN, {"login": cast.planner.username, "password": PASSWORD})
    assert client.get("/accounts/me/")["Location"].startswith(LOGIN)
    client.post(LOGIN, {"login": cast.planner.username, "password": password})
    assert client.get("/accounts/me/")["Location"] == "/accounts/password/change/"
    assert AuditEntry.objects.get(action="account.password_reset").detail["reason"] == "本人申请"
    # Not even the person may take the former password again.
    answer = client.post(
        "/accounts/password/change/", {"oldpassword": password, "password1": PASSWORD, "password2": PASSWORD}
    )
    assert "使用过" in answer.content.decode()


def test_acts_need_a_reason_and_are_done_once(cast):
    administrator, data = client_of(cast.sysadmin), reason()
    assert "原因" in administrator.post(url(cast.planner, "disable"), reason(reason=" ")).content.decode()
    assert User.objects.get(pk=cast.planner.pk).is_active
    assert [administrator.post(url(cast.planner, "disable"), data).status_code for _ in range(2)] == [302, 302]
    assert AuditEntry.objects.filter(action="account.disable").count() == 1
    assert administrator.post(url(cast.planner, "disable"), reason()).status_code == 403
    with pytest.raises(ValidationError):
        enable_account(User.objects.get(pk=cast.planner.pk), actor=cast.sysadmin, reason="")


def test_reset_twice_gives_one_password(cast):
    administrator, data = client_of(cast.sysadmin), reason()
    first = shown_password(administrator.post(url(cast.planner, "password"), data))
    assert "不能再次查看" in administrator.post(url(cast.planner, "password"), data).content.decode()
    assert User.objects.get(pk=cast.planner.pk).check_password(first)


def test_second_of_two_administrators_is_told(cast):
    stale = User.objects.get(pk=cast.planner.pk)
    disable_account(User.objects.get(pk=cast.planner.pk), actor=cast.sysadmin, reason="调离")
    with pytest.raises(StaleState):
        disable_account(stale, actor=cast.sysadmin, reason="调离")


# --- the list ------------------------------------------------------------------------------------------


def test_list_filters_and_costs_the_same_for_one_and_fifty(cast):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(cast.sysadmin)
    for _ in range(60):
        make_user(locality_code="110101")
    make_user("停用者", locality_code="110101", is_active=False)

    def cost(**query):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST, query).status_code == 200
        return len(queries)

    one, many = cost(q=cast.planner.username), cost()
    assert one <= 8
    assert many - one <= 1
    assert [row[1] for row in client.get(LIST, {"state": "off"}).context["table"].rows] == ["停用者"]


def test_page_shows_no_audit_to_the_system_administrator(cast):
    """The page tells how the account stands, not what its holder did (等保 8.1.5)."""
    disable_account(cast.planner, actor=cast.sysadmin, reason="独一无二的原因")
    assert "独一无二的原因" not in client_of(cast.sysadmin).get(url(cast.planner)).content.decode()
    assert client_of(cast.sysadmin).get("/audit/").status_code == 403


@pytest.mark.parametrize("role", [*sorted(THREE_ADMINISTRATORS), Role.BUREAU])
def test_navigation_leads_administrators_to_accounts(cast, role):
    page = client_of(getattr(cast, role.value)).get("/accounts/me/").content.decode()
    assert ('href="/accounts/people/"' in page) == (role in THREE_ADMINISTRATORS)
