"""Editing a form while its round is prepared: what is asked, on which scale, with what beside it. Weights never: they
are the policy's, and come in when the round opens."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.permissions import require
from core.saving import save_checked
from evaluations.models import Form, Indicator
from evaluations.permissions.sheets import can_edit_form
from evaluations.services.forms import COPIED

# What an officer decides of a line that the policy asks for; its code, title and weight are the policy's.
SCORED = (
    "note", "kind", "low", "high", "increment", "source", "full_at", "comment_at_most", "comment_at_least", "evidence",
    "is_required",
)  # fmt: skip
ASKED = ("title", "note", "order", "is_required")
MOST_QUESTIONS = 20


def edit_form(form: Form, *, actor: User, title: str, note: str, revision: int) -> Form:
    """Name and instructions. Raises: Refused, StaleState (changed meanwhile), ValidationError."""
    with transaction.atomic():
        row = _held(form, actor, revision)
        row.title, row.note = title, note
        return _saved(row, actor, {"title": title})


def edit_line(line: Indicator, *, actor: User, values: Mapping[str, Any], revision: int) -> Indicator:
    """How a line is answered. Of a scored line the fields of SCORED, of a question those of ASKED; others are refused.

    Raises: Refused, StaleState, ValidationError by field.
    """
    with transaction.atomic():
        form = _held(line.form, actor, revision)
        row = form.indicators.get(pk=line.pk)
        allowed = ASKED if row.kind == Indicator.Kind.TEXT else SCORED
        if set(values) - set(allowed):
            raise ValidationError("这一项不能修改：指标和权重由制度方案规定。")
        for name, value in values.items():
            setattr(row, name, value)
        if row.kind != Indicator.Kind.TEXT:
            _check_scale(row)
        save_checked(row)
        _saved(form, actor, {"line": row.code})
        return row


def add_question(form: Form, *, actor: User, title: str, note: str, is_required: bool, revision: int) -> Indicator:
    """A question answered in words; it carries no weight. Raises: Refused, StaleState, ValidationError."""
    with transaction.atomic():
        row = _held(form, actor, revision)
        known = list(row.indicators.values_list("code", "order"))
        if sum(code.startswith("text-") for code, _ in known) >= MOST_QUESTIONS:
            raise ValidationError(f"文字题最多 {MOST_QUESTIONS} 道。")
        number = max((int(code[5:]) for code, _ in known if code.startswith("text-")), default=0) + 1
        order = max((order for _, order in known), default=0) + 1
        made = Indicator(
            form=row, code=f"text-{number}", title=title, note=note, kind=Indicator.Kind.TEXT, order=order,
            is_required=is_required,
        )  # fmt: skip
        save_checked(made)
        _saved(row, actor, {"added": made.code})
        return made


def remove_question(line: Indicator, *, actor: User, revision: int) -> Form:
    """Raises: Refused, StaleState, ValidationError (the policy asks for this line)."""
    with transaction.atomic():
        form = _held(line.form, actor, revision)
        if line.kind != Indicator.Kind.TEXT:
            raise ValidationError("制度方案规定的指标不能删除。")
        form.indicators.filter(pk=line.pk).delete()
        return _saved(form, actor, {"removed": line.code})


def copy_form(form: Form, source: Form, *, actor: User, revision: int) -> Form:
    """Take over how another form of the same direction asks: lines with the same code, and its questions in words.

    Weights are not taken over. Raises: Refused, StaleState, ValidationError.
    """
    with transaction.atomic():
        row = _held(form, actor, revision)
        other = Form.objects.select_related("step__round").get(pk=source.pk)
        if other.step.round.locality_id != row.step.round.locality_id or other.direction != row.direction:
            raise ValidationError({"source": "只能沿用本地方同一方向的表样。"})
        mine = {line.code: line for line in row.indicators.all()}
        row.indicators.filter(kind=Indicator.Kind.TEXT).delete()
        for line in other.indicators.all():
            if line.kind == Indicator.Kind.TEXT:
                Indicator.objects.create(form=row, **{name: getattr(line, name) for name in COPIED})
            elif line.code in mine:
                for name in SCORED:
                    setattr(mine[line.code], name, getattr(line, name))
                mine[line.code].save()
        row.note, row.copied_from = other.note, other
        row.revision += 1
        row.save(update_fields=["note", "copied_from", "revision"])
        audit.record(
            "form.copy", actor=actor, obj=row, locality=row.step.round.locality, detail={"from": str(other.step)}
        )
        return row


def _held(form: Form, actor: User, revision: int) -> Form:
    row = Form.objects.select_for_update(of=("self",)).select_related("step__round__locality").get(pk=form.pk)
    require(can_edit_form(actor, row))
    if row.revision != revision:
        raise StaleState("表样已被他人修改，请刷新后再改。")
    return row


def _saved(row: Form, actor: User, detail: dict[str, Any]) -> Form:
    row.revision += 1
    save_checked(row)
    audit.record("form.edit", actor=actor, obj=row, locality=row.step.round.locality, detail=detail)
    return row


def _check_scale(row: Indicator) -> None:
    if row.kind == Indicator.Kind.COUNT:
        if not row.source or row.full_at is None:
            raise ValidationError({"source": "由系统数据计分的指标须写明数据来源和满分对应的数值。"})
        return
    row.source, row.full_at = "", None
    if row.kind == Indicator.Kind.SCORE:
        if row.high <= row.low:
            raise ValidationError({"high": "最高分须大于最低分。"})
        if row.increment <= 0 or (row.high - row.low) % row.increment:
            raise ValidationError({"increment": "分档须大于零，并能从最低分正好到达最高分。"})
    low, high = row.comment_at_most, row.comment_at_least
    if low is not None and high is not None and Decimal(low) >= Decimal(high):
        raise ValidationError({"comment_at_least": "“不低于”须大于“不高于”的分数。"})
