"""Runs every measure, prints the table, writes bench/results.json. Exit status 1 when a ratio is not reached.

`python -m bench.run pages pdf` runs some of them; scripts/run_bench.py gives the servers.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django

django.setup()

from django.utils import timezone  # noqa: E402

from bench import audits, data, exports, imports, pages, pdfs, searches, sheets, tallies, visits  # noqa: E402
from bench.report import Figure, table, write  # noqa: E402
from bench.server import portal  # noqa: E402

TARGET = Path(__file__).parent / "results.json"
FEW = 20_000  # logs to work on where the pages, which want many, are left out
NAMES = ("pages", "visits", "search", "import", "export", "tally", "audit", "pdf", "sheets")


def main(chosen: list[str]) -> int:
    today = timezone.localdate()
    figures: list[Figure] = []
    if "pages" in chosen:
        with portal() as port:
            figures += pages.measure(port, today)
    else:
        data.grow_to(FEW, today, block=0)
    if "visits" in chosen:
        with portal() as port:
            figures += visits.measure(port)
    if "search" in chosen:
        figures += searches.measure()
    with tempfile.TemporaryDirectory() as folder:
        if "import" in chosen:
            figures += imports.measure(Path(folder), today)
    if "export" in chosen:
        figures += exports.measure()
    if "tally" in chosen:
        figures += tallies.measure(today)
    if "audit" in chosen:
        figures += audits.measure()
    if "pdf" in chosen:
        figures += pdfs.measure()
    if "sheets" in chosen:
        figures += sheets.measure()
    print("\n" + table(figures))
    write(figures, TARGET, load=round(os.getloadavg()[0], 1))
    print(f"\n已写入 {TARGET.relative_to(Path.cwd())}")
    return not all(figure.holds for figure in figures)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    if unknown := set(wanted) - set(NAMES):
        raise SystemExit(f"没有这一项：{'、'.join(sorted(unknown))}；可选 {'、'.join(NAMES)}")
    sys.exit(main(wanted or list(NAMES)))
