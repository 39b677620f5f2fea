"""Who may do what in the registry and with contracts, and why not."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of
from districts.models import Locality
from planners.models import Assignment, Contract, Credential, Group, Planner, Team

_BUREAU = "仅本地方的规划主管部门（市局、分局）可以"


def _bureau(user: Any, locality_id: int, what: str) -> Decision:
    access = access_of(user)
    return Decision.of(access.is_role(Role.BUREAU) and access.covers(locality_id), otherwise=_BUREAU + what)


def can_register(user: Any, locality: Locality) -> Decision:
    """Enter planners and teams."""
    return _bureau(user, locality.pk, "登记规划师和团队")


def can_edit_planner(user: Any, planner: Planner) -> Decision:
    return _bureau(user, planner.locality_id, "修改规划师信息")


def can_link_login(user: Any, planner: Planner) -> Decision:
    """Say which account is the planner's own."""
    return _bureau(user, planner.locality_id, "关联规划师的账号")


def can_edit_team(user: Any, team: Team) -> Decision:
    return _bureau(user, team.locality_id, "维护团队")


def can_edit_group(user: Any, group: Group) -> Decision:
    return can_edit_team(user, group.team)


def can_edit_institutions(user: Any, _: Any = None) -> Decision:
    """Institutions serve several localities, so every bureau may enter and correct them."""
    return Decision.of(access_of(user).is_role(Role.BUREAU), otherwise="仅规划主管部门可以维护设计单位")


def can_see_identity(user: Any, planner: Planner) -> Decision:
    """The whole identity number: the person, and the bureau that signs with them; with reason and audit."""
    if planner.user_id and planner.user_id == getattr(user, "pk", None):
        return Decision.yes()
    return _bureau(user, planner.locality_id, "查看完整证件号码")


def can_see_phone(user: Any, planner: Planner) -> Decision:
    """The whole phone number: the person, the bureau, the unit they serve, the lead of their team; with audit."""
    access = access_of(user)
    if planner.user_id and planner.user_id == getattr(user, "pk", None):
        return Decision.yes()
    if access.is_role(Role.BUREAU) and access.covers(planner.locality_id):
        return Decision.yes()
    if access.is_role(Role.UNIT):
        # A unit officer sees none but the planners who serve or served the unit.
        seen = Planner.objects.visible_to(user).filter(pk=planner.pk).exists()
        return Decision.of(seen, otherwise="仅可查看服务本责任单元的规划师的电话")
    if access.is_role(Role.LEAD):
        led = Team.objects.filter(lead__user_id=user.pk, members__planner_id=planner.pk).exists()
        return Decision.of(led, otherwise="仅可查看本团队成员的电话")
    return Decision.no("当前身份不能查看完整电话")


def can_see_coverage(user: Any, _: Any = None) -> Decision:
    """Which units are served by which contracts: whoever may see all contracts of the locality and acts on it."""
    seen = access_of(user).is_role(Role.BUREAU, Role.LEADER, Role.CITY)
    return Decision.of(seen, otherwise="仅规划主管部门、领导和市级监督人员可以查看覆盖情况")


def can_create_contract(user: Any, locality: Locality) -> Decision:
    return _bureau(user, locality.pk, "登记聘用合同")


def can_edit_contract(user: Any, contract: Contract) -> Decision:
    """Drafts alone: what was signed stays signed."""
    decision = _bureau(user, contract.locality_id, "修改合同")
    if not decision:
        return decision
    return Decision.of(contract.state == Contract.State.DRAFT, otherwise="合同已签订，不能再修改；变更请签订新合同")


def can_sign_contract(user: Any, contract: Contract) -> Decision:
    return _bureau(user, contract.locality_id, "登记合同签订")


def can_end_contract(user: Any, contract: Contract) -> Decision:
    return _bureau(user, contract.locality_id, "终止合同")


def can_cancel_contract(user: Any, contract: Contract) -> Decision:
    return _bureau(user, contract.locality_id, "作废合同草稿")


def can_add_signing(user: Any, contract: Contract) -> Decision:
    decision = _bureau(user, contract.locality_id, "登记年度签约")
    if not decision:
        return decision
    return Decision.of(contract.state == Contract.State.SIGNED, otherwise="合同未签订或已终止，不能登记年度签约")


def can_assign(user: Any, contract: Contract) -> Decision:
    decision = _bureau(user, contract.locality_id, "安排派驻")
    if not decision:
        return decision
    running = contract.state in (Contract.State.DRAFT, Contract.State.SIGNED)
    return Decision.of(running, otherwise="合同已终止或作废，不能再安排派驻")


def can_end_assignment(user: Any, assignment: Assignment) -> Decision:
    return _bureau(user, assignment.contract.locality_id, "调整派驻")


def is_own(user: Any, planner: Planner) -> bool:
    return planner.user_id is not None and planner.user_id == getattr(user, "pk", None)


def can_see_qualification(user: Any, planner: Planner) -> Decision:
    """What is judged of a person is read by those who appoint, those above them, and the person."""
    access = access_of(user)
    above = access.is_role(Role.BUREAU, Role.LEADER, Role.CITY) and access.covers(planner.locality_id)
    return Decision.of(above or is_own(user, planner), otherwise="仅规划主管部门、领导、市级和本人可以查看任职条件")


def can_judge(user: Any, planner: Planner) -> Decision:
    """Record what a person has to judge of the criteria (京核心区 三(二) and others): the bureau, never of oneself."""
    if is_own(user, planner):
        return Decision.no("不能判断自己的任职条件")
    return _bureau(user, planner.locality_id, "判断任职条件")


def can_add_credential(user: Any, planner: Planner) -> Decision:
    return _bureau(user, planner.locality_id, "登记证书材料")


def can_withdraw_credential(user: Any, credential: Credential) -> Decision:
    decision = _bureau(user, credential.planner.locality_id, "停用证书材料")
    return decision and Decision.of(credential.withdrawn_on is None, otherwise="这份材料已停用")


def can_override(user: Any, contract: Contract) -> Decision:
    """Appoint somebody who does not meet the conditions all the same, with a reason."""
    decision = _bureau(user, contract.locality_id, "决定仍予聘任")
    if not decision:
        return decision
    running = contract.state in (Contract.State.DRAFT, Contract.State.SIGNED)
    return Decision.of(running, otherwise="合同已终止或作废，不再核对任职条件")
