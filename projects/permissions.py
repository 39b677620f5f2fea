"""Who may register, change and recognise projects, and why not."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of
from districts.models import Locality
from projects.models import Project
from projects.querysets import offices_of


def can_create_project(user: Any, locality: Locality) -> Decision:
    """The bureau; a unit's office for projects in its own unit; a department for its own projects."""
    access = access_of(user)
    allowed = access.is_role(Role.BUREAU, Role.UNIT, Role.DEPARTMENT) and access.covers(locality.pk)
    return Decision.of(allowed, otherwise="仅规划主管部门、委办局和责任单元主管部门可以登记项目")


def can_edit_project(user: Any, project: Project) -> Decision:
    """The bureau; the office of one of its units; the department that it belongs to."""
    access = access_of(user)
    if not access.covers(project.locality_id):
        return Decision.no("项目属于其他地方，由项目所在地方办理")
    if access.is_role(Role.BUREAU):
        return Decision.yes()
    if access.is_role(Role.UNIT):
        own = access.unit_ids & set(project.units.values_list("pk", flat=True))
        return Decision.of(bool(own), otherwise="仅可修改本责任单元的项目")
    if access.is_role(Role.DEPARTMENT):
        owned = project.owner_id is not None and project.owner_id in offices_of(access)
        return Decision.of(owned, otherwise="仅可修改本单位的项目")
    return Decision.no("仅规划主管部门、项目所在单位和项目所在责任单元的主管部门可以修改项目")


def can_recognise_project(user: Any, project: Project) -> Decision:
    """晋市政办函〔2022〕24号 三(一): the bureau recognises (认定) a responsible project."""
    access = access_of(user)
    if not (access.is_role(Role.BUREAU) and access.covers(project.locality_id)):
        return Decision.no("仅规划主管部门可以认定责任项目")
    return Decision.of(project.charge_id is None, otherwise="该项目已认定为责任项目")
