"""Rows of the list of logs: plain values from the database, each cell worded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Substr
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from core.templatetags.ui import Column, Table, status_html

from .models import LogFinding, WorkLog
from .querysets import WorkLogQuerySet

SLOTS = dict(WorkLog.Slot.choices)
KINDS = dict(WorkLog.Kind.choices)
STATES = dict(WorkLog.State.choices)
TONES = {
    "draft": "neutral", "submitted": "waiting", "proposed": "waiting", "confirmed": "good", "returned": "bad",
    "withdrawn": "neutral", "void": "bad",
}  # fmt: skip
_SHOWN = 60
_DATE_LINK = '<a class="text-nowrap" href="{}"><span class="num">{}</span> {}</a>'
_FIELDS = (
    "pk", "date", "slot", "planner__name", "charge_name", "kind", "met_principal", "state", "superseded_by_id",
)  # fmt: skip

COLUMNS = (
    Column("日期", kind="main"), Column("规划师"), Column("单元（项目）"), Column("类别", kind="short"), Column("内容"),
    Column("会见负责人"), Column("状态", kind="status"),
)  # fmt: skip


def light(rows: WorkLogQuerySet) -> Any:
    """Tuples instead of objects: a page of a list is formatted, not worked with."""
    remarked = LogFinding.objects.standing().filter(log=OuterRef("pk"), state=LogFinding.State.OPEN)
    return rows.annotate(words=Substr("content", 1, _SHOWN + 1), remarked=Exists(remarked)).values_list(
        *_FIELDS, "words", "remarked"
    )


def state_badge(state: str, *, superseded: bool = False) -> Any:
    return status_html("已更正", "neutral") if superseded else status_html(STATES[state], TONES[state])


def _state(state: str, *, superseded: bool, remarked: bool) -> Any:
    badge = state_badge(state, superseded=superseded)
    return format_html('{}<br><span class="flag">待核对</span>', badge) if remarked else badge


def log_table(rows: Iterable[Sequence[Any]]) -> Table:
    detail = reverse("worklogs:detail", args=[0])
    cells = []
    for pk, on, slot, planner, charge, kind, met, state, superseded, words, remarked in rows:
        url = detail.replace("/0/", f"/{pk}/")
        shown = words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
        cells.append(
            (
                mark_safe(_DATE_LINK.format(url, on.isoformat(), SLOTS[slot])),  # noqa: S308 - no text of people
                planner,
                charge,
                KINDS[kind],
                shown,
                "是" if met else "",
                _state(state, superseded=bool(superseded), remarked=remarked),
            )
        )
    return Table(columns=COLUMNS, rows=cells, caption="履职记录")
