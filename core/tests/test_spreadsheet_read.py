"""Reading the spreadsheets that people make."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import MAC_EPOCH

from core.spreadsheets import Column, Sheet, SpreadsheetError, guard, read_headings, read_rows
from core.spreadsheets import reader as reader_module

COLUMNS = [
    Column("日期", "date", kind="date", required=True), Column("规划师", "planner", aliases=("姓名",), required=True),
    Column("天数", "days", kind="number"), Column("内容", "content"),
]  # fmt: skip


def book(*lines: list[Any], epoch: Any = None, merged: tuple[str, ...] = (), title: str = "Sheet") -> bytes:
    workbook = openpyxl.Workbook()
    if epoch is not None:
        workbook.epoch = epoch
    sheet = workbook.active
    sheet.title = title
    for line in lines:
        sheet.append(line)
    for area in merged:
        sheet.merge_cells(area)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def edited(content: bytes, **changes: Any) -> bytes:
    """The workbook with parts of its archive replaced by `old → new` of the part's text, or wholly by bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            for key, change in changes.items():
                if key in name.replace("/", "_").replace(".", "_"):
                    data = change if isinstance(change, bytes) else data.replace(change[0].encode(), change[1].encode())
            new.writestr(name, data)
    return out.getvalue()


def read(content: bytes, columns: Any = COLUMNS, **extra: Any) -> Sheet:
    return read_rows(io.BytesIO(content), columns, **extra)


def refusal(content: bytes, columns: Any = COLUMNS, **extra: Any) -> str:
    with pytest.raises(SpreadsheetError) as caught:
        read(content, columns, **extra)
    return caught.value.messages[0]


HEAD = ["日期", "规划师", "天数", "内容"]


def test_titles_blank_rows_and_free_order_are_taken_as_they_come() -> None:
    sheet = read(book(
        ["2024年履职记录表", None, None, None], [], ["内容", "姓名", "备注", "日期（必填）", "*天数"], [],
        ["走访", "龚䶮", "甲", "2024年3月5日", "０．５"], [None, "  ", None, None, None], ["会议", "𠮷田", None, 45357, 1],
        merged=("A1:E1",),
    ))  # fmt: skip
    assert [row.number for row in sheet.rows] == [5, 7]
    assert sheet.rows[0].cells == {
        "date": date(2024, 3, 5),
        "planner": "龚䶮",
        "days": Decimal("0.5"),
        "content": "走访",
    }
    assert sheet.rows[1].cells["date"] == date(2024, 3, 6)
    assert sheet.unknown_headings == ["备注"] and sheet.missing_headings == []
    assert sheet.heading_row == 3
    assert sheet.rows[0].raw["备注"] == "甲"


@pytest.mark.parametrize("epoch", [None, MAC_EPOCH])
def test_excel_dates_of_both_epochs(epoch: Any) -> None:
    serial = 45356 - (1462 if epoch else 0)
    sheet = read(book(HEAD, [date(2024, 3, 5), "甲"], [datetime(2024, 3, 5, 9, 0), "甲"], [serial, "甲"], epoch=epoch))
    assert {row.cells["date"] for row in sheet.rows} == {date(2024, 3, 5)}


def test_wrong_cell_is_named_and_the_rest_of_the_row_kept() -> None:
    row = read(book(HEAD, ["昨天", "甲", "三", "走访"])).rows[0]
    assert row.cells == {"date": None, "planner": "甲", "days": None, "content": "走访"}
    assert "昨天" in row.errors["date"] and "不是数字" in row.errors["days"]


def test_formula_gives_its_saved_value_or_says_that_there_is_none() -> None:
    content = book(HEAD, ["2024-03-05", "甲", "=1+1", "走访"], ["2024-03-06", "乙", 1, "=A1"])
    rows = read(content).rows
    assert "公式" in rows[0].errors["days"] and "公式" in rows[1].errors["content"]
    saved = edited(content, sheet1_xml=("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>"))
    saved = edited(saved, sheet1_xml=("<f>1+1</f><v />", "<f>1+1</f><v>2</v>"))
    assert read(saved).rows[0].cells["days"] == Decimal(2)


