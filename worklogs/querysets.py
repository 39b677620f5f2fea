"""Which work logs a person may see; and reads named in the words of the domain."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.roles import Role
from districts.access import Access, access_of
from districts.models import Charge, Unit
from planners.models import Planner, TeamMember
from planners.services.assignments import service_periods

if TYPE_CHECKING:
    from accounts.models import User

    from .models import DutyFigure, Inspection, LogFinding, MonthClosing, WorkLog

# Roles that read every submitted log of their locality. Administrators of the system are not among them.
_LOCALITY_READERS = (Role.BUREAU, Role.LEADER, Role.CITY, Role.FINANCE)
# Drafts and what was taken back are the planner's own business.
OPEN_TO_OTHERS = ("submitted", "proposed", "confirmed", "returned", "void")
COUNTING = ("submitted", "confirmed")
AWAITING = ("submitted", "proposed")


def month_of(on: date) -> date:
    return on.replace(day=1)


def next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


class WorkLogQuerySet(models.QuerySet["WorkLog"]):
    def visible_to(self, user: User) -> WorkLogQuerySet:
        """Planners see their own, leads those of their team, units and bureau what was submitted to them."""
        access = access_of(user)
        if access.is_role(Role.PLANNER):
            return self.filter(planner_id__in=_own(user))
        if access.is_role(Role.LEAD):
            return self.filter(Q(planner_id__in=_own(user)) | Q(planner_id__in=_led(user), state__in=OPEN_TO_OTHERS))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            return self.filter(charge_id__in=charges_confirmed_by(user), state__in=OPEN_TO_OTHERS)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_in_localities(access.locality_ids), state__in=OPEN_TO_OTHERS)
        return self.none()

    def current(self) -> WorkLogQuerySet:
        """The version that counts of each log (corrections supersede)."""
        return self.filter(superseded_by=None)

    def counting(self) -> WorkLogQuerySet:
        """What days and visits are counted from: never two versions of one log at a time."""
        return self.filter(state__in=COUNTING, superseded_by=None)

    def in_month(self, year: int, month: int) -> WorkLogQuerySet:
        first = date(year, month, 1)
        return self.filter(date__gte=first, date__lt=next_month(first))

    def awaiting_confirmation(self) -> WorkLogQuerySet:
        return self.filter(state__in=AWAITING)


class LogFindingQuerySet(models.QuerySet["LogFinding"]):
    def visible_to(self, user: User) -> LogFindingQuerySet:
        """Those of the logs that the person may see."""
        from .models import WorkLog

        return self.filter(log__in=WorkLog.objects.visible_to(user))

    def standing(self) -> LogFindingQuerySet:
        """What still holds, noted or not."""
        return self.filter(current=True)


class InspectionQuerySet(models.QuerySet["Inspection"]):
    def visible_to(self, user: User) -> InspectionQuerySet:
        """Those of the logs that the person may see."""
        from .models import WorkLog

        return self.filter(log__in=WorkLog.objects.visible_to(user))


class MonthClosingQuerySet(models.QuerySet["MonthClosing"]):
    def holding(self, charge_id: int, on: date) -> MonthClosingQuerySet:
        return self.filter(charge_id=charge_id, month=month_of(on))


class DutyFigureQuerySet(models.QuerySet["DutyFigure"]):
    def visible_to(self, user: User) -> DutyFigureQuerySet:
        """Planners see the subjects they belong to, leads those of their team, units their own, the bureau all."""
        access = access_of(user)
        if access.is_role(Role.PLANNER, Role.LEAD):
            mine = _own(user)
            people = [*mine, *_led(user)] if access.is_role(Role.LEAD) else mine
            return self.filter(Q(planner_id__in=people) | _belonging(people))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            return self.filter(charge_id__in=charges_confirmed_by(user))
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_in_localities(access.locality_ids))
        return self.none()


def _belonging(people: list[int]) -> Q:
    """Subjects that are not one person: those of the groups, and of the charges and contracts, that `people` serve."""
    served = service_periods(planners=people) if people else []
    pairs: dict[int, set[int]] = {}
    for period in served:
        pairs.setdefault(period.contract_id, set()).add(period.charge_id)
    groups = list(
        TeamMember.objects.filter(planner_id__in=people, group__isnull=False).values_list("group_id", flat=True)
    )
    found = Q(pk__in=[])
    for contract_id, charge_ids in pairs.items():
        found |= Q(contract_id=contract_id, charge_id__in=charge_ids, planner=None)
    return found & (Q(group=None) | Q(group_id__in=groups))


def charges_confirmed_by(user: User) -> list[int]:
    """Charges whose logs are put before this user: the unit's own, and responsible projects of their organisation.

    Kept on the user object beside the access it follows from: one click asks this for forty logs.
    """
    access = access_of(user)
    kept = user.__dict__.get("_charges_confirmed")
    if kept is None or kept[0] is not access:
        kept = user.__dict__["_charges_confirmed"] = (access, _charges_of(access))
    return kept[1]


def _charges_of(access: Access) -> list[int]:
    if not access.is_role(Role.UNIT, Role.DEPARTMENT):
        return []
    offices = {access.organisation_id}
    if access.unit_id is not None:
        offices.update(Unit.objects.filter(pk=access.unit_id).values_list("office_id", flat=True))
    offices.discard(None)
    owned = Charge.objects.filter(project__owner_id__in=offices) if offices else Charge.objects.none()
    # Charges of the person's own locality: an organisation may own projects elsewhere, its people act at home.
    found = list(owned.filter(locality_id__in=access.locality_ids).values_list("pk", flat=True))
    return [*access.charge_ids, *found]


def _in_localities(ids: frozenset[int]) -> Q:
    """One locality is an equality, so that the index gives the rows in order."""
    return Q(locality_id=next(iter(ids))) if len(ids) == 1 else Q(locality_id__in=ids)


def _own(user: User) -> list[int]:
    return list(Planner.objects.of_user(user).values_list("pk", flat=True))


def _led(user: User) -> list[int]:
    """Planners in teams that the user leads; ids first, because an OR over joined tables scans."""
    return list(
        Planner.objects.filter(team_memberships__team__lead__user_id=user.pk).distinct().values_list("pk", flat=True)
    )
