"""One locality of the demo behind a real server, built once for a module whose tests only read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

import factories_kept
from accounts.models import User
from core.calendar import load_calendar
from districts.models import Division, Membership
from portal.demo import build, places, reports
from portal.demo.activity import build_activity
from worklogs.services.figures import recount_year

PLACE = "110101"
SUFFIX = "bj"
ROLES = tuple(build.LOGINS)


def seed(today: date | None = None) -> dict[str, User]:
    """Build the demo's 东城区 (with the city above it) as of today; its logins by role."""
    today = today or timezone.localdate()
    cache.clear()
    chosen = tuple(plan for plan in places.PLANS if plan.code in {PLACE, PLACE[:2] + "0000"})
    _divisions(chosen)
    load_calendar(only={today.year - 1, today.year})
    call_command("load_policies", "--demo", verbosity=0)
    with mock.patch.object(build, "PLANS", chosen), mock.patch.object(reports, "PLANS", chosen):
        build_activity(build.build_world(today, "Demo-Password-1!"))
        reports.build_reports(today)
    for year in (today.year - 1, today.year):
        recount_year(year=year)
    return {role: User.objects.get(username=f"{role}-{SUFFIX}") for role in ROLES}


def _divisions(plans: tuple[places.LocalityPlan, ...]) -> None:
    """The rows of the division table that these plans stand on."""
    levels = Division.Level
    rows = [("11", "北京市", levels.PROVINCE, None), ("1101", "市辖区", levels.CITY, "11")]
    rows.append((PLACE, "东城区", levels.COUNTY, "1101"))
    rows += [
        (code, unit.name, levels.STREET, code[:6]) for p in plans for unit in p.units for code, _ in unit.divisions
    ]
    Division.objects.bulk_create(
        Division(code=c, name=n, level=level, parent_id=parent) for c, n, level, parent in rows
    )


# By the day it was made for: the rows of each table as this process made them. The files lie where they were.
_seeded: dict[date, dict[str, str]] = {}


@contextmanager
def seeded(blocker: Any) -> Iterator[dict[str, User]]:
    """`seed()` for a module: committed, open to every test of it, emptied afterwards."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)
        try:
            yield _seed_once()
        finally:
            call_command("flush", verbosity=0, interactive=False)


def _seed_once() -> dict[str, User]:
    if connection.vendor != "postgresql":
        return seed()
    today = timezone.localdate()
    if kept := _seeded.get(today):
        cache.clear()
        with transaction.atomic():
            factories_kept.put_back(kept)
    else:
        # The flush before has filled these again, as it will the next time.
        before = set(factories_kept.copied(factories_kept.tables()))
        seed(today)
        _seeded[today] = factories_kept.copied(name for name in factories_kept.tables() if name not in before)
    return {role: User.objects.get(username=f"{role}-{SUFFIX}") for role in ROLES}


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def role_of(user: User) -> str:
    return str(Membership.objects.get(user=user).role)
