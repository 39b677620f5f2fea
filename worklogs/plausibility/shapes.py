"""What goes in and what comes out of the checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

# Fingerprints in which fewer bits than this are set (or unset) are of a blank wall or a night: they say nothing.
_FEATURES = 12
BANDS = 8
_BAND_BITS = 16
BITS = BANDS * _BAND_BITS


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo of a record. `digest`: SHA-256 of the kept picture; `mark`: 32 hex digits that survive re-encoding, or
    empty; `taken`: the day in China; `place`: latitude and longitude in degrees."""

    pk: int
    log: int
    digest: str
    mark: str = ""
    taken: date | None = None
    place: tuple[float, float] | None = None

    @property
    def is_telling(self) -> bool:
        """Has the picture enough of a pattern for its fingerprint to be compared?"""
        return is_telling(self.mark)


@dataclass(frozen=True, slots=True)
class Record:
    """One log that was handed in (or is about to be). `earlier`: the version it corrects; `entered`: when it was typed
    in, None where that says nothing (imported, a correction); `in_term`: does a contract hold its day?"""

    pk: int
    planner: int
    charge: int
    charge_name: str
    on: date
    slot: str
    content: str
    entered: datetime | None = None
    in_term: bool = True
    earlier: int | None = None
    pictures: tuple[Picture, ...] = ()

    @property
    def halves(self) -> frozenset[str]:
        return frozenset(("am", "pm")) if self.slot == "full" else frozenset((self.slot,))

    def is_version_of(self, other: Record) -> bool:
        return self.pk == other.earlier or self.earlier == other.pk


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be looked at in record `log`. `others`: the records that it is about, sorted; `facts`: plain JSON
    that `words` turns into a sentence, with the limit it was found by."""

    log: int
    code: str
    others: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Changes when the evidence does: what somebody noted about other evidence does not settle this one."""
        said = json.dumps([self.code, self.others, self.facts], sort_keys=True, ensure_ascii=False, default=str)
        return blake2b(said.encode(), digest_size=16).hexdigest()


def is_telling(mark: str) -> bool:
    ones = int(mark, 16).bit_count() if mark else 0
    return _FEATURES <= ones <= BITS - _FEATURES


def bands(mark: str) -> list[int]:
    """Eight keys of a fingerprint: two that differ in at most seven bits share one, so an index finds near-sameness."""
    if not is_telling(mark):
        return []
    value = int(mark, 16)
    return [n << _BAND_BITS | value >> n * _BAND_BITS & (1 << _BAND_BITS) - 1 for n in range(BANDS)]


def distance(one: str, other: str) -> int:
    """Bits in which two fingerprints differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
