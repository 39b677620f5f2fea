"""Checks that need more than one key: codes that must exist, weights that must add up, orders that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from districts.policy.keys_appointment import ANY_ROLE
from districts.policy.problems import Report

_ROLE_COLUMNS = (
    "roles.qualifications",
    "roles.headcount",
    "roles.group_size",
    "appointment.modes",
    "appointment.appointers",
    "contract.term_years",
    "review.tiers",
)
_WEIGHTS = (
    ("evaluation.planner_weights", "indicator", "evaluation.planner_indicators", "code"),
    ("evaluation.department_weights", "indicator", "evaluation.department_indicators", "code"),
    ("evaluation.stage_weights", "step", "evaluation.stages", "step"),
    ("evaluation.evaluator_weights", "side", "", ""),
)


def check_together(values: Mapping[str, Any], path: str, report: Report) -> None:
    """Report what does not fit together. References are checked only where both ends are present."""
    _roles(values, path, report)
    for name, column, target, code in _WEIGHTS:
        rows = values.get(name)
        if rows is None:
            continue
        total = sum((row["weight"] for row in rows), Decimal(0))
        if total != 100:
            report.add(f"{path}.{name}.value", f"权重合计为 {total}", "合计 100")
        if target in values:
            known = {row[code] for row in values[target]}
            _unknown(rows, column, known, f"{path}.{name}.value", report)
    evaluators = values.get("evaluation.planner_evaluators")
    if evaluators is not None and "evaluation.evaluator_weights" in values:
        where = f"{path}.evaluation.evaluator_weights.value"
        _unknown(values["evaluation.evaluator_weights"], "side", set(evaluators), where, report)
    _cutoffs(values, path, report)
    _falling(values, "evaluation.department_cutoffs", path, report)
    _scoring(values, path, report)


def _scoring(values: Mapping[str, Any], path: str, report: Report) -> None:
    """A limit is on a grade that there is. What else a limit or a set score needs is asked when a round opens."""
    limits = values.get("evaluation.ratio_limits")
    if limits is not None and "evaluation.cutoffs" in values:
        graded = {row["grade"] for row in values["evaluation.cutoffs"]}
        _unknown(limits, "grade", graded, f"{path}.evaluation.ratio_limits.value", report)


def _roles(values: Mapping[str, Any], path: str, report: Report) -> None:
    if "roles.types" not in values:
        return
    known = {row["code"] for row in values["roles.types"]} | {ANY_ROLE, None}
    for name in _ROLE_COLUMNS:
        _unknown(values.get(name, ()), "role", known, f"{path}.{name}.value", report)
    for index, role in enumerate(values.get("pay.unpaid_roles", ())):
        if role not in known:
            report.add(f"{path}.pay.unpaid_roles.value[{index}]", f"“{role}”未在 roles.types 中定义", _list(known))


def _unknown(rows: Any, column: str, known: set[Any], path: str, report: Report) -> None:
    for index, row in enumerate(rows):
        if row.get(column) not in known:
            report.add(f"{path}[{index}].{column}", f"“{row.get(column)}”没有定义", _list(known))


def _list(known: set[Any]) -> str:
    return "、".join(sorted(str(code) for code in known if code is not None))


def _falling(values: Mapping[str, Any], key: str, path: str, report: Report) -> None:
    cutoffs = values.get(key)
    if cutoffs is None:
        return
    scores = [row["min_score"] for row in cutoffs]
    if any(above <= below for above, below in pairwise(scores)):
        report.add(f"{path}.{key}.value", "分数线没有从高到低", "等级从高到低，最低分逐级递减")
    if scores[-1] != 0:
        report.add(f"{path}.{key}.value", "最低等级的分数线不为 0", "最后一级的最低分为 0")


def _cutoffs(values: Mapping[str, Any], path: str, report: Report) -> None:
    cutoffs = values.get("evaluation.cutoffs")
    if cutoffs is None:
        return
    _falling(values, "evaluation.cutoffs", path, report)
    ratios = values.get("pay.tail_ratios")
    if ratios is not None:
        graded = {row["grade"] for row in cutoffs}
        _unknown(ratios, "grade", graded, f"{path}.pay.tail_ratios.value", report)
        for missing in sorted(graded - {row["grade"] for row in ratios}):
            report.add(f"{path}.pay.tail_ratios.value", f"等级“{missing}”没有支付比例", "每个等级一行")
