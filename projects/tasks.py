"""Celery tasks of projects: each may run twice and tolerates vanished rows."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from projects.services import adoption_sweeps, consultees, due, field_sweeps, reminders


@shared_task(name="projects.tasks.sweep_field")
def sweep_field() -> dict[str, int]:
    """Every morning: reminders of rectifications and disputes, and reports of what is overdue."""
    return field_sweeps.sweep()


@shared_task(name="projects.tasks.sweep_adoption")
def sweep_adoption() -> int:
    """Every morning: answers owed, reminded and carried upward; the number of escalations."""
    return adoption_sweeps.sweep(timezone.localdate()).escalated


@shared_task(name="projects.tasks.sweep_consultations")
def sweep_consultations() -> int:
    """Every morning: contracts that ended, days beyond yesterday's calendar, then reminders; the number reminded of."""
    consultees.release_ended()
    due.recount_due()
    return reminders.remind()
