"""Spreadsheets of units and organisations: exactly the rows of the list."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import FileResponse

from accounts.roles import MAY, Role
from core.exports import export_response
from core.spreadsheets import ExportColumn
from districts.policy.keys_appointment import AREA_TYPES

_UNIT = [
    ExportColumn("责任单元"), ExportColumn("地方"), ExportColumn("类别"), ExportColumn("覆盖范围", width=40),
    ExportColumn("片区类型"), ExportColumn("主管部门", width=24), ExportColumn("来源"), ExportColumn("文件依据", width=30),
    ExportColumn("设立日期", kind="date"), ExportColumn("撤销日期", kind="date"),
]  # fmt: skip


def export_units(units: Any) -> FileResponse:
    """`units`: a queryset of Unit with parts prefetched."""
    rows = (
        (
            unit.name, unit.locality.name, unit.get_kind_display(), "、".join(str(part) for part in unit.parts.all()),
            AREA_TYPES.get(unit.area_type, unit.area_type), unit.office.name if unit.office else "",
            unit.get_origin_display(), unit.source, unit.valid_from, unit.valid_to,
        )
        for unit in units.iterator(chunk_size=500)
    )  # fmt: skip
    return export_response(_UNIT, rows, name="责任单元", title="责任单元")


_CHANGE = [
    ExportColumn("变更", width=40), ExportColumn("方式"), ExportColumn("生效日期", kind="date"), ExportColumn("文号", width=24),
    ExportColumn("文件日期", kind="date"), ExportColumn("地方"), ExportColumn("状态"), ExportColumn("说明", width=30),
]  # fmt: skip


def export_unit_changes(changes: Any) -> FileResponse:
    """`changes`: a queryset of UnitChange with lines prefetched."""
    rows = (
        (
            "；".join(str(line) for line in change.lines.all()), change.get_kind_display(), change.effective,
            change.document_number, change.document_date, change.locality.name,
            "已生效" if change.settled else "待生效", change.note,
        )
        for change in changes.iterator(chunk_size=500)
    )  # fmt: skip
    return export_response(_CHANGE, rows, name="责任单元变更", title="责任单元变更")


_MEMBERSHIP = [
    ExportColumn("姓名"), ExportColumn("用户名"), ExportColumn("账号状态", width=10), ExportColumn("角色"),
    ExportColumn("地方"), ExportColumn("责任单元", width=24), ExportColumn("单位", width=24),
    ExportColumn("代理谁"), ExportColumn("代理原因", width=24),
    ExportColumn("起始日期", kind="date"), ExportColumn("截止日期", kind="date"), ExportColumn("最后一天", kind="date"),
    ExportColumn("状态", width=10), ExportColumn("授权人"), ExportColumn("结束经办人"), ExportColumn("结束原因", width=30),
]  # fmt: skip


def export_memberships(memberships: Any, *, on: date) -> FileResponse:
    """`memberships`: a queryset of Membership with everything that is shown joined; their standing is that of `on`."""
    rows = (
        (
            row.user.name, row.user.username, "在用" if row.user.is_active else "已停用", row.get_role_display(),
            row.locality.name, row.unit.name if row.unit else "", row.organisation.name if row.organisation else "",
            str(row.principal or ""), row.reason, row.valid_from, row.valid_to, row.last_day,
            row.standing(on).label, str(row.granted_by or ""),
            str(row.ended_by or ""), row.end_reason,
        )
        for row in memberships.iterator(chunk_size=500)
    )  # fmt: skip
    duties = ("各角色能做什么", [["角色", "能做什么"], *([role.label, MAY[role]] for role in Role)])
    return export_response(_MEMBERSHIP, rows, name=f"身份与授权（{on}）", title="身份与授权", notes=duties)
