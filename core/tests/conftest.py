"""People and helpers of the house's tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

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


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Run functions at the same time, each on its own database connection; gives results or exceptions in order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        results: list[Any] = [None] * len(functions)

        def call(index: int) -> None:
            try:
                results[index] = functions[index]()
            except Exception as exc:
                results[index] = exc
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=(index,)) for index in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return results

    return run
