"""Who sees replies, reviews of the system, inspections and circulars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import Access, access_of
from evaluations.querysets.rounds import ORGANISERS

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Circular, Inspection, ResultReply, SystemReview


class ReplyQuerySet(models.QuerySet["ResultReply"]):
    def visible_to(self, user: User) -> ReplyQuerySet:
        """Whoever may see the result, but not the city: a reply is to the organisers."""
        from evaluations.models import Result

        if access_of(user).is_role(Role.CITY):
            return self.none()
        return self.filter(result__in=Result.objects.visible_to(user))


class ReviewQuerySet(models.QuerySet["SystemReview"]):
    def visible_to(self, user: User) -> ReviewQuerySet:
        """The organisers theirs; the city what is settled."""
        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS):
            return rows
        return rows.filter(state="settled") if access.is_role(Role.CITY) else self.none()


def _office(access: Access) -> Q:
    """Those about the office that the person acts for."""
    found = Q(pk__in=[])
    if access.is_role(Role.UNIT) and access.unit_ids:
        found |= Q(organisation__units__in=access.unit_ids)
    if access.is_role(Role.UNIT, Role.DEPARTMENT) and access.organisation_id is not None:
        found |= Q(organisation_id=access.organisation_id)
    return found


class InspectionQuerySet(models.QuerySet["Inspection"]):
    def visible_to(self, user: User) -> InspectionQuerySet:
        """The city and the organisers of the locality; of an office's own, its people as well."""
        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS, Role.CITY):
            return rows
        return rows.filter(_office(access)).distinct()

    def unfinished(self) -> InspectionQuerySet:
        return self.filter(state__in=["open", "answered"])


class CircularQuerySet(models.QuerySet["Circular"]):
    def visible_to(self, user: User) -> CircularQuerySet:
        """A draft: who may make one. What went out: the officials of its locality and of those below it."""
        from districts.models import Locality

        access = access_of(user)
        makers = Q(locality_id__in=access.locality_ids) if access.is_role(Role.BUREAU, Role.CITY) else Q(pk__in=[])
        if not access.is_role(*ORGANISERS, Role.CITY, Role.UNIT, Role.DEPARTMENT) or access.locality_id is None:
            return self.none()
        above = Locality.objects.filter(pk=access.locality_id).values("parent_id")
        reached = Q(locality_id__in=access.locality_ids) | Q(locality_id__in=above)
        return self.filter(makers | (Q(state="out") & reached))
