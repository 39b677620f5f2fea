"""The first administrators of a locality are appointed on the server."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from core.models import AuditEntry
from factories import make_locality

pytestmark = pytest.mark.django_db


def appoint(*arguments):
    out = io.StringIO()
    call_command("appoint_administrator", *arguments, stdout=out)
    return out.getvalue()


def test_new_administrator_gets_an_account_and_a_password_to_change():
    place = make_locality()
    said = appoint("Zhao.An", "--role", "secadmin", "--locality", place.code, "--name", "赵安")
    user = User.objects.get(username="zhao.an")
    assert user.check_password(re.search(r"：(\S+)$", said.strip()).group(1))
    assert (user.must_change_password, user.locality_code) == (True, place.code)
    assert user.memberships.get().role == "secadmin"
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"account.create", "membership.grant"}


@pytest.mark.parametrize("arguments, words", [
    (("zhao.an", "--role", "auditor", "--locality", "110101"), "不能兼任"),
    (("qian.an", "--role", "auditor", "--locality", "110101"), "--name"),
    (("qian.an", "--role", "auditor", "--locality", "999999", "--name", "钱安"), "没有启用"),
])  # fmt: skip
def test_refusal_leaves_nothing_behind(arguments, words):
    make_locality()
    appoint("zhao.an", "--role", "secadmin", "--locality", "110101", "--name", "赵安")
    with pytest.raises(CommandError, match=words):
        appoint(*arguments)
    assert list(User.objects.values_list("username", "memberships__role")) == [("zhao.an", "secadmin")]
