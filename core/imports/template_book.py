"""The workbook that people fill in: headings, one row marked as an example, and what each column means."""

from __future__ import annotations

from django.http import FileResponse

from core.exports import export_response
from core.spreadsheets import ExportColumn

from .kinds import EXAMPLE_MARK, Importer


def template_response(importer: Importer) -> FileResponse:
    """The empty table of a kind as a download."""
    columns = [ExportColumn(c.heading, width=max(12, 2 * len(c.heading) + 4)) for c in importer.columns]
    example = [c.example for c in importer.columns]
    notes = [
        ["列", "是否必填", "说明"],
        *([c.heading, "必填" if c.required else "选填", c.help] for c in importer.columns),
        ["", "", f"以“{EXAMPLE_MARK}”开头的行是示例，导入时自动跳过。"],
        *(["", "", hint] for hint in importer.hints),
    ]
    return export_response(
        columns, [example], name=f"{importer.label}导入模板", title=importer.label, notes=("填写说明", notes)
    )
