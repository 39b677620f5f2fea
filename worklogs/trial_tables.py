"""The rows of a dry run: each figure as it counts now → as it would."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.spreadsheets import ExportColumn
from core.templatetags.ui import Column, Table, status_html
from worklogs.figure_tables import UNSET
from worklogs.models import PolicyTrialRow
from worklogs.tally.words import label_of, tidy

COLUMNS = (
    Column("对象", "label", "main"), Column("应完成天数", kind="num"), Column("服务天数", kind="num"),
    Column("天数不足", kind="num"), Column("走访", kind="num"), Column("次数不足", kind="num"),
    Column("扣减（元）", "change", "num"), Column("结果", kind="status"),
)  # fmt: skip
EXPORT = (
    ExportColumn("对象", "text", 26), ExportColumn("合同编号", "text", 16), ExportColumn("受本决定约束", "text", 12),
    *(
        ExportColumn(f"{label}（{side}）", "money" if label == "扣减" else "number", 14)
        for label in ("应完成天数", "服务天数", "天数不足", "应走访次数", "走访次数", "次数不足", "扣减")
        for side in ("现行", "新值")
    ),
    ExportColumn("扣减变化", "money", 14), ExportColumn("结果", "text", 14),
    ExportColumn("未设定的规则（现行）", "text", 40), ExportColumn("未设定的规则（新值）", "text", 40),
)  # fmt: skip


def trial_table(rows: Sequence[PolicyTrialRow]) -> Table:
    return Table(COLUMNS, [_cells(row) for row in rows], "试算结果")


def _cells(row: PolicyTrialRow) -> tuple[Any, ...]:
    return (
        format_html(
            '<a href="{}">{}</a><span class="cell-note">{}</span>',
            row.get_absolute_url(), row.label, row.contract.number,
        ),
        *(_change(row, name) for name in ("required_days", "days", "shortfall_days")),
        _change(row, "visits"), _change(row, "shortfall_visits"), _change(row, "deduction"),
        status_html(*standing_of(row)),
    )  # fmt: skip


def standing_of(row: PolicyTrialRow) -> tuple[str, str]:
    """What becomes of the subject, in a word and a tone."""
    if row.side == PolicyTrialRow.Side.BEFORE:
        return "不再单独计量", "neutral"
    if row.side == PolicyTrialRow.Side.AFTER:
        return "新的计量对象", "info"
    if row.short_after and not row.short_before:
        return "新增不达标", "bad"
    if row.short_before and not row.short_after:
        return "不再不达标", "good"
    return ("有变化", "waiting") if row.differs else ("不变", "neutral")


def _change(row: PolicyTrialRow, name: str) -> SafeString:
    before, after = (_words(row, name, side) for side in ("before", "after"))
    if before == after:
        return format_html("{}", after)
    return format_html('<span><span class="was">{}</span> → <strong>{}</strong></span>', before, after)


def _words(row: PolicyTrialRow, name: str, side: str) -> Any:
    if row.side not in ("both", side):
        return "—"
    value: Decimal | None = getattr(row, f"{name}_{side}")
    if value is None:
        return UNSET
    if name == "deduction":
        return f"{value:,.2f}"
    asked: Decimal | None = getattr(row, f"required_visits_{side}") if name == "visits" else None
    return tidy(value) if asked is None else f"{tidy(value)} / {tidy(asked)}"


def export_row(row: PolicyTrialRow) -> tuple[Any, ...]:
    """The cells under EXPORT; what is unset is empty, and its rules are named."""
    pairs = (getattr(row, f"{name}_{side}") for name in PolicyTrialRow.FIGURES for side in ("before", "after"))
    known = row.deduction_before is not None and row.deduction_after is not None
    return (
        row.label, row.contract.number, "是" if row.applies else "否（保留签订时的版本）", *pairs,
        row.change if known else None, standing_of(row)[0], _rules(row.unset_before), _rules(row.unset_after),
    )  # fmt: skip


def _rules(unset: dict[str, list[str]]) -> str:
    return "、".join(label_of(key) for key in dict.fromkeys(key for keys in unset.values() for key in keys))
