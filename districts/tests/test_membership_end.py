"""Ending roles: a day and a reason, never a deletion; gone at the next request."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.roles import Role
from core.errors import Refused, StaleState
from core.models import AuditEntry, Notification
from districts.access import access_of, forget_access
from districts.models import Membership
from districts.services.memberships import Scope, end_membership, grant_membership
from factories import make_membership, make_user


def today(days=0):
    return timezone.localdate() + timedelta(days=days)


def url(membership):
    return f"/districts/memberships/{membership.pk}/end/"


def form(**extra):
    return {"reason": "岗位调整", "submission_key": str(uuid4()), **extra}


def role_of(user):
    forget_access(user)
    return access_of(user).role


@pytest.mark.parametrize("who, status", [
    ("bureau", 404), ("unit_officer", 404), ("department", 404), ("lead", 404), ("planner", 403), ("leader", 404),
    ("city", 404), ("finance", 404), ("evaluator", 404), ("sysadmin", 403), ("auditor", 403), ("other_bureau", 404),
])  # fmt: skip
def test_end_is_for_security_administrators_alone(cast, as_user, who, status):
    membership = cast.planner.memberships.get()
    client = as_user(getattr(cast, who))
    assert client.get(url(membership)).status_code == status
    assert client.post(url(membership), form()).status_code == status
    assert role_of(cast.planner) == Role.PLANNER


def test_security_administrator_of_another_locality_does_not_find_it(cast, as_user):
    stranger = make_user("外区安全管理员")
    make_membership(stranger, Role.SECADMIN, cast.other_locality)
    membership = cast.planner.memberships.get()
    assert as_user(stranger).post(url(membership), form()).status_code == 404
    with pytest.raises(Refused):
        end_membership(membership, actor=stranger, reason="岗位调整")
    assert role_of(cast.planner) == Role.PLANNER


def test_ended_role_is_gone_at_the_next_request_and_the_row_stays(cast, as_user):
    person = as_user(cast.bureau)
    assert person.get("/districts/units/").content.decode().count("景山街道") >= 1
    membership = cast.bureau.memberships.get()
    response = as_user(cast.secadmin).post(url(membership), form())
    assert response.status_code == 302, response.content.decode()
    assert "景山街道" not in person.get("/districts/units/").content.decode()
    kept = Membership.objects.get(pk=membership.pk)
    assert (kept.valid_from, kept.valid_to) == (membership.valid_from, None)
    assert (kept.ended_from, kept.end_reason, kept.ended_by) == (today(), "岗位调整", cast.secadmin)
    entry = AuditEntry.objects.get(action="membership.end")
    assert (entry.actor_id, entry.detail["reason"]) == (cast.secadmin.pk, "岗位调整")
    assert "岗位调整" in Notification.objects.get(user=cast.bureau).text


def test_role_granted_today_can_be_ended_today(cast):
    person = make_user("某人")
    made = grant_membership(
        person, actor=cast.secadmin, role=Role.PLANNER, scope=Scope(cast.locality), valid_from=today()
    )
    assert role_of(person) == Role.PLANNER
    end_membership(made, actor=cast.secadmin, reason="授错了人")
    assert role_of(person) is None


def test_role_that_has_not_begun_never_begins(cast):
    person = make_user("某人")
    made = grant_membership(
        person, actor=cast.secadmin, role=Role.PLANNER, scope=Scope(cast.locality), valid_from=today(1)
    )
    end_membership(made, actor=cast.secadmin, reason="不再需要")
    for day in range(3):
        assert not Membership.objects.filter(pk=made.pk).valid_on(today(day)).exists()
        assert not Membership.objects.filter(pk=made.pk).not_over(today(day)).exists()


def test_last_day_still_counts(cast):
    membership = cast.planner.memberships.get()
    end_membership(membership, actor=cast.secadmin, reason="合同到期", last_day=today(2))
    rows = Membership.objects.filter(pk=membership.pk)
    assert [rows.valid_on(today(day)).exists() for day in (0, 2, 3)] == [True, True, False]
    assert Membership.objects.get(pk=membership.pk).last_day == today(2)


def test_end_can_be_moved_forward_but_not_back(cast):
    membership = cast.planner.memberships.get()
    end_membership(membership, actor=cast.secadmin, reason="合同到期", last_day=today(9))
    with pytest.raises(ValidationError, match="更早"):
        end_membership(membership, actor=cast.secadmin, reason="延期", last_day=today(10))
    assert end_membership(membership, actor=cast.secadmin, reason="提前离岗").last_day == today(-1)


@pytest.mark.parametrize("extra, words", [({"reason": " "}, "原因"), ({"last_day": "2020-01-01"}, "不能早于今天")])
def test_end_says_what_is_wrong_beside_the_field(cast, as_user, extra, words):
    membership = cast.planner.memberships.get()
    response = as_user(cast.secadmin).post(url(membership), form(**extra))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert role_of(cast.planner) == Role.PLANNER


def test_nobody_ends_their_own_role(cast, as_user):
    response = as_user(cast.secadmin).post(url(cast.secadmin.memberships.get()), form())
    assert response.status_code == 403
    assert "不能结束自己的身份" in response.content.decode()
    assert role_of(cast.secadmin) == Role.SECADMIN


def test_ending_twice_writes_once(cast, as_user):
    membership = cast.planner.memberships.get()
    client, data = as_user(cast.secadmin), form()
    assert [client.post(url(membership), data).status_code for _ in range(2)] == [302, 302]
    assert client.post(url(membership), form()).status_code == 409
    with pytest.raises(StaleState):
        end_membership(membership, actor=cast.secadmin, reason="再次")
    assert AuditEntry.objects.filter(action="membership.end").count() == 1


def test_database_keeps_no_end_without_a_reason(cast):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        cast.planner.memberships.update(ended_from=today())
