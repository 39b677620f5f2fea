"""A prepared query gives what the queryset it was made from gives."""

from __future__ import annotations

import pytest
from django.db.models import Q

from accounts.models import User
from core.prepared import Prepared
from districts.models import Membership
from factories import Cast


def _all() -> object:
    return Membership.objects.select_related("locality", "unit", "organisation").order_by("pk")


def test_the_same_rows_with_the_same_related_objects(cast: Cast, django_assert_num_queries):
    prepared = Prepared(_all, "user_id")  # type: ignore[arg-type]
    for person in (cast.bureau, cast.unit_officer, cast.department, cast.planner):
        with django_assert_num_queries(1):
            found = prepared.rows(person.pk)
            told = [(str(row), row.valid_from, row.locality.name, row.unit and row.unit.name) for row in found]
        expected = list(Membership.objects.filter(user=person).order_by("pk"))
        assert found == expected
        assert [vars(row.locality)["code"] for row in found] == [row.locality.code for row in expected]
        assert told == [(str(row), row.valid_from, row.locality.name, row.unit and row.unit.name) for row in expected]


def test_nobody_of_that_number(cast: Cast):
    assert Prepared(_all, "user_id").rows(0) == []  # type: ignore[arg-type]


def test_values_come_as_python_knows_them(cast: Cast):
    """Booleans are whole numbers in SQLite, and dates are text."""
    (found,) = Prepared(lambda: User.objects.order_by(), "id").rows(cast.bureau.pk)
    again = User.objects.get(pk=cast.bureau.pk)
    assert {name: value for name, value in vars(found).items() if name != "_state"} == {
        name: value for name, value in vars(again).items() if name != "_state"
    }


def test_a_queryset_with_a_value_of_its_own_is_refused(cast: Cast):
    with pytest.raises(ValueError, match="takes one value"):
        Prepared(lambda: User.objects.filter(Q(is_active=True) & Q(name="某人")), "id").rows(1)
