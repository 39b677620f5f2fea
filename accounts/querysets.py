"""Which accounts somebody sees."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import UserManager
from django.db import models
from django.db.models import Q

from accounts.roles import THREE_ADMINISTRATORS, Role
from core.roles import has_role, places_of

if TYPE_CHECKING:
    from accounts.models import LoginSession, User


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User) -> UserQuerySet:
        """The administrators see the accounts kept in their localities, everybody else their own."""
        if has_role(user, *THREE_ADMINISTRATORS):
            return self.filter(locality_code__in=list(places_of(user)))
        return self.filter(pk=user.pk)

    def matching(self, words: str) -> UserQuerySet:
        """Whose name or user name holds every one of `words`."""
        rows = self
        for word in words.split():
            rows = rows.filter(Q(name__contains=word) | Q(username__icontains=word))
        return rows


class LoginSessionQuerySet(models.QuerySet["LoginSession"]):
    def visible_to(self, user: User) -> LoginSessionQuerySet:
        """One's own; security administrators see those of the accounts kept in their localities."""
        if has_role(user, Role.SECADMIN):
            return self.filter(Q(user_id=user.pk) | Q(user__locality_code__in=list(places_of(user))))
        return self.filter(user_id=user.pk)

    def running(self, now: datetime) -> LoginSessionQuerySet:
        """Those that still open the portal: not ended, and within both limits of a session."""
        idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS + 60)
        whole = timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS)
        return self.filter(ended_at=None, seen_at__gte=now - idle, started_at__gte=now - whole)


class AccountManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's manager of users, with the reads above."""

    use_in_migrations = False
