"""Giving roles: by whom, to whom, what a scope needs, and that nobody becomes two administrators."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.roles import THREE_ADMINISTRATORS, Role
from core.errors import Refused
from core.models import AuditEntry, Notification
from districts.access import access_of, forget_access
from districts.models import Membership
from districts.services import memberships
from districts.services.memberships import Scope, appoint_first_administrator, grant_membership
from factories import make_cast, make_locality, make_membership, make_organisation, make_unit, make_user

URL = "/districts/memberships/grant/"


def today(days=0):
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def newcomer(cast):
    return make_user("新来的", username="newcomer", locality_code=cast.locality.code)


def grant(cast, user, role, *, actor=None, start=0, end=None, locality=None, unit=None, organisation=None):
    return grant_membership(
        user,
        actor=actor or cast.secadmin,
        role=role,
        scope=Scope(locality or cast.locality, unit, organisation),
        valid_from=today(start),
        valid_to=None if end is None else today(end),
    )


def posted(cast, user, **extra):
    return {
        "user": user.pk,
        "role": "planner",
        "locality": cast.locality.pk,
        "valid_from": str(today()),
        "submission_key": str(uuid4()),
        **extra,
    }


ROLES = [
    "bureau",
    "unit_officer",
    "department",
    "lead",
    "planner",
    "leader",
    "city",
    "finance",
    "evaluator",
    "sysadmin",
    "auditor",
]


@pytest.mark.parametrize("who", ROLES)
def test_grant_is_for_security_administrators_alone(cast, as_user, newcomer, who):
    client = as_user(getattr(cast, who))
    assert client.get(URL).status_code == 403
    response = client.post(URL, posted(cast, newcomer))
    assert response.status_code == 403
    assert "仅安全管理员可以授予" in response.content.decode()
    assert not newcomer.memberships.exists()


def test_grant_asks_strangers_to_log_in(cast, as_user, newcomer):
    assert as_user(None).post(URL, posted(cast, newcomer)).status_code == 302
    assert not newcomer.memberships.exists()


def test_granted_role_works_at_the_next_request_and_is_audited_and_told(cast, as_user, newcomer):
    person = as_user(newcomer)
    assert person.get("/districts/units/").status_code == 200
    assert "景山街道" not in person.get("/districts/units/").content.decode()
    response = as_user(cast.secadmin).post(URL, posted(cast, newcomer, role="unit", unit=cast.unit.pk))
    assert response.status_code == 302, response.content.decode()
    made = newcomer.memberships.get()
    assert (made.role, made.unit, made.locality, made.granted_by) == ("unit", cast.unit, cast.locality, cast.secadmin)
    assert "景山街道" in person.get("/districts/units/").content.decode()
    entry = AuditEntry.objects.get(action="membership.grant")
    assert (entry.actor_id, entry.locality_code, entry.detail["user"]) == (cast.secadmin.pk, "110101", "newcomer")
    assert "责任单元主管部门" in Notification.objects.get(user=newcomer).text


def test_same_form_twice_gives_one_role(cast, as_user, newcomer):
    client, data = as_user(cast.secadmin), posted(cast, newcomer)
    assert [client.post(URL, data).status_code for _ in range(2)] == [302, 302]
    assert newcomer.memberships.count() == 1
    assert AuditEntry.objects.filter(action="membership.grant").count() == 1


def test_nobody_grants_to_themselves(cast, as_user):
    with pytest.raises(Refused, match="不能给自己"):
        grant(cast, cast.secadmin, Role.SECADMIN, locality=cast.locality)
    response = as_user(cast.secadmin).post(URL, posted(cast, cast.secadmin, role="secadmin"))
    assert response.status_code == 200
    assert cast.secadmin.memberships.count() == 1


def test_grant_stays_inside_the_own_locality_and_those_below(cast, as_user, newcomer):
    below = make_locality("110102", "西城区", parent=cast.locality)
    forget_access(cast.secadmin)
    assert grant(cast, newcomer, Role.PLANNER, locality=below).locality == below
    with pytest.raises(Refused, match="只能在本地方及下级"):
        grant(cast, newcomer, Role.PLANNER, locality=cast.other_locality)
    response = as_user(cast.secadmin).post(URL, posted(cast, newcomer, locality=cast.other_locality.pk))
    assert response.status_code == 200
    assert set(newcomer.memberships.values_list("locality__code", flat=True)) == {"110102"}


def test_form_takes_nobody_from_another_locality(cast, as_user):
    response = as_user(cast.secadmin).post(URL, posted(cast, cast.other_bureau))
    assert response.status_code == 200
    assert "请从列表中选择一项" in response.content.decode()
    assert cast.other_bureau.memberships.count() == 1


def test_disabled_account_gets_no_role(cast, newcomer):
    newcomer.is_active = False
    newcomer.save()
    with pytest.raises(Refused, match="已停用"):
        grant(cast, newcomer, Role.PLANNER)


@pytest.mark.parametrize("role, scope, field", [
    (Role.UNIT, {}, "unit"),
    (Role.UNIT, {"unit": "foreign"}, "unit"),
    (Role.UNIT, {"unit": "retired"}, "unit"),
    (Role.PLANNER, {"unit": "own"}, "unit"),
    (Role.BUREAU, {}, "organisation"),
    (Role.BUREAU, {"organisation": "department"}, "organisation"),
    (Role.BUREAU, {"organisation": "foreign"}, "organisation"),
    (Role.DEPARTMENT, {}, "organisation"),
    (Role.DEPARTMENT, {"organisation": "closed"}, "organisation"),
    (Role.SECADMIN, {"organisation": "bureau"}, "organisation"),
    ("king", {}, "role"),
])  # fmt: skip
def test_scope_must_fit_the_role(cast, newcomer, role, scope, field):
    known = {
        "unit": {
            "own": cast.unit,
            "foreign": cast.foreign_unit,
            "retired": make_unit(cast.locality, valid_to=today(-1)),
        },
        "organisation": {
            "bureau": make_organisation(cast.locality, "bureau"),
            "department": make_organisation(cast.locality, "department"),
            "closed": make_organisation(cast.locality, "department", is_active=False),
            "foreign": make_organisation(cast.other_locality, "bureau"),
        },
    }
    with pytest.raises(ValidationError) as error:
        grant(cast, newcomer, role, **{name: known[name][which] for name, which in scope.items()})
    assert list(error.value.error_dict) == [field]
    assert not newcomer.memberships.exists()


def test_bureau_and_department_are_granted_with_their_organisation(cast, newcomer):
    bureau = make_organisation(cast.locality, "bureau")
    assert grant(cast, newcomer, Role.BUREAU, organisation=bureau).organisation == bureau
    office = make_organisation(cast.locality, "department")
    assert grant(cast, newcomer, Role.DEPARTMENT, organisation=office).scope_label == office.name


@pytest.mark.parametrize("start, end, field", [(-1, None, "valid_from"), (3, 2, "valid_to")])
def test_period_must_make_sense(cast, newcomer, start, end, field):
    with pytest.raises(ValidationError) as error:
        grant(cast, newcomer, Role.PLANNER, start=start, end=end)
    assert list(error.value.error_dict) == [field]


@pytest.mark.parametrize("start, end, refused", [(0, None, True), (10, 20, True), (11, None, False)])
def test_same_role_and_scope_does_not_overlap(cast, newcomer, start, end, refused):
    grant(cast, newcomer, Role.PLANNER, start=0, end=10)
    if refused:
        with pytest.raises(ValidationError, match="不能重复授予"):
            grant(cast, newcomer, Role.PLANNER, start=start, end=end)
    else:
        grant(cast, newcomer, Role.PLANNER, start=start, end=end)
    assert newcomer.memberships.count() == (1 if refused else 2)


def test_same_role_for_another_unit_is_another_role(cast, newcomer):
    grant(cast, newcomer, Role.UNIT, unit=cast.unit)
    grant(cast, newcomer, Role.UNIT, unit=cast.other_unit)
    assert newcomer.memberships.count() == 2


@pytest.mark.parametrize("first", list(Role))
@pytest.mark.parametrize("second", sorted(THREE_ADMINISTRATORS))
def test_administrators_hold_no_other_role(cast, newcomer, first, second):
    """等保 8.1.5: every pair, in both orders; the same administrator's role elsewhere is no other role."""
    if first == second:
        return
    scope = {
        Role.UNIT: {"unit": cast.unit},
        Role.BUREAU: {"organisation": make_organisation(cast.locality, "bureau")},
        Role.DEPARTMENT: {"organisation": make_organisation(cast.locality, "department")},
    }.get(first, {})
    grant(cast, newcomer, first, **scope)
    with pytest.raises(ValidationError, match="不能兼任"):
        grant(cast, newcomer, second)
    other = make_user("另一人")
    grant(cast, other, second)
    with pytest.raises(ValidationError, match="不能兼任"):
        grant(cast, other, first, **scope)
    assert (newcomer.memberships.count(), other.memberships.count()) == (1, 1)


