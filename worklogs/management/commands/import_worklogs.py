"""Import work logs from a spreadsheet: all rows or none, or the good ones with `--partial`."""

from __future__ import annotations

from districts.importing import PlacedImportCommand


class Command(PlacedImportCommand):
    help = "从 .xlsx 或 .csv 导入履职记录。"
    kind = "worklogs"
