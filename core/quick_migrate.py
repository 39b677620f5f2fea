"""Migrations without rendering every model of the product again for each new table.

Django keeps the models of the history as classes, and after each change renders anew whatever the changed one reaches:
nearly all of them, since everything reaches the user. That was five sixths of the time of `migrate`. Something added (a
table, a column, a constraint, an index) changes no other table, so that its own class is enough. A migration that runs
Python still gets all of them fresh: `is_delayed` is Django's own mark for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from django.db.migrations.state import ModelState, ProjectState

ALONE = ("add_model", "add_field", "add_index", "add_constraint", "remove_index", "remove_constraint")


@contextmanager
def only_what_changed() -> Iterator[None]:
    with ExitStack() as patched:
        for name in ALONE:
            patched.enter_context(mock.patch.object(ProjectState, name, _alone(getattr(ProjectState, name))))
        yield


def _alone(change: Callable[..., None]) -> Callable[..., None]:
    def changed(state: ProjectState, *args: Any) -> None:
        # The state itself is changed as ever; only the rendering is left to us.
        rendered = state.__dict__.pop("apps", None)
        change(state, *args)
        if rendered is not None:
            state.__dict__["apps"] = rendered
            state.is_delayed = True
            state._reload({_key(*args)})  # type: ignore[attr-defined]  # Django keeps it to itself

    return changed


def _key(first: ModelState | str, name: str = "", *_rest: Any) -> tuple[str, str]:
    return (first.app_label, first.name_lower) if isinstance(first, ModelState) else (first, name)
