"""Statements worded before: the same rows as the ORM gives, each key for itself, the oldest forgotten."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import Count, Q, Value

from core.models import CalendarDay
from core.worded import Worded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def days(db):
    CalendarDay.objects.all().delete()
    CalendarDay.objects.bulk_create(
        CalendarDay(
            date=date(2026, 6, day), is_workday=day not in (6, 7), kind="weekend" if day in (6, 7) else "workday"
        )
        for day in range(1, 11)
    )


def named(mark, **conditions):
    return CalendarDay.objects.filter(**conditions).order_by("date").annotate(m=Value(mark)).values("date", "name", "m")


def test_rows_are_those_of_the_queryset_again_and_again():
    kept = Worded()
    union = named("甲", is_workday=True).order_by().union(named("乙", is_workday=False).order_by(), all=True)
    expected = list(union.order_by("date")[:7])
    for _ in range(2):
        assert kept.rows("days", lambda: union.order_by("date")[:7]) == expected
    tuples = CalendarDay.objects.values("is_workday").annotate(n=Count("pk")).values_list("is_workday", "n")
    assert sorted(kept.rows("counts", lambda: tuples)) == sorted(tuples) == [(False, 2), (True, 8)]


def test_what_was_worded_is_not_worded_again_but_read_anew():
    kept = Worded()
    assert len(kept.rows("all", lambda: named("甲"))) == 10
    CalendarDay.objects.filter(date__gt=date(2026, 6, 5)).delete()

    def never():
        raise AssertionError("worded twice")

    assert len(kept.rows("all", never)) == 5


def test_each_key_has_its_own_and_what_cannot_be_kept_is_worded_each_time():
    kept = Worded()
    for mark in ("甲", "乙"):
        assert {row["m"] for row in kept.rows(("of", mark), lambda mark=mark: named(mark))} == {mark}
    assert kept.rows(("of", "甲"), lambda: named("丙"))[0]["m"] == "甲"
    # The same condition written twice is one key; another value is another one.
    assert hash(Q(date__lt=date(2026, 6, 3))) == hash(Q(date__lt=date(2026, 6, 3)))
    for ids in ([1], [2]):
        mark = str(ids)
        assert kept.rows(("of", ids), lambda mark=mark: named(mark))[0]["m"] == mark


def test_nothing_is_asked_for_what_can_hold_no_row():
    assert Worded().rows("none", lambda: named("甲", pk__in=[])) == []


def test_the_ones_used_longest_ago_are_forgotten():
    kept, made = Worded(most=2), []

    def make(key):
        made.append(key)
        return named(key)

    for key in ("甲", "乙", "甲", "丙", "甲", "乙"):
        kept.rows(key, lambda key=key: make(key))
    assert made == ["甲", "乙", "丙", "乙"]
