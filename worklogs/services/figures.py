"""Kept figures: recounted when a log or an appointment changes and every night, always equal to a recount.

A change writes a FigureTouch in its own transaction and wakes a worker when that commits; the worker recounts the
contracts touched. Whatever a lost message leaves behind is taken by the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from core.calendar import load_work_calendar
from core.explain import Clause, Figure
from core.name_search import search_text
from core.names import sort_key
from planners.models import Contract
from worklogs.models import DutyFigure, FigureTouch, WorkLog
from worklogs.services.mass import count_atoms
from worklogs.services.subjects import SubjectRow, subjects_of
from worklogs.tally import Assessment, Log, SubjectTally, assess, tally
from worklogs.tally import rules as keys
from worklogs.tally.shapes import Atoms, clipped, year_span
from worklogs.tally.words import label_of

if TYPE_CHECKING:
    from core.workdays import WorkCalendar

log = logging.getLogger(__name__)

LABELS = {
    "days": "服务天数",
    "required_days": "应完成天数",
    "shortfall_days": "天数不足",
    "visits": "走访次数",
    "principal_met": "与主要负责人当面交流",
    "required_visits": "应走访次数",
    "shortfall_visits": "次数不足",
    "deduction": "扣减服务费",
}
# The rule that a figure stands on, to be shown beside it.
_CLAUSE_KEYS = {
    "days": keys.DAY_KIND, "required_days": keys.REQUIRED, "shortfall_days": keys.REQUIRED, "visits": keys.KINDS,
    "principal_met": keys.PRINCIPAL, "required_visits": keys.PER_MONTH, "shortfall_visits": keys.PER_MONTH,
    "deduction": keys.TRIGGERS,
}  # fmt: skip
_UPDATED = (
    "locality", "contract", "charge", "planner", "group", "label", "sort_key",
    "search_text", "day_kind", *Assessment.FIELDS, "logs", "waiting",
    "unset", "months", "atoms", "start", "end", "final", "as_of", "signature",
)  # fmt: skip


# --- explained, from the logs themselves -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One figure as a document or a page shows it."""

    code: str
    label: str
    figure: Figure
    unit: str
    clause: Clause

    @property
    def unset_labels(self) -> list[str]:
        return [label_of(key) for key in self.figure.unset]


@dataclass(frozen=True)
class SubjectFigures:
    """A subject's explained year, with its lines in the order in which they are read."""

    row: SubjectRow
    tally: SubjectTally
    lines: tuple[Line, ...]

    @property
    def label(self) -> str:
        return self.tally.subject.label


def explain(
    rows: Sequence[SubjectRow],
    *,
    year: int,
    today: date | None = None,
    until: date | None = None,
    calendar: WorkCalendar | None = None,
) -> list[SubjectFigures]:
    """The tally of these subjects with every record and clause: one query for the logs, two for the calendar.

    With `until` the year as it stood at the end of that day: later logs are left out, later months not yet owed.
    """
    calendar = calendar or load_work_calendar(*year_span(year))
    logs = logs_of({row.contract.pk for row in rows}, year)
    day = today or timezone.localdate()
    if until is not None and until < day:
        day = until + timedelta(days=1)
        logs = {pk: [entry for entry in entries if entry.date <= until] for pk, entries in logs.items()}
    return [_explained(row, logs.get(row.contract.pk, []), year, day, calendar) for row in rows]


def _explained(row: SubjectRow, logs: list[Log], year: int, today: date, calendar: WorkCalendar) -> SubjectFigures:
    subject = row.subject
    if subject.charge_id is not None:
        logs = [entry for entry in logs if entry.charge_id == subject.charge_id]
    # A colleague's day is not "outside of service": it is another subject's.
    people = {m.planner_id for m in subject.members}
    mine = [entry for entry in logs if entry.planner_id in people]
    found = tally(subject, year=year, logs=mine, calendar=calendar, rules=row.rules, today=today)
    lines = tuple(
        Line(code, LABELS[code], figure, _unit(code, found), row.rules.clause(_CLAUSE_KEYS[code]))
        for code, figure in found.figures().items()
    )
    return SubjectFigures(row, found, lines)


