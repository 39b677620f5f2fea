"""A new installation: the operator starts a locality, and its administrators can set the bureau to work."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.roles import Role
from districts.access import access_of
from districts.models import Division, Locality, Organisation
from districts.permissions import can_manage_locality
from districts.services.memberships import Scope, appoint_first_administrator, grant_membership
from factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def division() -> Division:
    levels = Division.Level
    Division.objects.create(code="14", name="山西省", level=levels.PROVINCE)
    return Division.objects.create(code="1405", name="晋城市", level=levels.CITY, parent_id="14")


def start(code: str) -> str:
    out = io.StringIO()
    call_command("start_locality", code, stdout=out)
    return out.getvalue()


def test_from_nothing_to_an_officer_of_the_bureau_who_may_work():
    assert "晋城市" in start("140500")
    locality = Locality.objects.get(code="140500")
    security, officer = make_user("安全", locality_code="140500"), make_user("干部", locality_code="140500")
    appoint_first_administrator(security, role=Role.SECADMIN, locality=locality)
    bureau = Organisation.objects.get(locality=locality, kind="bureau")
    scope = Scope(locality, organisation=bureau)
    grant_membership(officer, actor=security, role=Role.BUREAU, scope=scope, valid_from=timezone.localdate())
    assert access_of(officer).role == Role.BUREAU
    assert can_manage_locality(officer, locality)


def test_second_time_it_is_refused_and_changes_nothing():
    start("140500")
    with pytest.raises(CommandError, match="已启用"):
        start("140500")
    assert (Locality.objects.count(), Organisation.objects.count()) == (1, 1)


@pytest.mark.parametrize("code", ["999999", "1405", "140000", "140501"])
def test_unknown_place_is_named_and_leaves_nothing(code: str):
    with pytest.raises(CommandError, match=code):
        start(code)
    assert not Locality.objects.exists()
