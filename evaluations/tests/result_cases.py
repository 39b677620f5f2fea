"""A round with every sheet answered, moved to where a test of results begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.jobs import run_waiting
from evaluations.models import Deliberation, Result, Round, Sheet
from evaluations.services.deliberation import adjust_result, record_deliberation, settle_round
from evaluations.services.results import results_of
from evaluations.services.rounds import move_round, open_round
from evaluations.services.steps import close_step, open_step
from evaluations.tests.round_cases import TODAY, Site
from factories import fill_sheet, make_round
from factories_kept import onward

D = Decimal
WRITERS = {"unit": "unit_officer", "project_owner": "owner", "bureau": "bureau", "department": "department"}


def writer(site: Site, sheet: Sheet) -> Any:
    if sheet.planner is not None:
        return sheet.planner.user
    if sheet.unit_id == site.other_unit.pk:
        return site.other_officer
    return getattr(site, WRITERS.get(sheet.side, "leader"))


@onward
def open_scoring(site: Site, scope: str = "both", **extra: Any) -> Round:
    opened = open_round(
        make_round(site.locality, actor=site.bureau, scope=scope, **extra), actor=site.bureau, today=TODAY
    )
    if opened.state == "self_report":
        opened = move_round(opened, "start_scoring", actor=site.bureau, today=TODAY)
    return opened


def answer_all(site: Site, round_: Round, points: Any = 90, *, by: Mapping[int, Any] = {}, leave: Any = ()) -> None:
    """`by`: points for the sheets of a subject; `leave`: sheets that nobody answers."""
    for sheet in round_.sheets.counting().select_related("planner__user"):
        if sheet.pk not in leave:
            fill_sheet(sheet, writer(site, sheet), by.get(sheet.subject_id, points), comment="密封说明")


def close_all(site: Site, round_: Round) -> None:
    for step in round_.steps.order_by("number"):
        if step.state == "pending":
            step = open_step(step, actor=site.bureau, due_on=date(2026, 3, 1))
        close_step(step, actor=site.bureau)


@onward
def collated(site: Site, round_: Round, points: Any = 90, *, by: Mapping[int, Any] = {}, leave: Any = ()) -> Round:
    """Answered, closed, collated, computed by the job."""
    answer_all(site, round_, points, by=by, leave=leave)
    close_all(site, round_)
    moved = move_round(round_, "collate", actor=site.bureau, today=TODAY)
    run_waiting()
    return moved


@onward
def deliberated(site: Site, round_: Round, points: Any = 90, **extra: Any) -> Round:
    return move_round(collated(site, round_, points, **extra), "deliberate", actor=site.bureau, today=TODAY)


def meet(site: Site, round_: Round) -> Deliberation:
    return record_deliberation(
        round_, actor=site.leader, body="工作组", held_on=timezone.localdate(), attendees="甲、乙、丙", minutes="同意评估结果。",
        today=timezone.localdate(),
    )  # fmt: skip


def settle(site: Site, round_: Round) -> None:
    for row in results_of(round_).filter(final_grade="").filter(subject__direction="planner"):
        change(site, row, None, "", "样本不足，不评定等级")
    settle_round(round_, actor=site.leader)


@onward
def announced(site: Site, round_: Round, points: Any = 90, **extra: Any) -> Round:
    moved = deliberated(site, round_, points, **extra)
    settle(site, moved)
    meet(site, moved)
    return move_round(moved, "announce", actor=site.leader, today=TODAY)


@onward
def published(site: Site, round_: Round, points: Any = 90, **extra: Any) -> Round:
    moved = announced(site, round_, points, **extra)
    assert moved.objections_until is not None
    return move_round(moved, "publish", actor=site.bureau, today=moved.objections_until + timedelta(days=1))


def change(site: Site, result: Result, score: Any, grade: str, reason: str = "会议复核", **extra: Any) -> Result:
    extra.setdefault("seen", result.adjustments.order_by("-pk").values_list("pk", flat=True).first() or 0)
    return adjust_result(
        result, actor=extra.pop("actor", site.leader), to_score=None if score is None else D(score), to_grade=grade,
        reason=reason, **extra,
    )  # fmt: skip


def of_planner(round_: Round, planner: Any = None) -> Result:
    rows = results_of(round_).filter(subject__direction="planner")
    return rows.get(subject__planner=planner) if planner else rows.get()
