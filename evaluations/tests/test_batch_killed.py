"""A whole round's documents with workers killed at random: it still ends, with each document exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from core import jobs
from core.models import IssuedDocument, Job
from evaluations.facts import facts_of
from evaluations.services.batches import start_batch
from evaluations.services.cycles import add_missing_reports
from factories import make_planner
from planners.models import TeamMember

from .conftest import TEXTS

KILLS = 3


def _worker() -> subprocess.Popen[bytes]:
    """`manage.py run_jobs` in a process of its own, on the test's database and files."""
    db = connection.settings_dict
    where = f"{db['HOST']}:{db['PORT']}" if db["PORT"] else db["HOST"]
    who = f"{db['USER']}:{db['PASSWORD']}" if db["PASSWORD"] else db["USER"]
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://{who}@{where}/{db['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "PORTAL_DATA_DIR": str(settings.DATA_DIR),
    }
    return subprocess.Popen([sys.executable, "manage.py", "run_jobs"], cwd=settings.BASE_DIR, env=environment)


def _is_done(process: subprocess.Popen[bytes], job: Job, rng: random.Random) -> bool:
    """Let the worker take the job and do a document or none, then a moment more; True when it has ended by itself."""
    steps, attempts = job.steps.count() + rng.randint(0, 1), job.attempts
    while process.poll() is None:
        job.refresh_from_db()
        if job.attempts > attempts and job.steps.count() >= steps:
            break
        time.sleep(0.02)
    try:
        process.wait(timeout=rng.uniform(0, 0.5))
    except subprocess.TimeoutExpired:
        return False
    return True


def _lease_runs_out(job: Job) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk, state="running").update(lease_until=past)


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_batch_killed_at_random_ends_with_each_document_once(cast, cycle, monkeypatch):
    for number in range(3):
        member = make_planner(cast.locality, name=f"成员{number}")
        TeamMember.objects.create(team=cast.team, planner=member, start=date(2025, 1, 1))
    add_missing_reports(cycle, actor=cast.bureau)
    for report in cycle.reports.all():
        facts = facts_of(report)
        now = timezone.now()
        type(report).objects.filter(pk=report.pk).update(state="frozen", sections=TEXTS, facts=facts, frozen_at=now)
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: False)
    job = start_batch(cycle, actor=cast.bureau).job

    rng = random.Random()
    killed = 0
    for _ in range(KILLS):
        process = _worker()
        if _is_done(process, job, rng):
            break
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        killed += 1
        _lease_runs_out(job)
    if killed == KILLS:
        assert _worker().wait(120) == 0
    job.refresh_from_db()
    assert job.state == "done", (killed, job.message, job.error)
    assert IssuedDocument.objects.count() == 6
    assert IssuedDocument.objects.exclude(file=None).values("content_hash").distinct().count() == 6
    batch = cycle.batches.get()
    names = zipfile.ZipFile(batch.archive.path).namelist()
    assert sorted(names) == sorted(set(names))
    assert len(names) == 7
