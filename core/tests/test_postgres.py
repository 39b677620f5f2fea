"""A kept connection is tried without asking the server: one that the server ended is not used again."""

from __future__ import annotations

import pytest
from django.db import connection, connections

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL alone"),
]


@pytest.fixture
def kept():
    """A connection as a worker keeps it from one request to the next."""
    one = connections.create_connection("default")
    one.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    with one.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield one
    one.close()


def ask(one, sql="SELECT pg_backend_pid()"):
    with one.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_standing_connection_is_kept_and_asked_nothing(kept):
    session = ask(kept)
    kept.close_if_unusable_or_obsolete()
    assert kept.is_usable()
    assert ask(connection, f"SELECT query FROM pg_stat_activity WHERE pid = {session}") == "SELECT pg_backend_pid()"
    assert ask(kept) == session


def test_connection_that_the_server_ended_is_made_anew(kept):
    session = ask(kept)
    assert ask(connection, f"SELECT pg_terminate_backend({session}, 5000)")
    kept.close_if_unusable_or_obsolete()  # what Django does before the next request
    assert ask(kept) != session
