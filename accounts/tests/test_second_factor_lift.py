"""A lost second factor: lifted by a security administrator, with a reason; then another one is bound first."""

from __future__ import annotations

from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import User
from accounts.permissions import can_lift_second_factor
from accounts.services import lift_second_factor, reset_password
from accounts.tests.test_second_factor import enrol
from core.errors import Refused
from core.models import AuditEntry, Notification
from factories import PASSWORD, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(settings):
    settings.DEMO = False
    settings.MFA_REQUIRED_ROLES = []
    return make_cast()


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def with_factor(user):
    for kind in ("totp", "recovery_codes"):
        Authenticator.objects.create(user=user, type=kind, data={})
    return user


def url(account):
    return f"/accounts/people/{account.pk}/second-factor/lift/"


def posted():
    return {"reason": "手机丢失，已当面核实", "submission_key": str(uuid4())}


def test_lifted_factor_is_gone_and_its_owner_binds_another_before_anything_else(
    cast, monkeypatch, django_capture_on_commit_callbacks
):
    account = with_factor(cast.unit_officer)
    before = client_of(account)
    before.get("/home/")
    assert client_of(cast.secadmin).post(url(account), posted()).status_code == 302
    assert not Authenticator.objects.filter(user=account).exists()
    assert before.get("/home/").status_code == 302, "logged out"
    entry = AuditEntry.objects.get(action="account.second_factor_lifted")
    assert (entry.actor, entry.object_id, entry.detail) == (
        cast.secadmin, str(account.pk), {"reason": "手机丢失，已当面核实"},
    )  # fmt: skip
    assert "请重新绑定" in Notification.objects.get(user=account, kind="account").text

    client = client_of(User.objects.get(pk=account.pk))
    for page in ("/home/", "/worklogs/", "/accounts/me/", "/districts/"):
        assert client.get(page)["Location"] == "/accounts/2fa/totp/activate/", page
    monkeypatch.setattr("accounts.tests.test_second_factor.PASSWORD", PASSWORD)
    with django_capture_on_commit_callbacks(execute=True):
        enrol(client)
    assert client.get("/home/").status_code == 200
    assert not User.objects.get(pk=account.pk).must_enrol_second_factor


@pytest.mark.parametrize("who, status", [
    ("sysadmin", 403), ("auditor", 403), ("bureau", 404), ("unit_officer", 403), ("other_bureau", 404),
])  # fmt: skip
def test_only_security_administrators_lift(cast, who, status):
    account = with_factor(cast.unit_officer)
    actor = getattr(cast, who)
    assert client_of(actor).post(url(account), posted()).status_code == status
    with pytest.raises(Refused):
        lift_second_factor(account, actor=actor, reason="手机丢失")
    assert Authenticator.objects.filter(user=account).count() == 2


def test_never_ones_own_nor_one_that_is_not_there(cast):
    assert "不能对自己" in can_lift_second_factor(cast.secadmin, with_factor(cast.secadmin)).reason
    assert "没有绑定" in can_lift_second_factor(cast.secadmin, cast.planner).reason


def test_two_administrators_together_do_not_open_the_account_of_a_third(cast):
    """A password handed out by one and a factor lifted by the other would log somebody else in as the auditor."""
    auditor = with_factor(cast.auditor)
    reset_password(auditor, actor=cast.sysadmin, reason="忘记密码")
    auditor.refresh_from_db()
    assert "防止代为登录" in can_lift_second_factor(cast.secadmin, auditor).reason
    User.objects.filter(pk=auditor.pk).update(must_change_password=False)
    auditor.refresh_from_db()
    assert can_lift_second_factor(cast.secadmin, auditor)
