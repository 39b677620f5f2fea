"""Who owes a sheet, who may see that it exists, and who may read what it says.

The seal (`domain.md` rule 7) is `AnswerQuerySet.readable_by` and, for one sheet, `permissions.sheets.can_read_answers`,
which asks the same queryset. Nothing else in the portal opens an answer: `tests/test_seal.py` looks through the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from evaluations.models import Answer, Sheet

# Sides that are people of a role rather than an organisation or a unit.
SIDE_ROLES: dict[str, tuple[Role, ...]] = {
    "bureau": (Role.BUREAU,),
    "city_bureau": (Role.BUREAU, Role.CITY),
    "city": (Role.CITY,),
    "city_commission": (Role.CITY, Role.LEADER),
    "government": (Role.LEADER,),
    "workgroup": (Role.LEADER,),
}
# What closed before these was for whoever collates and deliberates, and for nobody else.
READERS = (Role.BUREAU, Role.LEADER)


class SheetQuerySet(models.QuerySet["Sheet"]):
    def owed_by(self, user: User) -> SheetQuerySet:
        """Those this person fills in, or filled in, under the present role: named, or for their office or side."""
        access = access_of(user)
        if access.role is None or access.is_role(Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR):
            return self.none()
        rows = self.filter(round__locality_id__in=access.locality_ids).exclude(round__state="preparation")
        owed = Q(assignee_id=user.pk)
        if access.is_role(Role.PLANNER, Role.LEAD):
            owed |= Q(planner__user_id=user.pk)
        anyone = Q(assignee=None, planner=None)
        if access.is_role(Role.UNIT):
            owed |= anyone & Q(unit_id__in=access.unit_ids)
        if access.organisation_id is not None and access.is_role(Role.UNIT, Role.DEPARTMENT, Role.BUREAU, Role.LEADER):
            owed |= anyone & Q(unit=None, organisation_id=access.organisation_id)
        sides = [side for side, roles in SIDE_ROLES.items() if access.is_role(*roles)]
        owed |= anyone & Q(unit=None, organisation=None, side__in=sides)
        # Whoever began a sheet of an office goes on with it; a colleague does not read the draft.
        return rows.filter(owed).filter(Q(author=None) | Q(author_id=user.pk))

    def visible_to(self, user: User) -> SheetQuerySet:
        """That a sheet exists and how far it is: its rater, and the organisers who chase it. Never what it says."""
        access = access_of(user)
        if access.is_role(*READERS):
            return self.filter(round__locality_id__in=access.locality_ids)
        return self.owed_by(user)

    def counting(self) -> SheetQuerySet:
        """Of those who owe or owed one: nobody excused, replaced or kept out by a conflict."""
        return self.exclude(state__in=["excused", "replaced"]).filter(subject__left_out_reason="")

    def unanswered(self) -> SheetQuerySet:
        return self.counting().filter(state__in=["waiting", "draft", "declined"])


class AnswerQuerySet(models.QuerySet["Answer"]):
    def readable_by(self, user: User) -> AnswerQuerySet:
        """One's own; and once the step has closed for everybody, those of one's locality for who collates.

        A subject never reads single answers; it gets the result. A replaced sheet stays its author's alone. Standing
        in for somebody opens nothing that they wrote (`districts.access.persons_behind` is not asked here).
        """
        access = access_of(user)
        if access.role is None:
            return self.none()
        readable = Q(sheet__author_id=user.pk)
        if access.is_role(*READERS):
            readable |= Q(
                sheet__step__state="closed", sheet__state="submitted", sheet__round__locality_id__in=access.locality_ids
            )
        return self.filter(readable)

    def opened(self) -> AnswerQuerySet:
        """For scoring, which acts for nobody: submitted sheets of steps that have closed, and no others."""
        return self.filter(sheet__step__state="closed", sheet__state="submitted")
