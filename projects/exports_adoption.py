"""Spreadsheets of adoption: the rates of a page, and the items behind them; exactly what the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import FileResponse

from core.exports import export_response
from core.spreadsheets import ExportColumn
from projects import adoption
from projects.adoption import LABELS, WORDS
from projects.models import OpinionItem, ProjectStage
from projects.services.adoption_figures import WHY
from projects.services.adoption_reads import Line, few

_PATH = "opinion__consultee__consultation"
_STAGES, _SEVERITIES = dict(ProjectStage.STAGES), dict(OpinionItem.Severity.choices)
_DONE = {"done": "已落实", "overdue": "到期未登记落实", "running": "未到期", "": ""}
_ITEM_COLUMNS = [
    ExportColumn("征询编号"), ExportColumn("项目编号"), ExportColumn("项目名称", width=36), ExportColumn("阶段"),
    ExportColumn("序号", kind="integer"), ExportColumn("程度"), ExportColumn("意见", width=60), ExportColumn("依据", width=24),
    ExportColumn("规划师"), ExportColumn("意见提交时间", kind="datetime"), ExportColumn("征询单位", width=24),
    ExportColumn("反馈期限", kind="date"), ExportColumn("采纳情况"), ExportColumn("理由", width=40),
    ExportColumn("落实责任人", width=20), ExportColumn("落实期限", kind="date"), ExportColumn("落实"),
]  # fmt: skip
_ITEM_FIELDS = (
    f"{_PATH}__number", f"{_PATH}__project__number", f"{_PATH}__project__name", f"{_PATH}__stage__stage", "position",
    "severity", "text", "basis", "opinion__author__name", "opinion__submitted_at", f"{_PATH}__asker__name",
    f"{_PATH}__feedback_due_on", "outcome", "now__reason", "now__owner", "now__due_on", "done",
)  # fmt: skip


def export_items(items: Any) -> FileResponse:
    return export_response(_ITEM_COLUMNS, _item_rows(items), name="意见采纳明细", title="意见采纳明细")


def _item_rows(items: Any) -> Iterator[Sequence[Any]]:
    for row in items.values_list(*_ITEM_FIELDS).iterator(chunk_size=2000):
        values = list(row)
        values[3], values[5] = _STAGES[values[3]], _SEVERITIES[values[5]]
        values[12], values[16] = WORDS[values[12]], _DONE[values[16]]
        yield ["" if value is None and at in {13, 14} else value for at, value in enumerate(values)]


def export_rates(lines: Sequence[Line], *, title: str) -> FileResponse:
    """One row a group; the second sheet says how each share is counted."""
    columns = [
        ExportColumn(title, width=30), ExportColumn("意见（条）", kind="integer"),
        *(ExportColumn(words, kind="integer") for words in WORDS.values()),
        *(ExportColumn(f"{LABELS[code]}（%）", kind="number") for code in adoption.RATE_CODES),
        ExportColumn("说明", width=30),
    ]  # fmt: skip
    rows = [
        [
            line.name, line.rates.bundle.total, *(line.rates.bundle.count(outcome) for outcome in WORDS),
            *(figure.value for figure in line.rates.figures.values()),
            f"已反馈不足 {few()} 条，比率仅供参考" if line.rates.is_small else "",
        ]
        for line in lines
    ]  # fmt: skip
    notes = [[LABELS[code], WHY[code]] for code in adoption.RATE_CODES]
    return export_response(columns, rows, name=f"采纳情况（按{title}）", title="采纳情况", notes=("计算说明", notes))
