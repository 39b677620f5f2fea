"""What an office answers to the planners' evaluation of it, what it improves by when, and whether it did."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core.notifications import Notice, notify
from core.text import clean_text
from core.transitions import apply_move
from evaluations.models import DepartmentResponse, Round, Subject
from evaluations.services.objections import results_of
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules
from evaluations.services.told import organisers_of, people_of_subject
from evaluations.transitions.outcomes import RESPONSE


def answer_result(
    response: DepartmentResponse, *, actor: User, statement: str, measures: str, due_on: date | None, today: date
) -> DepartmentResponse:
    """Say what one makes of it and what will be improved by when.

    Measures have a day; without measures none is needed. Side effects: notices to the organisers.
    Raises: Refused, StaleState, ValidationError by field.
    """
    statement, measures = clean_text(statement), clean_text(measures)
    if not statement:
        raise ValidationError({"statement": "请填写回应。"})
    if measures and due_on is None:
        raise ValidationError({"due_on": "请填写改进期限。"})
    if due_on is not None and due_on < today:
        raise ValidationError({"due_on": "改进期限不能早于今天。"})
    return apply_move(
        response, RESPONSE, "answer", actor=actor,
        changes={
            "statement": statement, "measures": measures, "due_on": due_on if measures else None,
            "answered_by": actor, "answered_at": timezone.now(),
        },
        notify=lambda row: _to_organisers(row, "已回应评价结果"),
    )  # fmt: skip


def report_improved(response: DepartmentResponse, *, actor: User, outcome: str) -> DepartmentResponse:
    """Say what was improved. Raises: Refused, StaleState, ValidationError."""
    outcome = clean_text(outcome)
    if not outcome:
        raise ValidationError({"outcome": "请填写改进情况。"})
    return apply_move(
        response, RESPONSE, "done", actor=actor, changes={"outcome": outcome},
        notify=lambda row: _to_organisers(row, "已报告改进情况，请确认"),
    )  # fmt: skip


def confirm_improved(response: DepartmentResponse, *, actor: User) -> DepartmentResponse:
    """Raises: Refused, StaleState."""
    return apply_move(response, RESPONSE, "confirm", actor=actor, notify=lambda row: _to_office(row, "改进情况已确认"))


def ask_again(
    response: DepartmentResponse, *, actor: User, reason: str, due_on: date, today: date
) -> DepartmentResponse:
    """It was not enough: by a new day. Raises: Refused, StaleState, ValidationError (no reason, a day that is over)."""
    if due_on < today:
        raise ValidationError({"due_on": "改进期限不能早于今天。"})
    return apply_move(
        response, RESPONSE, "again", actor=actor, reason=reason, changes={"due_on": due_on},
        notify=lambda row: _to_office(row, f"请继续改进：{reason}"[:120]),
    )  # fmt: skip


def overdue(*, today: date) -> Any:
    """Improvements whose day is over and that nobody has reported."""
    return DepartmentResponse.objects.filter(state="answered", due_on__lt=today)


def _url(response: DepartmentResponse) -> str:
    return reverse("evaluations:response", args=[response.pk])


def _to_organisers(row: DepartmentResponse, what: str) -> Notice:
    text = f"{row.result.subject.label}{what}。"
    return Notice(organisers_of(row.result.subject.round), "response.moved", text, _url(row))


def _to_office(row: DepartmentResponse, what: str) -> Notice:
    return Notice(people_of_subject(row.result.subject), "response.moved", f"{what}。", _url(row))


@register_effect("publish")
def _ask_offices(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """When results take effect each office is asked for its response: the planners' evaluation gets the same care."""
    for result in results_of(round_).filter(subject__direction=Subject.Direction.DEPARTMENT):
        with transaction.atomic():
            response, made = DepartmentResponse.objects.get_or_create(result=result)
        if made:
            notify(
                people_of_subject(result.subject),
                kind="response.asked",
                text=f"{round_.title}的结果已生效，请回应并填写改进措施。",
                url=_url(response),
                key=f"response-{response.pk}",
            )
