"""The cast of people; today is a day within the cast's contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from factories import Cast, make_cast


@pytest.fixture
def cast(db: Any) -> Cast:
    return make_cast()


@pytest.fixture
def as_user(cast: Cast) -> Callable[[str], Client]:
    """`as_user("bureau")`: a client logged in as that member of the cast; "anonymous" is nobody."""

    def client_of(who: str) -> Client:
        client = Client()
        if who != "anonymous":
            client.force_login(getattr(cast, who), backend=settings.AUTHENTICATION_BACKENDS[-1])
        return client

    return client_of
