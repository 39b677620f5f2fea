"""What waits in rounds of evaluation: sheets to fill in, and what the bureau has to move on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.urls import reverse

from districts.access import Access
from districts.models import Locality
from evaluations.models import Round, RoundStep, Sheet
from evaluations.services.rounds import offered_rounds
from evaluations.services.seats import empty_seats
from portal.todo_item import LATER, OVERDUE, SOON, WAITING, Todo

if TYPE_CHECKING:
    from accounts.models import User

SOON_WITHIN = timedelta(days=5)


def _own_sheets(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Sheets of open steps that are one's own and not handed in, step by step; and forms given back."""
    owed = Sheet.objects.owed_by(user).unanswered().exclude(state="declined").filter(round__standing="active")
    open_ = owed.filter(step__state="open", round__state="scoring").values_list("step")
    counts = dict(open_.annotate(n=Count("pk")).order_by())
    for step in RoundStep.objects.filter(pk__in=counts).select_related("round").order_by("due_on", "pk"):
        due, urgency, note = step.due_on, WAITING, ""
        if due is not None:
            urgency = OVERDUE if due < today else SOON if due - today <= SOON_WITHIN else WAITING
            note = f"已过截止日期 {due}" if due < today else f"{due} 前提交"
        yield Todo(
            urgency, f"{step.round}：{step.title}待填写", reverse("evaluations:sheet-list"), "去填写", counts[step.pk], note
        )  # fmt: skip
    back = owed.filter(step__state="closed", state="draft", reopened_until__gte=today)
    for sheet in back.select_related("round", "subject")[:5]:
        yield Todo(
            SOON, f"{sheet.round}：对{sheet.subject}的评估表已重新开放", reverse("evaluations:sheet", args=[sheet.pk]),
            "去修改", 1, f"{sheet.reopened_until} 前提交",
        )  # fmt: skip


def _rounds_to_move(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Rounds of the bureau's own locality that wait for it: to open, to close, to decide who rates instead."""
    rounds = Round.objects.filter(locality_id__in=access.locality_ids, standing="active")
    for round_ in rounds.filter(state__in=["preparation", "self_report", "scoring"]).select_related("locality")[:10]:
        url = reverse("evaluations:round", args=[round_.pk])
        if round_.state == Round.State.PREPARATION:
            yield Todo(WAITING, f"{round_}待启动", url, "去核对", 1, "核对表样、评估人和清单")
            continue
        declined = round_.sheets.filter(state="declined").exclude(step__state="closed").count()
        if declined:
            yield Todo(SOON, f"{round_}：申请回避待决定", url, "去办理", declined)
        if empty := empty_seats(round_, on=today):
            yield Todo(SOON, f"{round_}：评估表无人可填", url, "去改派", len(empty), "评估人已离任或没有有效身份")
        for step in round_.steps.filter(state="open", due_on__lt=today):
            yield Todo(OVERDUE, f"{round_}：{step.title}已过截止日期", url, "去截止", 1, f"截止日期 {step.due_on}")
        if round_.state == Round.State.SCORING and not round_.steps.exclude(state="closed").exists():
            yield Todo(WAITING, f"{round_}各步骤已截止，可以汇总", url, "去办理")


def _round_to_prepare(user: User, access: Access, today: date) -> Iterator[Todo]:
    """The policy asks for an evaluation of a period that is over, and nobody has set it up."""
    if access.locality_id is None:
        return
    locality = Locality.objects.get(pk=access.locality_id)
    due = [(plan, period) for plan, period in offered_rounds(locality, today=today) if period.end < today]
    for plan, period in due[:2]:
        yield Todo(LATER, f"{period.titled(plan.title)}尚未建立", reverse("evaluations:round-prepare"), "去建立")


Source = Callable[["User", Access, date], Iterator[Todo]]
RATING: tuple[Source, ...] = (_own_sheets,)
ROUNDS: tuple[Source, ...] = (_rounds_to_move, _round_to_prepare)
