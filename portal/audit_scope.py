"""Which entries of the audit log somebody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from core.models import AuditEntry
from districts.models import Locality

if TYPE_CHECKING:
    from accounts.models import User


def entries_for(user: User) -> QuerySet[AuditEntry]:
    """Those of the places that the person reaches, and those of no place; whether they may read any is
    `can_read_audit`."""
    codes = Locality.objects.visible_to(user).values_list("code", flat=True)
    return AuditEntry.objects.filter(locality_code__in=[*codes, ""])
