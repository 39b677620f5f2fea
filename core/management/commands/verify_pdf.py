"""`verify_pdf FILE`: is this PDF, byte for byte, what the portal issued?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from core.pdf.verify import verify_bytes


class Command(BaseCommand):
    help = "核验 PDF：与平台生成的一致则返回 0，否则返回 1 并说明原因。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="PDF 文件")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as exc:
            self._fail(f"无法读取文件：{exc.strerror}")
        verdict = verify_bytes(content)
        if not verdict.intact:
            self._fail(verdict.reason)
        document = verdict.document
        if document is not None and document.file is not None and not document.file.is_intact():
            self._fail(f"文件完好，但平台保存的 {document.number} 已损坏或丢失。")
        self.stdout.write(f"{verdict.reason} {document}")

    def _fail(self, reason: str) -> None:
        self.stderr.write(reason)
        sys.exit(1)
