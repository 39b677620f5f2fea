"""Reads .xlsx and .csv as people make them: titles above the heading, blank rows, dates in any form, any encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from core.text import clean_text, one_line, parse_date, to_halfwidth

from .columns import Column, Row, Sheet, SpreadsheetError
from .guard import MAX_COLUMNS, SheetFacts, inspect_workbook

ROW_LIMIT = 100_000
MAX_CSV_BYTES = 100 * 1024 * 1024
# The heading stands near the top: what follows is data, however odd.
HEADING_WITHIN = 30
# After this many blank rows the rest is taken to be empty.
BLANK_RUN = 10_000
_NOTE = re.compile(r"[(（\[【].*?[)）\]】]|[*＊:：\s]")
_DELIMITERS = (",", "\t", ";", "，")
_NOTHING = ("", None)

NO_VALUE = "单元格是公式，但文件里没有保存计算结果；请在表格软件中打开、重新计算并保存，或改填数值。"
BAD_VALUE = "单元格是公式错误（如 #N/A、#REF!），请改填数值。"


def read_rows(
    source: BinaryIO | Path | str | bytes,
    columns: Iterable[Column | str],
    *,
    required: Iterable[str] = (),
    filename: str = "",
    row_limit: int = ROW_LIMIT,
) -> Sheet:
    """Rows of the first sheet that has the headings; order of columns is free.

    `columns`: Columns, or plain headings (then the value is as the sheet has it). `required`: headings in addition to
    those of columns marked so. Raises SpreadsheetError in words: no spreadsheet, a password, an old format, a bomb, no
    heading row, a required heading missing, too many rows or columns. What is wrong with a single cell stands in
    `Row.errors` and refuses nothing.
    """
    wanted = _columns(columns, required)
    data, name = _bytes_of(source, filename)
    if not data.strip(b"\0 \r\n\t"):
        raise SpreadsheetError("文件是空的。", code="empty")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise SpreadsheetError(
            "文件有密码保护，请取消密码后再上传。" if "EncryptedPackage".encode("utf-16-le") in data
            else "不支持旧版 .xls 文件，请在表格软件中另存为 .xlsx 后再上传。", code="format",
        )  # fmt: skip
    if data.startswith(b"PK"):
        return _read_workbook(data, wanted, row_limit)
    if name.lower().endswith((".xlsx", ".xls")) or data[:5] in (b"%PDF-", b"<html", b"<!DOC") or data[:4] == b"\x89PNG":
        raise SpreadsheetError("文件内容不是表格，请上传 .xlsx 或 .csv 文件。", code="format")
    if len(data) > MAX_CSV_BYTES:
        raise SpreadsheetError("文件过大，请分成几个文件上传。", code="too_big")
    lines = _csv_rows(_decoded(data))
    return _sheet(lines, wanted, SheetFacts(), row_limit, title="")


def _columns(columns: Iterable[Column | str], required: Iterable[str]) -> list[Column]:
    needed = set(required)
    made = [Column(c, kind="any") if isinstance(c, str) else c for c in columns]
    return [
        c if c.required or c.heading not in needed
        else replace(c, required=True)
        for c in made
    ]  # fmt: skip


def _bytes_of(source: BinaryIO | Path | str | bytes, filename: str) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, filename
    if isinstance(source, (str, Path)):
        return Path(source).read_bytes(), filename or str(source)
    source.seek(0)
    return source.read(), filename or str(getattr(source, "name", "") or "")


# --- headings that nobody knows yet -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Headings:
    """What seems to be the heading row of a sheet, and the first rows below it as people see them."""

    headings: list[str]
    samples: list[list[str]]


def read_headings(
    source: BinaryIO | Path | str | bytes, columns: Iterable[Column | str], *, filename: str = "", samples: int = 3
) -> Headings:
    """The row that reads most like a heading: the one with most known headings, else the first with two texts or more.

    For a sheet that `read_rows` refuses because of its headings; empty when there is no such row. Raises
    SpreadsheetError like `read_rows`.
    """
    data, _ = _bytes_of(source, filename)
    known = {plain_heading(h) for c in _columns(columns, ()) for h in (c.heading, *c.aliases)}
    best: tuple[int, list[str], list[list[str]]] = (-1, [], [])
    for lines in _tops(data, HEADING_WITHIN + samples):
        for at, line in enumerate(lines[:HEADING_WITHIN]):
            texts = [one_line(cell_text(cell)) for cell in line[:MAX_COLUMNS]]
            filled = [text for text in texts if text]
            matches = sum(plain_heading(text) in known for text in filled)
            if len(filled) >= 2 and not any(text.isdecimal() for text in filled) and matches > best[0]:
                below = [[one_line(cell_text(cell))[:40] for cell in row] for row in lines[at + 1 : at + 1 + samples]]
                best = (matches, texts, below)
    return Headings(best[1], best[2])


def _tops(data: bytes, count: int) -> Iterator[list[list[Any]]]:
    """The first rows of each sheet."""
    if not data.startswith(b"PK"):
        yield list(islice(_csv_rows(_decoded(data)), count))
        return
    inspect_workbook(data, row_limit=ROW_LIMIT + HEADING_WITHIN)
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for index, meta in enumerate(workbook.sheets_metadata):
        if "WorkSheet" in str(meta.typ):
            yield list(islice(workbook.get_sheet_by_index(index).iter_rows(), count))


# --- workbooks ---------------------------------------------------------------------------------------------------


def _read_workbook(data: bytes, columns: list[Column], row_limit: int) -> Sheet:
    # Checked before the parser sees it: it would lay out every row and column up to the last cell in memory.
    facts = inspect_workbook(data, row_limit=row_limit + HEADING_WITHIN)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        refused: SpreadsheetError | None = None
        for index, meta in enumerate(workbook.sheets_metadata):
            if "WorkSheet" not in str(meta.typ):
                continue
            rows = workbook.get_sheet_by_index(index).iter_rows()
            try:
                return _sheet(rows, columns, facts.get(meta.name, SheetFacts()), row_limit, title=meta.name)
            except SpreadsheetError as exc:
                # Another sheet may hold the table; when none does, what is wrong with the first is told.
                if exc.code not in ("heading", "required"):
                    raise
                refused = refused if refused is not None and refused.code == "required" else exc
    except (CalamineError, OSError, ValueError, OverflowError) as exc:
        raise SpreadsheetError("文件已损坏，无法读取，请在表格软件中重新保存后再上传。", code="damaged") from exc
    raise refused or SpreadsheetError("文件里没有工作表。", code="heading")


# --- CSV ---------------------------------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SpreadsheetError("无法识别文件的文字编码，请另存为 .xlsx 或 UTF-8 编码的 .csv 后再上传。", code="encoding")


def _csv_rows(text: str) -> Iterator[list[Any]]:
    top = text[:20_000]
    delimiter = max(_DELIMITERS, key=top.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as exc:
        raise SpreadsheetError(
            "CSV 文件格式有误（引号没有成对，或单元格过长），请检查后再上传。", code="damaged"
        ) from exc


# --- both --------------------------------------------------------------------------------------------------------


def _sheet(
    lines: Iterable[Sequence[Any]], columns: list[Column], facts: SheetFacts, row_limit: int, *, title: str
) -> Sheet:
    numbered = _numbered(lines, facts)
    number, headings, places = _find_heading(numbered, columns)
    missing = [c.heading for c in columns if c.key not in places]
    lacking = [c.heading for c in columns if c.required and c.key not in places]
    if lacking:
        raise SpreadsheetError(f"缺少列：{'、'.join(lacking)}。请按模板补上表头后再上传。", code="required")
    used = set(places.values())
    unknown = [heading for at, heading in enumerate(headings) if heading and at not in used]
    rows = _data_rows(numbered, columns, places, headings, facts, row_limit)
    return Sheet(rows, [h for h in headings if h], unknown, missing, number, title)


def _numbered(lines: Iterable[Sequence[Any]], facts: SheetFacts) -> Iterator[tuple[int, Sequence[Any]]]:
    """Lines with their numbers in the sheet; the parser leaves out rows at the end that hold dead formulas alone."""
    number = 0
    for number, line in enumerate(lines, start=1):
        yield number, line
    for beyond in sorted(row for row in facts.broken_rows if row > number):
        yield beyond, ()


def _find_heading(
    numbered: Iterator[tuple[int, Sequence[Any]]], columns: list[Column]
) -> tuple[int, list[str], dict[str, int]]:
    """(row number, headings, column key → position) of the first row that reads like the heading; titles are passed."""
    known = {plain_heading(h): c.key for c in columns for h in (c.heading, *c.aliases)}
    enough = min(2, len(columns))
    for number, line in numbered:
        headings = [one_line(str(cell)) if cell not in _NOTHING else "" for cell in line[:MAX_COLUMNS]]
        places: dict[str, int] = {}
        for at, heading in enumerate(headings):
            key = known.get(plain_heading(heading)) if heading else None
            if key is not None:
                # The same heading twice: the first counts, the second is reported as ignored.
                places.setdefault(key, at)
        if len(places) >= enough:
            return number, headings, places
        if number >= HEADING_WITHIN:
            break
    words = "、".join(c.heading for c in columns if c.required) or "、".join(c.heading for c in columns)
    raise SpreadsheetError(f"没有找到表头。表格应有这些列：{words}。", code="heading")


def plain_heading(heading: str) -> str:
    """A heading without notes and marks: `＊日期（必填）` → `日期`."""
    text = to_halfwidth(heading)
    return _NOTE.sub("", text).lower() or text


def _data_rows(
    numbered: Iterator[tuple[int, Sequence[Any]]],
    columns: list[Column],
    places: dict[str, int],
    headings: list[str],
    facts: SheetFacts,
    row_limit: int,
) -> list[Row]:
    rows: list[Row] = []
    blank = 0
    wanted = [(column, places[column.key]) for column in columns if column.key in places]
    absent = dict.fromkeys(c.key for c in columns if c.key not in places)
    named = [(at, heading) for at, heading in enumerate(headings) if heading]
    for number, line in numbered:
        if not any(cell not in _NOTHING and not (isinstance(cell, str) and not cell.strip()) for cell in line) and not (
            facts.broken and number in facts.broken_rows
        ):
            blank += 1
            if blank > BLANK_RUN:
                break
            continue
        blank = 0
        if len(rows) >= row_limit:
            raise SpreadsheetError(f"数据超过 {row_limit:,} 行，请分成几个文件上传。", code="too_many")
        row = Row(number, dict(absent), {heading: line[at] if at < len(line) else None for at, heading in named})
        for column, at in wanted:
            _read_cell(row, column, line[at] if at < len(line) else None, facts, number, at)
        rows.append(row)
    return rows


def _read_cell(row: Row, column: Column, value: Any, facts: SheetFacts, number: int, at: int) -> None:
    if facts.broken and (fault := facts.broken.get((number, at))):
        row.cells[column.key] = None
        row.errors[column.key] = NO_VALUE if fault == "formula" else BAD_VALUE
        return
    try:
        found = _of_kind(value, column.kind, epoch_1904=facts.epoch_1904)
        row.cells[column.key] = column.parser(found) if column.parser is not None and found is not None else found
    except ValueError as exc:
        row.cells[column.key] = None
        row.errors[column.key] = str(exc)


def _of_kind(value: Any, kind: str, *, epoch_1904: bool) -> Any:
    if value in _NOTHING or (isinstance(value, str) and not value.strip()):
        return None
    if kind == "any":
        return value
    if kind == "date":
        return parse_date(value, epoch_1904=epoch_1904)
    if kind == "number":
        return _number(value)
    return cell_text(value)


def _number(value: Any) -> Decimal:
    text = to_halfwidth(clean_text(str(value))).replace(",", "").replace(" ", "")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{str(value)[:30]}”不是数字。") from None
    if isinstance(value, bool) or not found.is_finite() or abs(found) > Decimal(10) ** 15:
        raise ValueError(f"“{str(value)[:30]}”不是数字。")
    # A float carries noise in its last digits: 0.1 + 0.2 was typed as 0.3.
    return Decimal(f"{value:.15g}") if isinstance(value, float) else found


def cell_text(value: Any) -> str:
    """A cell as the person sees it: 12.0 as 12, dates as 2024-03-05, true as 是."""
    if type(value) is str:
        return clean_text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return clean_text(str(value))
