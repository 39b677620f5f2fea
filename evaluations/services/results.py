"""Results of a round: computed while it is collated, as versions; in effect and handed down when it is published.

What a subject may see of its own result is said in `services.shown`: the result, never the workings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.jobs import enqueue
from core.models import Job
from core.permissions import require
from core.transitions import bulk_apply_move
from evaluations.models import Result, Round, Subject
from evaluations.permissions.results import can_compute_results, can_correct_result
from evaluations.scoring import Graded, ScoringRules
from evaluations.services.adjusting import checked_change
from evaluations.services.checklist import Obstacle, register_check
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules
from evaluations.services.scores import NOT_CLOSED, Evaluated, is_closed, score_json, sheets_as_they_stand
from evaluations.transitions.outcomes import RESULT
from planners.services.assessments import Finding, record_assessment

COMPUTE_KIND = "evaluations.compute"
CHANGED = "测算期间评估表有变动"

audit.register_actions({"result.export": "导出评估结果", "result.correct": "更正评估结果"})


def results_of(round_: Round) -> QuerySet[Result]:
    """The newest version of each result of those who take part, best first."""
    rows = Result.objects.current().filter(subject__round=round_, subject__left_out_reason="")
    return rows.select_related("subject").order_by(
        "subject__direction", F("rank").asc(nulls_last=True), "subject__sort_key", "pk"
    )


# --- computing ----------------------------------------------------------------------------------------------------


def start_computation(round_: Round, *, actor: User) -> Job:
    """Ask a worker to compute the results; asked again while it is at it gives the same job. Raises: Refused."""
    require(can_compute_results(actor, round_))
    return _enqueue(round_, actor)


def _enqueue(round_: Round, actor: User) -> Job:
    return enqueue(
        COMPUTE_KIND, actor=actor, arguments={"round": round_.pk}, key=f"evaluate-{round_.pk}",
        locality=round_.locality, label=f"测算{round_.title}"[:120],
    )  # fmt: skip


@register_effect("collate")
def _compute_at_once(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """Nobody has to think of it: what has closed is computed."""
    _enqueue(round_, actor)


@transaction.atomic
def write_results(round_: Round, evaluated: Sequence[Evaluated], *, actor: User | None) -> int:
    """Keep what was computed; a result that came out otherwise than before is a new version. Returns how many are new.

    The round is held meanwhile, so that a computation that is still running when it moves on writes nothing.
    Side effects: audit entry. Raises: Refused (no longer collated), StaleState (a sheet changed since it was read).
    """
    locked = Round.objects.select_for_update(of=("self",)).select_related("locality").get(pk=round_.pk)
    if actor is None:
        raise ValidationError("测算须由有权人员发起。")
    require(can_compute_results(actor, locked))
    if not is_closed(locked):
        raise ValidationError(NOT_CLOSED)
    standing = sheets_as_they_stand(locked)
    known = {row.subject_id: row for row in results_of(locked)}
    made = []
    for one in evaluated:
        far = {score.subject.record: [o for o in one.outliers if o.subject == score.subject.record]
               for score in one.scores}  # fmt: skip
        grades = {row.record: row for row in one.graded}
        for score in one.scores:
            pk = score.subject.record
            if standing.get(pk, {}) != one.seen.get(pk, {}):
                raise StaleState(CHANGED)
            figures = score_json(score, far[pk], one.seen.get(pk, {})) | {"grading": _grading(grades[pk], one.rules)}
            result = _computed(pk, grades[pk], figures, known.get(pk))
            if result is not None:
                made.append(result)
    Result.objects.bulk_create(made, batch_size=200)
    audit.record(
        "result.compute", actor=actor, obj=locked, detail={"results": len(known) or len(made), "new": len(made)}
    )
    return len(made)


def _computed(subject: int, graded: Graded, figures: dict[str, Any], before: Result | None) -> Result | None:
    """The next version, or None when nothing of it would be different."""
    values: dict[str, Any] = {
        "score": graded.score, "by_score": graded.by_score or "", "grade": graded.grade or "", "rank": graded.rank,
        "note": graded.note[:300], "unset": list(graded.unset), "figures": figures,
    }  # fmt: skip
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return None
    return Result(
        subject_id=subject, version=before.version + 1 if before else 1, supersedes=before,
        final_score=graded.score, final_grade=graded.grade or "", **values,
    )  # fmt: skip


def _grading(graded: Graded, rules: ScoringRules) -> dict[str, Any]:
    """By which cut-offs and limits the score became the grade."""
    return {
        "cutoffs": [[grade, str(least)] for grade, least in rules.cutoffs],
        "limits": [[limit.grade, str(limit.ratio), limit.rounding] for limit in rules.limits],
        "clause": "" if graded.clause is None else str(graded.clause),
        "smallest_group": rules.smallest_group,
    }


@register_check("deliberate")
def _all_computed(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """Deliberated is what was computed from the sheets as they stand."""
    if Job.objects.unfinished().filter(key=f"evaluate-{round_.pk}").exists():
        yield Obstacle("正在测算，请等待完成")
    found = {row.subject_id: row for row in results_of(round_)}
    subjects = list(round_.subjects.taking_part())
    missing = [row.label for row in subjects if row.pk not in found]
    if missing:
        yield Obstacle(
            f"{len(missing)} 个受评对象尚未测算（{'、'.join(missing[:3])}{'等' if len(missing) > 3 else ''}）"
        )
    standing = sheets_as_they_stand(round_)
    stale = [row for pk, row in found.items() if row.figures.get("seen", {}) != standing.get(pk, {})]
    if stale:
        yield Obstacle(f"{len(stale)} 个受评对象的评估表在测算后有变动，请重新测算")
    for row in found.values():
        if row.score is None:
            yield Obstacle(f"{row.subject.label}没有得分：{row.note or '规则未设定'}", blocking=False)
        elif not row.grade and row.note:
            yield Obstacle(f"{row.subject.label}的等级待审议：{row.note}", blocking=False)


# --- taking effect ------------------------------------------------------------------------------------------------


@register_check("announce", "publish")
def _all_settled(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    have = dict(results_of(round_).values_list("subject_id", "state"))
    unsettled = [row.label for row in round_.subjects.taking_part() if have.get(row.pk) not in ("settled", "published")]
    if unsettled:
        names = f"（{'、'.join(unsettled[:3])}{'等' if len(unsettled) > 3 else ''}）"
        yield Obstacle(f"{len(unsettled)} 个受评对象的结果尚未审定{names}")


@register_effect("publish")
def _take_effect(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """Settled results take effect, and those of planners are handed down to their contracts."""
    rows = results_of(round_).filter(state=Result.State.SETTLED)
    ids = list(rows.values_list("pk", flat=True))
    done = bulk_apply_move(Result.objects.filter(pk__in=ids), RESULT, "publish", actor=actor)
    if done.refused:
        raise StaleState(next(iter(done.refused.values())))
    found = results_of(round_).filter(pk__in=ids).select_related(
        "subject__contract", "subject__planner", "subject__group", "subject__team", "subject__institution",
        "subject__round", "supersedes",
    )  # fmt: skip
    for result in found:
        hand_down(result, actor=actor, today=today)


def source_of(result: Result) -> str:
    """By this name planners know the result, so that it is recorded once."""
    return f"evaluations.result:{result.pk}"


def hand_down(result: Result, *, actor: User, today: date) -> None:
    """Note a planner's result under the contract, for renewal, tail payment and the register. Side effects: audit."""
    subject = result.subject
    holder = subject.planner or subject.group or subject.team or subject.institution
    if subject.direction != Subject.Direction.PLANNER or subject.contract is None or holder is None:
        return
    before = result.supersedes
    record_assessment(
        subject.contract,
        holder=holder,
        finding=Finding(
            title=subject.round.title, start=subject.round.start, end=subject.round.end, grade=result.final_grade,
            score=result.final_score, decided_on=today, source=source_of(result),
            corrects=source_of(before) if before is not None and before.state == "published" else "",
        ),
        actor=actor,
    )  # fmt: skip


