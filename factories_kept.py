"""What many tests want, made once for each test process: copied out of the database, and copied back in for each.

The cast takes over a hundred statements, a round of evaluation five hundred, the demo's locality many seconds.
PostgreSQL only (COPY); on SQLite all are made anew each time, as is everything beside rows that are there already, or
(but for the cast) inside a test that commits or at a time that a test has set.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, fields
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.db.models import AutoField
from django.utils import timezone

from accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from factories import Cast

P = ParamSpec("P")
T = TypeVar("T")


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
    global _laid_for_this_test
    if _kept is None:
        return None
    if _laid_for_this_test:
        _laid_for_this_test = False
    elif _has_rows(list(_kept.tables)):
        return None
    else:
        with transaction.atomic():
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


# --- the cast under many tests ------------------------------------------------------------------------------------

# Around the transaction of each test that has the cast: its rows are put in once, and each test is rolled back to them.
_laid: transaction.Atomic | None = None
_laid_for_this_test = False


def lay() -> None:
    """The cast is there before the test that comes next begins."""
    global _laid, _laid_for_this_test
    _laid_for_this_test = False
    if _laid is not None and (connection.needs_rollback or not connection.is_usable()):
        lift()
    if _laid is None and _kept is not None and not connection.in_atomic_block:
        _laid = transaction.atomic()
        _laid.__enter__()
        put_back(_kept.tables)
        connection.check_constraints()
    _laid_for_this_test = _laid is not None


def lift() -> None:
    """The database is empty again."""
    global _laid, _laid_for_this_test
    _laid_for_this_test = False
    if _laid is not None:
        laid, _laid = _laid, None
        connection.set_rollback(True)
        laid.__exit__(None, None, None)


# --- what other builders make ---------------------------------------------------------------------------------------

# A flush fills these again, and they outlive every test.
STANDING = frozenset({"django_content_type", "auth_permission"})
_made: dict[Hashable, Kept] = {}


@dataclass(slots=True)
class _Base:
    """What this test's database holds as long as `changes` is the same: what `key` says, from `given` on."""

    key: Hashable
    given: list[Any]
    changes: int
    depth: int


_base: _Base | None = None


def once(make: Callable[P, T]) -> Callable[P, T]:
    """A builder that begins with an empty database: what it made before is copied back in."""

    @wraps(make)
    def give_again(*args: P.args, **more: P.kwargs) -> T:
        global _base
        key = (make.__module__, make.__qualname__, args, *sorted(more.items()), timezone.localdate())
        if not _may_keep(key) or _has_rows([name for name in tables() if name not in STANDING]):
            return make(*args, **more)
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT as_it_was_empty")
        result = _again(key, lambda: make(*args, **more))
        _base = _Base(key, [result], _changes(), len(connection.savepoint_ids))
        return result

    return give_again


def onward(make: Callable[P, T]) -> Callable[P, T]:
    """A builder that goes on from what a builder `once` gave, as long as the test has changed nothing since."""

    @wraps(make)
    def give_again(*args: P.args, **more: P.kwargs) -> T:
        base = _base
        if base is None or not _unchanged(base):
            return make(*args, **more)
        at = {id(thing): number for number, thing in enumerate(base.given)}
        words = [at.get(id(value), value) for value in args]
        key = (base.key, make.__module__, make.__qualname__, *words, *sorted(more.items()))
        if not args or args[0] is not base.given[0] or not _may_keep(key):
            return make(*args, **more)
        if key in _made:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK TO SAVEPOINT as_it_was_empty")
        result = _again(key, lambda: make(*args, **more))
        base.key, base.given, base.changes = key, [*base.given, result], _changes()
        return result

    return give_again


def _may_keep(key: Hashable) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    moved = time_machine.escape_hatch.is_travelling()
    return connection.vendor == "postgresql" and connection.in_atomic_block and not moved


def _again(key: Hashable, make: Callable[[], T]) -> T:
    if (kept := _made.get(key)) is not None:
        put_back(kept.tables)
        result: T = pickle.loads(kept.people)
        return result
    result = make()
    _made[key] = Kept(copied(name for name in tables() if name not in STANDING), pickle.dumps(result))
    return result


def _unchanged(base: _Base) -> bool:
    inside = connection.in_atomic_block and len(connection.savepoint_ids) == base.depth
    return inside and _changes() == base.changes


def _changes() -> int:
    """How many rows this transaction has written so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0] or 0)


# --- rows out and in ------------------------------------------------------------------------------------------------


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
