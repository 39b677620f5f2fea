"""/health/ tells a load balancer whether to send people here, and says no more than that."""

from __future__ import annotations

import datetime as dt
from collections import namedtuple

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from core import health
from core.models import Heartbeat, Job


@pytest.mark.django_db
def test_whole_portal_is_ok(client):
    Heartbeat.objects.create(name="worker", at=timezone.now())
    answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "parts": {"database": "ok", "broker": "ok", "worker": "ok", "disk": "ok"},
    }
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("silence, status", [(30, "ok"), (600, "silent")])
def test_silent_worker_degrades(client, silence, status):
    Heartbeat.objects.create(name="worker", at=timezone.now() - dt.timedelta(seconds=silence))
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["parts"]["worker"]) == (200, status)


@pytest.mark.django_db
@pytest.mark.parametrize("lease, status", [(30, "ok"), (-30, "silent")])
def test_worker_deep_in_a_job_is_not_silent(client, lease, status):
    Heartbeat.objects.create(name="worker", at=timezone.now() - dt.timedelta(minutes=10))
    Job.objects.create(kind="t", label="t", state="running", lease_until=timezone.now() + dt.timedelta(seconds=lease))
    assert client.get("/health/").json()["parts"]["worker"] == status


@pytest.mark.django_db
def test_broker_away_degrades_and_is_found_soon(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"], answer.json()["parts"]["broker"]) == (200, "degraded", "down")


@pytest.mark.django_db
def test_embedded_broker_is_its_folder(client, settings, tmp_path):
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "queue")}
    assert client.get("/health/").json()["parts"]["broker"] == "ok"


@pytest.mark.django_db
def test_full_disk_is_told(client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 1000, 1000))
    assert client.get("/health/").json()["parts"]["disk"] == "full"


@pytest.mark.django_db
def test_database_away_is_503_and_nothing_more_is_asked(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("could not connect to server at 10.1.2.3")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert answer.json()["parts"]["worker"] == "unknown"
    assert "10.1.2.3" not in answer.content.decode()
