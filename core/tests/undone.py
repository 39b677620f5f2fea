"""For tests that try one thing after another on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """What is done within has never been done afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
