"""Run background jobs in this process: without broker or worker, or to see one through by hand."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core import jobs


class Command(BaseCommand):
    help = "在当前进程执行等待中的后台任务。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--watch", action="store_true", help="持续执行，直至中断")
        parser.add_argument("--interval", type=float, default=2.0, help="两次查找之间的秒数")

    def handle(self, *args: Any, watch: bool, interval: float, **options: Any) -> None:
        total = 0
        try:
            while True:
                jobs.give_up_exhausted()
                total += jobs.run_waiting()
                if not watch:
                    break
                time.sleep(interval)
        except KeyboardInterrupt:
            pass
        self.stdout.write(f"已执行 {total} 个任务")
