"""The catalogue: every key that a policy pack may hold, in the order in which a reader meets them."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType

from districts.policy import keys_appointment, keys_process
from districts.policy.keys import CONTRACT, PROCESS, Key

_KEYS = [*keys_appointment.KEYS, *keys_process.KEYS]
CATALOGUE = MappingProxyType({key.name: key for key in _KEYS})
if len(CATALOGUE) != len(_KEYS):
    raise RuntimeError("a policy key is listed twice")

CONTRACT_KEYS = frozenset(key.name for key in _KEYS if key.binding == CONTRACT)
PROCESS_KEYS = frozenset(key.name for key in _KEYS if key.binding == PROCESS)

__all__ = ["CATALOGUE", "CONTRACT_KEYS", "PROCESS_KEYS", "Key", "groups"]


def groups() -> list[tuple[str, list[Key]]]:
    """The keys by chapter (章节), in reading order: an office reads the validity first, then who governs."""
    chapters = [(title, list(keys)) for title, keys in groupby(CATALOGUE.values(), key=lambda key: key.group)]
    return sorted(chapters, key=lambda chapter: chapter[0] != "有效期")
