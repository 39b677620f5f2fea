"""Reads China's administrative divisions from four CSV files and keeps the table in step with them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from districts.models import Division

_MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class _Source:
    level: Division.Level
    file: str
    digits: int
    parent_column: str


_SOURCES = (
    _Source(Division.Level.PROVINCE, "provinces.csv", 2, ""),
    _Source(Division.Level.CITY, "cities.csv", 4, "provinceCode"),
    _Source(Division.Level.COUNTY, "areas.csv", 6, "cityCode"),
    _Source(Division.Level.STREET, "streets.csv", 9, "areaCode"),
)


class DivisionsUnreadable(Exception):
    """The files cannot be imported; `problems` says where and why, in words for the person at the console."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class DivisionImport:
    """What an import did; `missing` counts divisions the portal has and the files have not (they are kept)."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    missing: int = 0
    per_level: dict[str, int] = field(default_factory=dict)


Row = tuple[str, str, str | None]


def import_divisions(folder: Path) -> DivisionImport:
    """Bring the table of divisions in step with the four files in `folder`; all or nothing, and repeatable.

    Nothing is deleted, because units may stand on a division that a later table no longer has.
    Raises DivisionsUnreadable with every problem found (the first twenty), before anything is written.
    """
    problems: list[str] = []
    known: set[str] = set()
    levels: list[tuple[_Source, list[Row]]] = []
    for source in _SOURCES:
        rows = _read(folder / source.file, source, known, problems)
        known.update(code for code, _, _ in rows)
        levels.append((source, rows))
    if problems:
        more = [f"……另有 {len(problems) - _MOST_ERRORS} 处问题"] if len(problems) > _MOST_ERRORS else []
        raise DivisionsUnreadable(problems[:_MOST_ERRORS] + more)
    return _store(levels, known)


@transaction.atomic
def _store(levels: list[tuple[_Source, list[Row]]], known: set[str]) -> DivisionImport:
    present = {code: (name, parent) for code, name, parent in Division.objects.values_list("code", "name", "parent_id")}
    result = DivisionImport(missing=len(present.keys() - known))
    for source, rows in levels:
        stale = [row for row in rows if present.get(row[0]) != (row[1], row[2])]
        Division.objects.bulk_create(
            [Division(code=code, name=name, level=source.level, parent_id=parent) for code, name, parent in stale],
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["code"],
            update_fields=["name", "level", "parent"],
        )
        added = sum(1 for code, _, _ in stale if code not in present)
        result.added += added
        result.changed += len(stale) - added
        result.unchanged += len(rows) - len(stale)
        result.per_level[source.level.label] = len(rows)
    return result


def _read(path: Path, source: _Source, above: set[str], problems: list[str]) -> list[Row]:
    """The rows of one file as (code, name, parent code); what is wrong is appended to `problems`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        problems.append(f"{source.file}：无法读取文件（{exc.strerror or '路径无效'}）。")
        return []
    except UnicodeDecodeError:
        problems.append(f"{source.file}：不是 UTF-8 编码的文本文件。")
        return []
    reader = csv.DictReader(io.StringIO(text))
    wanted = ["code", "name", *([source.parent_column] if source.parent_column else [])]
    try:
        missing = [column for column in wanted if column not in (reader.fieldnames or [])]
        if missing:
            problems.append(f"{source.file}：缺少列 {'、'.join(missing)}。")
            return []
        return _rows(reader, source, above, problems)
    except csv.Error as exc:
        problems.append(f"{source.file}：第 {reader.line_num} 行不是有效的 CSV（{exc}）。")
        return []


def _rows(reader: csv.DictReader[str], source: _Source, above: set[str], problems: list[str]) -> list[Row]:
    rows: list[Row] = []
    seen: set[str] = set()
    longest = Division._meta.get_field("name").max_length or 0
    for record in reader:
        code, name = (record["code"] or "").strip(), (record["name"] or "").strip()
        parent = (record[source.parent_column] or "").strip() if source.parent_column else None
        wrong = ""
        if not (code.isascii() and code.isdigit() and len(code) == source.digits):
            wrong = f"区划代码“{code[:20]}”应为 {source.digits} 位数字"
        elif code in seen:
            wrong = f"区划代码 {code} 重复"
        elif not name or len(name) > longest or "\x00" in name:
            wrong = f"名称为空或超过 {longest} 字"
        elif parent is not None and parent not in above:
            wrong = f"上级代码“{parent[:20]}”不在上一级的文件中"
        if wrong:
            problems.append(f"{source.file}：第 {reader.line_num} 行，{wrong}。")
            continue
        seen.add(code)
        rows.append((code, name, parent))
    if not rows and not problems:
        problems.append(f"{source.file}：没有任何数据行。")
    return rows
