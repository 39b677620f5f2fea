"""People and helpers of the house's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from core import jobs


@pytest.fixture
def person(db: None) -> Any:
    return get_user_model().objects.create_user("zhang", name="张示例")


@pytest.fixture
def other(db: None) -> Any:
    return get_user_model().objects.create_user("li", name="李示例")


@pytest.fixture
def kind() -> Iterator[Callable[..., str]]:
    """Register handlers for one test: `kind(handler, max_attempts=…)` gives the kind's name."""
    made: list[str] = []

    def register(handler: jobs.Handler, **options: Any) -> str:
        name = f"test.{handler.__name__}"
        jobs.job(name, label="测试任务", **options)(handler)
        made.append(name)
        return name

    yield register
    for name in made:
        jobs.KINDS.pop(name, None)