def test_administrator_of_one_locality_takes_no_role_in_another(cast, newcomer):
    make_membership(newcomer, Role.AUDITOR, cast.other_locality)
    with pytest.raises(ValidationError) as error:
        grant(cast, newcomer, Role.PLANNER)
    message = "".join(error.value.messages)
    assert "其他地方的身份" in message
    assert "通州" not in message


def test_administrators_role_may_follow_another_that_is_over(cast, newcomer):
    grant(cast, newcomer, Role.PLANNER, end=5)
    with pytest.raises(ValidationError, match="不能兼任"):
        grant(cast, newcomer, Role.AUDITOR, start=5)
    assert grant(cast, newcomer, Role.AUDITOR, start=6).role == Role.AUDITOR


def test_operator_appoints_administrators_and_nobody_else(cast, newcomer):
    made = appoint_first_administrator(newcomer, role=Role.SECADMIN, locality=cast.locality)
    assert (made.granted_by, access_of(newcomer).role) == (None, Role.SECADMIN)
    with pytest.raises(ValidationError, match="不能兼任"):
        appoint_first_administrator(newcomer, role=Role.AUDITOR, locality=cast.locality)
    with pytest.raises(ValidationError, match="只能任命"):
        appoint_first_administrator(make_user("某人"), role=Role.BUREAU, locality=cast.locality)


