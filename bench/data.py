"""Rows to measure over, made by the generator of `seed_demo --scale`, in one locality so that one user sees all."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.utils import timezone

from accounts.models import User
from districts.models import Membership, Unit
from portal.demo.scale import CODES, LOGS, build_block
from worklogs.models import WorkLog

VIEWER = "bureau-bj"


def viewer() -> User:
    return User.objects.get(username=VIEWER)


def visible() -> int:
    return WorkLog.objects.visible_to(viewer()).count()


def grow_to(rows: int, today: date, *, block: int) -> int:
    """Add logs until the viewer sees `rows`; the next free block number."""
    here = CODES.index(viewer_code())
    while (lacking := rows - visible()) > 0:
        build_block(block * len(CODES) + here, today, logs=min(LOGS, lacking), projects=min(LOGS, lacking) // 10)
        block += 1
    settle()
    return block


def next_block() -> int:
    """The number of the first block that is not there yet."""
    return Unit.objects.filter(name__startswith="规模单元", name__endswith="-1（示例）").count()


def viewer_code() -> str:
    return str(Membership.objects.get(user=viewer(), unit=None).locality.code)


def viewer_locality() -> int:
    return int(Membership.objects.get(user=viewer(), unit=None).locality_id)


def today() -> date:
    return timezone.localdate()


def settle() -> None:
    """What autovacuum would have done by the next day."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
