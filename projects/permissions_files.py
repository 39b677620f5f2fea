"""Who may put files to a project and who may open them; and why not."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.roles import Role
from core.models import StoredFile
from core.permissions import Decision
from districts.access import access_of
from planners.models import Contract, Planner
from planners.services.assignments import service_periods
from projects.conflicts import conflict_of
from projects.models import Project, ProjectFile, ProjectFileVersion
from projects.permissions import can_edit_project
from projects.querysets import offices_of

_READERS = (Role.BUREAU, Role.LEADER, Role.CITY)


def can_add_file(user: Any, project: Project) -> Decision:
    decision = can_edit_project(user, project)
    return decision if decision else Decision.no("仅规划主管部门、项目所在单位和责任单元主管部门可以上传资料")


def can_add_version(user: Any, document: ProjectFile) -> Decision:
    return can_add_file(user, document.project)


def nda_signed(planner: Planner, locality_id: int, on: date) -> bool:
    """Is a signed 保密协议 on file under a contract by which the planner works there on the day (R22)?

    通政办发〔2021〕10号 三(三)2: 签订保密协议后，可查阅相关规划及审批资料.
    """
    contracts = {period.contract_id for period in service_periods(planners=[planner.pk], start=on, end=on)}
    # A planner of the whole city is appointed by the city above.
    there = Q(locality_id=locality_id) | Q(locality__children=locality_id)
    signed = Contract.objects.running(on).filter(there, nda_signed_on__lte=on)
    own = signed.filter(planner=planner).exists()
    return own or signed.filter(pk__in=contracts).exists()


def can_open_version(user: Any, version: ProjectFileVersion) -> Decision:
    """Public: whoever sees the project. Internal: who works on it. Behind a 保密协议: of planners only who signed one."""
    document, stored = version.document, version.file
    if stored.confidentiality == StoredFile.Confidentiality.PUBLIC and not document.needs_nda:
        return Decision.yes()
    return can_read_internal(user, document.project, needs_nda=document.needs_nda)


def can_read_internal(user: Any, project: Project, *, needs_nda: bool) -> Decision:
    access = access_of(user)
    if access.is_role(*_READERS):
        return Decision.yes()
    if access.is_role(Role.UNIT) and access.unit_ids & set(project.units.values_list("pk", flat=True)):
        return Decision.yes()
    if access.is_role(Role.UNIT, Role.DEPARTMENT):
        offices = offices_of(access)
        asked = project.consultations.filter(asker_id__in=offices).exists()
        return Decision.of(project.owner_id in offices or asked, otherwise="仅项目所在单位和征询单位可以查阅内部资料")
    if access.is_role(Role.PLANNER, Role.LEAD):
        planner = Planner.objects.of_user(user).first()
        return _planner_may(planner, project, needs_nda=needs_nda)
    return Decision.no("当前身份不能查阅项目的内部资料")


def _planner_may(planner: Planner | None, project: Project, *, needs_nda: bool) -> Decision:
    if planner is None:
        return Decision.no("您的账号没有对应的规划师登记，不能查阅内部资料")
    conflict = conflict_of(planner, project)
    if conflict is not None:
        return Decision.no(f"您须回避本项目，不能查阅内部资料：{conflict.words}")
    if needs_nda and not nda_signed(planner, project.locality_id, timezone.localdate()):
        return Decision.no("这份资料须签订保密协议后查阅，您在本地方的合同没有登记保密协议")
    return Decision.yes()
