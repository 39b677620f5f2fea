"""The index of a round: what is in the folder or ZIP, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from core.models import IssuedDocument
from core.spreadsheets import ExportColumn, write_workbook
from evaluations.models import Cycle, DutyReport
from evaluations.services.documents import file_name

COLUMNS = (
    ExportColumn("序号"), ExportColumn("撰写人"), ExportColumn("责任单元（项目）"), ExportColumn("合同"), ExportColumn("版次"),
    ExportColumn("状态"), ExportColumn("平台编号"), ExportColumn("核验码"), ExportColumn("页数"), ExportColumn("文件名"),
    ExportColumn("SHA-256"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One document of the round; `file_name` is unique within it, and empty while there is no PDF."""

    report: DutyReport
    document: IssuedDocument | None
    file_name: str


def final_reports(cycle: Cycle) -> QuerySet[DutyReport]:
    """The newest final version of each document of the round, in the order of the index."""
    return (
        DutyReport.objects.filter(cycle=cycle)
        .newest_frozen()
        .select_related("author", "cycle__locality", "contract", "charge", "document__file")
        .order_by("charge__name", "author__sort_key", "pk")
    )


def index_rows(cycle: Cycle) -> list[IndexRow]:
    """Final documents first, then those that are missing, so that the reader sees both."""
    final = list(final_reports(cycle))
    open_ones = (
        DutyReport.objects.filter(cycle=cycle, superseded_by=None)
        .exclude(state=DutyReport.State.FROZEN)
        .select_related("author", "cycle", "contract", "charge", "document")
        .order_by("charge__name", "author__sort_key", "pk")
    )
    rows = [
        IndexRow(report, report.document, f"{number:03d} {file_name(report)}" if report.document else "")
        for number, report in enumerate(final, 1)
    ]
    return rows + [IndexRow(report, None, "") for report in open_ones]


def write_index(cycle: Cycle, rows: list[IndexRow], path: Path) -> None:
    """Write the index as a workbook to `path`."""
    with path.open("wb") as stream:
        write_workbook(
            COLUMNS, (_cells(number, row) for number, row in enumerate(rows, 1)), title=cycle.title[:31], stream=stream
        )


def _cells(number: int, row: IndexRow) -> list[Any]:
    report, document = row.report, row.document
    return [
        number, report.author.name + ("（团队汇总）" if report.is_collation else ""),
        report.charge.name if report.charge else "多个",
        report.contract.number, report.version, report.get_state_display(), document.number if document else "",
        document.code if document else "", document.pages if document else None, row.file_name,
        document.file_sha256 if document else "",
    ]  # fmt: skip
