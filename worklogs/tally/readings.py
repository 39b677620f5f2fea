"""Evaluate under every allowed reading of the open rules, and agree field by field.

A rule that nobody has set is not guessed. Where every reading of it gives the same figure, the figure is determined;
where they differ there is none, and the rules on which it hangs are named: those alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import TypeVar

from worklogs.tally.rules import KEYS, READ_KEYS, Options, Reading


class Missing(frozenset[str]):
    """Instead of a number: the keys without which there is none under this reading."""


Result = Decimal | Missing
_ORDER = {key: number for number, key in enumerate(KEYS)}
_KEY_OF = dict(zip(Reading._fields, READ_KEYS, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A field after all readings: its value, or the keys that keep it open and what each reading gives.

    `cases`: for each distinct choice of the rules that matter, (field of Reading → choice, number or Missing).
    """

    value: Decimal | None
    unset: tuple[str, ...] = ()
    cases: tuple[tuple[tuple[tuple[str, object], ...], Result], ...] = ()

    @property
    def range(self) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest number; None where some reading gives none."""
        numbers = [result for _, result in self.cases if isinstance(result, Decimal)]
        return (min(numbers), max(numbers)) if numbers and len(numbers) == len(self.cases) else None


def readings(options: Options, names: Sequence[str]) -> Iterable[Reading]:
    """Every combination of the named rules; the others stand at their first option, since they do not enter."""
    base = Reading(**{name: values[0] for name, values in options.items()})
    if all(len(options[name]) == 1 for name in names):
        yield base
        return
    for choice in product(*(options[name] for name in names)):
        yield base._replace(**dict(zip(names, choice, strict=True)))


T = TypeVar("T")


def evaluate(options: Options, names: Sequence[str], compute: Callable[[Reading], T]) -> list[tuple[Reading, T]]:
    """What `compute` gives under each combination of the named rules."""
    return [(reading, compute(reading)) for reading in readings(options, names)]


def agree(cases: Sequence[tuple[Reading, Result]], options: Options, names: Sequence[str]) -> Outcome:
    """One field over all readings."""
    first = cases[0][1]
    if len(cases) == 1 or all(result == first for _, result in cases):
        return Outcome(None, _ordered(first)) if isinstance(first, Missing) else Outcome(first)
    matter = [name for name in names if len(options[name]) > 1 and _matters(cases, name)]
    keys = {str(_KEY_OF[name]) for name in matter}
    for _, result in cases:
        if isinstance(result, Missing):
            keys |= result
    distinct = {tuple((name, getattr(reading, name)) for name in matter): result for reading, result in cases}
    return Outcome(None, _ordered(keys), tuple(distinct.items()))


def _matters(cases: Sequence[tuple[Reading, Result]], name: str) -> bool:
    """Is there a pair of readings that differ in this rule alone and give different results?"""
    seen: dict[Reading, Result] = {}
    for reading, result in cases:
        rest = reading._replace(**{name: None})  # type: ignore[arg-type]
        if seen.setdefault(rest, result) != result:
            return True
    return False


def _ordered(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(keys, key=lambda key: (_ORDER.get(key, len(_ORDER)), key)))
