"""Who is told of what becomes of a result: the organisers, and the people of the subject."""

from __future__ import annotations

from django.utils import timezone

from accounts.roles import Role
from districts.models import Membership
from evaluations.models import Round, Subject
from evaluations.querysets.rounds import ORGANISERS
from projects.services.audience import officers


def organisers_of(round_: Round) -> list[int]:
    """User ids of the bureau and the leaders of the round's locality."""
    return officers(round_.locality_id, *ORGANISERS)


def people_of_subject(subject: Subject) -> list[int]:
    """User ids of those whose result it is: the planner, the party's members, or the people of the office."""
    found: set[int | None] = set()
    if subject.planner is not None:
        found.add(subject.planner.user_id)
    if subject.team is not None:
        found.add(subject.team.lead.user_id if subject.team.lead else None)
        found |= set(subject.team.members.values_list("planner__user_id", flat=True))
    if subject.group is not None:
        found |= set(subject.group.members.values_list("planner__user_id", flat=True))
    if subject.direction == Subject.Direction.DEPARTMENT:
        found |= set(_office(subject))
    return sorted(pk for pk in found if pk is not None)


def _office(subject: Subject) -> list[int]:
    found: set[int] = set()
    rows = Membership.objects.valid_on(timezone.localdate()).filter(user__is_active=True)
    if subject.unit_id is not None:
        found |= set(rows.filter(role=Role.UNIT, unit_id=subject.unit_id).values_list("user_id", flat=True))
    if subject.organisation_id is not None:
        roles = (Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR)
        office = rows.filter(role__in=roles, organisation_id=subject.organisation_id)
        found |= set(office.values_list("user_id", flat=True))
        if subject.organisation is not None and subject.organisation.kind == "government":
            found |= set(officers(subject.round.locality_id, Role.LEADER))
    return sorted(found)
