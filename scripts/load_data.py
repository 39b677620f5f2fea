"""Migrate, then load policies, divisions, calendar and demo data: each step once for each state of what it reads.

Runs in the virtual environment, in one process, because starting Django costs more than the steps that have nothing
to do.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from environment import digest
from machine import ROOT, say

sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

from core.staticfinders import pack_vendor_files  # noqa: E402

# Command, its arguments, and the files whose change makes it run again.
STEPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("import_divisions", ("districts/data/divisions",), ("districts/data/divisions/*.csv",)),
    ("load_calendar", (), ("core/calendar.py", "requirements.txt")),
    ("load_policies", ("--demo",) if settings.DEMO else (), ("districts/policies/**/*.yaml", "districts/policy/*.py")),
)
DEMO_STEPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("seed_demo", (), ("portal/demo/**/*.py", "districts/policies/**/*.yaml")),
)


def main() -> None:
    fresh = migrate()
    stamps = {} if fresh else read_stamps()
    for command, arguments, patterns in STEPS + (DEMO_STEPS if settings.DEMO else ()):
        state = digest(*files_of(patterns), extra=" ".join((command, *arguments, database())))
        if stamps.get(command) == state:
            continue
        say(f"装入数据：{command}")
        call_command(command, *arguments)
        stamps[command] = state
        stamp_file().write_text(json.dumps(stamps))
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    pack_vendor_files()
    call_command("check", tags=["portal"])
    if settings.DEMO and len(sys.argv) > 1:
        with Path(sys.argv[1]).open("w") as logins:
            call_command("demo_logins", stdout=logins)


def migrate() -> bool:
    """Apply what is not applied; true when the database was empty, so that nothing can have been loaded."""
    Path(settings.DATA_DIR).mkdir(parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    fresh = not executor.loader.applied_migrations
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("更新数据库结构")
        call_command("migrate", verbosity=0, interactive=False)
    return fresh


def database() -> str:
    """Which database the stamps speak of."""
    return "{ENGINE} {HOST} {PORT} {NAME}".format(**settings.DATABASES["default"] | connection.settings_dict)


def files_of(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(ROOT.glob(pattern))


def stamp_file() -> Path:
    return Path(settings.DATA_DIR) / "loaded.json"


def read_stamps() -> dict[str, str]:
    try:
        return dict(json.loads(stamp_file().read_text()))
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    main()
