"""What a change of units passes on: from which units, to which, from which day; and, row by row, what became of it.

The service sends one `Passing` upward inside its transaction; whoever keeps something under a unit answers with
`Effect`s, which are shown before the act (it is rehearsed and taken back) and kept with the change afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Unit, UnitChange

ALL, NONE = "all", "none"
# Tones of an effect: what goes on as it is, what somebody has to look after, what stands in the way of the change.
PLAIN, WARNING, STOP = "", "warning", "stop"


@dataclass(frozen=True, slots=True)
class Effect:
    """One row: in which `area`, `what`, and what it `becomes`. With `options` the officer may choose otherwise."""

    area: str
    what: str
    becomes: str
    tone: str = PLAIN
    key: str = ""
    options: tuple[tuple[str, str], ...] = ()
    chosen: str = ""

    def as_json(self) -> dict[str, str]:
        return {"area": self.area, "what": self.what, "becomes": self.becomes, "tone": self.tone}


@dataclass(frozen=True)
class Passing:
    """`sources` pass on to `targets` from the change's effective day. A source among the targets goes on as well.

    Without targets nothing goes on: the unit is retired, or handed to a locality that appoints its own planners.
    """

    change: UnitChange
    sources: Sequence[Unit]
    targets: Sequence[Unit]
    actor: User
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_day(self) -> date:
        return self.change.effective

    @property
    def last_day(self) -> date:
        """The last day of the old order."""
        return self.change.effective - timedelta(days=1)

    @property
    def is_rename(self) -> bool:
        return self.change.kind == self.change.Kind.RENAME

    def options_for(self, source: Unit) -> tuple[tuple[str, str], ...]:
        """What may become of one thing kept under `source`; empty where there is nothing to choose."""
        if not self.targets or self.is_rename:
            return ()
        rows = [
            (str(n), f"留在“{unit}”" if unit.pk == source.pk else f"转到“{unit}”")
            for n, unit in enumerate(self.targets)
        ]
        several = [(ALL, "以上各单元都负责")] if len(self.targets) > 1 else []
        return (*rows, *several, (NONE, f"到 {self.last_day:%Y-%m-%d} 为止，不再继续"))

    def choice(self, key: str, source: Unit) -> str:
        """The option chosen under `key`: as asked for, else what loses nothing. Raises ValidationError for another."""
        options = dict(self.options_for(source))
        if not options:
            return NONE
        stays = any(unit.pk == source.pk for unit in self.targets)
        usual = "0" if stays or len(self.targets) == 1 else ALL
        value = self.choices.get(key, "") or usual
        if value not in options:
            raise ValidationError("所选的去向无效，请重新预览后再办理。")
        return value

    def targets_of(self, value: str) -> list[Unit]:
        """The units that an option names."""
        if value == NONE:
            return []
        return list(self.targets) if value == ALL else [self.targets[int(value)]]

    def words(self, source: Unit, value: str) -> str:
        """What an option does, in words: 自 2026-07-01 起转到“甲”、“乙”."""
        found = self.targets_of(value)
        if not found:
            return f"到 {self.last_day:%Y-%m-%d} 为止"
        stays = [unit for unit in found if unit.pk == source.pk]
        moves = "、".join(f"“{unit}”" for unit in found if unit.pk != source.pk)
        if not moves:
            return "不变"
        return f"自 {self.first_day:%Y-%m-%d} 起" + (f"同时负责{moves}" if stays else f"转到{moves}")
