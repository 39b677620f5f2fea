"""Whom to tell, as ids of accounts: those who act for a body, a unit, the bureau or the district today; planners."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from accounts.roles import Role
from districts.models import Locality, Membership, Organisation
from planners.models import Planner, Team
from planners.services.assignments import service_periods
from projects.conflicts import conflicts_among
from projects.models import Consultation, Consultee, Project


def _holders(condition: Q) -> list[int]:
    rows = Membership.objects.valid_on(timezone.localdate()).filter(condition, user__is_active=True)
    return sorted(set(rows.values_list("user_id", flat=True)))


# --- bodies -----------------------------------------------------------------------------------------------------


def officers(locality_id: int, *roles: Role) -> list[int]:
    """Those who hold one of these roles in the locality."""
    return _holders(Q(role__in=roles, locality_id=locality_id))


def bureau_of(locality: Locality) -> list[int]:
    """The bureau's people of a locality; of the one above it where it has none of its own."""
    own = officers(locality.pk, Role.BUREAU)
    return own or (officers(locality.parent_id, Role.BUREAU) if locality.parent_id else [])


def leaders_of(locality: Locality) -> list[int]:
    return officers(locality.pk, Role.LEADER)


def people_of(organisation: Organisation) -> list[int]:
    """Those who act in the name of this body: its own people and the officers of units that it runs."""
    here = Q(organisation=organisation, role__in=[Role.BUREAU, Role.UNIT, Role.DEPARTMENT])
    here |= Q(unit__office=organisation, role=Role.UNIT)
    if organisation.kind == Organisation.Kind.BUREAU:
        here |= Q(role=Role.BUREAU, organisation=None, locality_id=organisation.locality_id)
    return _holders(here)


def acting_for(organisations: Iterable[int | None]) -> list[int]:
    """Those who act in the name of these organisations: officers of departments and of units."""
    ids = {pk for pk in organisations if pk is not None}
    return _holders(Q(role=Role.DEPARTMENT, organisation_id__in=ids) | Q(role=Role.UNIT, unit__office_id__in=ids))


def unit_officers(units: Iterable[int]) -> list[int]:
    """Officers of these units."""
    return _holders(Q(role=Role.UNIT, unit_id__in=list(units)))


# --- a project --------------------------------------------------------------------------------------------------


def around(project: Project) -> list[int]:
    """Whom an event of the whole project concerns: officers of its owner and of its units."""
    return sorted({*acting_for([project.owner_id]), *unit_officers(project.units.values_list("pk", flat=True))})


def offices_of_project(project: Project, *also: int) -> list[int]:
    """Officers of the project's units, and the people of the body that owns it (and of the organisations `also`);
    the bureau where there is nobody."""
    bodies = [pk for pk in (project.owner_id, *also) if pk is not None]
    near = Q(role=Role.UNIT, unit_id__in=list(project.units.values_list("pk", flat=True)))
    near |= Q(role__in=[Role.UNIT, Role.DEPARTMENT, Role.BUREAU], organisation_id__in=bodies)
    near |= Q(role=Role.UNIT, unit__office_id__in=bodies)
    return _holders(near & Q(locality_id=project.locality_id)) or bureau_of(project.locality)


def unit_officers_of(project: Project) -> list[int]:
    """Those who act for the offices of the project's units."""
    units = list(project.units.values_list("pk", "office_id"))
    offices = [office for _, office in units if office]
    return _holders(Q(role=Role.UNIT) & (Q(unit_id__in=[pk for pk, _ in units]) | Q(organisation_id__in=offices)))


# --- a request --------------------------------------------------------------------------------------------------


def desk_of(consultation: Consultation) -> list[int]:
    """Those who act for the body that asked; where nobody does any more (dissolved, no officer), the bureau."""
    at_desk = Q(role__in=[Role.BUREAU, Role.DEPARTMENT, Role.UNIT]) & (
        Q(organisation_id=consultation.asker_id) | Q(unit__office_id=consultation.asker_id)
    )
    own = _holders(at_desk) if consultation.asker.is_active else []
    return own or bureau_of(consultation.locality)


def waiting_users(consultation: Consultation) -> list[int]:
    """Those from whom an answer is still awaited."""
    rows = Consultee.objects.filter(consultation=consultation, state=Consultee.State.ASKED)
    return logins_of(rows.values_list("planner_id", flat=True))


def writers_of(consultation: Consultation) -> list[int]:
    """Those whose opinions stand in this consultation: authors and whoever wrote with them."""
    standing = Q(opinions__state="submitted", opinions__consultee__consultation=consultation)
    along = Q(
        co_authored__opinion__state="submitted", co_authored__opinion__consultee__consultation=consultation
    )  # fmt: skip
    authors = Planner.objects.filter(standing | along).exclude(user=None)
    return sorted(set(authors.values_list("user_id", flat=True)))


# --- planners ---------------------------------------------------------------------------------------------------


def logins_of(planners: Iterable[int]) -> list[int]:
    """The accounts of planners."""
    rows = Planner.objects.filter(pk__in=list(planners), user__is_active=True)
    return [pk for pk in rows.values_list("user_id", flat=True) if pk is not None]


def logins_with_leads(planners: Iterable[int]) -> list[int]:
    """The accounts of planners, and of the leads of their teams."""
    ids = list(planners)
    leads = Team.objects.filter(members__planner_id__in=ids, lead__isnull=False).values_list("lead_id", flat=True)
    return logins_of({*ids, *leads})


def followers_of(project: Project, planner: Planner) -> list[int]:
    """Who looks again at what `planner` asked for: they and the lead of their team, or, once they serve nowhere any
    more or keep out, whoever serves the project now (京核心区 四(二) speaks of the planner of the block)."""
    today = timezone.localdate()
    serving = Planner.objects.serving(today).filter(pk=planner.pk).exists()
    if serving and not conflicts_among([planner.pk], project):
        return logins_with_leads([planner.pk])
    charges = [*project.units.values_list("charge_id", flat=True), *([project.charge_id] if project.charge_id else [])]
    periods = service_periods(charges=charges, start=today, end=today) if charges else []
    people = {period.planner_id for period in periods}
    return logins_of(people - conflicts_among(people, project).keys())


def lead_of(consultee: Consultee) -> Planner | None:
    """The lead under whom the planner serves: of the contract's team, else of a team they belong to; None where they
    lead themselves or belong to none."""
    today = timezone.localdate()
    team = consultee.contract.team if consultee.contract is not None else None
    if team is None:
        member = (
            consultee.planner.team_memberships.filter(Q(end=None) | Q(end__gte=today), start__lte=today)
            .select_related("team__lead")
            .order_by("pk")
            .first()
        )
        team = member.team if member is not None else None
    lead = team.lead if team is not None else None
    return lead if lead is not None and lead.pk != consultee.planner_id else None
