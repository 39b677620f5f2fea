"""A round whose results have been settled, and what its subjects and organisers do from there on."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from evaluations.models import Result, Round, Sheet
from evaluations.services.deliberation import record_deliberation
from evaluations.services.rounds import move_round, open_round
from evaluations.services.steps import close_step
from evaluations.tests.round_cases import TODAY, Site
from factories import fill_sheet, make_round, make_user
from factories_kept import onward

FIGURES = {
    "indicators": {"a": "81.50", "b": "77.00"},
    "titles": {"a": "到岗与走访", "b": "意见质量"},
    "answered": {"a": 1, "b": 1},
    "given": {"submitted": 1},
}


@onward
def deliberated(site: Site, *, raters: int = 0, scope: str = "both") -> Round:
    """Closed, computed and settled: planners 88.50 合格, offices 91.25; `raters` planners rated each office."""
    round_ = open_round(make_round(site.locality, actor=site.bureau, scope=scope), actor=site.bureau, today=TODAY)
    if round_.state == "self_report":
        round_ = move_round(round_, "start_scoring", actor=site.bureau, today=TODAY)
    for sheet in round_.sheets.filter(step__number=1).select_related("planner", "unit"):
        fill_sheet(sheet, sheet.planner.user if sheet.planner else site.unit_officer, 88, comment="密封内容")
    for number, subject in enumerate(round_.subjects.filter(direction="department")):
        sheet = round_.sheets.filter(subject=subject).first()
        for extra in range(max(0, raters - subject.sheets.filter(state="submitted").count())):
            Sheet.objects.create(
                round=round_, step=sheet.step, form=sheet.form, subject=subject, side="planner",
                rater_key=f"extra-{number}-{extra}", rater="示例评估人", state="submitted",
                author=make_user(f"示例评估人{number}{extra}"),
            )  # fmt: skip
    for step in round_.steps.filter(state="open"):
        close_step(step, actor=site.bureau)
    Round.objects.filter(pk=round_.pk).update(state="deliberation")
    for subject in round_.subjects.taking_part():
        planner = subject.direction == "planner"
        score, grade = (Decimal("88.50"), "合格") if planner else (Decimal("91.25"), "")
        Result.objects.create(
            subject=subject, state="settled", score=score, grade=grade, final_score=score, final_grade=grade,
            figures=FIGURES if planner else FIGURES | {"answered": {"a": max(raters, 1), "b": max(raters, 1)}},
        )  # fmt: skip
    round_.refresh_from_db()
    return round_


@onward
def announced(site: Site, *, raters: int = 0, on: date | None = None, scope: str = "both") -> Round:
    """Told to the subjects, with the days to object running from today (or `on`)."""
    round_ = deliberated(site, raters=raters, scope=scope)
    today = timezone.localdate()
    record_deliberation(
        round_,
        actor=site.leader,
        body="工作组",
        held_on=today,
        attendees="甲、乙、丙",
        minutes="同意评估结果。",
        today=today,
    )
    return move_round(round_, "announce", actor=site.leader, today=on or today)


@onward
def published(site: Site, *, raters: int = 0, scope: str = "both") -> Round:
    """In effect: the days to object are over."""
    today = timezone.localdate()
    round_ = announced(site, raters=raters, on=today - timedelta(days=60), scope=scope)
    Result.objects.filter(subject__round=round_).update(state="published")
    return move_round(
        round_, "publish", actor=site.bureau, today=today, changes={"published_at": timezone.now()}
    )  # fmt: skip


def result_of(round_: Round, **where) -> Result:
    return Result.objects.select_related("subject__round__locality").get(subject__round=round_, **where)
