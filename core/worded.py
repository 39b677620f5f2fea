"""Statements that were put into SQL before, by what they were made from: a union of many branches costs the ORM far
more to word than the database to answer (measured on the worklist: eight parts of ten).

Kept is the wording alone, never an answer; what it depends on is the key, values and all, so that nobody is given
somebody else's. The ones used longest ago fall out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement with its values, and how its columns become Python. `names` is empty for rows as tuples."""

    using: str
    sql: str
    values: tuple[Any, ...]
    converters: dict[int, Any]
    names: tuple[str, ...]

    def rows(self) -> list[Any]:
        if not self.sql:
            return []
        connection = connections[self.using]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            found: Iterable[Any] = cursor.fetchall()
        if self.converters:
            found = (self._converted(row, connection) for row in found)
        return [dict(zip(self.names, row, strict=True)) for row in found] if self.names else [*map(tuple, found)]

    def _converted(self, row: Any, connection: Any) -> list[Any]:
        made = list(row)
        for at, (steps, expression) in self.converters.items():
            for step in steps:
                made[at] = step(made[at], expression, connection)
        return made


def _word(queryset: QuerySet[Any]) -> _Statement:
    """Of a queryset of `values()` (rows as dicts) or `values_list()` (as tuples)."""
    compiler = queryset.query.get_compiler(using=queryset.db)
    try:
        sql, values = compiler.as_sql()
    except EmptyResultSet:
        return _Statement(queryset.db, "", (), {}, ())
    columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
    query: Any = queryset.query
    chosen = query.selected or [*query.extra_select, *query.values_select, *query.annotation_select]
    as_dicts = "List" not in queryset._iterable_class.__name__
    names = tuple(chosen) if as_dicts else ()
    return _Statement(queryset.db, sql, tuple(values), compiler.get_converters(columns), names)


class Worded:
    """`rows(key, make)`: the rows of `make()`, which is called only when nothing is kept under `key`; under a key that
    cannot be kept (a list in it) it is worded each time."""

    def __init__(self, most: int = 200) -> None:
        self._most, self._kept, self._lock = most, OrderedDict[Hashable, _Statement](), Lock()

    def rows(self, key: Hashable, make: Callable[[], QuerySet[Any]]) -> list[Any]:
        try:
            hash(key)
        except TypeError:
            return _word(make()).rows()
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
        if known is None:
            known = _word(make())
            with self._lock:
                self._kept[key] = known
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return known.rows()
