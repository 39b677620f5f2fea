from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from factories import Cast, make_cast


@pytest.fixture
def cast(db: Any) -> Cast:
    return make_cast()


@pytest.fixture
def as_user() -> Callable[[Any], Client]:
    """A browser of somebody logged in; of nobody for None."""

    def log_in(user: Any) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return log_in
