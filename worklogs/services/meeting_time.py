"""Recorded half days by kind of work, added up by the database: of a place's units and planners, for a period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Case, Count, F, Sum, Value, When

from core.explain import Figure
from worklogs.meeting_time import Recorded, meeting_share
from worklogs.models import WorkLog

if TYPE_CHECKING:
    from worklogs.querysets import WorkLogQuerySet

BY = {"charge": ("charge_id", "charge__name", "责任单元（项目）"), "planner": ("planner_id", "planner__name", "规划师")}
_HALVES = Sum(Case(When(slot="full", then=Value(2)), default=Value(1)))
_LABELS = dict(WorkLog.Kind.choices)


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One unit, or one planner."""

    key: int
    name: str
    logs: int
    meetings: int
    share: Figure


def few() -> int:
    return int(settings.REVIEW["few_items"])


def share_of(rows: WorkLogQuerySet) -> Figure:
    """All of these logs together; `rows` hold what counts already."""
    found = rows.order_by().values_list("kind").annotate(halves=_HALVES, logs=Count("pk"))
    return meeting_share([Recorded(*row) for row in found], labels=_LABELS, few=few())


def lines_by(rows: WorkLogQuerySet, by: str) -> list[ShareLine]:
    """By unit or by planner, the highest share first."""
    key, name, _ = BY[by]
    grouped: dict[tuple[int, str], list[Recorded]] = {}
    found: Any = (
        rows.order_by().values(one=F(key), name=F(name)).annotate(what=F("kind"), halves=_HALVES, logs=Count("pk"))
    )
    for row in found:
        kept = grouped.setdefault((row["one"], row["name"]), [])
        kept.append(Recorded(row["what"], row["halves"], row["logs"]))
    lines = [
        ShareLine(
            pk, title, sum(one.logs for one in kinds), sum(one.logs for one in kinds if one.kind == "meeting"),
            meeting_share(kinds, labels=_LABELS, few=few()),
        )
        for (pk, title), kinds in grouped.items()
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (-(line.share.value or 0), line.name))
