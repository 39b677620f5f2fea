"""Which planners, teams and contracts a person may see; and reads named in the words of the domain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from accounts.roles import Role
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (
        Assessment,
        Assignment,
        Contract,
        Credential,
        Group,
        Honour,
        Institution,
        Planner,
        Reselection,
        Team,
    )


def on_date(on: date, start: str = "start", end: str = "end") -> Q:
    """Rows whose period holds `on`; an open end counts."""
    return Q(**{f"{start}__lte": on}) & (Q(**{end: None}) | Q(**{f"{end}__gte": on}))


def signed_assignments() -> AssignmentQuerySet:
    """Assignments that count: what stands in a draft does not."""
    from .models import Assignment

    return Assignment.objects.filter(contract__state__in=["signed", "ended"])


def _held_by(assignments: AssignmentQuerySet, *, on: date | None = None) -> Q:
    """Planners who hold one of `assignments`; ids by subquery, because an OR over joined tables scans."""
    from .models import TeamMember

    members = TeamMember.objects.all() if on is None else TeamMember.objects.filter(on_date(on))
    return (
        Q(pk__in=assignments.filter(planner__isnull=False).values("planner_id"))
        | Q(
            pk__in=members.filter(group__in=assignments.filter(group__isnull=False).values("group_id")).values(
                "planner_id"
            )
        )
        | Q(
            pk__in=members.filter(team__in=assignments.filter(team__isnull=False).values("team_id")).values(
                "planner_id"
            )
        )
    )


class InstitutionQuerySet(models.QuerySet["Institution"]):
    def visible_to(self, user: User) -> InstitutionQuerySet:
        """Institutions are public facts: everybody with a role may look them up."""
        return self.all() if access_of(user).role else self.none()


class PlannerQuerySet(models.QuerySet["Planner"]):
    def visible_to(self, user: User) -> PlannerQuerySet:
        """A locality's register; a unit's office sees those who serve or served the unit under a signed contract."""
        access = access_of(user)
        if access.charge_id is not None:
            return self.filter(_held_by(signed_assignments().filter(charge_id__in=access.charge_ids)))
        return self.filter(locality_id__in=access.locality_ids)

    def serving(self, on: date) -> PlannerQuerySet:
        """Those who serve some charge on `on`: themselves, in a group or in a team."""
        return self.filter(_held_by(signed_assignments().filter(on_date(on), contract__end__gte=on), on=on))

    def of_user(self, user: User) -> PlannerQuerySet:
        return self.filter(user_id=user.pk)


class CredentialQuerySet(models.QuerySet["Credential"]):
    def visible_to(self, user: User) -> CredentialQuerySet:
        """The bureau and those above it see the papers of their register, everybody else the own ones."""
        access = access_of(user)
        if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY):
            return self.filter(planner__locality_id__in=access.locality_ids)
        return self.filter(planner__user_id=user.pk) if access.role else self.none()


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> TeamQuerySet:
        return self.filter(locality_id__in=access_of(user).locality_ids)


class GroupQuerySet(models.QuerySet["Group"]):
    def visible_to(self, user: User) -> GroupQuerySet:
        return self.filter(team__locality_id__in=access_of(user).locality_ids)


def _of_person(user_id: int) -> Q:
    """Contracts that a person is party to, serves under, or leads the team of."""
    from .models import Contract, TeamMember

    mine = signed_assignments()
    member = TeamMember.objects.filter(planner__user_id=user_id)
    rows = Contract.objects.order_by()
    return (
        Q(planner__user_id=user_id)
        | Q(team__lead__user_id=user_id)
        | Q(pk__in=mine.filter(planner__user_id=user_id).values("contract_id"))
        | Q(pk__in=mine.filter(group__in=member.values("group_id")).values("contract_id"))
        | Q(pk__in=mine.filter(team__in=member.values("team_id")).values("contract_id"))
        | Q(pk__in=rows.filter(team__in=member.values("team_id")).values("pk"))
    )


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: User) -> ContractQuerySet:
        """Fees are nobody else's business: planners see signed contracts they serve under, units those serving them."""
        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        if access.charge_id is not None:
            serving = signed_assignments().filter(charge_id__in=access.charge_ids)
            return rows.exclude(state="draft").filter(pk__in=serving.values("contract_id"))
        if access.is_role(Role.PLANNER, Role.LEAD):
            return rows.exclude(state="draft").filter(_of_person(user.pk))
        if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY, Role.FINANCE):
            return rows
        return self.none()

    def due_within(self, days: int, on: date) -> ContractQuerySet:
        """Running contracts whose term ends within `days` of `on`."""
        return self.filter(state="signed", end__gte=on, end__lte=on + timedelta(days=days))

    def signed(self) -> ContractQuerySet:
        return self.filter(state__in=["signed", "ended"])

    def running(self, on: date) -> ContractQuerySet:
        return self.filter(on_date(on), state="signed")


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User) -> AssignmentQuerySet:
        access = access_of(user)
        rows = self.filter(charge__locality_id__in=access.locality_ids)
        if not access.is_role(Role.BUREAU):
            rows = rows.filter(contract__state__in=["signed", "ended"])
        return rows.filter(charge_id__in=access.charge_ids) if access.charge_id is not None else rows

    def running(self, on: date) -> AssignmentQuerySet:
        return self.filter(on_date(on), contract__state__in=["signed", "ended"])


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def visible_to(self, user: User) -> AssessmentQuerySet:
        """Who appoints, pays or supervises sees all of the locality; a planner what is of them or of their contract."""
        access = access_of(user)
        rows = self.filter(locality_id__in=access.locality_ids)
        if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY, Role.FINANCE):
            return rows
        if access.is_role(Role.PLANNER, Role.LEAD):
            from .models import Contract, TeamMember

            member = TeamMember.objects.filter(planner__user_id=user.pk)
            led = Contract.objects.filter(team__lead__user_id=user.pk).order_by()
            return rows.filter(
                Q(planner__user_id=user.pk)
                | Q(team__in=member.values("team_id"))
                | Q(group__in=member.exclude(group=None).values("group_id"))
                | Q(contract__in=led.values("pk"))
            )
        return self.none()

    def current(self) -> AssessmentQuerySet:
        return self.filter(superseded_by=None)


class ReselectionQuerySet(models.QuerySet["Reselection"]):
    def visible_to(self, user: User) -> ReselectionQuerySet:
        """Who appoints and who supervises; a unit learns it from its assignments."""
        access = access_of(user)
        if not access.is_role(Role.BUREAU, Role.LEADER, Role.CITY):
            return self.none()
        return self.filter(charge__locality_id__in=access.locality_ids)

    def with_successor(self) -> ReselectionQuerySet:
        """Each with `successor`: the assignment (id) by which somebody was chosen anew, or None."""
        from .models import Assignment

        rows = Assignment.objects.filter(
            charge=OuterRef("charge"), contract__state__in=["signed", "ended"], start__gt=OuterRef("left_on")
        ).exclude(contract=OuterRef("contract"))  # fmt: skip
        return self.annotate(successor=Subquery(rows.order_by("start", "pk").values("pk")[:1]))

    def open(self) -> ReselectionQuerySet:
        return self.with_successor().filter(Q(successor=None))


class HonourQuerySet(models.QuerySet["Honour"]):
    def visible_to(self, user: User) -> HonourQuerySet:
        """An honour is meant to be known within the locality."""
        access = access_of(user)
        if access.is_role(Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR):
            return self.none()
        return self.filter(locality_id__in=access.locality_ids)
