"""Celery tasks of the work logs: each may run twice and tolerates vanished rows."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from worklogs.services import checks, figures, monthly_plan, photos


@shared_task(name="worklogs.tasks.recount_touched")
def recount_touched() -> int:
    """Bring the figures of what changed up to date; the number of contract years recounted."""
    return figures.recount_pending()


@shared_task(name="worklogs.tasks.recount_all")
def recount_all() -> int:
    """Every night: all figures, whatever happened; the number of rows that had to be written."""
    return figures.recount_all()


@shared_task(name="worklogs.tasks.check_touched")
def check_touched() -> int:
    """Look through the months that changed; the number of months done."""
    return checks.check_pending()


@shared_task(name="worklogs.tasks.monthly_reports")
def monthly_reports() -> int:
    """Every morning: drafts for whoever owes a report of last month, and reminders; the number of drafts made."""
    today = timezone.localdate()
    made = monthly_plan.open_month(today.replace(day=1) - timedelta(days=1), today=today)
    monthly_plan.remind(today)
    return made


@shared_task(name="worklogs.tasks.sweep_pending_photos")
def sweep_pending_photos() -> int:
    """Forget photos of forms that never came back; the number forgotten."""
    return photos.sweep_pending()
