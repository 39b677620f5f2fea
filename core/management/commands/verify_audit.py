"""Is the audit log intact? Exit 0 when it is; else 1 and the first place that is not."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.audit_chain import verify


class Command(BaseCommand):
    help = "校验审计记录与封签链。完好时返回 0；否则返回 1，并指出第一处不符。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", metavar="序号:哈希", help="此前留存的链头，用于发现链尾被截断")

    def handle(self, *args: Any, anchor: str | None = None, **options: Any) -> None:
        report = verify(anchor=_parse(anchor) if anchor else None)
        if report.intact:
            head = f"{report.checked}:{report.head}"
            self.stdout.write(f"审计记录完好：已校验 {report.checked} 条，待封签 {report.pending} 条，链头 {head}")
            return
        place = [f"第 {report.position} 号封签"] if report.position else []
        place += [f"审计记录 {report.entry_id}"] if report.entry_id else []
        raise CommandError(f"审计记录不完好：{report.problem}（{'，'.join(place)}）", returncode=1)


def _parse(anchor: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", anchor)
    if found is None:
        raise CommandError("--anchor 应为“序号:哈希”，例如 verify_audit 或 seal_audit 打印的链头。", returncode=2)
    return int(found[1]), found[2]
