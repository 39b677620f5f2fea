"""Figures of adoption as a page shows them: the value with its unit, its parts, and where each part opens to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.explain import Figure, Part
from projects import adoption

UNITS = dict.fromkeys(adoption.LABELS, "%") | {adoption.GAP: "个百分点"}
WHY = {
    adoption.RATE: "只计已反馈的意见；文件没有规定部分采纳如何折算，因此分别列出，不作折算。",
    adoption.TAKEN_RATE: "",
    adoption.ANSWER_RATE: "已撤回的征询和其他规划师尚未答复的征询，不计入应反馈。",
    adoption.LATE_RATE: "期限未设定的，不计逾期。",
    adoption.GAP: "其他意见的采纳率（含部分采纳）减去“须修改”意见的采纳率。数值越大，重要的意见越少被采纳。",
    adoption.DONE_RATE: "采纳和部分采纳的意见到期后，有多少登记了落实情况。",
    adoption.SAME_RATE: "同一单位的不采纳和部分采纳中，理由文字相同（不计标点和空格）的占比。",
    adoption.WORSE_RATE: "已反馈的意见中，后来改为更少采纳的占比。",
}


@dataclass(frozen=True, slots=True)
class ShownPart:
    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownFigure:
    code: str
    label: str
    value: str | None
    unit: str
    note: str
    why: str
    formula: str
    parts: tuple[ShownPart, ...]


def shown(code: str, figure: Figure, *, url: Callable[[int], str]) -> ShownFigure:
    """`url(n)`: where the n-th part opens to."""
    parts = tuple(
        ShownPart(part.label, str(part.value), url(number) if part.value else "")
        for number, part in enumerate(figure.parts)
        if not _is_formula(part)
    )
    formulas = [str(part.value) for part in figure.parts if _is_formula(part)]
    return ShownFigure(
        code, adoption.LABELS[code], None if figure.value is None else f"{figure.value}", UNITS[code], figure.note,
        WHY[code], " − ".join(formulas), parts,
    )  # fmt: skip


def _is_formula(part: Part) -> bool:
    return part.code.startswith("formula:")
