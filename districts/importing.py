"""What imports of every register share: which locality a row belongs to, and who may import for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from core.imports.cells import name_key
from core.imports.command import ImportCommand
from core.imports.kinds import ImportColumn
from core.imports.outcomes import Outcome
from core.permissions import Decision
from districts.models import Locality

PLACE = "所属地方"
PLACE_COLUMN = ImportColumn(
    PLACE,
    aliases=("地方", "登记地方", "区县", "区（县）", "行政区", "行政区划代码", "区划代码"),
    help="名称或六位行政区划代码；都属于所选地方的，可不填。",
)


class PlacedImportCommand(ImportCommand):
    """An import command whose `--locality` is a locality of the portal."""

    def check_place(self, place: str) -> None:
        if place and not Locality.objects.filter(code=place).exists():
            raise CommandError(f"没有行政区划代码为 {place} 的地方。")


@dataclass(slots=True)
class Places:
    """The localities that the rows of a file may belong to, and the one that is meant where a row says nothing."""

    chosen: Locality | None
    found: dict[str, Locality]

    @classmethod
    def around(cls, place: str) -> Places:
        """Of a file for `place` (that locality and those below it), or of any locality ("")."""
        rows = Locality.objects.select_related("division")
        scope = list(rows.filter(Q(code=place) | Q(parent__code=place)) if place else rows)
        found = {key: row for row in scope for key in (row.code, name_key(row.name))}
        chosen = found.get(place) if place else scope[0] if len(scope) == 1 else None
        return cls(chosen, found)

    @property
    def all(self) -> list[Locality]:
        return list({row.pk: row for row in self.found.values()}.values())

    def of(self, outcome: Outcome, text: str) -> Locality | None:
        """The locality of a row; None after the row has been refused."""
        if text:
            locality = self.found.get(name_key(text))
            if locality is None:
                outcome.refuse(PLACE, text, "没有这个地方，或不属于本次导入的地方。")
            return locality
        if self.chosen is None:
            outcome.refuse(PLACE, "", f"没有写明“{PLACE}”，无法判断属于哪个地方。")
        return self.chosen


def locality_of(place: str) -> Locality | None:
    return Locality.objects.filter(code=place).first()


def decide(predicate: Any, user: Any, place: str) -> Decision:
    """Ask a predicate that takes a locality about the one with this code."""
    locality = locality_of(place)
    return predicate(user, locality) if locality is not None else Decision.no("没有这个地方。")


def lock_places(place: str) -> None:
    """Let imports into one register come one after the other (with none named: all of them)."""
    rows = Locality.objects.order_by("pk")
    if place:
        rows = rows.filter(Q(code=place) | Q(parent__code=place))
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def codes_of(ids: Iterable[int]) -> dict[int, str]:
    return dict(Locality.objects.filter(pk__in=set(ids)).values_list("pk", "code"))
