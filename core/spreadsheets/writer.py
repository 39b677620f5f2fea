"""Writes .xlsx and .csv row by row: quick, in small memory, and never a formula.

The sheet is streamed into the archive as it is made (inline strings, a handful of styles), so memory does not grow with
the rows. Text is written as text whatever it begins with; what looks like a formula is also marked as quoted, so that
it stays text when the cell is edited.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any
from xml.sax.saxutils import escape

from django.utils import timezone

from .columns import ExportColumn

MAX_CELL = 32_767
MAX_ROWS = 1_048_576
_BATCH = 500
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile("[&<>]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = date(1899, 12, 30).toordinal()
# What other programs take as an escape of a character code in a cell's text.
_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")

WIDTHS = {"text": 18, "number": 12, "integer": 10, "money": 16, "date": 12, "datetime": 18}
# Positions in cellXfs below.
_PLAIN, _HEAD, _TITLE, _DATE, _DATETIME, _NUMBER, _INTEGER, _MONEY, _QUOTED = range(9)
_NUMBERS = {
    "number": _NUMBER, "integer": _INTEGER, "money": _MONEY, "text": _NUMBER, "date": _NUMBER, "datetime": _NUMBER,
}  # fmt: skip


def write_workbook(
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    title: str,
    stream: IO[bytes],
    notes: tuple[str, Sequence[Sequence[str]]] | None = None,
) -> int:
    """Write one sheet to `stream`: heading frozen and filterable, widths set. Returns the number of rows.

    `notes`: title and rows of text of a second sheet that explains the first.

    Values: text, numbers (Decimal included), dates, aware or naive datetimes (shown in local time), booleans (是/否),
    None (empty). Text is cut at Excel's limit of a cell. Raises ValueError past Excel's number of rows.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, text in _parts(*([title] if notes is None else [title, notes[0]])).items():
            archive.writestr(path, text)
        if notes is not None:
            archive.writestr("xl/worksheets/sheet2.xml", _notes_sheet(notes[1]))
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_sheet_head(columns).encode())
            count = _write_rows(sheet, columns, rows)
            last = f"{_letters(len(columns))}{count + 1}"
            sheet.write(f'</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode())
    return count


def _write_rows(sheet: IO[bytes], columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]) -> int:
    cells = [_cell_writer(column) for column in columns]
    count = 0
    batch: list[str] = []
    for row in rows:
        count += 1
        if count >= MAX_ROWS:
            raise ValueError("more rows than a sheet can hold")
        batch.append("<row>" + "".join([write(value) for write, value in zip(cells, row, strict=True)]) + "</row>")
        if len(batch) >= _BATCH:
            sheet.write("".join(batch).encode())
            batch.clear()
    sheet.write("".join(batch).encode())
    return count


def _cell_writer(column: ExportColumn) -> Callable[[Any], str]:
    number = _NUMBERS[column.kind]
    zone = timezone.get_current_timezone()  # asking for it at each cell would cost a fifth of the sheet

    def write(value: Any) -> str:
        kind = type(value)
        if kind is str:
            return _text_cell(value)
        if value is None:
            return "<c/>"
        if kind is bool:
            return _text_cell("是" if value else "否")
        if kind is int or kind is float or kind is Decimal:
            return f'<c s="{number}"><v>{value}</v></c>' if value == value and abs(value) != float("inf") else "<c/>"
        if isinstance(value, datetime):
            local = value.astimezone(zone) if value.tzinfo is not None else value
            seconds = local.hour * 3600 + local.minute * 60 + local.second
            return f'<c s="{_DATETIME}"><v>{local.toordinal() - _EPOCH + seconds / 86400:.13g}</v></c>'
        if isinstance(value, date):
            return f'<c s="{_DATE}"><v>{value.toordinal() - _EPOCH}</v></c>'
        return _text_cell(str(value))

    return write


def _text_cell(value: str) -> str:
    if not value:
        return "<c/>"
    style = f' s="{_QUOTED}"' if value[0] in _FORMULA else ""
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{_clean(value)}</t></is></c>'


def _clean(value: str) -> str:
    text = value if len(value) <= MAX_CELL else value[: MAX_CELL - 1] + "…"
    if not text.isprintable():
        text = _INVALID.sub("", text)
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: "_x005F" + found.group(0), text)
    return escape(text) if _SPECIAL.search(text) else text


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _sheet_head(columns: Sequence[ExportColumn]) -> str:
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{c.width or WIDTHS[c.kind]}" customWidth="1"/>'
        for n, c in enumerate(columns, 1)
    )
    heads = "".join(_head_cell(c.heading) for c in columns)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0" tabSelected="1">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData><row>{heads}</row>"
    )


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FONT = '<sz val="11"/><name val="宋体"/><family val="2"/>'


def _notes_sheet(rows: Sequence[Sequence[str]]) -> str:
    """A few rows of text, the first as a heading."""
    lines = ["".join(_text_cell(cell) if n else _head_cell(cell) for cell in row) for n, row in enumerate(rows)]
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><cols><col min="1" max="1" width="20" customWidth="1"/>'
        '<col min="2" max="2" width="10" customWidth="1"/><col min="3" max="3" width="90" customWidth="1"/></cols>'
        f"<sheetData>{''.join(f'<row>{line}</row>' for line in lines)}</sheetData></worksheet>"
    )


def _head_cell(text: str) -> str:
    return f'<c t="inlineStr" s="{_HEAD}"><is><t xml:space="preserve">{_clean(text)}</t></is></c>'


def _sheet_name(title: str) -> str:
    # Characters that a sheet's name may not hold, and its length of 31.
    name = re.sub(r"[\[\]:*?/\\']", "", _INVALID.sub("", title)).strip()[:31] or "导出"
    return escape(name, {chr(34): "&quot;"})


def _parts(*titles: str) -> dict[str, str]:
    """The fixed parts of a workbook with a sheet for each title."""
    numbers = range(1, len(titles) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    sheets = "".join(
        f'<sheet name="{_sheet_name(title)}" sheetId="{n}" r:id="rId{n}"/>' for n, title in enumerate(titles, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f"{kinds}"
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f"{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{links}"
        f'<Relationship Id="rId{len(titles) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": _styles(),
    }  # fmt: skip


def _styles() -> str:
    formats = (
        '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    )
    fonts = f'<fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    fills = (
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EEF5"/></patternFill></fill></fills>'
    )

    def style(number: int = 0, *, font: int = 0, fill: int = 0, extra: str = "") -> str:
        return (
            f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="0" xfId="0" applyNumberFormat="1"'
            f' applyFont="1" applyFill="1"{extra}/>'
        )

    cells = [
        style(), style(font=1, fill=2), style(font=1), style(164), style(165), style(0), style(1), style(4),
        style(49, extra=' quotePrefix="1"'),
    ]  # fmt: skip
    return (
        f'{_XML}<styleSheet xmlns="{_MAIN}">{formats}{fonts}{fills}'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(cells)}">{"".join(cells)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def write_csv(columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]], *, stream: IO[bytes]) -> int:
    """Write UTF-8 with a mark (so that Excel knows), text that begins like a formula behind an apostrophe."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([_csv_text(column.heading) for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_csv_value(value) for value in row])
        count += 1
    text.detach()
    return count


def _csv_value(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (int, float, Decimal)):
        return value
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return _csv_text(str(value))


def _csv_text(value: str) -> str:
    text = _INVALID.sub("", value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
