"""Looks through a workbook before it is parsed: bombs, far-away cells, formulas without a value.

The parser lays out every row and column up to the last cell that has a value, and unpacks whatever the archive holds;
so sizes and positions are checked first, in a stream, at a cost far below that of parsing.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import IO

from .columns import SpreadsheetError

MAX_UNPACKED = 600 * 1024 * 1024
MAX_SHARED_STRINGS = 100 * 1024 * 1024
MAX_ENTRIES = 2000
MAX_COLUMNS = 500
_CHUNK = 1024 * 1024
# A tag is carried over to the next chunk whole, up to this length.
_CARRY = 4096

_CELL_REF = rb"""[A-Z]{1,3}\d{1,7}"""
# Cells that hold something (an empty styled cell is closed at once) far to the right or far down.
_FAR = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br=["']([A-Z]{1,3})(\d{1,7})["'][^>]*(?<!/)>(?!</)""")
_FAR_QUICK = re.compile(rb"""\br=["'](?:[A-Z]{3}\d|[B-Z][A-Z]\d|[A-Z]{1,3}\d{5,7}["'])""")
# Cells without a position are counted from the row's: legal, and nobody writes them in sheets with far rows.
_UNPLACED = re.compile(rb"""<(?:\w+:)?c(?:\s+(?!r=)[\w:]+=["'][^"']*["'])*\s*>""")
_FAR_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br=["']\d{5,7}["']""")
_VALUELESS = re.compile(
    rb"""<(?:\w+:)?c\s[^>]*?\br=["'](%s)["'][^>]*>\s*<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>""" % _CELL_REF
)
_ERROR = re.compile(rb"""<(?:\w+:)?c\s(?=[^>]*\bt=["']e["'])[^>]*?\br=["'](%s)["']""" % _CELL_REF)
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_SHEET_TAG = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_DATE1904 = re.compile(r"""\bdate1904=["'](?:1|true|on)["']""")
_MARKS = {"formula": (b"<f", b":f>", b":f "), "error": (b'"e"', b"'e'")}
_MAX_BROKEN = 10_000


@dataclass(slots=True)
class SheetFacts:
    """What the parser would not tell: cells without a usable value, and the workbook's epoch."""

    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    broken_rows: set[int] = field(default_factory=set)
    epoch_1904: bool = False


def inspect_workbook(data: bytes, *, row_limit: int) -> dict[str, SheetFacts]:
    """Facts by sheet name. Raises SpreadsheetError: damaged, a bomb, too many rows or columns, macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive)
            return _inspect(archive, row_limit)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as exc:
        raise _damaged() from exc
    except (ValueError, KeyError) as exc:
        raise _damaged() from exc
    except Exception as exc:  # zlib.error has no common base with the above
        if type(exc).__name__ != "error":
            raise
        raise _damaged() from exc


def _damaged() -> SpreadsheetError:
    return SpreadsheetError("文件已损坏，或不是 .xlsx 表格，请在表格软件中重新保存后再上传。", code="damaged")


def _check_sizes(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNPACKED:
        raise SpreadsheetError("表格解开后过大，已拒绝。请删除多余内容后再上传。", code="bomb")
    for entry in entries:
        if entry.filename.endswith("sharedStrings.xml") and entry.file_size > MAX_SHARED_STRINGS:
            raise SpreadsheetError("表格的文字内容过大，已拒绝。请分成几个文件上传。", code="bomb")
    if not any(e.filename == "xl/workbook.xml" for e in entries):
        raise SpreadsheetError("文件不是 .xlsx 表格，请上传 .xlsx 或 .csv 文件。", code="format")


def _inspect(archive: zipfile.ZipFile, row_limit: int) -> dict[str, SheetFacts]:
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    epoch_1904 = bool(_DATE1904.search(book))
    names = _sheet_paths(archive, book)
    facts: dict[str, SheetFacts] = {}
    for entry in archive.infolist():
        path = entry.filename
        if not path.startswith("xl/") or not path.endswith((".xml", ".rels", ".bin")):
            continue
        found = SheetFacts(epoch_1904=epoch_1904)
        # Reading to the end also proves the size that the archive claims: the parser trusts the stream, not the claim.
        with archive.open(entry) as handle:
            if path.startswith("xl/worksheets/") and path.endswith(".xml"):
                _scan_sheet(handle, found, row_limit)
            else:
                while handle.read(_CHUNK):
                    pass
        if path in names:
            facts[names[path]] = found
    return facts


def _sheet_paths(archive: zipfile.ZipFile, book: str) -> dict[str, str]:
    """Path in the archive → name of the sheet."""
    import html

    try:
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return {}
    targets = {}
    for tag in _RELATION.findall(relations):
        identifier, target = _attribute(tag, "Id"), _attribute(tag, "Target")
        targets[identifier] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    paths = {}
    for tag in _SHEET_TAG.findall(book):
        relation = re.search(r"""\b\w+:id=["']([^"']*)["']""", tag)
        if relation and relation.group(1) in targets:
            paths[targets[relation.group(1)]] = html.unescape(_attribute(tag, "name"))
    return paths


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", tag)
    return (found.group(1) or found.group(2) or "") if found else ""


def _scan_sheet(handle: IO[bytes], facts: SheetFacts, row_limit: int) -> None:
    carried = b""
    unplaced = far_row = False
    while chunk := handle.read(_CHUNK):
        block = carried + chunk
        if carried == b"" and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise _damaged()
        # Cut after the last whole cell, so that no match is split and none is seen twice.
        cut = max(block.rfind(b"</c>") + 4, block.rfind(b"/>") + 2, len(block) - 64 * _CARRY) if chunk else len(block)
        block, carried = block[:cut], block[cut:]
        if _FAR_QUICK.search(block):
            _check_far(block, row_limit)
        unplaced = unplaced or bool(_UNPLACED.search(block))
        far_row = far_row or bool(_FAR_ROW.search(block))
        if unplaced and far_row:
            raise _damaged()
        _note_broken(block, facts)
    _check_far(carried, row_limit)
    _note_broken(carried, facts)


def _check_far(block: bytes, row_limit: int) -> None:
    for found in _FAR.finditer(block):
        if int(found.group(2)) > row_limit:
            raise SpreadsheetError(
                f"第 {int(found.group(2)):,} 行还有内容，超过上限 {row_limit:,} 行。请删除多余的行，或分成几个文件上传。",
                code="too_many",
            )
        if _column_number(found.group(1).decode()) > MAX_COLUMNS:
            raise SpreadsheetError(
                f"{found.group(1).decode()} 列还有内容，列数过多。请删除多余的列后再上传。", code="too_many"
            )


def _note_broken(block: bytes, facts: SheetFacts) -> None:
    for pattern, fault in ((_VALUELESS, "formula"), (_ERROR, "error")):
        # Most sheets have neither: a plain search first.
        if not any(mark in block for mark in _MARKS[fault]):
            continue
        for found in pattern.finditer(block):
            column, row = _REFERENCE.fullmatch(found.group(1).decode()).groups()  # type: ignore[union-attr]
            if len(facts.broken) < _MAX_BROKEN:
                facts.broken[int(row), _column_number(column) - 1] = fault
                facts.broken_rows.add(int(row))


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
