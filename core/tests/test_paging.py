"""Keyset pages: every row once, at any depth, forwards and back."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from core import paging
from core.models import StoredFile
from core.paging import KeysetPage
from core.tests.examples import few

ORDER = ("-size", "-pk")


@pytest.fixture
def rows(db: None) -> list[int]:
    rng = random.Random(7)
    StoredFile.objects.bulk_create(
        StoredFile(sha256=f"{n:064d}", size=rng.randrange(6), mime="x", original_name=f"{n}", purpose="p")
        for n in range(47)
    )
    return list(StoredFile.objects.order_by(*ORDER).values_list("pk", flat=True))


def page(query: str = "", queryset: Any = None, **extra: Any) -> KeysetPage:
    request = RequestFactory().get(f"/list/{query}")
    extra.setdefault("order", ORDER)
    return KeysetPage(StoredFile.objects.all() if queryset is None else queryset, request=request, size=10, **extra)


def pks(found: KeysetPage) -> list[int]:
    return [row.pk for row in found]


def test_every_row_comes_once_forwards_and_back(rows) -> None:
    seen, here = [], page()
    assert here.previous_url == ""
    pages = [pks(here)]
    while here.next_url:
        here = page(here.next_url)
        pages.append(pks(here))
    seen = [pk for one in pages for pk in one]
    assert seen == rows
    back = []
    while here.previous_url:
        here = page(here.previous_url)
        back.append(pks(here))
    assert back == pages[-2::-1], "the same pages on the way back"
    assert page(here.next_url).rows


def test_page_stays_where_it_is_when_rows_are_added_in_front(rows) -> None:
    second = page().next_url
    before = pks(page(second))
    StoredFile.objects.create(sha256="1" * 64, size=99, mime="x", original_name="new", purpose="p")
    assert pks(page(second)) == before
    assert pks(page())[0] not in rows


def test_filters_stay_in_the_address(rows) -> None:
    found = page("?q=%E9%BE%9A&after=&kind=a")
    query = parse_qs(found.next_url.lstrip("?"))
    assert query["q"] == ["龚"] and query["kind"] == ["a"] and "after" in query


@pytest.mark.parametrize("shape", ["objects", "values", "values_list"])
def test_objects_and_plain_values_page_alike(rows, shape: str) -> None:
    files = StoredFile.objects.all()
    queryset = {
        "objects": files, "values": files.values("pk", "size"),
        "values_list": files.values_list("original_name", "pk", "size"),
    }[shape]  # fmt: skip
    first = page(queryset=queryset)
    second = page(first.next_url, queryset=queryset)
    place = {"objects": lambda row: row.pk, "values": lambda row: row["pk"], "values_list": lambda row: row[1]}[shape]
    assert [place(row) for row in [*first, *second]] == rows[:20]


def test_filtered_lists_page_within_the_filter(rows) -> None:
    queryset = StoredFile.objects.filter(size__gte=3)
    expected = list(queryset.order_by(*ORDER).values_list("pk", flat=True))
    first = page(queryset=queryset)
    assert [*pks(first), *pks(page(first.next_url, queryset=queryset))] == expected[:20]


def test_mixed_directions(rows) -> None:
    order = ("size", "-pk")
    expected = list(StoredFile.objects.order_by(*order).values_list("pk", flat=True))
    first = page(order=order)
    second = page(first.next_url, order=order)
    assert [*pks(first), *pks(second)] == expected[:20]
    assert pks(page(second.previous_url, order=order)) == expected[:10]


def test_few_rows_have_no_pager(db) -> None:
    assert (page().next_url, page().previous_url, page().rows) == ("", "", [])


def test_page_costs_one_query_at_any_depth(rows, django_assert_num_queries) -> None:
    deep = page(page(page().next_url).next_url).next_url
    for query in ("", deep):
        with django_assert_num_queries(1):
            found = page(query)
            assert found.rows and (found.next_url or found.previous_url)


def test_count_is_capped(rows, monkeypatch) -> None:
    assert page().note == "共 47 条"
    monkeypatch.setattr(paging, "COUNT_CAP", 20)
    assert page().note == "共 20 条以上"


def test_uncounted_list_runs_no_count_and_leaves_the_note_empty(rows, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert page(counted=False).note == ""


def test_count_is_of_the_plainer_rows_that_are_given(rows) -> None:
    assert page(counting=StoredFile.objects.filter(pk__in=rows[:12])).note == "共 12 条"


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "W10", "WzEsMiwzXQ", "bnVsbA", "WyJhIiwiYiJd", "eyJhIjoxfQ", "W251bGwsMV0", "WzFlMzA5LDFd",
     "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LDFd",
     "WyJcdTAwMDAiLDFd", "W1tdLDFd", "龚䶮", "A" * 5000],
)  # fmt: skip
def test_cursor_of_somebody_elses_making_starts_at_the_beginning(rows, cursor: str) -> None:
    assert pks(page(f"?after={cursor}")) == rows[:10]
    assert pks(page(f"?before={cursor}")) == rows[:10]


@few
@given(st.text(max_size=60))
def test_any_cursor_gives_a_page(rows, cursor: str) -> None:
    request = RequestFactory().get("/list/", {"after": cursor})
    assert len(KeysetPage(StoredFile.objects.all(), request=request, order=ORDER, size=10)) <= 10


def test_cursor_of_the_last_row_gives_an_empty_page_with_a_way_back(rows) -> None:
    here = page()
    while here.next_url:
        here = page(here.next_url)
    cursor = here._cursor(here.rows[-1])
    beyond = page(f"?after={cursor}")
    assert beyond.rows == [] and beyond.next_url == ""