@transaction.atomic
def correct_result(
    result: Result, *, actor: User, to_score: Decimal | None, to_grade: str, reason: str, today: date
) -> Result:
    """After it has taken effect: the next version beside the old one, which says why; handed down as a correction.

    Side effects: audit entries. Raises: Refused, StaleState (corrected by somebody else), ValidationError.
    """
    require(can_correct_result(actor, result))
    Round.objects.select_for_update().get(pk=result.subject.round_id)
    old = Result.objects.select_for_update(of=("self",)).select_related("subject__round__locality").get(pk=result.pk)
    if Result.objects.filter(supersedes=old).exists():
        raise StaleState("该结果已被他人更正，请刷新后查看。")
    change = checked_change(old, to_score=to_score, to_grade=to_grade, reason=reason)
    names = ("subject", "score", "by_score", "grade", "rank", "note", "unset", "figures")
    made = Result.objects.create(
        **{name: getattr(old, name) for name in names}, version=old.version + 1, state=Result.State.PUBLISHED,
        final_score=change.to_score, final_grade=change.to_grade, supersedes=old,
    )  # fmt: skip
    change.result, change.made_by = made, actor
    change.save()
    audit.record(
        "result.correct", actor=actor, obj=made, locality=old.subject.round.locality,
        detail={"from": old.final_grade, "to": made.final_grade, "reason": change.reason},
    )  # fmt: skip
    hand_down(made, actor=actor, today=today)
    return made
