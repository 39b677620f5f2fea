"""The audit log: what the chain adds to a write, alone and with four writers, and how quickly it is verified."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from unittest import mock

from django.db import connection

from bench.report import Figure, by_turns, told
from core import audit
from core.audit_chain import seal, verify
from core.models import AuditEntry

WRITES, WRITERS, ROUNDS = 400, 4, 5
ENTRIES = 200_000
PLAIN = "bench_entry"


def measure() -> list[Figure]:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {PLAIN} (LIKE core_auditentry INCLUDING ALL)")
    seal(full=True)
    with told("审计写入"):
        alone = by_turns({"chained": _chained, "plain": _plain}, rounds=ROUNDS)
        four = by_turns({"chained": lambda: _together(_record), "plain": _plain_together}, rounds=ROUNDS)
    with told(f"{ENTRIES:,} 条审计记录"):
        _fill(ENTRIES)
        seal(full=True)
    with told("校验"):
        spent = by_turns({"verify": _verify}, rounds=3)["verify"]
        count = verify().checked
    return [
        Figure("写审计记录并封签 / 不封签的同样写入", alone["chained"], alone["plain"], "s", 1.25),
        Figure(
            f"{WRITERS} 人同时写审计记录 / 同时写不封签的",
            WRITES * WRITERS / four["chained"], WRITES * WRITERS / four["plain"], "条/秒", 0.4, "≥",
        ),
        Figure("每秒校验的审计记录 / 500,000", count / spent, 500_000, "条/秒", 1, "≥"),
    ]  # fmt: skip


def _record() -> None:
    """As many entries as a busy minute has, each in a transaction of its own."""
    for number in range(WRITES):
        audit.record("bench.write", actor=None, label="基准", detail={"number": number, "file": "履职记录.xlsx"})


def _chained() -> None:
    _record()
    seal()


@contextmanager
def _unchained() -> Iterator[None]:
    """The same rows by the same code into an equal table that nothing watches over."""
    with mock.patch.object(AuditEntry._meta, "db_table", PLAIN):
        yield


def _plain() -> None:
    with _unchained():
        _record()


def _plain_together() -> None:
    with _unchained():
        _together(_record)


def _together(write: Callable[[], None]) -> float:
    """Several writers at once, each with a connection of its own; the sealer runs beside chained ones."""
    failed: list[BaseException] = []

    def work(what: Callable[[], object]) -> None:
        try:
            what()
        except BaseException as exc:
            failed.append(exc)
        finally:
            connection.close()

    began = perf_counter()
    jobs = [write] * WRITERS + ([seal] if AuditEntry._meta.db_table != PLAIN else [])  # type: ignore[list-item]
    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return perf_counter() - began


def _fill(count: int) -> None:
    columns = (
        "at, actor_label, action, action_label, object_type, object_id, object_label, locality_code, result, detail,"
        " ip, request_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO core_auditentry ({columns}) SELECT now(), '王工', 'worklog.submit', '提交履职记录',"
            " 'worklogs.worklog', n::text, '2025-03-05 全天 景山街道', '110101', 'ok', '{\"to\":\"submitted\"}',"
            " '10.0.0.8', md5(n::text) FROM generate_series(1, %s) AS n",
            [count],
        )


def _verify() -> None:
    if not (report := verify()).intact:
        raise RuntimeError(report.problem)
