"""Explained values: a figure with the parts it was computed from, each with its records and its clause.

`domain.md` rule 2: recomputing the figure from the parts shown, alone, gives that figure. Pure: no ORM here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a rule value comes from. `origin` is "clause", "decision" or "unset"."""

    key: str
    origin: str
    document: str = ""
    article: str = ""
    summary: str = ""

    def __str__(self) -> str:
        return "未设定" if self.origin == "unset" else f"{self.document} {self.article}".strip()


@dataclass(frozen=True, slots=True)
class Part:
    """One line of an explanation: a label, its value, the records behind it (ids) and the clause behind it."""

    label: str
    value: Decimal | str | None
    records: tuple[int, ...] = ()
    clause: Clause | None = None
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "value": None if self.value is None else str(self.value),
            "records": list(self.records),
            "clause": None if self.clause is None else str(self.clause),
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A computed value, or None with the keys that are unset and therefore keep it from being computed."""

    value: Decimal | None
    parts: tuple[Part, ...] = field(default=())
    unset: tuple[str, ...] = field(default=())
    note: str = ""

    @property
    def is_set(self) -> bool:
        return self.value is not None
