"""Spreadsheets of the registry: exactly the rows of the list, never a whole identity or phone number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import FileResponse

from core.crypto import mask_phone
from core.exports import export_response
from core.spreadsheets import ExportColumn
from districts.policy.qualification import CERTIFICATES
from planners.models import Planner
from planners.reads import served_names
from planners.services.coverage import STATES, Coverage

_CHUNK = 500

_PLANNER = [
    ExportColumn("姓名"), ExportColumn("登记地方"), ExportColumn("设计单位", width=30), ExportColumn("专业"),
    ExportColumn("职称"), ExportColumn("执业资格", width=24), ExportColumn("学历"), ExportColumn("从业起始日期", kind="date"),
    ExportColumn("现服务", width=36), ExportColumn("电话（已隐去中间几位）"), ExportColumn("状态"),
]  # fmt: skip

_CONTRACT = [
    ExportColumn("合同编号"), ExportColumn("地方"), ExportColumn("受聘方", width=30), ExportColumn("受聘方类别"),
    ExportColumn("聘用方", width=24), ExportColumn("聘期起", kind="date"), ExportColumn("聘期止", kind="date"),
    ExportColumn("年服务费（元）", kind="money"), ExportColumn("签订日期", kind="date"), ExportColumn("制度版本", width=30),
    ExportColumn("状态"),
]  # fmt: skip


def export_planners(planners: Any, *, with_phone: bool) -> FileResponse:
    """`planners`: a queryset of Planner. Phones are masked, and left out unless the person may ask for them."""
    return export_response(_PLANNER, _planner_rows(planners, with_phone), name="规划师", title="规划师")


def _planner_rows(planners: Any, with_phone: bool) -> Iterator[Sequence[Any]]:
    found = planners.select_related("institution", "locality").iterator(chunk_size=_CHUNK)
    while chunk := list(islice(found, _CHUNK)):
        served = served_names(chunk)
        yield from (_planner_row(planner, served.get(planner.pk, []), with_phone) for planner in chunk)


def _planner_row(planner: Planner, served: Sequence[str], with_phone: bool) -> Sequence[Any]:
    return (
        planner.name, planner.locality.name, planner.institution.name if planner.institution else "",
        planner.profession, planner.get_title_display(),
        "、".join(CERTIFICATES.get(code, code) for code in planner.registrations or []), planner.education,
        planner.practising_since, "、".join(served), mask_phone(planner.phone) if with_phone else "",
        "在册" if planner.is_active else "已离册",
    )  # fmt: skip


def export_contracts(contracts: Any) -> FileResponse:
    """`contracts`: a queryset of Contract with its party, signer, locality and version joined."""
    rows = (
        (
            row.number, row.locality.name, str(row.party or ""), row.get_party_kind_display(), row.signer.name,
            row.start, row.end, row.annual_fee, row.signed_on if row.state != "draft" else None,
            str(row.policy_version), row.get_state_display(),
        )
        for row in contracts.iterator(chunk_size=_CHUNK)
    )  # fmt: skip
    return export_response(_CONTRACT, rows, name="聘用合同", title="聘用合同")


_COVERAGE = [
    ExportColumn("责任单元", width=24), ExportColumn("地方"), ExportColumn("状态"), ExportColumn("未覆盖", width=40),
    ExportColumn("重复覆盖", width=60),
]  # fmt: skip


def export_coverage(rows: Sequence[Coverage]) -> FileResponse:
    lines = (
        (
            row.unit.name, row.unit.locality.name, "、".join(STATES[state] for state in sorted(row.states)),
            "；".join(f"{gap.start} 至 {gap.end}" for gap in row.gaps),
            "；".join(f"{d.start} 至 {d.end}（{'、'.join(number for _, number in d.contracts)}）" for d in row.doubles),
        )
        for row in rows
    )  # fmt: skip
    return export_response(_COVERAGE, lines, name="覆盖情况", title="责任单元覆盖情况")
