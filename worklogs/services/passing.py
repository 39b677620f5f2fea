"""Logs and changes of units: what was recorded stays where it was; what was recorded too late finds its unit.

A document often arrives after its effective day. Logs dated on or after that day then lie at a unit that was no more:
they go to the unit that their planner served on that day. Where that is not exactly one, or a month is closed, the
change is refused with the reason, because a day must neither vanish nor count twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Count, Max, Q

from core import audit
from districts.models import Unit
from districts.passing import STOP, WARNING, Effect, Passing
from planners.services.assignments import ServicePeriod, service_periods
from worklogs.models import MonthClosing, WorkLog
from worklogs.querysets import AWAITING, COUNTING, month_of

audit.register_actions({"worklog.pass_on": "随责任单元变更归入"})
_AREA = "履职记录"
# What nobody has handed in, or was struck out, counts nowhere: it may stay behind.
_IDLE = ("draft", "withdrawn", "void")


def pass_logs(passing: Passing) -> list[Effect]:
    """Logs of the new order go to the unit they belong to; the rest stays and is told.

    Side effects: rows moved with an audit entry each.
    Where a log would be lost (nobody serves a successor on its day, several do, or the month is closed) nothing is
    moved and the effects stop the change.
    """
    sources = {unit.charge_id: unit for unit in passing.sources}
    late = [] if passing.is_rename else _late(passing)
    moves, lost = _places(late, passing)
    stops = [*_lost(lost, passing), *_closed(moves)]
    if stops:
        return stops
    moved = Counter[tuple[int, int]]()
    for log, period in moves:
        moved[log.charge_id, period.charge_id] += 1
    names = {unit.charge_id: unit.name for unit in [*passing.sources, *passing.targets]}
    _move(moves, names, passing)
    effects = [
        Effect(_AREA, f"{names[old]}：{passing.first_day:%Y-%m-%d} 及以后的 {count} 条", f"归入“{names[new]}”", WARNING)
        for (old, new), count in moved.items()
    ]
    return [*effects, *_staying(sources, passing)]


def _late(passing: Passing) -> list[WorkLog]:
    charges = [unit.charge_id for unit in passing.sources]
    rows = WorkLog.objects.filter(charge_id__in=charges, date__gte=passing.first_day).select_related(
        "planner", "locality"
    )
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _places(late: Sequence[WorkLog], passing: Passing) -> tuple[list[tuple[WorkLog, ServicePeriod]], list[WorkLog]]:
    """The logs that move, each with the service it falls in; and those that have no place, or several."""
    if not late:
        return [], []
    charges = [unit.charge_id for unit in passing.targets]
    served: dict[int, list[ServicePeriod]] = defaultdict(list)
    for period in service_periods(planners={log.planner_id for log in late}, charges=charges):
        served[period.planner_id].append(period)
    moves, lost = [], []
    for log in late:
        found: dict[int, ServicePeriod] = {}
        # The contract that it was recorded under, where that one goes on there.
        for period in sorted(served[log.planner_id], key=lambda p: p.contract_id != log.contract_id):
            if period.holds(log.date):
                found.setdefault(period.charge_id, period)
        if log.charge_id in found:
            continue
        if len(found) == 1:
            moves.append((log, next(iter(found.values()))))
        elif log.state not in _IDLE and log.superseded_by_id is None:
            lost.append(log)
    return moves, lost


def _lost(lost: Sequence[WorkLog], passing: Passing) -> list[Effect]:
    if not lost:
        return []
    last = max(log.date for log in lost)
    people = "、".join(sorted({log.planner.name for log in lost}))
    way = "请为这些规划师只选一个去向后重新预览，或" if len(passing.targets) > 1 else "请"
    what = f"{passing.first_day} 及以后已有 {len(lost)} 条履职记录（{people}，最近一条 {last}）"
    words = f"按所选去向无法确定归入哪个单元。{way}把生效日期改到 {last} 之后，或先由规划师撤回、更正这些记录。"
    return [Effect(_AREA, what, words, STOP)]


def _closed(moves: Iterable[tuple[WorkLog, ServicePeriod]]) -> list[Effect]:
    """What was signed stays signed: nothing leaves or enters a closed month."""
    months = {(charge, month_of(log.date)) for log, period in moves for charge in (log.charge_id, period.charge_id)}
    if not months:
        return []
    rows = MonthClosing.objects.filter(charge_id__in={charge for charge, _ in months}).select_related("charge")
    closed = [row for row in rows if (row.charge_id, row.month) in months]
    words = "其中的记录不能再改归其他单元，请把生效日期改到其后。"
    return [Effect(_AREA, f"“{row.charge}”{row.month:%Y年%-m月}已锁定", words, STOP) for row in closed]


def _move(moves: Iterable[tuple[WorkLog, ServicePeriod]], names: dict[int, str], passing: Passing) -> None:
    entries = []
    for log, period in moves:
        detail = {"from": log.charge_name, "to": names[period.charge_id], "reason": passing.change.document_number}
        entries.append(
            audit.build("worklog.pass_on", actor=passing.actor, obj=log, locality=log.locality, detail=detail)
        )
        values = {
            "charge_id": period.charge_id,
            "charge_name": names[period.charge_id],
            "contract_id": period.contract_id,
        }
        WorkLog.objects.filter(pk=log.pk).update(**values)
    audit.record_many(entries)


def _staying(sources: dict[int, Unit], passing: Passing) -> list[Effect]:
    """Logs and months that stay under the old unit or name, and who looks after them."""
    rows = WorkLog.objects.filter(charge_id__in=sources).current()
    counts = rows.values("charge_id").annotate(
        all=Count("pk", filter=Q(state__in=COUNTING)),
        waiting=Count("pk", filter=Q(state__in=AWAITING)),
        last=Max("date"),
    )
    effects = []
    for row in counts.order_by("charge_id"):
        source = sources[row["charge_id"]]
        if passing.is_rename:
            words = "保留当时的名称，用新旧名称都能查到"
        else:
            stays = any(unit.pk == source.pk for unit in passing.targets)
            words = (
                "不变"
                if stays
                else "仍在其名下，计入变更之前的天数" + ("，从后继单元也能查到" if passing.targets else "")
            )
        effects.append(Effect(_AREA, f"{source}：已有 {row['all']} 条（最近 {row['last']}）", words))
        if row["waiting"] and not passing.is_rename:
            words = "由后继单元的主管部门继续确认" if passing.targets else "由规划分局继续确认"
            effects.append(Effect("待确认记录", f"{source}：{row['waiting']} 条", words, WARNING))
    return effects
