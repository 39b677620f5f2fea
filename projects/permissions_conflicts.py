"""Who may record and lift a recusal, and ask for or hand over data; and why not."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of
from planners.models import Planner
from planners.permissions import is_own
from projects.conflicts import conflict_of
from projects.models import DataRequest, DataRequestFile, Project, Recusal
from projects.permissions_files import nda_signed


def can_recuse(user: Any, project: Project) -> Decision:
    """Open the form: the bureau for anybody, a planner for themselves."""
    access = access_of(user)
    if access.is_role(Role.BUREAU) and access.covers(project.locality_id):
        return Decision.yes()
    own = access.is_role(Role.PLANNER, Role.LEAD) and access.covers(project.locality_id)
    return Decision.of(own, otherwise="仅规划主管部门和规划师本人可以登记回避")


def can_record_recusal(user: Any, project: Project, planner: Planner) -> Decision:
    decision = can_recuse(user, project)
    if not decision or access_of(user).is_role(Role.BUREAU):
        return decision
    return Decision.of(is_own(user, planner), otherwise="只能为本人申请回避")


def can_end_recusal(user: Any, recusal: Recusal) -> Decision:
    access = access_of(user)
    allowed = access.is_role(Role.BUREAU) and access.covers(recusal.project.locality_id)
    return Decision.of(allowed, otherwise="仅规划主管部门可以解除回避")


def can_ask_data(user: Any, _: Any = None) -> Decision:
    """京核心区 六(一)2, 通政办发〔2021〕10号 三(三)2: planners have a right to the data their work needs."""
    asks = access_of(user).is_role(Role.PLANNER, Role.LEAD) and Planner.objects.of_user(user).exists()
    return Decision.of(asks, otherwise="仅责任规划师可以申请资料")


def can_answer_data(user: Any, request: DataRequest) -> Decision:
    access = access_of(user)
    if not (access.is_role(Role.BUREAU) and access.covers(request.locality_id)):
        return Decision.no("仅规划主管部门可以答复资料申请")
    return Decision.of(request.state == DataRequest.State.ASKED, otherwise="这份申请已答复或已撤回")


def can_withdraw_data(user: Any, request: DataRequest) -> Decision:
    if not is_own(user, request.planner):
        return Decision.no("只有申请人本人可以撤回")
    return Decision.of(request.state == DataRequest.State.ASKED, otherwise="这份申请已答复或已撤回")


def can_open_data(user: Any, file: DataRequestFile) -> Decision:
    """What was handed over: who asked, until the day that was set and while nothing keeps them out; and the bureau."""
    request = file.request
    access = access_of(user)
    if access.is_role(Role.BUREAU) and access.covers(request.locality_id):
        return Decision.yes()
    if not is_own(user, request.planner):
        return Decision.no("仅申请人和规划主管部门可以查阅")
    if request.valid_to is not None and request.valid_to < timezone.localdate():
        return Decision.no(f"查阅期限已于 {request.valid_to:%Y-%m-%d} 届满，需要时请重新申请")
    if request.level == DataRequest.Level.CONFIDENTIAL and not nda_signed(
        request.planner, request.locality_id, timezone.localdate()
    ):
        return Decision.no("这份资料须签订保密协议后查阅")
    if request.project is not None and (conflict := conflict_of(request.planner, request.project)) is not None:
        return Decision.no(f"您须回避该项目：{conflict.words}")
    return Decision.yes()
