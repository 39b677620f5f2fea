"""How much of planners' recorded time meetings eat (R76 “大会小会均参加”): pure. Half days of logs in, an explained share
out. No document sets a limit, so nothing is judged here: the share stands with its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from core.explain import Figure, Part

MEETING = "meeting"
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Half days and number of logs of one kind of work; `records`: their ids, where they were asked for."""

    kind: str
    halves: int
    logs: int
    records: tuple[int, ...] = ()


def meeting_share(rows: Iterable[Recorded], *, labels: Mapping[str, str], few: int) -> Figure:
    """Half days in meetings ÷ all recorded half days, in per cent. Under `few` logs it is marked as a share of few."""
    rows = sorted(rows, key=lambda row: (row.kind != MEETING, row.kind))
    parts = tuple(
        Part(labels.get(row.kind, row.kind), Decimal(row.halves), row.records, code=row.kind) for row in rows
    )  # fmt: skip
    whole, logs = sum(row.halves for row in rows), sum(row.logs for row in rows)
    formula = Part("算式", "会议半天数 ÷ 全部记录的半天数", code="formula")
    if not whole:
        return Figure(None, (*parts, formula), note="没有履职记录")
    note = f"只有 {logs} 条记录，不足 {few} 条，仅供参考" if logs < few else ""
    return Figure(recompute(parts), (*parts, formula), note=note)


def recompute(parts: Iterable[Part]) -> Decimal | None:
    """The share once more, from the parts alone."""
    halves = {part.code: Decimal(part.value or 0) for part in parts if part.code != "formula"}
    whole = sum(halves.values())
    return (halves.get(MEETING, Decimal(0)) * 100 / whole).quantize(_TENTH, ROUND_HALF_UP) if whole else None
