"""Spreadsheets in and out: one reader, one writer.

`read_rows(source, columns)` reads .xlsx and .csv as people make them; `write_workbook` and `write_csv` write quickly,
in small memory, and never a formula.
"""

from .columns import Column, ExportColumn, Row, Sheet, SpreadsheetError
from .reader import Headings, read_headings, read_rows
from .writer import write_csv, write_workbook

__all__ = [
    "Column", "ExportColumn", "Headings", "Row", "Sheet", "SpreadsheetError", "read_headings", "read_rows", "write_csv",
    "write_workbook",
]  # fmt: skip
