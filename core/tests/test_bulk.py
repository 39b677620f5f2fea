"""Rows handed over in bulk arrive as they are, whatever is in them, and the database's constraints hold."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from core.bulk import insert_rows
from core.models import ImportMapping

pytestmark = pytest.mark.django_db

TEXTS = ["", "两\t列", "两\n行\r\n", "C:\\新\\n", r"\N", r"\.", "龚䶮 𠮷", "'引号\"", "NULL"]


def test_text_arrives_as_it_is():
    rows = [{"heading": f"列{n}", "column": text} for n, text in enumerate(TEXTS)]
    insert_rows(ImportMapping, rows, same={"kind": "worklogs"})
    found = ImportMapping.objects.order_by("heading").values_list("column", "kind", "locality_code")
    assert list(found) == [(text, "worklogs", "") for text in TEXTS]


def test_more_rows_than_a_portion():
    insert_rows(ImportMapping, [{"heading": f"{n}", "column": ""} for n in range(4001)], same={"kind": "worklogs"})
    assert ImportMapping.objects.count() == 4001


def test_second_row_of_a_key_is_refused_and_none_is_written():
    row = {"kind": "worklogs", "heading": "日期", "column": ""}
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(ImportMapping, [row, row])
    assert not ImportMapping.objects.exists()


def test_no_rows_are_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows(ImportMapping, [])