def test_row_of_nothing_but_a_dead_formula_is_not_lost() -> None:
    rows = read(book(HEAD, ["2024-03-05", "甲"], [None, None, "=1+1"])).rows
    assert [row.number for row in rows] == [2, 3]


def test_error_value_is_named() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(HEAD)
    workbook.active.append(["2024-03-05", "甲", None, "走访"])
    workbook.active["C2"].value, workbook.active["C2"].data_type = "#N/A", "e"
    out = io.BytesIO()
    workbook.save(out)
    assert "#N/A" in read(out.getvalue()).rows[0].errors["days"]


def test_text_keeps_what_a_person_sees() -> None:
    columns = ["日期", Column("编号"), Column("是否")]
    row = read(book(["日期", "编号", "是否"], ["2024-03-05", 12.0, True]), columns).rows[0]
    assert (row.cells["编号"], row.cells["是否"]) == ("12", "是")
    assert row.cells["日期"] == "2024-03-05"


def test_table_on_the_second_sheet_is_found() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["填表说明"])
    second = workbook.create_sheet("数据 & 表")
    second.append(HEAD)
    second.append(["2024-03-05", "甲", "=1+1"])
    out = io.BytesIO()
    workbook.save(out)
    sheet = read(out.getvalue())
    assert sheet.title == "数据 & 表" and "days" in sheet.rows[0].errors


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_any_usual_encoding(encoding: str) -> None:
    text = '履职记录,,\r\n日期,规划师,内容\r\n\r\n2024/3/5,龚䶮,"走访，\n两行"\r\n20240306,乙,b\r\n'
    sheet = read(text.encode(encoding), filename="表.csv")
    assert [(row.number, row.cells["planner"]) for row in sheet.rows] == [(4, "龚䶮"), (5, "乙")]
    assert sheet.rows[0].cells["content"] == "走访，\n两行"
    assert sheet.missing_headings == ["天数"]


def test_csv_with_tabs_and_semicolons() -> None:
    for mark in "\t;":
        content = f"日期{mark}规划师\n2024-03-05{mark}甲\n".encode()
        assert read(content).rows[0].cells["planner"] == "甲"


def bare_sheet(body: str) -> bytes:
    """A workbook whose first sheet has this XML as its data."""
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<worksheet xmlns="{namespace}"><sheetData>{body}</sheetData></worksheet>'
    return edited(book(HEAD), sheet1_xml=xml.encode())


def cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


ROWS = (
    f'<row r="1">{cell("A1", "日期")}{cell("B1", "规划师")}</row>'
    f'<row r="2">{cell("A2", "2024-03-05")}{cell("B2", "甲")}</row>'
)


def test_million_empty_rows_cost_nothing() -> None:
    empty = "".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(3, 300_000))
    last = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    sheet = read(bare_sheet(ROWS + empty + last))
    assert len(sheet.rows) == 1


def test_value_at_the_far_end_is_refused_before_it_is_laid_out() -> None:
    """Laid out densely this is 17 thousand million cells."""
    words = refusal(bare_sheet(f'{ROWS}<row r="1048576">{cell("XFD1048576", "x")}</row>'))
    assert "1,048,576" in words
    assert "XFD" in refusal(bare_sheet(f'{ROWS}<row r="3">{cell("XFD3", "x")}</row>'))
    # The same in other legal spellings.
    assert refusal(bare_sheet(f"{ROWS}<row r='1048576'><c s='1' r='B1048576'><v>1</v></c></row>"))
    assert refusal(bare_sheet(f'{ROWS}<row r="1048576"><c><v>1</v></c></row>'))


