"""What takes long: memory over many PDFs, two processes at once, many visitors, an import killed at a random moment.

`make soak` runs it and writes docs/soak.json; `ARGS="--pdfs 100 --seconds 20"` makes it shorter.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench import data, imports, pages, pdfs  # noqa: E402
from bench.report import Figure, table, told, write  # noqa: E402
from bench.server import Visitor, portal  # noqa: E402
from core.models import ImportBatch  # noqa: E402
from worklogs.models import WorkLog  # noqa: E402

TARGET = Path(settings.BASE_DIR) / "docs" / "soak.json"
ROWS = 20_000
VISITORS = 16
KILLS = 10


def memory(count: int) -> Figure:
    """Resident memory after `count` PDFs in one process over that after the first twentieth of them."""
    render = pdfs.renderer()
    early = 0.0
    for number in range(count):
        render()
        if number + 1 == max(10, count // 20):
            early = resident()
    return Figure(f"{count} 份 PDF 后的内存 / 开始时", resident(), early, "MB", 1.1)


def resident() -> float:
    pages_held = int(Path("/proc/self/statm").read_text().split()[1])
    return pages_held * os.sysconf("SC_PAGE_SIZE") / 1e6


def side_by_side(count: int) -> Figure:
    """PDFs a second of two processes over that of one."""
    return Figure("两个进程生成 PDF / 一个进程", _rate(2, count), _rate(1, count), "份/秒", 1.8, "≥")


def _rate(processes: int, count: int) -> float:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=pdfs.warm) as pool:
        list(pool.map(pdfs.one, range(processes * 2)))
        began = time.monotonic()
        list(pool.map(pdfs.one, range(count)))
        return count / (time.monotonic() - began)


def load(seconds: float) -> Figure:
    """Many visitors at once on the list of logs: the slowest twentieth over the median; any answer but 200 ends it."""
    spent: list[float] = []
    failed: list[BaseException] = []
    with portal() as port:
        end = time.monotonic() + seconds

        def visit() -> None:
            try:
                visitor = Visitor(port, data.viewer())
                while time.monotonic() < end:
                    began = time.monotonic()
                    visitor.get(pages.LIST)
                    spent.append(time.monotonic() - began)
            except Exception as exc:
                failed.append(exc)

        threads = [threading.Thread(target=visit) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    cuts = quantiles(spent, n=20)
    rate = len(spent) / seconds
    return Figure(
        f"{VISITORS} 人同时访问记录列表：最慢 5% / 中位数",
        cuts[18] * 1000,
        cuts[9] * 1000,
        "ms",
        4,
        note=f"每秒 {rate:.0f} 页，{len(spent):,} 次访问全部成功",
    )


def killed_imports() -> Figure:
    """`import_worklogs` killed at random moments leaves all of its rows or none; how often it was none."""
    rng = random.Random(7)
    none = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs.xlsx"
        imports.write_sheet(path, timezone.localdate())
        command = [sys.executable, "manage.py", "import_worklogs", str(path), "--locality", data.viewer_code()]
        for _ in range(KILLS):
            before = WorkLog.objects.count()
            child = subprocess.Popen(
                command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(2.0, 8.0))
            child.send_signal(signal.SIGKILL)
            child.wait()
            time.sleep(1)  # the server notices that its client is gone
            added = WorkLog.objects.count() - before
            if added not in (0, imports.ROWS):
                raise RuntimeError(f"an import killed halfway left {added} rows")
            none += added == 0
            if added:
                batch = ImportBatch.objects.latest("pk")
                WorkLog.objects.filter(batch=batch).delete()
    return Figure(
        "导入途中被强行终止：全有或全无的次数 / 总次数", KILLS, KILLS, "次", 1, "≥", note=f"其中 {none} 次一行未写"
    )


def main() -> int:
    asked = argparse.ArgumentParser(description="耗时的试验")
    asked.add_argument("--pdfs", type=int, default=1000)
    asked.add_argument("--seconds", type=float, default=120)
    chosen = asked.parse_args()
    data.grow_to(ROWS, timezone.localdate(), block=0)
    figures = []
    with told("导入途中强行终止"):
        figures.append(killed_imports())
    with told(f"{VISITORS} 人同时访问"):
        figures.append(load(chosen.seconds))
    with told("两个进程"):
        figures.append(side_by_side(max(20, chosen.pdfs // 20)))
    with told(f"{chosen.pdfs} 份 PDF"):
        figures.append(memory(chosen.pdfs))
    print("\n" + table(figures))
    write(figures, TARGET, load=round(os.getloadavg()[0], 1))
    print(f"\n已写入 {TARGET.relative_to(settings.BASE_DIR)}")
    return not all(figure.holds for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
