"""The sides that a pack names (主管部门, 工作组, 街道 …) and who speaks for each in the matter of one project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.roles import Role
from districts.access import Access, access_of
from districts.models import Organisation
from districts.policy.keys import SIDES
from projects.models import Project
from projects.querysets import offices_of

# Sides that a role speaks for, whatever the project.
_BY_ROLE = {
    Role.BUREAU: frozenset({"bureau"}),
    Role.LEADER: frozenset({"government", "workgroup", "city"}),
    Role.CITY: frozenset({"city_commission", "city_bureau", "city"}),
    Role.FINANCE: frozenset({"finance"}),
}
# Parties that have no login: an office or the bureau brings their matter for them.
_PARTIES = frozenset({"parties", "contractor", "builder", "public", "institution"})
_CITY_LEVEL = "00"


def is_planner(user: Any) -> bool:
    return access_of(user).is_role(Role.PLANNER, Role.LEAD)


def is_office_of(access: Access, project: Project) -> bool:
    """The office of a unit that the project lies in, or whoever acts for the body that owns the project."""
    return access.covers(project.locality_id) and (_is_owner(access, project) or _is_unit_of(access, project))


def _is_owner(access: Access, project: Project) -> bool:
    acts = access.is_role(Role.UNIT, Role.DEPARTMENT) and project.owner_id is not None
    return acts and project.owner_id in offices_of(access)


def _is_unit_of(access: Access, project: Project) -> bool:
    return access.is_role(Role.UNIT) and project.units.filter(pk__in=access.unit_ids).exists()


def is_bureau_of(access: Access, project: Project) -> bool:
    return access.is_role(Role.BUREAU) and access.covers(project.locality_id)


def is_leader_of(access: Access, project: Project) -> bool:
    return access.is_role(Role.LEADER) and access.covers(project.locality_id)


def sides_of(user: Any, project: Project) -> frozenset[str]:
    """The sides in whose name the person may act on this project under their current role.

    For planners it says only that they are planners: which of them a matter concerns is asked by its own rule.
    """
    access = access_of(user)
    if access.is_role(Role.PLANNER, Role.LEAD):
        return frozenset({"planner", "team"})
    if access.role is None or not access.covers(project.locality_id):
        return frozenset()
    found = set(_BY_ROLE.get(access.role, ()))
    if access.is_role(Role.BUREAU):
        # Where a city runs the system itself, its bureau is the city's.
        found |= _PARTIES | ({"city_bureau"} if project.locality.code.endswith(_CITY_LEVEL) else set())
    if _is_unit_of(access, project):
        found |= {"unit", "project_owner"} | _PARTIES
    if _is_owner(access, project):
        kind = project.owner.kind if project.owner else ""
        found |= {"project_owner"} | _PARTIES | ({"department"} if kind == Organisation.Kind.DEPARTMENT else set())
    return frozenset(found)


def speaks_for(user: Any, sides: Iterable[str], project: Project) -> bool:
    """Does the person, in the role that they work under now, speak for one of `sides` of this project?"""
    return bool(sides_of(user, project) & set(sides))


def side_words(sides: Iterable[str]) -> str:
    """`规划主管部门（分局）、工作组（领导小组）`"""
    return "、".join(SIDES.get(side, side) for side in sides)
