"""What every list shares: filters from the address, an order, problems in words."""

from __future__ import annotations

import django_filters
import pytest
from django import forms

from core.listing import DayFilter, ListFilter
from core.models import CalendarDay


class DayList(ListFilter):
    sorts = {"date": ("date", "pk"), "kind": ("kind", "-date")}

    name = django_filters.CharFilter(label="名称", max_length=5, lookup_expr="contains")
    since = DayFilter(label="起始日期", field_name="date", lookup_expr="gte")
    kind = django_filters.ChoiceFilter(label="类别", choices=CalendarDay.Kind.choices, empty_label="全部")
    batch = django_filters.NumberFilter(label="批次", widget=forms.HiddenInput, method="in_batch")

    def fit(self, form: forms.Form) -> None:
        if self.user == "nobody":
            del form.fields["kind"]

    def in_batch(self, rows, name, value):
        return rows.none()


@pytest.fixture
def days(db) -> None:
    for day, kind, name in (("2026-02-17", "holiday", "春节"), ("2026-02-14", "makeup", "春节"),
                            ("2026-10-01", "holiday", "国庆节")):  # fmt: skip
        CalendarDay.objects.create(date=day, is_workday=kind == "makeup", kind=kind, name=name)


def found(query: dict[str, str], *, user: str = "") -> list[str]:
    return [
        f"{day:%m-%d}" for day in DayList(query, CalendarDay.objects.all(), user=user).qs.values_list("date", flat=True)
    ]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, ["02-14", "02-17", "10-01"]),
        ({"sort": "-date"}, ["10-01", "02-17", "02-14"]),
        ({"sort": "kind"}, ["10-01", "02-17", "02-14"]),
        ({"sort": "-kind"}, ["02-14", "02-17", "10-01"]),
        ({"name": "春", "kind": "holiday"}, ["02-17"]),
        ({"since": "2026年2月15日"}, ["02-17", "10-01"]),
    ],
)
def test_list_is_narrowed_and_ordered_by_its_address(days, query, rows):
    assert found(query) == rows


def test_what_makes_no_sense_narrows_nothing_and_is_named(days):
    query = {"since": "某天", "kind": "holiday", "name": "六个字的名称", "batch": "x", "sort": "size"}
    chosen = DayList(query, CalendarDay.objects.all(), user="")
    assert [f"{day.date:%m-%d}" for day in chosen.qs] == ["02-17", "10-01"]
    assert [(target, text.split("：")[0]) for target, text in chosen.problems] == [
        ("id_name", "名称"), ("id_since", "起始日期"), ("", "批次"), ("", "排序"),
    ]  # fmt: skip
    assert DayList({"kind": "holiday"}, CalendarDay.objects.all(), user="").problems == []


def test_field_that_a_person_is_not_asked_for_is_not_read_from_the_address(days):
    assert found({"kind": "makeup"}, user="nobody") == ["02-14", "02-17", "10-01"]
    assert found({"kind": "makeup"}) == ["02-14"]
