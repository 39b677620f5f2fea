"""`manage.py import_divisions DIR`: China's administrative divisions from CSV; repeatable."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from districts.services.divisions import DivisionsUnreadable, import_divisions


class Command(BaseCommand):
    help = "从四个 CSV 文件（provinces、cities、areas、streets）导入全国行政区划；可重复执行，只增改，不删除。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="存放四个 CSV 文件的目录")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = import_divisions(options["folder"])
        except DivisionsUnreadable as exc:
            raise CommandError("行政区划未导入，数据没有改动：\n" + "\n".join(exc.problems)) from exc
        levels = "，".join(f"{label} {count}" for label, count in result.per_level.items())
        self.stdout.write(f"行政区划：{levels}。新增 {result.added}，更新 {result.changed}，未变 {result.unchanged}。")
        if result.missing:
            self.stdout.write(f"另有 {result.missing} 个区划不在文件中，予以保留。")
