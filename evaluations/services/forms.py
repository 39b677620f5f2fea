"""Forms of a round: drawn from the pack or from last year's, edited while it is prepared, frozen when it opens."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction

from evaluations.models import Form, Indicator, Round
from evaluations.plans import PLANNER
from evaluations.scoring.rules import INDICATORS, WEIGHTS
from evaluations.services.rules import RoundRules

COPIED = (
    "order", "code", "title", "note", "kind", "low", "high", "increment", "source", "full_at", "comment_at_most",
    "comment_at_least", "evidence", "is_required",
)  # fmt: skip


@transaction.atomic
def draft_forms(round_: Round, rules: RoundRules) -> list[Form]:
    """A form for each direction of each step: last year's lines where there were some, and the pack's indicators."""
    made = []
    for step in round_.steps.order_by("number"):
        for direction in round_.directions:
            if not step.sides(direction):
                continue
            before = _before(round_, step.number, direction)
            form, is_new = Form.objects.get_or_create(
                step=step, direction=direction, defaults={"title": form_title(rules, direction), "copied_from": before}
            )
            if is_new and before is not None:
                form.note = before.note
                form.save(update_fields=["note"])
                Indicator.objects.bulk_create(
                    Indicator(form=form, **{name: getattr(line, name) for name in COPIED})
                    for line in before.indicators.all()
                )
            sync_indicators(form, rules)
            made.append(form)
    return made


def form_title(rules: RoundRules, direction: str) -> str:
    if direction == PLANNER:
        return f"{rules.value('evaluation.planner_title') or '对责任规划师的评估'}表"
    return f"{rules.value('evaluation.department_title') or '对主管单位的评价'}表"


def sync_indicators(form: Form, rules: RoundRules) -> None:
    """Bring the scored lines of a draft in line with the pack's indicators; questions in words are the round's own."""
    rows = rules.value(INDICATORS[form.direction]) or ()
    known = {line.code: line for line in form.indicators.all()}
    form.indicators.exclude(kind=Indicator.Kind.TEXT).exclude(code__in=[row["code"] for row in rows]).delete()
    for order, row in enumerate(rows, start=1):
        line = known.get(row["code"]) or Indicator(form=form, code=row["code"])
        line.order, line.title = order, row["title"]
        line.note = line.note or row.get("note") or ""
        line.save()


def freeze_forms(round_: Round, rules: RoundRules) -> None:
    """Write the weights in and lock every form of the round; the digest is of all that a rater sees."""
    for form in Form.objects.filter(step__round=round_).select_for_update():
        weights = {row["indicator"]: row["weight"] for row in rules.value(WEIGHTS[form.direction]) or ()}
        for line in form.indicators.exclude(kind=Indicator.Kind.TEXT):
            line.weight = weights.get(line.code)
            line.save(update_fields=["weight"])
        form.state, form.digest = Form.State.FROZEN, form_digest(form)
        form.save(update_fields=["state", "digest"])


def form_digest(form: Form) -> str:
    """SHA-256 over every line with its weight, in one canonical form."""
    lines: list[dict[str, Any]] = [
        {name: _plain(getattr(line, name)) for name in (*COPIED, "weight")}
        for line in Indicator.objects.filter(form=form).order_by("order", "pk")
    ]
    body = {"title": form.title, "note": form.note, "lines": lines}
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Decimals without trailing zeros, so that a row gives the same digest before and after it was read back."""
    return value if value is None or isinstance(value, (str, int, list)) else format(value.normalize(), "f")


def _before(round_: Round, number: int, direction: str) -> Form | None:
    if round_.copied_from_id is None:
        return None
    return Form.objects.filter(
        step__round_id=round_.copied_from_id, step__number=number, direction=direction
    ).first()  # fmt: skip
