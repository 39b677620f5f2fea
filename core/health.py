"""Is each part of the portal working? Read by /health/ and by whoever watches the portal."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from core.models import Heartbeat, Job

WORKER_SILENCE = timedelta(seconds=90)
LEAST_FREE_BYTES = 500 * 1024 * 1024
# A check must answer sooner than whoever asks gives up.
TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class Health:
    """One part: "ok" or what is wrong in one word; `vital` parts take the portal down with them."""

    name: str
    status: str
    vital: bool = False


def check_all() -> list[Health]:
    database = _database()
    return [database, _broker(), _worker() if database.status == "ok" else Health("worker", "unknown"), _disk()]


def _database() -> Health:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return Health("database", "down", vital=True)
    return Health("database", "ok", vital=True)


def _broker() -> Health:
    if not settings.REDIS_URL:
        folder = Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]))
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
        return Health("broker", "ok" if os.access(nearest, os.W_OK) else "down")
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT)
    try:
        client.ping()
    except redis.RedisError:
        return Health("broker", "down")
    finally:
        client.close()
    return Health("broker", "ok")


def _worker() -> Health:
    # A worker deep in a long job has no time for its pulse: a lease that it keeps is as good a sign.
    if Job.objects.filter(state=Job.State.RUNNING, lease_until__gt=timezone.now()).exists():
        return Health("worker", "ok")
    pulse = Heartbeat.objects.filter(name="worker").first()
    if pulse is None:
        return Health("worker", "never")
    return Health("worker", "ok" if timezone.now() - pulse.at < WORKER_SILENCE else "silent")


def _disk() -> Health:
    folder = Path(settings.DATA_DIR)
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return Health("disk", "ok" if shutil.disk_usage(nearest).free > LEAST_FREE_BYTES else "full")
