"""The export of a list: what is on screen, all pages of it, with its filters, as a person reads it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.urls import reverse
from django.utils.html import format_html
from openpyxl import load_workbook

from core.listing import PAGE, plain_cell
from core.models import AuditEntry
from factories import make_team
from planners.models import Institution

pytestmark = pytest.mark.django_db


def sheet_of(client, name: str, **query: str) -> list[tuple]:
    response = client.get(reverse(name), {"export": "xlsx", **query})
    assert "spreadsheet" in response["Content-Type"]
    return list(load_workbook(BytesIO(b"".join(response))).active.iter_rows(values_only=True))


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        (format_html('<a href="/x/">{}</a>', "甲&乙"), "main", "甲&乙"),
        (format_html("{}<br>{}", "甲", "乙"), "text", "甲\n乙"),
        ("2026-03-05", "date", date(2026, 3, 5)), ("长期", "date", "长期"),
        ("1,234.50", "num", Decimal("1234.50")), ("3 / 5", "num", "3 / 5"), (7, "num", 7), ("<b>", "text", "<b>"),
    ],
)  # fmt: skip
def test_a_cell_is_what_a_person_reads(cell, kind, expected):
    assert plain_cell(cell, kind) == expected


def test_the_sheet_has_the_rows_of_the_list_and_none_of_its_buttons(cast, as_user):
    make_team(cast.locality, name="另一团队")
    make_team(cast.other_locality, name="外区团队")
    client = as_user("bureau")
    assert sheet_of(client, "planners:team-list")[0] == ("团队", "设计单位", "领衔", "小组", "成员", "地方")
    assert {row[0] for row in sheet_of(client, "planners:team-list")[1:]} == {"示例团队", "另一团队"}
    assert [row[0] for row in sheet_of(client, "planners:team-list", q="另一")[1:]] == ["另一团队"]
    # The last column of the page is a button for whoever may change the row.
    assert sheet_of(client, "planners:institution-list")[0] == ("名称", "规划资质等级", "所在城市", "在册规划师")
    assert AuditEntry.objects.filter(action="list.export", actor=cast.bureau).count() == 4


def test_all_pages_are_in_it(as_user):
    Institution.objects.bulk_create(Institution(name=f"示例院{number:03}") for number in range(PAGE + 5))
    assert len(sheet_of(as_user("bureau"), "planners:institution-list")) == 1 + PAGE + 5 + 1


def test_the_page_offers_it_with_its_filters_and_not_where_there_is_nothing(as_user):
    url = reverse("planners:team-list")
    assert "?q=%E7%A4%BA%E4%BE%8B&amp;export=xlsx" in as_user("bureau").get(url, {"q": "示例"}).content.decode()
    assert "export=xlsx" not in as_user("bureau").get(url, {"q": "没有"}).content.decode()
