"""Migrating renders only the table that an operation adds to, and Python in a migration sees all as it is by then."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.db.migrations import AddConstraint, AddField, CreateModel
from django.db.migrations.state import ProjectState

from core.quick_migrate import only_what_changed

AUTHOR = CreateModel("Author", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())])
BOOK = CreateModel(
    "Book",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("author", models.ForeignKey("library.Author", models.CASCADE, related_name="books")),
    ],
)
CHANGES = [
    BOOK,
    AddField("Book", "second", models.ForeignKey("library.Author", models.CASCADE, null=True, related_name="others")),
    AddConstraint("Book", models.UniqueConstraint(fields=["author"], name="one_book")),
]


@pytest.fixture
def state() -> ProjectState:
    made = ProjectState()
    AUTHOR.state_forwards("library", made)
    assert made.apps.get_model("library", "author"), "rendered, as it is while migrating"
    return made


def apply(state: ProjectState, *operations: Any) -> None:
    with only_what_changed():
        for operation in operations:
            operation.state_forwards("library", state)


def test_what_is_added_does_not_render_its_neighbours_again(state):
    author = state.apps.get_model("library", "author")
    apply(state, *CHANGES)
    assert state.apps.get_model("library", "author") is author
    book = state.apps.get_model("library", "book")
    assert [constraint.name for constraint in book._meta.constraints] == ["one_book"]
    assert book._meta.get_field("second").remote_field.model._meta.db_table == "library_author"


def test_python_in_a_migration_sees_the_relations_from_both_sides(state):
    apply(state, *CHANGES, AddField("Author", "born", models.IntegerField(null=True)))
    state.clear_delayed_apps_cache()
    author, book = (state.apps.get_model("library", name) for name in ("author", "book"))
    assert {relation.name for relation in author._meta.related_objects} == {"books", "others"}
    assert book._meta.get_field("author").related_model is author


def test_the_state_is_the_one_that_django_makes(state):
    plain = state.clone()
    for operation in CHANGES:
        operation.state_forwards("library", plain)
    apply(state, *CHANGES)
    assert state == plain
    assert (
        state.models["library", "book"].options["constraints"] == plain.models["library", "book"].options["constraints"]
    )


def test_afterwards_django_is_as_it_was():
    before = ProjectState.add_model
    with only_what_changed():
        assert ProjectState.add_model is not before
    assert ProjectState.add_model is before
