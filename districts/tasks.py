"""Celery tasks of units: each may run twice."""

from __future__ import annotations

from celery import shared_task

from districts.services.unit_changes import settle_due


@shared_task(name="districts.tasks.settle_unit_changes")
def settle_unit_changes() -> int:
    """Names, streets and contacts of changes whose day has come; the number of changes settled."""
    return settle_due()