def _unit(code: str, found: SubjectTally) -> str:
    if code == "deduction":
        return " 元"
    return " 次" if code in ("visits", "required_visits", "shortfall_visits", "principal_met") else f" {found.unit}"


def logs_of(contract_ids: Iterable[int], year: int) -> dict[int, list[Log]]:
    """The logs of the year that count, by contract."""
    found: dict[int, list[Log]] = {}
    rows = WorkLog.objects.counting().filter(contract_id__in=list(contract_ids), date__range=year_span(year))
    fields = ("contract_id", "pk", "date", "planner_id", "charge_id", "slot", "kind", "state", "met_principal")
    for contract_id, *entry in rows.values_list(*fields):
        found.setdefault(contract_id, []).append(Log(*entry))
    return found


def figures_for(
    contract: Contract, *, year: int, planner_id: int | None = None, until: date | None = None
) -> list[SubjectFigures]:
    """The explained subjects of one contract; with `planner_id` those that this planner belongs to."""
    rows = subjects_of(year, contracts=[contract.pk])
    if planner_id is not None:
        rows = [row for row in rows if any(m.planner_id == planner_id for m in row.subject.members)]
    return explain(rows, year=year, until=until)


# --- kept ---------------------------------------------------------------------------------------------------


def touch(logs: Iterable[WorkLog]) -> None:
    """Have the contracts of these logs recounted for their years once the transaction stands."""
    touch_contracts({(entry.contract_id, entry.date.year) for entry in logs})


def touch_contracts(pairs: Iterable[tuple[int, int]]) -> None:
    """Have (contract, year) pairs recounted once the transaction stands.

    Side effects: a row each, and one message to a worker on commit.
    """
    rows = [FigureTouch(contract_id=contract_id, year=year) for contract_id, year in sorted(set(pairs))]
    if rows:
        FigureTouch.objects.bulk_create(rows)
        transaction.on_commit(_wake)


def _wake() -> None:
    from worklogs.tasks import recount_touched

    try:
        recount_touched.delay()
    except Exception:  # any transport's error: the rows stand, the next run takes them
        log.warning("broker unavailable, touched figures wait for the next run", exc_info=True)


def recount_pending(*, limit: int = 500) -> int:
    """Recount what was touched; the number of contract years done. Safe to run several at once."""
    touches = list(FigureTouch.objects.order_by("pk").values_list("pk", "contract_id", "year")[:limit])
    by_pair: dict[tuple[int, int], list[int]] = {}
    for pk, contract_id, year in touches:
        by_pair.setdefault((contract_id, year), []).append(pk)
    for (contract_id, year), pks in sorted(by_pair.items()):
        with transaction.atomic():
            # Locked before the logs are read: whoever changes them later touches later, and waits here.
            lock = Contract.objects.select_for_update(no_key=True).filter(pk=contract_id)
            if lock.values_list("pk", flat=True).first() is not None:
                recount([contract_id], year=year)
            FigureTouch.objects.filter(pk__in=pks).delete()
    return len(by_pair)


def recount(contracts: Iterable[int], *, year: int, today: date | None = None) -> int:
    """Bring the kept figures of these contracts (ids) up to date for `year`; the number of rows written."""
    ids = list(contracts)
    return _keep(
        subjects_of(year, contracts=ids, today=today), year, today, DutyFigure.objects.filter(contract_id__in=ids)
    )


def recount_year(*, year: int, locality: int | None = None, today: date | None = None) -> int:
    """Recount a whole year, of one locality (id) or of all; the number of rows written."""
    kept = DutyFigure.objects.all()
    if locality is not None:
        kept = kept.filter(locality_id=locality)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Two recounts at once would write one after the other from different readings of the logs.
                cursor.execute("LOCK TABLE worklogs_dutyfigure IN SHARE ROW EXCLUSIVE MODE")
        rows = subjects_of(year, localities=None if locality is None else [locality], today=today)
        return _keep(rows, year, today, kept)


