"""A rare word found by its index, against reading every row: names of projects and words of logs."""

from __future__ import annotations

from typing import Any

from django.db import connection

from bench import data
from bench.report import Figure, by_turns, told
from projects.filters import find_projects
from projects.models import Project
from worklogs.models import WorkLog
from worklogs.search import contains

WORD = "雄安"
FEW = 5  # rows that hold it
ROUNDS = 7


def measure() -> list[Figure]:
    for model, column in ((WorkLog, "content"), (Project, "name")):
        some = model.objects.order_by("-pk").values_list("pk", flat=True)[:: max(1, model.objects.count() // FEW)][:FEW]
        for row in model.objects.filter(pk__in=list(some)):
            model.objects.filter(pk=row.pk).update(**{column: f"{getattr(row, column)}（{WORD}）"})
    data.settle()
    logs = contains(WorkLog.objects.all(), WORD).order_by("-date", "-pk").values_list("pk")[:50]
    projects = find_projects(Project.objects.all(), WORD).order_by("-pk").values_list("pk")[:50]
    found = []
    for name, rows, scan in (
        ("履职记录", logs, "SELECT id FROM worklogs_worklog WHERE content || ' ' || place || ' ' || met_whom LIKE %s"),
        ("项目名称", projects, "SELECT id FROM projects_project WHERE name LIKE %s"),
    ):
        with told(f"{name}中的少见词"):
            sql, values = rows.query.sql_with_params()
            if not _fetch(sql, values) or len(_fetch(sql, values)) != len(_scanned(scan)):
                raise RuntimeError("the index does not find what reading finds")
            spent = by_turns(
                {"index": lambda s=sql, v=values: _fetch(s, v), "scan": lambda s=scan: _scanned(s)}, rounds=ROUNDS
            )
        found.append(
            Figure(f"{name}少见词：逐行读取 / 用索引", spent["scan"] * 1000, spent["index"] * 1000, "ms", 50, "≥")
        )
    return found


def _fetch(sql: str, values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _scanned(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    found = _fetch(sql, [f"%{WORD}%"])
    with connection.cursor() as cursor:
        cursor.execute("RESET max_parallel_workers_per_gather")
    return found
