"""Celery tasks of the house: each takes ids, may run twice and tolerates vanished rows."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from core import jobs
from core.audit_chain import seal
from core.models import Heartbeat


@shared_task(name="core.tasks.run_job")
def run_job(job_id: int) -> None:
    """Run one job if it is still to be run."""
    jobs.run_one(job_id)


@shared_task(name="core.tasks.sweep_jobs")
def sweep_jobs() -> int:
    """Wake workers for jobs whose message was lost or whose worker died; the number woken. Also the worker's pulse."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
    jobs.give_up_exhausted()
    return sum(jobs.dispatch(job_id) for job_id in jobs.due_ids())


@shared_task(name="core.tasks.seal_audit")
def seal_audit(full: bool = False) -> int:
    """Link the audit entries committed since the last run; the number linked."""
    return seal(full=full)