def recount_all(*, today: date | None = None) -> int:
    """The nightly recount: every year that has figures or logs near today; the number of rows written."""
    day = today or timezone.localdate()
    years = set(DutyFigure.objects.values_list("year", flat=True).distinct()) | {day.year}
    if day.month == 1:
        years.add(day.year - 1)
    return sum(recount_year(year=year, today=today) for year in sorted(years))


@transaction.atomic
def _keep(rows: Sequence[SubjectRow], year: int, today: date | None, kept: Any) -> int:
    """Write what changed, drop subjects that are no more. What did not change is left alone."""
    day = today or timezone.localdate()
    known = dict(kept.filter(year=year).values_list("subject", "signature"))
    atoms = count_atoms([(row.subject, row.rules) for row in rows], year)
    changed = []
    for row, counts in zip(rows, atoms, strict=True):
        signature = _signature(row, counts, year, day)
        if known.pop(row.key, None) != signature:
            changed.append(_kept_row(row, counts, year, day, signature))
    if known:
        kept.filter(year=year, subject__in=list(known)).delete()
    DutyFigure.objects.bulk_create(
        changed, batch_size=500, update_conflicts=True, unique_fields=["year", "subject"], update_fields=_UPDATED
    )
    return len(changed)


def _signature(row: SubjectRow, atoms: dict[int, Atoms], year: int, today: date) -> str:
    """Of everything that the figures are made of; of today only what it decides: which months are over."""
    subject = row.subject
    ended = [span.end < today for span in clipped(subject.spans, *year_span(year))]
    months_over = 12 if today.year > year else today.month - 1 if today.year == year else 0
    charges = [charge.pk for charge in row.charges]
    made_of = (subject, row.rules.values, sorted(atoms.items()), ended, months_over, row.contract.locality_id, charges)
    return blake2b(repr(made_of).encode(), digest_size=16).hexdigest()


def _kept_row(row: SubjectRow, atoms: dict[int, Atoms], year: int, today: date, signature: str) -> DutyFigure:
    subject = row.subject
    found = assess(subject, year=year, atoms=atoms, rules=row.rules, today=today)
    spans = found.case.period.spans
    spelled = _spelled(subject.label)
    only = row.charges[0].pk if len(row.charges) == 1 else None
    return DutyFigure(
        locality_id=row.contract.locality_id, contract_id=subject.contract_id, subject=row.key, year=year,
        charge_id=subject.charge_id or only, planner_id=subject.planner_id, group_id=subject.group_id,
        label=subject.label, sort_key=spelled[0],
        search_text=spelled[1], day_kind=row.rules.get(keys.DAY_KIND) or "",
        logs=sum(a.logs for a in atoms.values()), waiting=sum(a.waiting for a in atoms.values()),
        unset={name: list(found.outcome(name).unset) for name in Assessment.FIELDS if found.outcome(name).unset},
        months=_months(found), atoms={str(month): list(counts) for month, counts in sorted(atoms.items())},
        start=spans[0].start if spans else None, end=spans[-1].end if spans else None,
        final=found.final, as_of=today, signature=signature,
        **{name: found.outcome(name).value for name in Assessment.FIELDS},
    )  # fmt: skip


@lru_cache(maxsize=20_000)
def _spelled(label: str) -> tuple[str, str]:
    """Sort key and search text; kept, because spelling thousands of names costs more than counting their days."""
    return sort_key(label)[:255], search_text(label, limit=600)


def _months(found: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "month": m.month, "served": m.served_days, "due": m.due, "logs": m.atoms.logs, "waiting": m.atoms.waiting,
            "days": _text(m.days.value), "visits": _text(m.visits.value), "met": _text(m.principal_met.value),
            "required_visits": _text(m.required_visits.value), "short": _text(m.shortfall_visits.value),
        }
        for m in found.months
    ]  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
