"""Import of 20,000 logs against reading the same file and COPYing its rows into an equal table."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone
from python_calamine import CalamineWorkbook

from bench import data
from bench.report import Figure, by_turns, told
from core.imports.batches import import_table, read_table
from districts.models import Charge
from planners.models import Assignment
from worklogs.models import WorkLog
from worklogs.services.imports import LOGS

ROWS = 20_000
ROUNDS = 3
HEADINGS = ("日期", "规划师", "责任单元", "时段", "工作类别", "内容", "会见负责人", "地点", "来源编号")
_COLUMNS = (
    "date, planner_id, charge_id, contract_id, locality_id, charge_name, slot, kind, content, met_principal, place,"
    " source_number, state, submitted_at"
)


def measure(folder: Path, today: date) -> list[Figure]:
    path = folder / "logs.xlsx"
    with told(f"写出 {ROWS:,} 行的表"):
        write_sheet(path, today)
    with told("导入"):
        spent = by_turns({"import": lambda: _import(path), "copy": lambda: _copy(path)}, rounds=ROUNDS)
    return [Figure(f"导入 {ROWS:,} 条记录 / 读表并 COPY", spent["import"], spent["copy"], "s", 8)]


def write_sheet(path: Path, today: date) -> None:
    """Rows that all pass: people of the generated blocks at their units, on days after every log there is."""
    from xlsxwriter import Workbook

    served = list(
        Assignment.objects.filter(contract__number__startswith="GM-", charge__locality__code=data.viewer_code())
        .order_by("pk")
        .values_list("planner__name", "charge__name")
    )
    slots, kinds = WorkLog.Slot.labels, WorkLog.Kind.labels
    book = Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("履职记录")
    sheet.write_row(0, 0, HEADINGS)
    for number in range(ROWS):
        planner, unit = served[number % len(served)]
        day = today - timedelta(days=number // len(served) % 300)
        sheet.write_row(number + 1, 0, [
            day.isoformat(), planner, unit, slots[number % len(slots)], kinds[number % len(kinds)],
            f"走访沿街商户，记录第 {number} 处招牌和架空线的情况。", "是" if number % 2 else "否", "社区服务站", f"B{number:06d}",
        ])  # fmt: skip
    book.close()


class _Undone(Exception):
    """Takes back what was measured, so that each round finds the same tables."""


def _import(path: Path) -> None:
    try:
        with transaction.atomic():
            table = read_table(LOGS, path, filename=path.name)
            done = import_table(LOGS, table, place=data.viewer_code(), actor=None, filename=path.name)
            if done.created != ROWS:
                raise RuntimeError(f"{done.created} of {ROWS} rows imported: {[p.reason for p in done.problems][:3]}")
            raise _Undone
    except _Undone:
        return


def _copy(path: Path) -> None:
    """The floor: the quickest reader, values as they stand, one COPY into a table with the same indexes and checks."""
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[1:]
    ids = {charge.name: charge.pk for charge in Charge.objects.filter(locality__code=data.viewer_code())}
    some = WorkLog.objects.filter(locality__code=data.viewer_code()).values_list(
        "planner_id", "contract_id", "locality_id"
    )[0]
    lines, now = io.StringIO(), timezone.now().isoformat()
    for day, _planner, unit, _slot, _kind, content, met, place, source in rows:
        met_word = "t" if met == "是" else "f"
        fields = (
            day,
            some[0],
            ids[unit],
            some[1],
            some[2],
            unit,
            "am",
            "visit",
            content,
            met_word,
            place,
            source,
            "submitted",
            now,
        )
        lines.write("\t".join(map(str, fields)) + "\n")
    lines.seek(0)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE bench_log (LIKE worklogs_worklog INCLUDING ALL) ON COMMIT DROP")
            _loosen(cursor)
            cursor.copy_expert(f"COPY bench_log ({_COLUMNS}) FROM STDIN", lines)
            raise _Undone
    except _Undone:
        return


def _loosen(cursor: object) -> None:
    """Columns that the sheet does not fill may stay empty in the copy."""
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT attname FROM pg_attribute WHERE attrelid = 'worklogs_worklog'::regclass AND attnum > 0"
        " AND attnotnull AND attname <> 'id' AND NOT attisdropped"
    )
    for (name,) in cursor.fetchall():  # type: ignore[attr-defined]
        cursor.execute(f'ALTER TABLE bench_log ALTER COLUMN "{name}" DROP NOT NULL')  # type: ignore[attr-defined]
