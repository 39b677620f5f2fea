"""Periodic work of this app."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from accounts.devices import forget_old

KEPT_DAYS = 90


@shared_task(name="accounts.tasks.clear_sessions")
def clear_sessions() -> int:
    """Delete sessions that have expired, and what was kept of logins last used 90 days ago; how many of these."""
    call_command("clearsessions")
    return forget_old(timezone.now() - timedelta(days=KEPT_DAYS))
