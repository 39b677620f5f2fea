#!/usr/bin/env python3
"""Command line of the portal; DJANGO_SETTINGS_MODULE chooses the way it runs."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    from django.core.management import execute_from_command_line

    from core.stack_room import with_room

    with_room(execute_from_command_line)(sys.argv)


if __name__ == "__main__":
    main()
