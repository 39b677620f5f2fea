"""Django's `migrate`, in a fraction of its time."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from core.quick_migrate import only_what_changed


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with only_what_changed():
            super().handle(*args, **options)
