"""Spreadsheets as people make them, for the tests of the import."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.spreadsheets import ExportColumn, write_workbook
from worklogs.services.import_rows import COLUMNS

HEADINGS = COLUMNS
GOOD = {
    "日期": "2026-03-05", "规划师": "单小雨", "责任单元": "景山街道", "时段": "全天", "工作类别": "调研走访",
    "内容": "走访黄化门街，核对架空线。", "会见负责人": "是", "地点": "黄化门街",
}  # fmt: skip


def sheet(*rows: dict[str, Any], headings: Sequence[str] = HEADINGS) -> bytes:
    """An .xlsx with these rows under the headings."""
    out = io.BytesIO()
    write_workbook(
        [ExportColumn(h) for h in headings],
        [[row.get(h) for h in headings] for row in rows],
        title="履职记录",
        stream=out,
    )
    return out.getvalue()


def row(**changed: Any) -> dict[str, Any]:
    return {**GOOD, **changed}


def saved(path: Path, data: bytes, name: str = "logs.xlsx") -> Path:
    target = path / name
    target.write_bytes(data)
    return target
