"""Kinds of tables that can be imported: what an app says about one, and the register of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from core.permissions import Decision
from core.spreadsheets import Column, Row

from .outcomes import Outcome, Report

if TYPE_CHECKING:
    from core.models import ImportBatch

# A row that begins like this is the example of the template and is passed over.
EXAMPLE_MARK = "【示例】"


@dataclass(frozen=True, slots=True)
class ImportColumn(Column):
    """A column with what the template says about it. `secret`: masked in everything that is kept or shown."""

    help: str = ""
    example: Any = ""
    secret: bool = False


class Importer:
    """One kind of table. Everything that differs between kinds; instances hold nothing between calls.

    `place` is always a six-digit code, or "" at the command line for "told by the rows".
    """

    name: ClassVar[str]
    label: ClassVar[str]
    # 条, 位, 份: how many of them.
    counter: ClassVar[str] = "条"
    columns: ClassVar[tuple[ImportColumn, ...]]
    # Where the list of what was imported stands (a URL name), and where one looks for this batch alone.
    list_url: ClassVar[str]
    done_note: ClassVar[str] = ""
    hints: ClassVar[tuple[str, ...]] = ()
    # Up to this many rows are imported while the person waits; more go to a job with a progress bar.
    at_once: ClassVar[int] = 500
    # As many rows are shown one by one; every refused row is.
    lines_kept: ClassVar[int] = 3000

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.heading for column in self.columns if column.required)

    @property
    def is_secret(self) -> bool:
        """Does the sheet hold what may only be kept encrypted?"""
        return any(column.secret for column in self.columns)

    def column(self, heading: str) -> ImportColumn | None:
        return next((column for column in self.columns if column.heading == heading), None)

    # --- who may ---

    def may(self, user: Any) -> Decision:
        """May the person import tables of this kind at all?"""
        raise NotImplementedError

    def can(self, user: Any, place: str) -> Decision:
        """May the person import for this locality?"""
        raise NotImplementedError

    # --- what it does ---

    def lock(self, place: str) -> None:
        """Let two imports (and whatever else may interfere) come one after the other; called in the transaction."""

    def judge(self, rows: Sequence[Row], place: str) -> list[Outcome]:
        """What each row comes to, in as many queries for one row as for all. Writes nothing."""
        raise NotImplementedError

    def notes(self, outcomes: Sequence[Outcome]) -> list[str]:
        """What else the import would do, to be said beforehand."""
        return []

    def home(self, outcomes: Sequence[Outcome]) -> str:
        """The locality of a batch whose rows tell it (command line)."""
        raise NotImplementedError

    def write(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        """Write what is new and changed, in the caller's transaction."""
        raise NotImplementedError

    # --- taking it back ---

    def obstacles(self, batch: ImportBatch) -> list[str]:
        """What keeps the whole import from being taken back, in words; empty when nothing does."""
        raise NotImplementedError

    def revert(self, batch: ImportBatch, *, actor: Any) -> int:
        """Take everything back, in the caller's transaction; the number of records taken back or restored."""
        raise NotImplementedError

    def filtered_list(self, batch: ImportBatch) -> str:
        """Query string that narrows the list to the batch; empty when the list has no such filter."""
        return ""


KINDS: dict[str, Importer] = {}


def register(importer: Importer) -> Importer:
    """Make a kind known by its name; raises ValueError when another one already has the name."""
    known = KINDS.setdefault(importer.name, importer)
    if type(known) is not type(importer):
        raise ValueError(f"two importers are named {importer.name}")
    return known


def kinds_for(user: Any) -> list[Importer]:
    """The kinds that the person may import, in the order they were registered."""
    return [importer for importer in KINDS.values() if importer.may(user)]
