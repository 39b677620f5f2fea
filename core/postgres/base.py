"""The engine of `DATABASES`: Django's for PostgreSQL, with a quicker way to see that a kept connection still stands.

Django sends `SELECT 1` at the beginning of every request (CONN_HEALTH_CHECKS): a fifth of all that an empty page asks
of database and cache. A server that restarts, or ends a session, closes the connection or says so, and either can be
read; an idle connection with nothing to read still stands.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL


class DatabaseWrapper(PostgreSQL):
    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)
