"""Working under one of one's own roles, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.models import AuditEntry
from districts.access import access_of
from districts.models import Locality, Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def locality():
    return Locality.objects.create(code="110101", name="东城区")


@pytest.fixture
def person():
    return User.objects.create_user("two.roles", name="王示例")


def grant(user, role, locality, *, start=-30, end=None):
    today = timezone.localdate()
    return Membership.objects.create(
        user=user,
        role=role,
        locality=locality,
        valid_from=today + timedelta(days=start),
        valid_to=None if end is None else today + timedelta(days=end),
    )


def switch(client, membership):
    return client.post("/accounts/switch/", {"membership": getattr(membership, "pk", membership)})


def active(user):
    return User.objects.get(pk=user.pk).active_membership_id


def test_switch_works_among_ones_own_and_is_audited(client, person, locality):
    grant(person, Role.PLANNER, locality)
    lead = grant(person, Role.LEAD, locality)
    client.force_login(person)
    response = switch(client, lead)
    assert (response.status_code, response["Location"]) == (302, "/home/")
    assert active(person) == lead.pk
    assert access_of(User.objects.get(pk=person.pk)).role == Role.LEAD
    entry = AuditEntry.objects.get(action="account.role_switched")
    assert (entry.actor_id, entry.locality_code) == (person.pk, "110101")


def test_switch_refuses_what_is_not_valid_today(client, person, locality):
    own = grant(person, Role.PLANNER, locality)
    over, not_yet = grant(person, Role.BUREAU, locality, end=-1), grant(person, Role.CITY, locality, start=1)
    client.force_login(person)
    for membership in (over, not_yet):
        assert switch(client, membership).status_code == 403
    assert active(person) is None
    assert switch(client, own).status_code == 302


def test_switch_refuses_others_and_unknown_ones_alike(client, person, locality):
    grant(person, Role.PLANNER, locality)
    somebody = User.objects.create_user("somebody.else")
    theirs = grant(somebody, Role.BUREAU, locality)
    client.force_login(person)
    for value in (theirs, theirs.pk + 999, "x", "", "1 OR 1=1", "9" * 40):
        response = switch(client, value)
        assert response.status_code == 403
        assert "不存在、已到期或不属于您" in response.content.decode()
    assert active(person) is None


def test_switch_needs_post_and_a_login(client, person):
    assert client.post("/accounts/switch/").status_code == 302
    client.force_login(person)
    assert client.get("/accounts/switch/").status_code == 405


def test_last_day_still_counts(person, locality):
    today_last = grant(person, Role.BUREAU, locality, end=0)
    assert access_of(person).membership_id == today_last.pk


def test_revoked_role_is_gone_at_the_next_request(client, person, locality):
    role = grant(person, Role.PLANNER, locality)
    client.force_login(person)
    assert "东城区" in client.get("/accounts/me/").content.decode()
    Membership.objects.filter(pk=role.pk).update(valid_to=timezone.localdate() - timedelta(days=1))
    page = client.get("/accounts/me/").content.decode()
    assert "没有有效的身份" in page
    assert "东城区" not in page


def test_frame_shows_the_current_role_and_offers_the_others(client, person, locality):
    grant(person, Role.PLANNER, locality)
    other = grant(person, Role.LEAD, locality)
    client.force_login(person)
    page = client.get("/accounts/me/").content.decode()
    assert '<span class="topbar-role">责任规划师</span>' in page
    assert f'name="membership" value="{other.pk}"' in page
