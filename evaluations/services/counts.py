"""Indicators that the portal counts by itself (`domain.md` rule 5): nobody types a figure that it already has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.workdays import CalendarGap
from evaluations.evidence import Evidence, EvidenceQuery, evidence_for
from evaluations.models import Indicator, Round, Sheet, Subject
from planners.models import Contract


def query_of(subject: Subject, *, sheet: Sheet | None = None) -> EvidenceQuery:
    """What to ask about a subject in its round's period; of a sheet: what lies between its rater and its subject.

    An office sees what concerns its own charge, a planner what they did themselves.
    """
    round_ = subject.round
    charges = {row.charge_id for row in subject.service.all()}
    planners: tuple[int, ...] = (subject.planner_id,) if subject.planner_id else ()
    narrow = False
    if sheet is not None and sheet.unit is not None and sheet.unit.charge_id in charges:
        charges, narrow = {sheet.unit.charge_id}, True
    if sheet is not None and sheet.planner_id is not None:
        planners = (sheet.planner_id,)
    return EvidenceQuery(
        contract_ids=tuple(_contracts(subject, charges)), charge_ids=tuple(sorted(charges)), planner_ids=planners,
        start=round_.start, end=round_.end, locality_id=round_.locality_id, organisation_ids=_offices(subject),
        narrow=narrow,
    )  # fmt: skip


def _offices(subject: Subject) -> tuple[int, ...]:
    """Who answers opinions on behalf of an office that is evaluated."""
    office = subject.organisation_id or (subject.unit.office_id if subject.unit is not None else None)
    return (office,) if subject.direction == Subject.Direction.DEPARTMENT and office is not None else ()


def _contracts(subject: Subject, charges: Iterable[int]) -> list[int]:
    """Those of the party evaluated, one after the other; of an office, those under which it was served."""
    round_ = subject.round
    rows = Contract.objects.signed().filter(
        locality_id=round_.locality_id, start__lte=round_.end, end__gte=round_.start
    )  # fmt: skip
    if subject.contract is not None:
        of = subject.contract
        party: dict[str, Any] = {
            name: getattr(of, name) for name in ("party_kind", "planner", "team", "institution", "role_type")
        }
        rows = rows.filter(**party)
    else:
        rows = rows.filter(assignments__charge_id__in=list(charges)).distinct()
    return list(rows.order_by("start", "pk").values_list("pk", flat=True))


def ask(query: EvidenceQuery, *, only: Sequence[str] | None = None) -> tuple[list[Evidence], str]:
    """What the sources say, and in words why they cannot (a year without its calendar): a form is filled in all the
    same."""
    try:
        return list(evidence_for(query, only=only)), ""
    except CalendarGap as gap:
        return [], str(gap)


def linked(items: Iterable[Evidence], subject: Subject) -> list[Evidence]:
    """Each with the page that opens it to its parts and records; nothing counted, nothing to open."""
    return [
        replace(item, url=reverse("evaluations:evidence", args=[subject.pk, item.code])) if item.figure.parts else item
        for item in items
    ]


def counted(lines: Iterable[Indicator], found: Iterable[Evidence]) -> dict[int, Decimal | None]:
    """{indicator: what the portal counted}; None where a part of it cannot be computed or there is none."""
    rows = list(found)
    figures: dict[int, Decimal | None] = {}
    for line in lines:
        values = [item.figure.value for item in rows if item.code == line.source]
        known = [value for value in values if value is not None]
        figures[line.pk] = sum(known, Decimal(0)) if values and len(known) == len(values) else None
    return figures


def counts_of(subject: Subject, lines: Iterable[Indicator]) -> dict[int, Decimal | None]:
    rows = [line for line in lines if line.kind == Indicator.Kind.COUNT]
    if not rows:
        return {}
    found, _ = ask(query_of(subject), only=[line.source for line in rows])
    return counted(rows, found)


def uncounted(round_: Round) -> list[tuple[Indicator, Subject]]:
    """What a form would have counted and cannot be, while the round is prepared."""
    rows = Indicator.objects.filter(form__step__round=round_, kind=Indicator.Kind.COUNT).select_related("form")
    lines: dict[str, list[Indicator]] = {}
    for line in rows:
        lines.setdefault(line.form.direction, []).append(line)
    found = []
    for direction, asked in lines.items():
        for subject in subjects_of(round_).filter(direction=direction):
            figures = counts_of(subject, asked)
            found += [(line, subject) for line in asked if figures[line.pk] is None]
    return found


def subjects_of(round_: Round) -> QuerySet[Subject]:
    rows = Subject.objects.filter(round=round_).taking_part()
    return rows.select_related("contract", "round", "unit").prefetch_related("service")
