"""What a spreadsheet should hold, and what was found in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import ValidationError


class SpreadsheetError(ValidationError):
    """The file as a whole cannot be read; the message is for the person who uploaded it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for by its heading.

    `name`: key of the cell in `Row.cells` (by default the heading). `aliases`: other headings that mean the same.
    `kind`: "text" gives a trimmed string (12.0 as "12"), "date" a date in any form people type, "number" a Decimal,
    "any" the value as the sheet has it. `parser` takes that and returns the value to keep, or raises ValueError.
    """

    heading: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    parser: Callable[[Any], Any] | None = None
    kind: Literal["text", "date", "number", "any"] = "text"

    @property
    def key(self) -> str:
        return self.name or self.heading


@dataclass(slots=True)
class Row:
    """One row with something in it. `number` is the row's number in the sheet as the program shows it, from 1.

    `cells`: by column key; None where the sheet has nothing. `raw`: heading → value as the sheet has it (for the list
    of refused rows). `errors`: column key → what is wrong with the cell.
    """

    number: int
    cells: dict[str, Any]
    raw: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Sheet:
    """The rows, and what the headings told: `unknown_headings` are columns that were ignored, `missing_headings` the
    optional columns that the sheet lacks (a missing required one is refused)."""

    rows: list[Row]
    headings: list[str]
    unknown_headings: list[str]
    missing_headings: list[str]
    heading_row: int
    title: str = ""

    @property
    def ignored(self) -> list[str]:
        return self.unknown_headings


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column that is written. `kind` decides alignment and number format; `width` is in characters (0: by kind)."""

    heading: str
    kind: Literal["text", "number", "integer", "money", "date", "datetime"] = "text"
    width: int = 0
