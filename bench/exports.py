"""The list of logs as a workbook against COPY of the same rows; and what memory the writing takes."""

from __future__ import annotations

import io
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import django
from django.apps import apps

if not apps.ready:  # in the process that measures memory
    django.setup()

from django.db import connection

from bench import data
from bench.report import Figure, by_turns, told
from worklogs.models import WorkLog
from worklogs.querysets import WorkLogQuerySet
from worklogs.services.exports import export_logs

ROWS = 100_000
ROUNDS = 3


def measure() -> list[Figure]:
    data.grow_to(ROWS, data.today(), block=data.next_block())
    with told(f"导出 {ROWS:,} 行"):
        spent = by_turns({"export": lambda: export(ROWS), "copy": _copy}, rounds=ROUNDS)
    with told("导出占用的内存"), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        least, most = pool.submit(_memory).result()
    return [
        Figure(f"导出 {ROWS:,} 行 / 同样的行 COPY", spent["export"], spent["copy"], "s", 8),
        Figure("导出增加的内存 / 64 MB", most - least, 64, "MB", 1),
    ]


def _rows(count: int) -> WorkLogQuerySet:
    """The newest rows that the viewer sees, as the list of logs narrowed to them would give them."""
    last = WorkLog.objects.visible_to(data.viewer()).order_by("-date", "-pk").values_list("date", "pk")[count - 1]
    return WorkLog.objects.visible_to(data.viewer()).filter(date__gte=last[0])


def export(count: int) -> int:
    """The size of the file, read as a browser takes it."""
    response = export_logs(_rows(count), actor=data.viewer())
    return sum(len(chunk) for chunk in response.streaming_content)  # type: ignore[attr-defined]


def _copy() -> None:
    """The same rows in the same order, with the names that the file has."""
    first = _rows(ROWS).order_by("date").values_list("date", flat=True)[0]
    fields = (
        "l.date, p.name, l.charge_name, l.slot, l.kind, l.content, l.met_principal, l.place, j.number, l.source_number,"
        " l.met_whom, l.state, l.confirmed_at, l.correction_reason, l.id"
    )
    sql = (
        f"COPY (SELECT {fields} FROM worklogs_worklog l JOIN planners_planner p ON p.id = l.planner_id"
        f" LEFT JOIN projects_project j ON j.id = l.project_id WHERE l.date >= '{first.isoformat()}'"
        f" AND l.locality_id = {data.viewer_locality()} ORDER BY l.date DESC, l.id DESC) TO STDOUT CSV"
    )
    with connection.cursor() as cursor:
        cursor.copy_expert(sql, io.StringIO())


def _memory() -> tuple[float, float]:
    """Megabytes of this process: after a small export, and at most during the large one."""
    export(1000)
    Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins anew
    least = _status("VmRSS")
    export(ROWS)
    return least, _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
