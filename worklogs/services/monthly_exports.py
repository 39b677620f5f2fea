"""Monthly reports as a spreadsheet: a row each, with the figures kept with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core import audit
from core.exports import export_response
from core.spreadsheets import ExportColumn
from worklogs import permissions_monthly as may
from worklogs.models import MonthlyReport
from worklogs.querysets_monthly import MonthlyReportQuerySet

from .monthly import SECTIONS

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from accounts.models import User

_TOTALS = {
    "logs": "履职记录", "dates": "到访天数", "met": "会见主要负责人", "meetings": "会议", "consulting": "方案咨询",
    "inspections": "施工巡查",
}  # fmt: skip
_COLUMNS = (
    ExportColumn("月份"), ExportColumn("责任单元（项目）"), ExportColumn("撰写人"), ExportColumn("团队月报"),
    ExportColumn("名称"), ExportColumn("状态"), ExportColumn("版次", "integer"), ExportColumn("报送期限", "date"),
    ExportColumn("提交时间", "datetime"), ExportColumn("接受时间", "datetime"),
    *(ExportColumn(label, "integer") for label in _TOTALS.values()),
    *(ExportColumn(section.title, "text", 60) for section in SECTIONS),
)  # fmt: skip


def export_reports(rows: MonthlyReportQuerySet, *, actor: User, filters: str = "") -> HttpResponseBase:
    """The rows (scoped and filtered by the caller) as .xlsx. What somebody is still writing stays their own.

    Side effects: an audit entry.
    """
    audit.record(
        "monthlyreport.export", actor=actor, label="导出工作月报", detail={"filters": filters, "rows": rows.count()}
    )
    return export_response(_COLUMNS, _lines(rows, actor), name="工作月报", title="工作月报")


def _lines(rows: MonthlyReportQuerySet, actor: User) -> Iterator[tuple[Any, ...]]:
    for report in rows.iterator(chunk_size=500):
        hidden = report.state == MonthlyReport.State.DRAFT and not may.is_author(actor, report)
        totals = report.facts.get("totals", {})
        yield (
            f"{report.month:%Y-%m}", report.charge.name, report.author.name, "是" if report.is_team else "",
            report.title, report.get_state_display(), report.version, report.due_on, report.submitted_at,
            report.accepted_at, *(None if hidden else totals.get(code) for code in _TOTALS),
            *("" if hidden else report.texts.get(section.code, "") for section in SECTIONS),
        )  # fmt: skip
