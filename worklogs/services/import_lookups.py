"""What the rows of an import are matched with, loaded in a handful of queries, however many rows there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from core.imports.cells import name_key
from core.spreadsheets import Row
from districts.models import Charge, Locality
from districts.services.lineage import charge_families, names_by_day
from planners.models import Planner
from planners.services.assignments import ServicePeriod, service_periods
from projects.models import Project
from worklogs.models import MonthClosing, WorkLog

from .import_rows import PROJECT, ChargeRow, Lookups, PlannerRow, charge_keys

# Values in one IN (…): well under what SQLite takes.
_CHUNK = 5000


def chunks(values: Iterable[Any], size: int = _CHUNK) -> Iterator[list[Any]]:
    rows = list(values)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def families(localities: Iterable[Locality]) -> dict[int, frozenset[int]]:
    """Each locality with the one above it and those below."""
    rows = list(localities)
    related: dict[int, set[int]] = {row.pk: {row.pk} for row in rows}
    for row in rows:
        if row.parent_id is not None:
            related[row.pk].add(row.parent_id)
            related.setdefault(row.parent_id, {row.parent_id}).add(row.pk)
    return {pk: frozenset(ids) for pk, ids in related.items()}


def load_lookups(locality: Locality | None, rows: Sequence[Row]) -> Lookups:
    """For a file of `locality` (with those below it), or of any locality when None."""
    everywhere = list(Locality.objects.all())
    near = families(everywhere)
    if locality is None:
        scope = {row.pk for row in everywhere}
    else:
        scope = {locality.pk, *(row.pk for row in everywhere if row.parent_id == locality.pk)}
    fields = Charge.objects.filter(locality_id__in=scope).values_list("pk", "name", "locality_id")
    charges = {row[0]: ChargeRow(*row) for row in fields}
    renamed = names_by_day()
    periods: dict[tuple[int, int], list[ServicePeriod]] = defaultdict(list)
    for period in service_periods() if locality is None else _periods_of(scope):
        periods[period.planner_id, period.charge_id].append(period)
    return Lookups(
        today=timezone.localdate(),
        planners=_planners(scope, near, {planner for planner, _ in periods}),
        charges=charge_keys(
            charges.values(), [(name, charges[pk]) for pk, days in renamed.items() if pk in charges for _, name in days]
        ),
        families=near,
        periods=periods,
        projects=_projects(scope, rows),
        closed=set(MonthClosing.objects.filter(locality_id__in=scope).values_list("charge_id", "month")),
        kin={
            pk: [charges[other] for other in sorted(family) if other in charges]
            for pk, family in charge_families().items()
            if pk in charges
        },
        renamed=renamed,
    )


def _periods_of(scope: Iterable[int]) -> Iterator[ServicePeriod]:
    for locality_id in scope:
        yield from service_periods(locality=locality_id)


def _planners(scope: set[int], near: Mapping[int, frozenset[int]], serving: set[int]) -> dict[str, list[PlannerRow]]:
    """Those registered in or around the localities, and whoever serves there without being registered there."""
    registered = set().union(*(near[pk] for pk in scope)) if scope else set()
    found: dict[str, list[PlannerRow]] = defaultdict(list)
    rows = Planner.objects.values_list("pk", "name", "identity_tail", "locality_id")
    for row in rows:
        if row[3] in registered or row[0] in serving:
            found[name_key(row[1])].append(PlannerRow(*row))
    return dict(found)


def _projects(scope: set[int], rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """Only the numbers that occur: a province has 200,000 projects."""
    numbers = {row.cells[PROJECT] for row in rows} - {None}
    found: dict[str, tuple[int, int]] = {}
    for some in chunks(numbers):
        known = Project.objects.filter(number__in=some, locality_id__in=scope)
        found.update({number: (pk, home) for pk, number, home in known.values_list("pk", "number", "locality_id")})
    return found


# --- what is there already -----------------------------------------------------------------------------

Identity = tuple[int, int, date, str, str, str]


def identity_of(fields: Mapping[str, Any]) -> Identity:
    """What makes two rows without 来源编号 the same record."""
    return (
        fields["planner_id"],
        fields["charge_id"],
        fields["date"],
        fields["slot"],
        fields["kind"],
        fields["content"],
    )


def known_numbers(numbers: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Of (locality id, 来源编号) those that logs have already."""
    wanted = set(numbers)
    found: set[tuple[int, str]] = set()
    for some in chunks({number for _, number in wanted}):
        rows = WorkLog.objects.filter(source_number__in=some, supersedes=None)
        found.update(rows.values_list("locality_id", "source_number"))
    return found & wanted


def known_records(identities: Iterable[Identity]) -> set[Identity]:
    """Of these records those that are there already and neither withdrawn nor struck out."""
    wanted = set(identities)
    if not wanted:
        return set()
    first, last = min(i[2] for i in wanted), max(i[2] for i in wanted)
    places = {i[:4] for i in wanted}
    same_place: list[int] = []
    rows = WorkLog.objects.filter(date__gte=first, date__lte=last, superseded_by=None).exclude(
        state__in=["withdrawn", "void", "draft"]
    )
    for some in chunks({i[0] for i in wanted}):
        for pk, *place in rows.filter(planner_id__in=some).values_list("pk", "planner_id", "charge_id", "date", "slot"):
            if tuple(place) in places:
                same_place.append(pk)
    found: set[Identity] = set()
    for some in chunks(same_place):
        found.update(
            WorkLog.objects.filter(pk__in=some).values_list(
                "planner_id", "charge_id", "date", "slot", "kind", "content"
            )
        )
    return found & wanted
