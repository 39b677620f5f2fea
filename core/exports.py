"""The answer to “导出 Excel”: what the page shows, as a workbook or CSV, from a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse

from core.spreadsheets import ExportColumn, write_csv, write_workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_response(
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Any]],
    *,
    name: str,
    title: str,
    form: str = "xlsx",
    notes: tuple[str, Sequence[Sequence[str]]] | None = None,
) -> FileResponse:
    """A download of these rows; `name` is the file's name without ending, `form` "xlsx" or "csv"; `notes`: title and
    rows of a second sheet of explanations (.xlsx alone).

    The rows should be exactly those that the person may see and has filtered; the caller audits. They are read while
    the file is written, so a queryset is best given as `.values_list(...).iterator()`.
    """
    # Deleted by the system when the response closes it.
    handle = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        if form == "csv":
            write_csv(columns, rows, stream=handle)
        else:
            write_workbook(columns, rows, title=title, stream=handle, notes=notes)
    except BaseException:
        handle.close()
        raise
    handle.seek(0)
    ending, mime = ("csv", "text/csv; charset=utf-8") if form == "csv" else ("xlsx", XLSX)
    response = FileResponse(handle, as_attachment=True, filename=f"{name}.{ending}", content_type=mime)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
