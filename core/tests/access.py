"""Who opens which page: one scenario, every role, every address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def answers(as_user: Callable[[str], Any], roles: Iterable[str], urls: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """{page: the status that each of `roles` gets, in their order}, to be held against a table of the same form."""
    clients = [as_user(who) for who in roles]
    return {page: tuple(client.get(url).status_code for client in clients) for page, url in urls.items()}
