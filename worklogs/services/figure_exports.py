"""The kept figures as a spreadsheet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core import audit
from core.exports import export_response
from core.spreadsheets import ExportColumn
from worklogs.models import DutyFigure
from worklogs.services.standing import standing_of, unit_of
from worklogs.tally.words import label_of

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from accounts.models import User

audit.register_actions({"worklog.export_figures": "导出履职统计"})

EXPORT = (
    ExportColumn("对象", "text", 26), ExportColumn("年度", "integer", 8), ExportColumn("合同编号", "text", 16),
    *(ExportColumn(f"{month}月天数", "number", 8) for month in range(1, 13)),
    ExportColumn("服务天数", "number"), ExportColumn("应完成天数", "number"), ExportColumn("计量单位", "text", 8),
    ExportColumn("天数不足", "number"), ExportColumn("走访次数", "number"), ExportColumn("会见主要负责人次数", "number"),
    ExportColumn("应走访次数", "number"), ExportColumn("次数不足", "number"), ExportColumn("扣减（元）", "money"),
    ExportColumn("记录数", "integer"), ExportColumn("待确认", "integer"), ExportColumn("完成情况", "text", 30),
    ExportColumn("未设定的规则", "text", 40), ExportColumn("截至", "date"),
)  # fmt: skip


def export_row(row: DutyFigure, *, today: date) -> tuple[Any, ...]:
    """The cells under EXPORT; what is unset is empty, and its rules are named."""
    unset = dict.fromkeys(key for keys in row.unset.values() for key in keys)
    return (
        row.label, row.year, row.contract.number,
        *(None if month["days"] is None else Decimal(month["days"]) for month in row.months),
        row.days, row.required_days, unit_of(row).removeprefix("个"), row.shortfall_days, row.visits, row.principal_met,
        row.required_visits, row.shortfall_visits, row.deduction, row.logs, row.waiting, standing_of(row, today),
        "、".join(label_of(key) for key in unset), row.as_of,
    )  # fmt: skip


def export_figures(rows: Any, *, actor: User, today: date, filters: str = "") -> HttpResponseBase:
    """The rows (scoped and filtered by the caller) as .xlsx. Side effects: an audit entry."""
    audit.record(
        "worklog.export_figures", actor=actor, label="导出履职统计", detail={"filters": filters, "rows": rows.count()}
    )
    found = rows.select_related("contract").iterator(chunk_size=1000)
    return export_response(EXPORT, (export_row(row, today=today) for row in found), name="履职统计", title="履职统计")
