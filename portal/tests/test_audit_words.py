"""What an auditor reads is in words: no action goes into the log under its code alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver
from django.utils.module_loading import autodiscover_modules

from core.audit import ACTION_LABELS

APPS = ("core", "accounts", "districts", "planners", "projects", "worklogs", "evaluations", "portal")


def recorded() -> Iterator[tuple[str, str]]:
    """(file, action) of each call that writes an entry of a named action without its own words."""
    for app in APPS:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            if {"tests", "migrations"} & set(path.parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                action = node.args[0]
                if (
                    name not in {"record", "build"}
                    or not isinstance(action, ast.Constant)
                    or "." not in str(action.value)
                ):
                    continue
                if not any(keyword.arg == "label" for keyword in node.keywords):
                    yield str(path.relative_to(settings.BASE_DIR)), str(action.value)


def test_every_action_of_the_log_has_words():
    # Words are registered where the services are; every one of them is behind some page or some task.
    assert get_resolver().url_patterns
    autodiscover_modules("tasks")
    found = list(recorded())
    assert len({action for _, action in found}) > 40
    assert [(where, action) for where, action in found if action not in ACTION_LABELS] == []


@pytest.mark.parametrize("action", ["contract.create", "unit.update", "project.export"])
def test_words_are_chinese(action):
    assert all("一" <= letter <= "鿿" for letter in ACTION_LABELS[action])
