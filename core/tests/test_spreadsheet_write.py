"""Writing spreadsheets: types kept, nothing ever a formula, memory small."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exports import export_response
from core.spreadsheets import Column, ExportColumn, read_rows, write_csv, write_workbook

COLUMNS = [
    ExportColumn("日期", "date"), ExportColumn("内容", width=40), ExportColumn("金额（元）", "money"),
    ExportColumn("天数", "number"), ExportColumn("时间", "datetime"), ExportColumn("数", "integer"),
]  # fmt: skip
AT = datetime(2024, 3, 5, 6, 30, tzinfo=UTC)
ROW = (date(2024, 3, 5), "走访 龚䶮𠮷㛃 <a&b>", Decimal("1234.50"), Decimal("0.5"), AT, 7)
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"]


def written(columns: Any, rows: Any, title: str = "导出") -> bytes:
    out = io.BytesIO()
    write_workbook(columns, rows, title=title, stream=out)
    return out.getvalue()


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content)).active


def test_each_type_arrives_as_itself() -> None:
    sheet = opened(written(COLUMNS, [ROW]))
    assert [cell.value for cell in sheet[1]] == [column.heading for column in COLUMNS]
    values = [cell.value for cell in sheet[2]]
    assert values == [datetime(2024, 3, 5), ROW[1], 1234.5, 0.5, datetime(2024, 3, 5, 14, 30), 7], "times are local"
    assert [cell.number_format for cell in sheet[2]][2] == "#,##0.00"
    assert "yyyy" in sheet["A2"].number_format
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["B"].width == 40
    assert sheet.auto_filter.ref == "A1:F2"


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_is_never_a_formula(text: str) -> None:
    content = written([ExportColumn("甲")], [(text,)])
    cell = opened(content)["A2"]
    assert cell.data_type in ("s", "inlineStr") and cell.value == text
    assert cell.quotePrefix or cell.style_array.quotePrefix
    assert b"<f" not in _sheet_xml(content)


def test_heading_is_no_formula_either() -> None:
    content = written([ExportColumn("=1+1")], [])
    assert opened(content)["A1"].value == "=1+1" and b"<f" not in _sheet_xml(content)


def _sheet_xml(content: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.none(), st.integers(-(2**50), 2**50), st.booleans()), min_size=1, max_size=5
    )
)
def test_whatever_is_written_can_be_opened(values: list[Any]) -> None:
    sheet = opened(written([ExportColumn(f"列{n}") for n in range(len(values))], [values]))
    assert sheet.max_column == len(values)


def test_odd_values_do_not_break_the_file() -> None:
    values = ["\x00\x0b甲", "\ud800乙", "_x0041_", "a" * 40_000, float("nan"), float("inf"), "行一\n行二", " 前后 "]
    sheet = opened(written([ExportColumn(f"列{n}") for n in range(len(values))], [values]))
    found = [cell.value for cell in sheet[2]]
    assert found[0] == "甲" and found[1] == "乙" and len(found[3]) == 32_767
    assert found[4] is None and found[5] is None
    assert found[6] == "行一\n行二" and found[7] == " 前后 "


def test_what_is_written_is_read_again() -> None:
    content = written(COLUMNS, [ROW] * 3)
    sheet = read_rows(content, [Column("日期", kind="date"), Column("内容"), Column("金额（元）", kind="number")])
    assert [row.number for row in sheet.rows] == [2, 3, 4]
    assert sheet.rows[2].cells == {"日期": ROW[0], "内容": ROW[1], "金额（元）": Decimal("1234.5")}
    assert sheet.missing_headings == []


@pytest.mark.parametrize("title", ["", "[坏]:*?/\\名", "'引号'", "长" * 60, 'a<b>&"c"'])
def test_any_title_gives_a_sheet_name_that_opens(title: str) -> None:
    name = opened(written(COLUMNS, [], title)).title
    assert 0 < len(name) <= 31


def test_row_of_the_wrong_length_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        written(COLUMNS, [(1, 2)])


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(number: int) -> int:
        with (tmp_path / "x.xlsx").open("wb") as stream:
            tracemalloc.start()
            write_workbook(COLUMNS, (ROW for _ in range(number)), title="导出", stream=stream)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(6000) < peak(1500) * 1.5 + 200_000


@pytest.mark.parametrize("text", DANGEROUS)
def test_csv_puts_formulas_behind_an_apostrophe(text: str) -> None:
    out = io.BytesIO()
    write_csv([ExportColumn("甲")], [(text,), (-5,), (Decimal("-1.5"),)], stream=out)
    lines = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert lines[1][0] == f"'{text}"
    assert [lines[2][0], lines[3][0]] == ["-5", "-1.5"], "numbers are numbers"
    assert out.getvalue().startswith(b"\xef\xbb\xbf")


def test_export_is_a_download_with_a_chinese_name() -> None:
    response = export_response(COLUMNS, [ROW], name="履职记录", title="履职记录")
    content = b"".join(response.streaming_content)
    assert opened(content)["B2"].value == ROW[1]
    assert "filename*=utf-8''%E5%B1%A5" in response["Content-Disposition"]
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Length"] == str(len(content))
