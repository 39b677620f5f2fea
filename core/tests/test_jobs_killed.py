"""A real worker process, really killed: another finishes its job, each unit once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection

from core import jobs, tasks
from core.models import Job, Notification
from core.tests import killable


@pytest.fixture
def worker():
    """Start `run_one(job_id)` in a process of its own, on the test's database."""
    started: list[subprocess.Popen[str]] = []

    def start(job_id: int) -> subprocess.Popen[str]:
        db = connection.settings_dict
        where = f"{db['HOST']}:{db['PORT']}" if db["PORT"] else db["HOST"]
        who = f"{db['USER']}:{db['PASSWORD']}" if db["PASSWORD"] else db["USER"]
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgres://{who}@{where}/{db['NAME']}",
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "WAIT_TO_BE_KILLED": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "core.tests.killable", str(job_id)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_job_of_a_killed_process_is_finished_once_by_another(person, worker, monkeypatch):
    killable.register()
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: False)
    job = jobs.enqueue(killable.KIND, actor=person)
    monkeypatch.undo()

    process = worker(job.pk)
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    job.refresh_from_db()
    assert (job.state, job.attempts, job.steps.count(), Notification.objects.count()) == ("running", 1, 3, 3)

    time.sleep(max(0.0, (job.lease_until - jobs.timezone.now()).total_seconds()) + 0.05)
    assert tasks.sweep_jobs() == 1
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == ("done", 2, {"units": killable.UNITS})
    assert [n.text for n in Notification.objects.order_by("pk")] == ["0", "1", "2", "3", "4", "5"]
    jobs.KINDS.pop(killable.KIND)
    assert not Job.objects.unfinished().exists()
