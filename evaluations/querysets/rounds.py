"""Who sees that a round exists, and whom it evaluates."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Round, Subject

ORGANISERS = (Role.BUREAU, Role.LEADER)
TAKES_PART = (Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR, Role.PLANNER, Role.LEAD)


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, user: User) -> RoundQuerySet:
        """Bureau, leaders and city see every round of theirs; who takes part sees those that have been opened."""
        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        if access.is_role(*ORGANISERS, Role.CITY):
            return rows
        if access.is_role(*TAKES_PART):
            return rows.exclude(state__in=["preparation", "cancelled"])
        return self.none()

    def living(self) -> RoundQuerySet:
        return self.exclude(state="cancelled")

    def overlapping(self, start: date, end: date) -> RoundQuerySet:
        return self.filter(start__lte=end, end__gte=start)


def is_subject(user: User) -> Q:
    """Subjects that are the person, a party of theirs, or the office they act for."""
    access = access_of(user)
    if access.is_role(Role.PLANNER, Role.LEAD):
        return (
            Q(planner__user_id=user.pk)
            | Q(team__lead__user_id=user.pk)
            | Q(team__members__planner__user_id=user.pk)
            | Q(group__members__planner__user_id=user.pk)
        )
    found = Q(pk__in=[])
    if access.is_role(Role.UNIT):
        found |= Q(direction="department", unit_id__in=access.unit_ids)
    if access.organisation_id is not None and access.is_role(Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR):
        found |= Q(direction="department", organisation_id=access.organisation_id)
    if access.is_role(Role.LEADER):
        found |= Q(direction="department", organisation__kind="government")
    return found


class SubjectQuerySet(models.QuerySet["Subject"]):
    def visible_to(self, user: User) -> SubjectQuerySet:
        """The organisers and the city see all, a rater those to be rated by them, a subject itself."""
        from evaluations.models import Sheet

        access = access_of(user)
        rows = self.filter(round__in=_rounds(user))
        if access.is_role(*ORGANISERS, Role.CITY):
            return rows
        mine = self.model._default_manager.filter(is_subject(user)).values("pk")
        owed = Sheet.objects.owed_by(user).values("subject_id")
        return rows.filter(Q(pk__in=mine) | Q(pk__in=owed))

    def taking_part(self) -> SubjectQuerySet:
        return self.filter(left_out_reason="")

    def in_direction(self, direction: str) -> SubjectQuerySet:
        return self.filter(direction=direction)


def _rounds(user: User) -> models.QuerySet[Round]:
    from evaluations.models import Round

    return Round.objects.visible_to(user)
