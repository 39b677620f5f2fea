"""The working group: adjusts with a reason, settles, records its meeting and gets the minutes as a document.

The minutes say what the meeting had before it. What they say is taken when they are asked for, into the job that makes
them, so that they are the same however long a worker takes and whatever phase the round has reached by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import Refused, StaleState
from core.jobs import enqueue
from core.models import IssuedDocument, Job
from core.pdf import canonical_hash, issue_document
from core.permissions import require
from core.templatetags.portal import prose_date
from core.text import clean_text
from core.transitions import BulkResult, apply_move, bulk_apply_move
from evaluations.models import Adjustment, Deliberation, Result, Round
from evaluations.permissions.outcomes import can_adjust
from evaluations.permissions.results import can_issue_minutes, can_record_deliberation, can_settle_round
from evaluations.services.adjusting import checked_change, grades_of
from evaluations.services.checklist import Obstacle, register_check
from evaluations.services.consequences import consequences_of, words_of
from evaluations.services.results import results_of
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules, frozen_rules
from evaluations.transitions.outcomes import RESULT

MINUTES_KIND = "evaluations.minutes"
DOCUMENT_KIND = "evaluation_minutes"
SERIAL = "SY"
TEMPLATE = "pdf/deliberation_minutes.html"
UNDECIDED = "没有等级的，须先由审议确定等级，或写明不评定等级的理由"

audit.register_actions({"deliberation.minutes": "生成审议纪要"})


@transaction.atomic
def adjust_result(
    result: Result, *, actor: User, to_score: Decimal | None, to_grade: str, reason: str, seen: int = 0
) -> Result:
    """Change what a result comes to; what was computed stays beside it.

    `seen`: the last adjustment that the page was built from (0: none). An empty grade with a reason says that none is
    given. Side effects: an Adjustment, audit entry.
    Raises: Refused, StaleState (somebody else adjusted or settled it first), ValidationError by field.
    """
    require(can_adjust(actor, result))
    round_ = Round.objects.select_for_update(of=("self",)).select_related("locality").get(pk=result.subject.round_id)
    row = Result.objects.select_for_update(of=("self",)).select_related("subject__round").get(pk=result.pk)
    require(can_adjust(actor, row))
    if row.state != Result.State.COMPUTED or Result.objects.filter(supersedes=row).exists():
        raise StaleState(f"该结果{row.get_state_display()}，不能调整；确需调整的，先撤回审定。")
    last = row.adjustments.order_by("-pk").values_list("pk", flat=True).first() or 0
    if last != seen:
        raise StaleState("该结果刚被他人调整，请刷新后查看。")
    change = checked_change(row, to_score=to_score, to_grade=to_grade, reason=reason)
    change.made_by = actor
    change.save()
    row.final_score, row.final_grade = change.to_score, change.to_grade
    row.save(update_fields=["final_score", "final_grade"])
    audit.record(
        "result.adjust", actor=actor, obj=row, locality=round_.locality,
        detail={
            "from": f"{change.from_score} {change.from_grade}", "to": f"{change.to_score} {change.to_grade}",
            "reason": change.reason,
        },
    )  # fmt: skip
    return row


def is_decided(result: Result) -> bool:
    """There is a grade, or the rules know none for its direction, or the group has said why there is none."""
    return bool(result.final_grade) or not grades_of(result) or result.adjustments.exists()


def settle_result(result: Result, *, actor: User) -> Result:
    """Raises: Refused, StaleState, ValidationError (no grade and no word why)."""
    with transaction.atomic():
        row = Result.objects.select_for_update(of=("self",)).select_related("subject__round").get(pk=result.pk)
        if row.state == Result.State.COMPUTED and not is_decided(row):
            raise ValidationError(f"{row.subject.label}{UNDECIDED}。")
        return apply_move(row, RESULT, "settle", actor=actor)


def unsettle_result(result: Result, *, actor: User, reason: str) -> Result:
    """Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(result, RESULT, "unsettle", actor=actor, reason=reason)


