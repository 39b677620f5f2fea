"""The bureau: what the streets kept in a spreadsheet comes in, shows in the figures, and a round is opened on it."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.models import ImportBatch
from core.spreadsheets import read_rows
from evaluations.models import Cycle, DutyReport
from worklogs.models import WorkLog
from worklogs.services.imports import LOGS
from worklogs.tests.sheets import row, sheet

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def year() -> int:
    return timezone.localdate().year - 1


def rows_of(year: int) -> list[dict]:
    good = [row(日期=f"{year}-03-{day:02d}", 内容=f"走访第{day}处院落，逐户核对。") for day in (3, 4, 5, 6)]
    bad = [
        row(日期=f"{year}-03-09", 责任单元="不存在街道", 内容="这一行写错了责任单元。"),
        row(日期="2999-01-01", 内容="这一行写错了日期。"),
        row(日期=f"{year}-03-11", 时段="凌晨", 内容="这一行写错了时段。"),
    ]
    return [*good[:2], *bad, *good[2:]]


def test_sheet_with_bad_rows_is_looked_over_imported_in_part_and_found_in_the_figures(cast, year, browse, hand):
    page = browse(cast.bureau)
    page.goto("/home/")
    mouse = hand(page)
    mouse.click(".sidebar >> text=履职记录")
    mouse.click(".page-actions >> text=导入")
    upload = {"name": "三月履职.xlsx", "mimeType": XLSX, "buffer": sheet(*rows_of(year))}
    page.set_input_files("input[type=file]", upload)
    mouse.click("text=上传并检查")
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
    # Looked over: each bad row with its number, column, value and reason, and nothing written.
    assert not WorkLog.objects.exists()
    problems = page.locator("table:has(caption:has-text('逐行情况')) tbody tr").filter(has_text="有问题")
    expect(problems).to_have_count(3)
    for number, column, value in ((4, "责任单元", "不存在街道"), (5, "日期", "2999"), (6, "时段", "凌晨")):
        line = problems.filter(has_text=value)
        expect(line.locator("[data-label=行号]")).to_have_text(str(number))
        expect(line.locator("[data-label=说明]")).to_contain_text(f"{column}“{value}")
    refused = read_rows(io.BytesIO(mouse.download("text=下载有问题的行")), LOGS.columns, filename="x.xlsx")
    assert [found.cells["内容"] for found in refused.rows] == [
        "这一行写错了责任单元。",
        "这一行写错了日期。",
        "这一行写错了时段。",
    ]
    mouse.click("button:has-text('只导入合格的 4 行')")
    expect(page.locator(".messages")).to_contain_text("已导入 4 条")
    assert set(WorkLog.objects.values_list("state", "charge_id")) == {("submitted", cast.unit.charge_id)}
    assert ImportBatch.objects.get().report["refused"] == 3

    # From the year's figures to the cell of March, to its records, to one of them.
    mouse.click(".sidebar >> text=履职统计")
    page.goto(f"/worklogs/figures/?year={year}")
    cell = page.locator("a[href*='/months/3/']").first
    expect(cell).to_contain_text("4")
    mouse.click("a[href*='/months/3/']")
    page.wait_for_url(re.compile(r"/figures/\d+/months/3/$"))
    expect(page.locator(".table-wrap tbody a[href^='/worklogs/']:not([href*=figures])")).to_have_count(4)
    mouse.click(".table-wrap tbody a[href^='/worklogs/']:not([href*=figures])")
    expect(page.locator(".log-content")).to_contain_text("走访第")


def test_round_of_last_year_is_opened_with_a_draft_for_everybody_who_served(cast, year, browse, hand):
    page = browse(cast.bureau)
    page.goto("/home/")
    mouse = hand(page)
    mouse.click(".sidebar >> text=述职文书")
    mouse.click("text=开启周期")
    expect(page.locator("main")).to_contain_text("制度怎样规定")
    mouse.click(f"label:has-text('{year}年')")
    mouse.click("main form [type=submit]")
    page.wait_for_url(re.compile(r"/evaluations/\d+/$"))
    cycle = Cycle.objects.get()
    assert (cycle.start, cycle.end) == (date(year, 1, 1), date(year, 12, 31))
    wrote = set(DutyReport.objects.filter(cycle=cycle, is_collation=False).values_list("author__name", flat=True))
    assert wrote == {cast.lead.name, cast.planner.name, cast.colleague.name}
    expect(page.locator(".messages")).to_contain_text("已开启")
    assert mouse.clicks <= 4
