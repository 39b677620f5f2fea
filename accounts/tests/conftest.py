from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User

PASSWORD = "Lantern-Street-42!"
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    """Rate limits are kept in the cache, which outlives a test's database."""
    cache.clear()


@pytest.fixture
def person(db: Any) -> User:
    return User.objects.create_user("wang.shi", password=PASSWORD, name="王示例")


@pytest.fixture
def log_in(client: Client) -> Callable[..., Any]:
    """Post the login form as a person would."""

    def post(username: str = "wang.shi", password: str = PASSWORD, *, to: Client | None = None, **extra: Any) -> Any:
        data = {"login": username, "password": password, **extra.pop("data", {})}
        return (to or client).post(LOGIN, data, **extra)

    return post


@pytest.fixture
def logged_in(client: Client, person: User) -> Client:
    client.force_login(person)
    return client
