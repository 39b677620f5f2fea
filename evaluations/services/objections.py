"""Objections to a result: within the period, with evidence, reviewed by others than before, then final.

Raising one and moving the round on both hold the round's row: none slips past a round whose results take effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, store_file
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.text import clean_text
from core.transitions import apply_move
from evaluations.models import Adjustment, Objection, Result, Round
from evaluations.permissions.outcomes import can_object
from evaluations.services.checklist import Obstacle, register_check
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules, rules_of
from evaluations.services.told import organisers_of, people_of_subject
from evaluations.transitions.outcomes import OBJECTION

OPEN = (Objection.State.RAISED, Objection.State.REVIEWING)
DECIDED = (Objection.State.UPHELD, Objection.State.REJECTED)
CUTOFFS = {"planner": "evaluation.cutoffs", "department": "evaluation.department_cutoffs"}
ACCEPTED = DOCUMENTS | IMAGES


def raise_objection(result: Result, *, actor: User, grounds: str, upload: Any = None) -> Objection:
    """Object to a result, once at a time.

    Side effects: audit entry (never the grounds), notices to bureau and leaders.
    Raises: Refused (not the subject, not in the period, decided already), ValidationError, StaleState.
    """
    with transaction.atomic():
        round_ = hold_round(result.subject.round_id)
        current = Result.objects.select_related("subject__round__locality").get(pk=result.pk)
        if Result.objects.filter(supersedes=current).exists():
            raise StaleState("结果已有新版，请对新版提出异议。")
        require(can_object(actor, current))
        grounds = clean_text(grounds)
        if not grounds:
            raise ValidationError({"grounds": "请写明异议理由。"})
        stored = None
        if upload is not None:
            stored = store_file(
                upload, actor=actor, purpose="objection", allowed=ACCEPTED, locality_code=round_.locality.code
            )
        made = Objection(result=current, raised_by=actor, grounds=grounds, evidence=stored)
        save_checked(made)
        audit.record("objection.raise", actor=actor, obj=made, locality=round_.locality, detail={"round": round_.title})
        text = f"{current.subject.label}对{round_.title}的结果提出异议，请受理。"
        notify(
            organisers_of(round_), kind="objection.raised", text=text, url=_url(made), key=f"objection-{made.pk}-raised"
        )
    return made


def withdraw_objection(objection: Objection, *, actor: User) -> Objection:
    """Raises: Refused, StaleState."""
    return apply_move(
        objection, OBJECTION, "withdraw", actor=actor,
        notify=lambda row: Notice(
            [row.reviewer_id] if row.reviewer_id else [], "objection.withdrawn",
            f"{row.result.subject.label}已撤回异议。", _url(row),
        ),
    )  # fmt: skip


def take_objection(objection: Objection, *, actor: User) -> Objection:
    """Take it on as its reviewer: nobody who rated the subject, changed its result or recorded the meeting.

    Raises: Refused (with the reason), StaleState.
    """
    return apply_move(
        objection, OBJECTION, "take", actor=actor, changes={"reviewer": actor},
        notify=lambda row: Notice([row.raised_by_id], "objection.taken", "您提出的异议已受理，正在复核。", _url(row)),
    )  # fmt: skip


def reject_objection(objection: Objection, *, actor: User, decision: str) -> Objection:
    """The result stands, and why; final. Raises: Refused, StaleState, ValidationError (no reason)."""
    decision = _worded(decision)
    with transaction.atomic():
        _in_notice(objection)
        return apply_move(
            objection, OBJECTION, "reject", actor=actor, reason=decision[:300],
            changes={"decision": decision, "decided_at": timezone.now()}, notify=_told_of_decision,
        )  # fmt: skip


def uphold_objection(
    objection: Objection, *, actor: User, decision: str, to_score: Decimal | None = None, to_grade: str = ""
) -> Objection:
    """The result is corrected, and why; final.

    Score and grade come together where the pack grades by score: the grade follows from the corrected score, unless the
    reviewer names another. Side effects: the move, an `Adjustment` under the objection, the result's final figures.
    Raises: Refused, StaleState, ValidationError by field (no reason, nothing changed, no such grade).
    """
    decision = _worded(decision)
    with transaction.atomic():
        _in_notice(objection)
        rows = Result.objects.select_for_update(of=("self",)).select_related("subject__round__locality")
        result = rows.get(pk=objection.result_id)
        score, grade = _corrected(result, to_score, to_grade)
        moved = apply_move(
            objection, OBJECTION, "uphold", actor=actor, reason=decision[:300],
            changes={"decision": decision, "decided_at": timezone.now()}, notify=_told_of_decision,
        )  # fmt: skip
        Adjustment.objects.create(
            result=result, objection=moved, made_by=actor, reason=decision[:500],
            from_score=result.final_score, to_score=score, from_grade=result.final_grade, to_grade=grade,
        )  # fmt: skip
        result.final_score, result.final_grade = score, grade
        result.save(update_fields=["final_score", "final_grade"])
        audit.record("result.adjust", actor=actor, obj=result, locality=result.subject.round.locality)
    return moved


def grades_of(round_: Round, direction: str) -> list[str]:
    """The grades that the round's rules know, best first; none where no cut-offs are set."""
    rows = rules_of(round_).value(CUTOFFS[direction]) or ()
    return [row["grade"] for row in rows]


