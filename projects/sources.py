"""Where a rectification came from: its record lies in an app above, which says here where the reader may open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Lookup = Callable[[Any, int], str]
_lookups: list[Lookup] = []


def register_source_lookup(lookup: Lookup) -> None:
    """`lookup(user, source_log)` gives the address of the record for this reader, or "" when they may not see it."""
    _lookups[:] = [lookup]


def source_url(user: Any, source_log: int | None) -> str:
    return _lookups[0](user, source_log) if _lookups and source_log is not None else ""