def test_too_many_rows_say_the_limit() -> None:
    content = book(HEAD, *[["2024-03-05", "甲"] for _ in range(60)])
    assert "50" in refusal(content, row_limit=50)
    assert len(read(content, row_limit=60).rows) == 60
    lines = "日期,规划师\n" + "2024-03-05,甲\n" * 60
    assert "50" in refusal(lines.encode(), row_limit=50)


def test_bombs_are_refused_by_their_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    content = edited(book(HEAD), theme1_xml=b" " * 40_000_000)
    assert len(content) < 200_000
    assert read(edited(book(HEAD, ["2024-03-05", "甲"]), theme1_xml=b" " * 40_000_000)).rows, "within the limit"
    monkeypatch.setattr(guard, "MAX_UNPACKED", 30_000_000)
    assert "过大" in refusal(content)


def test_archive_that_lies_about_its_sizes_is_refused() -> None:
    """The directory claims ten bytes for the sheet; the stream holds more."""
    content = bytearray(book(HEAD, ["2024-03-05", "甲"]))
    name = b"xl/worksheets/sheet1.xml"
    at = content.rfind(name) - 46  # its entry in the directory
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert "损坏" in refusal(bytes(content))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "空.xlsx", "是空的"),
        (b"\n\n  \n", "空.csv", "是空的"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧.xls", "另存为 .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "锁.xlsx", "密码"),
        (b"PK\x03\x04garbage", "坏.xlsx", "损坏"),
        (b"%PDF-1.7", "文.xlsx", "不是表格"),
        (b"MZ\x90\0", "程序.xlsx", "不是表格"),
        (b"\xff\xfe\x00\xd8\x00\xd8", "乱.csv", "编码"),
        ("甲,乙\n1,2\n".encode(), "无表头.csv", "没有找到表头"),
        ("日期,内容\n2024-03-05,走访\n".encode(), "缺列.csv", "缺少列：规划师"),
    ],
)
def test_unreadable_file_is_refused_in_words(content: bytes, name: str, words: str) -> None:
    assert words in refusal(content, filename=name)


def test_zip_that_is_no_workbook_is_told_apart() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.txt", "x")
    assert "不是 .xlsx" in refusal(out.getvalue())


def test_plain_headings_and_required_names_as_arguments() -> None:
    content = book(["日期", "单元"], ["2024-03-05", "景山街道"])
    assert read(content, ["日期", "单元"]).rows[0].cells == {"日期": "2024-03-05", "单元": "景山街道"}
    assert "缺少列：规划师" in refusal(content, ["日期", "单元", "规划师"], required=["规划师"])


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda text: f"日期,规划师\n{text}".encode("utf-8", "ignore")),
    )
)
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    try:
        read(content, filename="表.csv")
    except SpreadsheetError as exc:
        assert exc.messages[0].endswith("。")


_GOOD = book(HEAD, ["2024-03-05", "甲", 1, "走访"])


@given(st.integers(0, len(_GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_workbook_is_read_or_refused_in_words(at: int, noise: bytes) -> None:
    try:
        read(_GOOD[:at] + noise + _GOOD[at + len(noise) :])
    except SpreadsheetError as exc:
        assert exc.messages[0].endswith("。")


def test_blank_run_ends_a_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "BLANK_RUN", 5)
    sheet = read(("日期,规划师\n2024-03-05,甲\n" + ",\n" * 10 + "2024-03-06,乙\n").encode())
    assert len(sheet.rows) == 1


def test_headings_that_nobody_knows_are_found_below_the_titles():
    text = "2026年名册,,\n,,\n名字,行当,电话\n张三,园林,138\n李四,建筑,139\n"
    top = read_headings(text.encode("gb18030"), ["姓名", "专业"], filename="a.csv")
    assert top.headings == ["名字", "行当", "电话"]
    assert top.samples[0] == ["张三", "园林", "138"]
    # A row with a heading that is known comes before one that only looks like a heading.
    assert read_headings("甲,乙\n姓名,丙\n1,2\n".encode(), ["姓名"]).headings == ["姓名", "丙"]
    assert read_headings(b"1,2\n3,4\n", ["x"]).headings == []