def hold_round(pk: int) -> Round:
    """The round, its row held to the end of the transaction."""
    return Round.objects.select_for_update(of=("self",)).select_related("locality").get(pk=pk)


def _in_notice(objection: Objection) -> None:
    """Decisions fall while the results are open to objection; what is deliberated anew is not decided beside it."""
    if hold_round(objection.result.subject.round_id).state != Round.State.NOTICE:
        raise StaleState("评估已不在公示与异议阶段。")


def _worded(decision: str) -> str:
    decision = clean_text(decision)
    if not decision:
        raise ValidationError({"decision": "请写明复核意见。"})
    return decision


def _corrected(result: Result, to_score: Decimal | None, to_grade: str) -> tuple[Decimal | None, str]:
    if to_score is not None and not 0 <= to_score <= 100:
        raise ValidationError({"to_score": "得分须在 0 到 100 之间。"})
    score = result.final_score if to_score is None else to_score
    direction = result.subject.direction
    rows = rules_of(result.subject.round).value(CUTOFFS[direction]) or ()
    known = [row["grade"] for row in rows]
    if to_grade and known and to_grade not in known:
        raise ValidationError({"to_grade": f"没有这个等级，可选：{'、'.join(known)}。"})
    grade = to_grade or result.final_grade
    if not to_grade and to_score is not None and score is not None and rows:
        by_score = [row["grade"] for row in rows if score >= row["min_score"]]
        grade = by_score[0] if by_score else result.final_grade
    if (score, grade) == (result.final_score, result.final_grade):
        raise ValidationError({"to_score": "异议成立须写明更正后的得分或等级；结果不变请选“维持原结果”。"})
    return score, grade


def _told_of_decision(row: Objection) -> Notice:
    people = {row.raised_by_id, *people_of_subject(row.result.subject)}
    return Notice(
        sorted(people), "objection.decided", f"您提出的异议已复核：{row.get_state_display()}。", _url(row),
        key=f"objection-{row.pk}-decided",
    )  # fmt: skip


def _url(objection: Objection) -> str:
    return reverse("evaluations:objection", args=[objection.pk])


# --- with the round ---------------------------------------------------------------------------------------------


@register_effect("announce")
def _open_period(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """The period begins with the notice; each subject is told where its result stands, not what it is."""
    days = rules.value("evaluation.objection_days")
    round_.objections_until = today + timedelta(days=int(days))
    round_.save(update_fields=["objections_until"])
    until = round_.objections_until
    for result in results_of(round_):
        notify(
            people_of_subject(result.subject),
            kind="result.announced",
            text=f"{round_.title}的结果可以查看，如有异议请于{until.year}年{until.month}月{until.day}日前提出。",
            url=reverse("evaluations:own-result", args=[result.pk]),
            key=f"result-{result.pk}-{until}",
        )


@register_check("publish", "deliberate_again")
def _none_open(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    waiting = Objection.objects.filter(result__subject__round=round_, state__in=OPEN).count()
    if waiting:
        yield Obstacle(f"还有 {waiting} 件异议未办结")


@register_check("publish")
def _period_over(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    until = round_.objections_until
    if until is None:
        yield Obstacle("没有异议截止日期，请重新公示", "evaluation.objection_days")
    elif today <= until:
        yield Obstacle(f"异议期至{until.year}年{until.month}月{until.day}日，期满后结果才能生效")


def results_of(round_: Round) -> Any:
    """The newest version of each result of the round, with what its papers need."""
    rows = Result.objects.current().filter(Q(subject__round=round_), subject__left_out_reason="")
    return rows.select_related(
        "subject__round__locality", "subject__planner", "subject__team__lead", "subject__group", "subject__unit",
        "subject__organisation", "subject__institution", "subject__contract", "letter",
    ).order_by("-subject__direction", "subject__sort_key", "pk")  # fmt: skip