@transaction.atomic
def settle_round(round_: Round, *, actor: User) -> BulkResult:
    """Settle everything that is decided; the others are named with the reason.

    Side effects: one audit entry for each. Raises: Refused.
    """
    require(can_settle_round(actor, round_))
    Round.objects.select_for_update().get(pk=round_.pk)
    rows = list(
        results_of(round_).filter(state=Result.State.COMPUTED).select_related("subject__round__locality")
        .prefetch_related("adjustments")
    )  # fmt: skip
    grades = {row.subject.direction: grades_of(row) for row in rows}
    open_ones = [
        row for row in rows
        if not row.final_grade and grades[row.subject.direction] and not row.adjustments.all()
    ]  # fmt: skip
    ready = Result.objects.filter(pk__in=[row.pk for row in rows if row not in open_ones])
    done = bulk_apply_move(ready.select_related("subject__round"), RESULT, "settle", actor=actor)
    return BulkResult(done.moved, {**done.refused, **{row.pk: f"{row.subject.label}{UNDECIDED}" for row in open_ones}})


# --- the meeting --------------------------------------------------------------------------------------------------


@transaction.atomic
def record_deliberation(
    round_: Round, *, actor: User, body: str, held_on: date, attendees: str, minutes: str, today: date
) -> Deliberation:
    """Note a meeting of whoever approves. Side effects: audit entry. Raises: Refused, ValidationError by field."""
    require(can_record_deliberation(actor, round_))
    locked = Round.objects.select_for_update(of=("self",)).select_related("locality").get(pk=round_.pk)
    require(can_record_deliberation(actor, locked))
    errors = {}
    if held_on > today:
        errors["held_on"] = "审议日期不能晚于今天。"
    elif locked.opened_at is not None and held_on < timezone.localtime(locked.opened_at).date():
        errors["held_on"] = "审议日期不能早于评估启动之日。"
    texts = {"body": clean_text(body), "attendees": clean_text(attendees), "minutes": clean_text(minutes)}
    errors |= {name: "请填写。" for name, text in texts.items() if not text}
    if errors:
        raise ValidationError(errors)
    made = Deliberation(round=locked, held_on=held_on, recorded_by=actor, **texts)
    made.full_clean(exclude=["document"])
    made.save()
    audit.record("deliberation.record", actor=actor, obj=made, locality=locked.locality, detail={"held_on": held_on})
    return made


