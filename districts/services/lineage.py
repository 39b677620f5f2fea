"""What a unit was and became: former names, predecessors, successors; and which unit a day belongs to.

Two different questions are answered here. *Who may see and find it*: records of a predecessor are found under its
successor, inside one locality and once the change is in effect. *Where a record belongs*: to whichever unit there was
on its day, across localities too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from districts.models import Charge, Unit, UnitChange, UnitSuccession


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a unit's history: `name` before (曾用名, 前身) or after (后继), `unit` where it is another one."""

    label: str
    name: str
    change: UnitChange
    unit: Unit | None = None

    @property
    def words(self) -> str:
        """自 2026-07-01 起由景山街道、东四街道合并而来."""
        return f"{self.change.effective:%Y-%m-%d} {self.change.get_kind_display()}"


def history_of(unit: Unit) -> list[Step]:
    """Former names, predecessors and successors of a unit, the newest first; one query."""
    rows = UnitSuccession.objects.filter(Q(predecessor=unit) | Q(successor=unit)).select_related(
        "change__locality", "predecessor__locality", "successor__locality"
    )
    steps = []
    for row in rows.order_by("-change__effective", "-change_id", "pk"):
        if row.is_rename and row.change.effective > timezone.localdate():
            steps.append(Step("将更名为", row.successor_name, row.change))
        elif row.is_rename:
            steps.append(Step("曾用名", row.predecessor_name, row.change))
        elif row.predecessor_id == unit.pk:
            steps.append(Step("后继" if row.successor else "撤销", row.successor_name, row.change, row.successor))
        else:
            steps.append(Step("前身", row.predecessor_name, row.change, row.predecessor))
    return steps


def former_names(units: Iterable[Unit]) -> dict[int, list[str]]:
    """Former names and predecessors' names by unit id, for lists; one query."""
    names: dict[int, list[str]] = defaultdict(list)
    ids = [unit.pk for unit in units]
    rows = UnitSuccession.objects.filter(successor_id__in=ids, change__effective__lte=timezone.localdate())
    for unit_id, name in rows.order_by("-change__effective", "pk").values_list("successor_id", "predecessor_name"):
        if name not in names[unit_id]:
            names[unit_id].append(name)
    return dict(names)


def _with(column: str, ids: Iterable[int], *, backwards: bool, across: bool, on: date | None) -> frozenset[int]:
    """`ids` with all that leads to them, or comes of them, by as many queries as there are generations plus one."""
    here, there = ("successor", "predecessor") if backwards else ("predecessor", "successor")
    rows = UnitSuccession.objects.exclude(predecessor=F("successor"))
    if not across:
        rows = rows.filter(predecessor__locality_id=F("successor__locality_id"))
    if on is not None:
        rows = rows.filter(change__effective__lte=on)
    found = set(ids)
    frontier = set(found)
    while frontier:
        step = rows.filter(**{f"{here}__{column}__in": frontier, f"{there}__isnull": False})
        frontier = set(step.values_list(f"{there}__{column}", flat=True)) - found
        found |= frontier
    return frozenset(found)


def units_with_predecessors(units: Iterable[int], *, on: date | None = None) -> frozenset[int]:
    """Unit ids with those of their predecessors in the same locality, as far as their changes are in effect."""
    return _with("pk", units, backwards=True, across=False, on=on or timezone.localdate())


def charges_with_predecessors(charges: Iterable[int], *, on: date | None = None) -> frozenset[int]:
    """The same for charges: whoever asks for a unit's records gets those of its predecessors too."""
    return _with("charge_id", charges, backwards=True, across=False, on=on or timezone.localdate())


def charges_named(words: str) -> QuerySet[Charge]:
    """Charges that are or were called so, by any part of the name."""
    before = UnitSuccession.objects.filter(predecessor_name__icontains=words)
    former = before.filter(successor__isnull=False).values("successor__charge_id")
    return Charge.objects.filter(Q(name__icontains=words) | Q(pk__in=former))


def charges_behind(words: str) -> frozenset[int]:
    """Charges of another name that are found under one holding `words`: renamed since, or merged or split into it."""
    lines = UnitSuccession.objects.filter(Q(successor_name__icontains=words) | Q(predecessor_name__icontains=words))
    found = set(lines.filter(successor__isnull=False).values_list("successor__charge_id", flat=True))
    return charges_with_predecessors(found) if found else frozenset()


def charges_with_successors(charges: Iterable[int], *, on: date | None = None) -> frozenset[int]:
    """Charge ids with what came of them in the same locality: whose officers answer for their records now."""
    return _with("charge_id", charges, backwards=False, across=False, on=on or timezone.localdate())


def has_past(charge_id: int) -> bool:
    """Is there any change of this charge's unit?"""
    pair = Q(predecessor__charge_id=charge_id) | Q(successor__charge_id=charge_id)
    return UnitSuccession.objects.filter(pair).exists()


def charge_family(charge_id: int) -> frozenset[int]:
    """A charge with all that it came from and all that came of it, in any locality, whenever."""
    before = _with("charge_id", [charge_id], backwards=True, across=True, on=None)
    return before | _with("charge_id", [charge_id], backwards=False, across=True, on=None)


def charge_families() -> dict[int, frozenset[int]]:
    """`charge_family` of every charge that has one, in one query; for imports."""
    pairs = set(
        UnitSuccession.objects.exclude(predecessor=F("successor"))
        .filter(successor__isnull=False)
        .values_list("predecessor__charge_id", "successor__charge_id")
    )
    onward: dict[int, set[int]] = defaultdict(set)
    back: dict[int, set[int]] = defaultdict(set)
    for before, after in pairs:
        onward[before].add(after)
        back[after].add(before)
    return {pk: _reach(pk, back) | _reach(pk, onward) for pk in {*onward, *back}}


def _reach(start: int, steps: Mapping[int, set[int]]) -> frozenset[int]:
    found, frontier = {start}, [start]
    while frontier:
        after = steps.get(frontier.pop(), set()) - found
        found |= after
        frontier += after
    return frozenset(found)


def names_by_day(charges: Iterable[int] | None = None) -> dict[int, list[tuple[date, str]]]:
    """For each charge that was renamed: (first day of the new name, the name before it), the earliest first."""
    rows = UnitSuccession.objects.filter(predecessor=F("successor"))
    if charges is not None:
        rows = rows.filter(predecessor__charge_id__in=list(charges))
    found: dict[int, list[tuple[date, str]]] = defaultdict(list)
    fields = rows.order_by("change__effective", "change_id")
    for charge_id, day, name in fields.values_list("predecessor__charge_id", "change__effective", "predecessor_name"):
        found[charge_id].append((day, name))
    return dict(found)


def name_on(day: date, now: str, renamed: Iterable[tuple[date, str]]) -> str:
    """What a charge was called on `day`; `renamed` as `names_by_day` gives it."""
    return next((before for first, before in renamed if day < first), now)


def charge_name_on(charge_id: int, day: date, now: str) -> str:
    """The name of one charge on a day; one query."""
    renamed: Mapping[int, list[tuple[date, str]]] = names_by_day([charge_id])
    return name_on(day, now, renamed.get(charge_id, ()))
