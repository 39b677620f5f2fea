"""What still runs under a version of a policy. The apps above register what they bind to versions; nothing here knows
them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from districts.models import PolicyVersion

Count = Callable[[PolicyVersion, date], int]
_SOURCES: dict[str, Count] = {}


@dataclass(frozen=True, slots=True)
class Bound:
    """So many of something, such as 3 份聘用合同."""

    label: str
    count: int


def register_bound(label: str, count: Count) -> None:
    """`count(version, day)`: how many still run under the version on the day."""
    _SOURCES[label] = count


def bound_to(version: PolicyVersion, *, on: date | None = None) -> list[Bound]:
    """What runs under the version on `on` (today), leaving out what there is none of; one query a kind."""
    day = on or timezone.localdate()
    found = (Bound(label, count(version, day)) for label, count in _SOURCES.items())
    return [one for one in found if one.count]
