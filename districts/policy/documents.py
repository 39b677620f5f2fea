"""What a policy document is once it has been read and checked (districts.policy.schema): packs, versions, decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentMeta:
    """The published document. `cite` is how a clause names it: by number where it has one, else by title."""

    title: str
    issuer: str
    number: str = ""
    issued: str = ""
    source: str = ""
    note: str = ""

    @property
    def cite(self) -> str:
        return self.number or f"《{self.title}》"


@dataclass(frozen=True, slots=True)
class Decision:
    """The local decision behind a value: number, date, who entered it; `demo` marks the trial overlay."""

    number: str
    date: dt.date
    entered_by: str
    title: str = ""
    issuer: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True)
class SetValue:
    """A value that a document or a decision sets, with the article and a summary in our own words.

    `decision`: number of the decision of the same version that set it; empty where the document itself did.
    """

    value: Any
    article: str
    summary: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class VersionDocument:
    """One dated version of a pack. Open ends are None: the document names no day.

    `decisions`: by number, those behind values that the document itself did not set (an amendment entered in the portal
    keeps every other value under its own clause).
    """

    label: str
    document: DocumentMeta
    articles: Mapping[str, str]
    values: Mapping[str, SetValue]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    decisions: Mapping[str, Decision] = field(default_factory=dict)

    def covers(self, day: dt.date) -> bool:
        """Whether the version is in force on that day (both ends included)."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class PackDocument:
    """A pack: its localities and its versions, oldest first."""

    slug: str
    title: str
    localities: tuple[str, ...]
    versions: tuple[VersionDocument, ...]
    second_hand: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class SupplementDocument:
    """A local decision (地方补充规定): fills what a pack leaves unset, from a date, to a date or open.

    `renewal` (of the trial overlay alone): a lapsed version goes on under this label from `valid_from`.
    """

    pack: str
    number: str
    title: str
    issuer: str
    date: dt.date
    entered_by: str
    effective_from: dt.date
    values: Mapping[str, SetValue]
    articles: Mapping[str, str] = field(default_factory=dict)
    effective_to: dt.date | None = None
    demo: bool = False
    localities: tuple[str, ...] = ()
    renewal: Mapping[str, Any] | None = None
    file: str = ""

    def covers(self, day: dt.date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)
