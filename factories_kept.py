"""What many tests want, made once for each test process: copied out of the database, and copied back in for each.

The cast takes over a hundred statements, the demo's locality many seconds. PostgreSQL only (COPY); on SQLite both are
made anew each time, as is the cast inside a test that commits or beside rows that are there already.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connection
from django.db.models import AutoField
from django.utils import timezone

from accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from factories import Cast


@dataclass(frozen=True, slots=True)
class Kept:
    """`tables`: the rows of each table as COPY writes them. `people`: the cast itself, pickled."""

    tables: dict[str, str]
    people: bytes


_kept: Kept | None = None


def keep(make: Callable[[], Cast]) -> None:
    """Make the cast, remember its rows; the caller rolls back. Nothing is kept where COPY is not spoken."""
    global _kept
    if connection.vendor != "postgresql":
        return
    before = {name for name in tables() if _has_rows([name])}
    cast = make()
    _kept = Kept(copied(name for name in tables() if name not in before), pickle.dumps(cast))


def give() -> Cast | None:
    """The kept cast, its rows in the database again; None where it has to be made."""
    if _kept is None or not connection.in_atomic_block or _has_rows(list(_kept.tables)):
        return None
    put_back(_kept.tables)
    with connection.cursor() as cursor:
        # As old as they would be if they had just been made: the test may have moved the clock.
        now = timezone.now()
        cursor.execute(f"UPDATE {User._meta.db_table} SET date_joined = %s, password_set_at = %s", [now, now])
    cast: Any = pickle.loads(_kept.people)
    for field in fields(cast):
        if isinstance(person := getattr(cast, field.name), User):
            person.date_joined = person.password_set_at = now
    return cast  # type: ignore[no-any-return]


def tables() -> list[str]:
    return [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def copied(names: Iterable[str]) -> dict[str, str]:
    """The rows of each of these tables that has any."""
    return {name: rows for name in names if (rows := _rows(name))}


def put_back(rows_of: dict[str, str]) -> None:
    """The rows again, under their numbers; the next number of each table is a free one."""
    with connection.cursor() as cursor:
        for name, rows in rows_of.items():
            cursor.copy_expert(f'COPY "{name}" FROM STDIN', io.StringIO(rows))
        # A flush lets the numbers begin anew.
        counters = [(name, f"pg_get_serial_sequence('{name}', 'id')") for name in rows_of if name in _numbered()]
        cursor.execute(
            "SELECT "
            + ", ".join(
                f'setval({counter}, GREATEST((SELECT MAX(id) FROM "{name}"), nextval({counter})))'
                for name, counter in counters
            )
        )


@cache
def _numbered() -> set[str]:
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if isinstance(model._meta.pk, AutoField) and model._meta.pk.column == "id"
    }


def _has_rows(names: list[str]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + " OR ".join(f'EXISTS (SELECT 1 FROM "{name}")' for name in names))
        return bool(cursor.fetchone()[0])


def _rows(name: str) -> str:
    written = io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f'COPY "{name}" TO STDOUT', written)
    return written.getvalue()
