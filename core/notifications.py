"""Notices to people: sent inside the change's transaction, each key once per person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from core.models import Notification


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to be sent; the fields are the arguments of `notify`."""

    users: Any
    kind: str
    text: str
    url: str = ""
    key: str = ""


def notify(users: Any, *, kind: str, text: str, url: str = "", key: str = "") -> None:
    """Tell people something, in the caller's transaction.

    `users`: one user, or an iterable of users or of user ids; doubles and None are left out.
    `key`: the same key reaches a person once, so that a repeated task tells nobody twice.
    """
    ids = dict.fromkeys(_ids([users] if hasattr(users, "pk") else users))
    Notification.objects.bulk_create(
        [Notification(user_id=pk, kind=kind, text=text[:300], url=url, key=key) for pk in ids],
        batch_size=500,
        ignore_conflicts=True,
    )


def _ids(users: Iterable[Any]) -> list[int]:
    return [getattr(user, "pk", user) for user in users if user is not None]


def unread_count(user: Any) -> int:
    """How many notices the person has not read."""
    # By hand, because every page asks it and wording it takes the ORM several times as long as the database to answer.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM {Notification._meta.db_table} WHERE user_id = %s AND read_at IS NULL",  # noqa: S608
            [user.pk],
        )
        return int(cursor.fetchone()[0])
