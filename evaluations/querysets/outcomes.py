"""Who sees what came of a round, and from which phase on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import access_of
from evaluations.querysets.rounds import ORGANISERS, is_subject

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import DepartmentResponse, FilingPackage, Objection, Result

# From the notice on each subject knows its own result.
TOLD = ("notice", "published", "filed")
SETTLED = ("published", "filed")


def _own_subjects(user: User) -> Any:
    from evaluations.models import Subject

    return Subject.objects.filter(is_subject(user)).values("pk")


class ResultQuerySet(models.QuerySet["Result"]):
    def visible_to(self, user: User) -> ResultQuerySet:
        """Organisers from the first computation; the city once it stands; a subject its own, from the notice on."""
        access = access_of(user)
        rows = self.filter(subject__round__locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS):
            return rows
        if access.is_role(Role.CITY):
            return rows.filter(subject__round__state__in=SETTLED)
        if access.is_role(Role.PLANNER, Role.LEAD, Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR):
            return rows.filter(subject__round__state__in=TOLD, subject_id__in=_own_subjects(user))
        return self.none()

    def current(self) -> ResultQuerySet:
        return self.filter(superseded_by=None)


class ObjectionQuerySet(models.QuerySet["Objection"]):
    def visible_to(self, user: User) -> ObjectionQuerySet:
        access = access_of(user)
        rows = self.filter(result__subject__round__locality_id__in=access.locality_ids)
        return rows if access.is_role(*ORGANISERS) else rows.filter(raised_by_id=user.pk)


class ResponseQuerySet(models.QuerySet["DepartmentResponse"]):
    def visible_to(self, user: User) -> ResponseQuerySet:
        access = access_of(user)
        rows = self.filter(result__subject__round__locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS):
            return rows
        if access.is_role(Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR):
            return rows.filter(result__subject_id__in=_own_subjects(user))
        return self.none()


class OfRoundQuerySet(models.QuerySet[Any]):
    """Papers of the organisers: minutes and publications in the making."""

    def visible_to(self, user: User) -> OfRoundQuerySet:
        access = access_of(user)
        if not access.is_role(*ORGANISERS):
            return self.none()
        return self.filter(round__locality_id__in=access.locality_ids)


class FilingQuerySet(models.QuerySet["FilingPackage"]):
    def visible_to(self, user: User) -> FilingQuerySet:
        """The organisers theirs; the city what has been sent to it."""
        access = access_of(user)
        rows = self.filter(round__locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS):
            return rows
        return rows.exclude(Q(state="draft")) if access.is_role(Role.CITY) else self.none()