# --- two people at once, on two real connections -----------------------------------------------------


def race(monkeypatch, cast, second_secadmin, person):
    """Both security administrators have been allowed before either writes."""
    start = threading.Barrier(2)
    allowed = memberships.can_grant_in

    def both_allowed(user, locality):
        decision = allowed(user, locality)
        start.wait(10)
        return decision

    monkeypatch.setattr(memberships, "can_grant_in", both_allowed)
    written = threading.Barrier(2)
    save = memberships.save_checked

    def slowly(obj, **kwargs):
        # Without the lock both have looked by now; with it the second has not come this far, and this one goes on.
        with suppress(threading.BrokenBarrierError):
            written.wait(1)
        save(obj, **kwargs)

    monkeypatch.setattr(memberships, "save_checked", slowly)
    results = {}

    def run(actor, role):
        try:
            results[role] = grant(cast, person, role, actor=actor)
        except Exception as error:
            results[role] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=pair)
        for pair in ((cast.secadmin, Role.SYSADMIN), (second_secadmin, Role.AUDITOR))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(type(result).__name__ for result in results.values())


@pytest.fixture
def two(transactional_db):
    cast = make_cast()
    second = make_user("另一安全管理员")
    make_membership(second, Role.SECADMIN, cast.locality)
    return cast, second, make_user("某人")


@pytest.mark.postgres
def test_two_grants_at_once_make_no_double_administrator(monkeypatch, two):
    assert race(monkeypatch, *two) == ["Membership", "ValidationError"]
    assert Membership.objects.filter(user=two[2]).count() == 1


@pytest.mark.postgres
def test_without_the_lock_both_grants_would_stand(monkeypatch, two):
    """Control: the race is real."""
    monkeypatch.setattr(memberships, "locked", lambda user: user)
    assert race(monkeypatch, *two) == ["Membership", "Membership"]