@register_check("announce")
def _meeting_recorded(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """What is announced is what a meeting approved (通政办发〔2021〕10号 三(四)5)."""
    last = round_.deliberations.select_related("document").order_by("-pk").first()
    if last is None:
        yield Obstacle("尚未登记审议")
        return
    if last.document is not None:
        after = Adjustment.objects.filter(result__subject__round=round_, made_at__gt=last.document.issued_at)
        if after.exists():
            yield Obstacle("审议纪要生成后又调整了结果，须另行登记审议")
    else:
        yield Obstacle("审议纪要尚未生成，转入公示时自动生成", blocking=False)


@register_effect("announce")
def _minutes_at_once(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """The last meeting's minutes are drawn from the results as they are announced."""
    last = round_.deliberations.order_by("-pk").first()
    if last is not None and last.document_id is None:
        _enqueue_minutes(last, actor, snapshot(last))


def start_minutes(deliberation: Deliberation, *, actor: User) -> Job | None:
    """Ask for the minutes; None when they are there. Once the round has left the deliberation they can only be made of
    what was asked for before. Raises: Refused.
    """
    if deliberation.document_id is not None:
        return None
    earlier = Job.objects.filter(kind=MINUTES_KIND, arguments__deliberation=deliberation.pk).order_by("-pk").first()
    if earlier is not None and deliberation.round.state != "deliberation":
        decision = can_issue_minutes(actor, deliberation)
        if not decision and "不在审议中" not in decision.reason:
            raise Refused(decision.reason)
        return _enqueue_minutes(deliberation, actor, earlier.arguments["content"])
    require(can_issue_minutes(actor, deliberation))
    return _enqueue_minutes(deliberation, actor, snapshot(deliberation))


def _enqueue_minutes(deliberation: Deliberation, actor: User, content: Mapping[str, Any]) -> Job:
    return enqueue(
        MINUTES_KIND, actor=actor, arguments={"deliberation": deliberation.pk, "content": dict(content)},
        key=f"minutes-{deliberation.pk}", locality=deliberation.round.locality,
        label=f"生成{deliberation.round.title}审议纪要"[:120],
    )  # fmt: skip


def snapshot(deliberation: Deliberation) -> dict[str, Any]:
    """Everything the minutes say, as plain JSON. Nobody who rated is named in it."""
    round_ = deliberation.round
    rules = frozen_rules(round_)
    approval = rules.get("evaluation.approval")
    rows = results_of(round_).select_related(
        "subject__round__locality", "subject__contract__policy_version", "subject__contract__locality"
    ).prefetch_related("adjustments__made_by")  # fmt: skip
    directions: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        directions.setdefault(row.subject.direction, []).append(_row(row, rules, deliberation.held_on))
    return {
        "deliberation": deliberation.pk,
        "title": round_.title,
        "locality": round_.locality.name,
        "body": deliberation.body,
        "held_on": deliberation.held_on.isoformat(),
        "attendees": deliberation.attendees,
        "minutes": deliberation.minutes,
        "recorded_by": deliberation.recorded_by.name,
        "approval": str(approval.value or ""),
        "approval_clause": str(approval.clause),
        "planners": directions.get("planner", []),
        "departments": directions.get("department", []),
        "adjusted": [{"label": row["label"], **change} for group in directions.values() for row in group
                     for change in row["adjustments"]],
        "followed": _followed(directions.get("planner", [])),
    }  # fmt: skip


def _followed(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Each consequence once, with everybody whom it concerns, in the order of the ranking."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for text in row["consequences"]:
            found.setdefault(text, []).append(row["label"])
    return [{"text": text, "label": "、".join(labels)} for text, labels in found.items()]


def _row(result: Result, rules: RoundRules, on: date) -> dict[str, Any]:
    return {
        "label": result.subject.label,
        "rank": result.rank,
        "score": None if result.score is None else str(result.score),
        "grade": result.grade,
        "final_score": None if result.final_score is None else str(result.final_score),
        "final_grade": result.final_grade,
        "state": result.get_state_display(),
        "note": result.note,
        "adjustments": [
            {
                "from": f"{row.from_score if row.from_score is not None else '—'} {row.from_grade}".strip(),
                "to": f"{row.to_score if row.to_score is not None else '—'} {row.to_grade or '不评定等级'}".strip(),
                "reason": row.reason,
                "by": row.made_by.name,
            }
            for row in result.adjustments.all()
        ],
        "consequences": [words_of(item) for item in consequences_of(result, rules=rules, on=on) if item.applies],
    }


def issue_minutes(deliberation_id: int, content: Mapping[str, Any], *, actor: User | None) -> IssuedDocument:
    """The minutes as an issued document: exactly one for a meeting, however often a worker is stopped."""
    row = Deliberation.objects.select_related("document", "round__locality").get(pk=deliberation_id)
    if row.document is not None:
        return row.document
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(content), file__isnull=False, revoked_at=None
    ).first()
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=f"{content['title']}审议纪要"[:200], template=TEMPLATE,
        context={"content": content, "held_words": prose_date(date.fromisoformat(content["held_on"]))},
        frozen=content, actor=actor, author=content["body"], locality_code=row.round.locality.code,
        public_summary=[("文书", "评估结果审议纪要"), ("地方", content["locality"]), ("审议日期", content["held_on"])],
        file_name=f"{content['title']}审议纪要.pdf".replace("/", "-"),
    )  # fmt: skip
    if Deliberation.objects.filter(pk=row.pk, document=None).update(document=document):
        audit.record("deliberation.minutes", actor=actor, obj=row, locality=row.round.locality)
    else:
        row.refresh_from_db()
    return row.document or document
