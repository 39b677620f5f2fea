"""公示 and 公布: chosen fields of settled results, kept as they were put out; the public page reads nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from evaluations.models import Publication, Round, SubjectCharge
from evaluations.permissions.outcomes import can_put_out
from evaluations.services.checklist import Obstacle, register_check
from evaluations.services.objections import hold_round, results_of
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules, rules_of
from evaluations.services.shown import Shown, figure, shown_results
from evaluations.transitions.outcomes import PUBLICATION

audit.register_actions({"publication.draft": "拟定公示公布"})

# Everything that a public page can ever show of a round. A field is added here or it is not public.
Cell = Callable[[Shown, list[str]], str]
PUBLIC_FIELDS: Mapping[str, tuple[str, Cell]] = {
    "subject": ("受评对象", lambda shown, charges: shown.result.subject.label),
    "direction": ("类别", lambda shown, charges: shown.result.subject.get_direction_display()),
    "charges": ("服务范围", lambda shown, charges: "、".join(charges)),
    "grade": ("等级", lambda shown, charges: shown.grade or shown.hidden or "—"),
    "score": ("得分", lambda shown, charges: figure(shown.score) if not shown.hidden else shown.hidden),
}
MUST = "subject"
STATES: Mapping[str, tuple[str, ...]] = {
    Publication.Kind.NOTICE: (Round.State.NOTICE,),
    Publication.Kind.RESULT: (Round.State.PUBLISHED, "filed"),
}


def field_labels(fields: Iterable[str]) -> list[str]:
    return [PUBLIC_FIELDS[name][0] for name in fields if name in PUBLIC_FIELDS]


def labelled(fields: Iterable[str], rows: Iterable[Mapping[str, str]]) -> list[list[tuple[str, str]]]:
    """Each row as (label, text) of the chosen fields alone, whatever else a row may hold."""
    known = [name for name in fields if name in PUBLIC_FIELDS]
    return [[(PUBLIC_FIELDS[name][0], line.get(name, "")) for name in known] for line in rows]


def draft_publication(
    round_: Round, *, actor: User, kind: str, fields: Iterable[str], directions: Iterable[str] = ("planner",)
) -> Publication:
    """Choose what is to be public; nothing is yet. Made anew while it is a draft.

    Side effects: audit entry. Raises: Refused, ValidationError (a field or kind that there is not, wrong phase).
    """
    chosen = [name for name in PUBLIC_FIELDS if name in set(fields)]
    if set(fields) - set(chosen):
        raise ValidationError({"fields": "含有不能公开的字段。"})
    if MUST not in chosen or len(chosen) < 2:
        raise ValidationError({"fields": "请选择“受评对象”和至少一个其他字段。"})
    wanted = [name for name in round_.directions if name in set(directions)]
    if not wanted:
        raise ValidationError({"directions": "请选择公开哪一方的结果。"})
    with transaction.atomic():
        locked = hold_round(round_.pk)
        row = Publication.objects.filter(round=locked, kind=kind, state=Publication.State.DRAFT).first()
        row = row or Publication(round=locked, kind=kind)
        require(can_put_out(actor, row))
        _fits(row)
        row.fields = chosen
        row.rows = _rows(locked, chosen, wanted)
        save_checked(row, exclude=["rows"])
        audit.record(
            "publication.draft", actor=actor, obj=row, locality=locked.locality,
            detail={"kind": kind, "fields": chosen, "directions": wanted},
        )  # fmt: skip
    return row


def put_out(publication: Publication, *, actor: User, today: date) -> Publication:
    """Make it public, as it was drafted and looked at: the rows are not drawn again.

    Refused when a result has changed since. Raises: Refused, StaleState, ValidationError.
    """
    with transaction.atomic():
        round_ = hold_round(publication.round_id)
        row = Publication.objects.select_for_update(of=("self",)).select_related("round__locality").get(
            pk=publication.pk
        )  # fmt: skip
        _fits(row)
        if not _still_so(row):
            raise ValidationError("拟稿后结果有变化，请重新拟稿并核对。")
        if Publication.objects.filter(round=round_, kind=row.kind, state=Publication.State.OUT).exists():
            raise ValidationError("同类公示公布已发布，须先撤下。")
        until = round_.objections_until if row.kind == Publication.Kind.NOTICE else None
        return apply_move(
            row, PUBLICATION, "put_out", actor=actor,
            changes={"start": today, "until": until, "put_out_by": actor}, detail={"rows": len(row.rows)},
        )  # fmt: skip


def withdraw_publication(publication: Publication, *, actor: User, reason: str) -> Publication:
    """Take it off the public page; the record stays. Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(publication, PUBLICATION, "withdraw", actor=actor, reason=reason)


def public_now(*, today: date) -> Any:
    """What anybody may read today, newest first: put out, begun, and a notice only within its days."""
    rows = Publication.objects.filter(state=Publication.State.OUT, start__lte=today)
    return rows.filter(Q(until=None) | Q(until__gte=today)).order_by("-start", "-pk")


def _still_so(row: Publication) -> bool:
    """Would the draft be the same today? It keeps its fields and nothing beside, so each choice of sides is tried."""
    sides = row.round.directions
    choices = {(side,) for side in sides} | {tuple(sides)}
    return any(row.rows == _rows(row.round, row.fields, choice) for choice in choices)


def _rows(round_: Round, fields: Iterable[str], directions: Iterable[str]) -> list[dict[str, str]]:
    results = list(results_of(round_).filter(subject__direction__in=list(directions)))
    charges: dict[int, list[str]] = {}
    for subject_id, name in (
        SubjectCharge.objects.filter(subject__in=[row.subject_id for row in results])
        .order_by("charge__name")
        .values_list("subject_id", "charge__name")
    ):
        charges.setdefault(subject_id, []).append(name)
    return [
        {name: PUBLIC_FIELDS[name][1](shown, charges.get(shown.result.subject_id, [])) for name in fields}
        for shown in shown_results(round_, results)
    ]


def _fits(row: Publication) -> None:
    """The kind belongs to the phase, and a locality that does not publish does not."""
    if row.kind not in STATES:
        raise ValidationError({"kind": "没有这个类别。"})
    if row.round.state not in STATES[row.kind]:
        raise ValidationError(f"评估处于{row.round.get_state_display()}阶段，不能{Publication.Kind(row.kind).label}。")
    if row.kind == Publication.Kind.RESULT:
        rule = rules_of(row.round).get("evaluation.publication")
        if not rule.is_set:
            raise ValidationError(f"“{rule.label}”未设定（{rule.setter}）。")
        if rule.value is False:
            raise ValidationError("制度方案规定结果不公布。")


# --- with the round ---------------------------------------------------------------------------------------------


@register_effect("deliberate_again")
def _take_down(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    """What is deliberated anew does not go on standing in public."""
    for row in Publication.objects.filter(round=round_, state=Publication.State.OUT).select_related("round"):
        withdraw_publication(row, actor=actor, reason="结果重新审议")


@register_check("file")
def _published_where_asked(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    out = Publication.objects.filter(round=round_, kind=Publication.Kind.RESULT, state=Publication.State.OUT)
    if rules.value("evaluation.publication") is True and not out.exists():
        yield Obstacle("制度规定审议后公布，结果尚未公布", "evaluation.publication", blocking=False)
