"""Findings as a page shows them to one person, and what somebody notes about one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.text import clean_text
from core.transitions import apply_move
from worklogs import permissions
from worklogs.models import LogFinding, WorkLog
from worklogs.plausibility import Finding, explanation, limit_words, sentence, title
from worklogs.plausibility.words import CODES, other_words
from worklogs.transitions import FINDING

if TYPE_CHECKING:
    from accounts.models import User
    from core.permissions import Decision

LONGEST_NOTE = 200
_SLOTS = dict(WorkLog.Slot.choices)


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with its evidence. `others`: words and address of each other record, no address where the person may
    not see it. `row` is None for a hint, which nobody has kept; `may_note` says who may settle it."""

    code: str
    facts: Mapping[str, Any]
    others: tuple[tuple[str, str], ...]
    row: LogFinding | None = None
    may_note: Decision | None = None

    @property
    def label(self) -> str:
        return CODES[self.code]

    @property
    def title(self) -> str:
        return title(self.code)

    @property
    def sentence(self) -> str:
        return sentence(self.code, self.facts)

    @property
    def why(self) -> str:
        return explanation(self.code)

    @property
    def limits(self) -> str:
        return limit_words(self.facts)

    @property
    def is_noted(self) -> bool:
        return self.row is not None and self.row.state == LogFinding.State.NOTED


def findings_of(logs: Sequence[WorkLog], *, user: User) -> dict[int, list[ShownFinding]]:
    """What is kept about these logs, by id: two queries, however many they are.

    Of another record a person reads what they may see of it; of the same planner's hours also day and place, which is
    what the remark is about.
    """
    by_pk = {log.pk: log for log in logs}
    rows = list(
        LogFinding.objects.filter(log_id__in=list(by_pk)).select_related("noted_by").order_by("-current", "code", "pk")
    )
    seen = _seen((row.facts for row in rows), user)
    found: dict[int, list[ShownFinding]] = defaultdict(list)
    for row in rows:
        log = by_pk[row.log_id]
        others = _others(row.facts, seen)
        found[row.log_id].append(ShownFinding(row.code, row.facts, others, row, permissions.can_review(user, log)))
    return dict(found)


def hints_shown(hints: Iterable[Finding], *, user: User) -> list[ShownFinding]:
    """Hints for the planner who is about to submit."""
    rows = list(hints)
    seen = _seen((hint.facts for hint in rows), user)
    return [ShownFinding(hint.code, hint.facts, _others(hint.facts, seen)) for hint in rows]


def _seen(facts: Iterable[Mapping[str, Any]], user: User) -> dict[int, str]:
    ids = {other["pk"] for said in facts for other in said.get("others", ())}
    if not ids:
        return {}
    rows = WorkLog.objects.visible_to(user).filter(pk__in=ids)
    return {
        pk: f"{on} {_SLOTS[slot]}，{charge}，{name}"
        for pk, on, slot, charge, name in rows.values_list("pk", "date", "slot", "charge_name", "planner__name")
    }


def _others(facts: Mapping[str, Any], seen: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (seen[other["pk"]], reverse("worklogs:detail", args=[other["pk"]]))
        if other["pk"] in seen
        else (f"{other_words(other)}（不在您的查看范围内）", "")
        for other in facts.get("others", ())
    )


def note_finding(finding: LogFinding, *, actor: User, note: str) -> LogFinding:
    """Settle a remark with a word on what was found out; who and when are kept beside it.

    Side effects: audit. Raises: Refused (not entitled, or one's own log), StaleState (somebody was first),
    ValidationError (`note` missing or too long).
    """
    note = clean_text(note).strip()
    if not note:
        raise ValidationError({"note": "请简要写明核对结果。"})
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": f"核对说明不能超过 {LONGEST_NOTE} 字。"})
    values = {"note": note, "noted_by": actor, "noted_at": timezone.now()}
    return apply_move(
        finding, FINDING, "note", actor=actor, changes=values,
        detail={"log": finding.log_id, "what": CODES[finding.code], "note": note},
    )  # fmt: skip
