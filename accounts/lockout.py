"""Lock-out after repeated wrong passwords (等保 8.1.4.1 b): five failures close a user name for a quarter of an hour.

The name is what counts, known or not, so that the answer never tells whether somebody exists; the address is not, so
that an office behind one address is not locked out together and no header gives a fresh start.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.middleware import client_ip


def client_address(request: HttpRequest) -> str | None:
    """The address that the connection came from, as the audit log has it."""
    return client_ip(request) or None


def client_username(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The user name that failures are counted under: one for all spellings that log in as the same person."""
    given = credentials or {}
    name = given.get("username") or given.get("login") or request.POST.get("login", "")
    return unicodedata.normalize("NFKC", str(name)).replace("\0", "").strip().casefold()[:255]


def open_again_at(username: str) -> datetime:
    """When `username` may be tried again: the cool-off counts from the last failure that was counted."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    last = AccessAttempt.objects.filter(username=username).aggregate(last=Max("attempt_time"))["last"]
    return (last or timezone.now()) + cool_off


def locked_out(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The page that says when to try again; the same for known and unknown names."""
    until = open_again_at(client_username(request, credentials))
    wait = max(1, math.ceil((until - timezone.now()).total_seconds()))
    response = render(request, "account/locked.html", {"until": until, "minutes": math.ceil(wait / 60)}, status=429)
    response["Retry-After"] = str(wait)
    return response
