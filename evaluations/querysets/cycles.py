"""Which cycles and reports a person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Cycle, DutyReport, ReportBatch


class ReportBatchQuerySet(models.QuerySet["ReportBatch"]):
    def visible_to(self, user: User) -> ReportBatchQuerySet:
        return self.filter(cycle__locality_id__in=access_of(user).locality_ids)


class CycleQuerySet(models.QuerySet["Cycle"]):
    def visible_to(self, user: User) -> CycleQuerySet:
        access = access_of(user)
        if access.is_role(Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR):
            return self.none()
        return self.filter(locality_id__in=access.locality_ids)


class DutyReportQuerySet(models.QuerySet["DutyReport"]):
    def visible_to(self, user: User) -> DutyReportQuerySet:
        """Authors see their own, leads their team's; bureau and leaders what was submitted; units what is frozen."""
        access = access_of(user)
        rows = self.filter(cycle__locality_id__in=access.locality_ids)
        if access.is_role(Role.PLANNER, Role.LEAD):
            return rows.filter(
                Q(author__user_id=user.pk) | (Q(contract__team__lead__user_id=user.pk) & ~Q(state="draft"))
            )
        if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY):
            return rows.exclude(state="draft")
        if access.is_role(Role.UNIT):
            return rows.filter(charge_id__in=access.charge_ids, state="frozen")
        return self.none()

    def newest_frozen(self) -> DutyReportQuerySet:
        """The latest final version of each document: one that a later final version has replaced is left out."""
        return self.filter(state="frozen").exclude(superseded_by__state="frozen")
