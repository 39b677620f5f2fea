"""`manage.py export_reports --cycle ID --out DIR`: every final document of a round as PDF, with an index.

Resumes where it stopped: a document is issued once, and a file already there with the right hash is left alone.
"""

from __future__ import annotations

import hashlib
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evaluations.models import Cycle
from evaluations.services.documents import issue_report
from evaluations.services.index import final_reports, index_rows, write_index


class Command(BaseCommand):
    help = "导出一期述职的全部定稿文书（PDF）和目录；中断后再次运行即接着导出。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cycle", type=int, required=True, help="述职周期的编号")
        parser.add_argument("--out", type=Path, required=True, help="输出目录")

    def handle(self, *args: Any, **options: Any) -> None:
        cycle = Cycle.objects.select_related("locality").filter(pk=options["cycle"]).first()
        if cycle is None:
            known = "、".join(f"{c.pk} {c.title}" for c in Cycle.objects.order_by("-pk")[:10])
            raise CommandError(f"没有编号为 {options['cycle']} 的述职周期。最近的有：{known or '无'}")
        folder: Path = options["out"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"不能建立输出目录 {folder}：{error.strerror}") from error
        for report in final_reports(cycle):
            issue_report(report.pk, actor=None)
        rows = index_rows(cycle)
        written = sum(self._write(folder / row.file_name, row.document) for row in rows if row.document is not None)
        write_index(cycle, rows, folder / "目录.xlsx")
        done = sum(row.document is not None for row in rows)
        self.stdout.write(f"{cycle.title}：共 {done} 份，本次写入 {written} 份，未定稿 {len(rows) - done} 份。")

    @staticmethod
    def _write(path: Path, document: Any) -> bool:
        """Write beside and rename, so that a stopped run leaves no half file; True when something was written."""
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == document.file_sha256:
            return False
        partial = path.with_suffix(".part")
        partial.write_bytes(document.file.read())
        os.replace(partial, path)
        return True
