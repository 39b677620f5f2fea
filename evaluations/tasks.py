"""Celery tasks of evaluation: each may run twice and tells nobody twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from evaluations.services import reminders


@shared_task(name="evaluations.tasks.remind_raters")
def remind_raters() -> int:
    """Every morning: who owes a sheet, and the organisers of what nobody can fill in; the number of people told."""
    return reminders.remind(timezone.localdate())
