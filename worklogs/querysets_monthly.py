"""Which monthly reports a person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import access_of

from .querysets import charges_confirmed_by

if TYPE_CHECKING:
    from datetime import date

    from accounts.models import User

    from .models import MonthlyReport

_READERS = (Role.BUREAU, Role.LEADER, Role.CITY)


class MonthlyReportQuerySet(models.QuerySet["MonthlyReport"]):
    def visible_to(self, user: User) -> MonthlyReportQuerySet:
        """Authors see their own, leads what their team handed in; whoever confirms the logs, and who reads the
        locality, what was handed in."""
        return self.listed_for(user).exclude(~Q(author__user_id=user.pk), state="draft")

    def listed_for(self, user: User) -> MonthlyReportQuerySet:
        """The rows of a list: also that somebody has still to hand one in, but nothing of what it says."""
        access = access_of(user)
        if access.is_role(Role.PLANNER):
            return self.filter(author__user_id=user.pk)
        if access.is_role(Role.LEAD):
            return self.filter(Q(author__user_id=user.pk) | Q(contract__team__lead__user_id=user.pk))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            return self.filter(charge_id__in=charges_confirmed_by(user))
        if access.is_role(*_READERS):
            return self.filter(locality_id__in=access.locality_ids)
        return self.none()

    def newest(self) -> MonthlyReportQuerySet:
        """The last version of each."""
        return self.filter(superseded_by=None)

    def late(self, today: date) -> MonthlyReportQuerySet:
        """Owed, past its day, and still with its author."""
        return self.filter(is_required=True, due_on__lt=today, state__in=["draft", "returned"])
