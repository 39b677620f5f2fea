"""Who may do what with a work log, and why not; the words are shown beside a disabled button as they are."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of, persons_behind
from districts.models import Charge, Locality
from planners.models import Planner

from .querysets import charges_confirmed_by, next_month

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models.units import ChargeQuerySet

    from .models import LogFinding, WorkLog

WORDS = {
    "draft": "这条记录还是草稿",
    "submitted": "这条记录已提交，正等待确认",
    "proposed": "这份更正已提交，正等待确认",
    "confirmed": "这条记录已确认，不能直接修改；如有差错请提交更正",
    "returned": "这条记录已退回给规划师",
    "withdrawn": "这条记录已撤回",
    "void": "这条记录已作废",
}


def _in_state(log: WorkLog, *states: str) -> Decision:
    return Decision.of(log.state in states, otherwise=WORDS[log.state] + "。")


def is_own(user: User, log: WorkLog) -> bool:
    return log.planner.user_id is not None and log.planner.user_id == user.pk


def _own(user: User, log: WorkLog) -> Decision:
    role = access_of(user).is_role(Role.PLANNER, Role.LEAD)
    return Decision.of(role and is_own(user, log), otherwise="只有规划师本人可以办理。")


def can_record(user: User, planner: Planner) -> Decision:
    """Enter a log: planners for themselves (others' logs come in by import)."""
    if not access_of(user).is_role(Role.PLANNER, Role.LEAD):
        return Decision.no("只有责任规划师可以填写履职记录。")
    return Decision.of(planner.user_id == user.pk, otherwise="只能填写本人的履职记录。")


def _holds(user: User, log: WorkLog) -> Decision:
    """Whose hands it is in: the planner's, and a correction in those of whoever proposed it."""
    if log.supersedes_id is not None and log.created_by_id == user.pk:
        return Decision.yes()
    return _own(user, log)


def can_edit(user: User, log: WorkLog) -> Decision:
    return _holds(user, log) and _in_state(log, "draft", "returned", "withdrawn")


def can_submit(user: User, log: WorkLog) -> Decision:
    """Hand in for the first time or again."""
    return can_edit(user, log)


def can_delete(user: User, log: WorkLog) -> Decision:
    """Only a draft may vanish: nobody else has ever seen it (nothing becomes a draft again)."""
    return _own(user, log) and _in_state(log, "draft")


def can_withdraw(user: User, log: WorkLog) -> Decision:
    return _holds(user, log) and _in_state(log, "submitted", "proposed")


def answers_for(user: User, charge: Charge) -> Decision:
    """Confirms what is recorded for the charge: its unit's officer, the organisation that owns it, or the bureau."""
    access = access_of(user)
    if access.is_role(Role.BUREAU):
        return Decision.of(access.covers(charge.locality_id), otherwise="不属于您所在地方的责任单元（项目）。")
    if not access.is_role(Role.UNIT, Role.DEPARTMENT):
        return Decision.no("只有责任单元主管部门、责任项目所在单位或规划分局可以确认。")
    return Decision.of(charge.pk in charges_confirmed_by(user), otherwise="只能办理本单位责任单元（项目）的履职记录。")


def can_review(user: User, log: WorkLog) -> Decision:
    """Confirm or return, whatever the state: used by the moves, which check the state themselves."""
    people = persons_behind(user)
    if log.planner.user_id in people:
        return Decision.no("不能确认或退回自己（被代理人）的履职记录。")
    if log.supersedes_id is not None and log.created_by_id in people:
        return Decision.no("不能确认或退回自己（被代理人）提出的更正。")
    return answers_for(user, log.charge)


def can_confirm(user: User, log: WorkLog) -> Decision:
    return can_review(user, log) and _in_state(log, "submitted", "proposed")


def can_return(user: User, log: WorkLog) -> Decision:
    return can_confirm(user, log)


def can_note(user: User, finding: LogFinding) -> Decision:
    """Settle a remark: whoever confirms the log, in whatever state it is; never its planner."""
    return can_review(user, finding.log) and Decision.of(finding.current, otherwise="这项提示已不再成立，无须核对。")


def can_correct(user: User, log: WorkLog) -> Decision:
    """Propose a new version: the planner, or whoever confirmed; it counts once somebody entitled confirms it."""
    if not (_own(user, log) or answers_for(user, log.charge)):
        return Decision.no("只有规划师本人、责任单元主管部门（责任项目所在单位）或规划分局可以提出更正。")
    if log.superseded_by_id is not None:
        return Decision.no("这条记录已被更正，请在最新版本上办理。")
    if log.state != "confirmed":
        return Decision.no("只有已确认的记录需要更正。" + WORDS[log.state] + "。")
    if log.corrections.filter(state__in=["proposed", "returned"]).exists():
        return Decision.no("这条记录已有一份更正在办理中。")
    return Decision.yes()


def can_close_month(user: User, charge: Charge, month: date) -> Decision:
    decision = answers_for(user, charge)
    if decision and next_month(month) > timezone.localdate():
        return Decision.no("该月尚未结束，月末之后才能锁定。")
    return decision


def can_see_month(user: User, charge: Charge) -> Decision:
    access = access_of(user)
    if access.is_role(Role.LEADER, Role.CITY, Role.FINANCE):
        return Decision.of(access.covers(charge.locality_id), otherwise="不属于您所在地方的责任单元（项目）。")
    return answers_for(user, charge)


def can_import(user: User, locality: Locality) -> Decision:
    """Bring in a spreadsheet: the bureau of the locality (a city's also for its counties)."""
    access = access_of(user)
    if not access.is_role(Role.BUREAU):
        return Decision.no("只有规划分局（市局）可以导入履职记录。")
    return Decision.of(access.covers(locality.pk), otherwise="不能为其他地方导入。")


def can_export(user: User) -> Decision:
    return Decision.of(access_of(user).role is not None, otherwise="没有有效的身份。")


# --- asked without an object, for menus and pages that list --------------------------------------------


def may_record(user: User) -> Decision:
    return Decision.of(access_of(user).is_role(Role.PLANNER, Role.LEAD), otherwise="只有责任规划师可以填写履职记录。")


def may_review(user: User) -> Decision:
    return Decision.of(
        access_of(user).is_role(Role.UNIT, Role.DEPARTMENT, Role.BUREAU),
        otherwise="只有责任单元主管部门、责任项目所在单位或规划分局可以确认履职记录。",
    )


def may_import(user: User) -> Decision:
    return Decision.of(access_of(user).is_role(Role.BUREAU), otherwise="只有规划分局（市局）可以导入履职记录。")


def charges_seen(user: User) -> ChargeQuerySet:
    """Charges that exist for this user as the other side of logs: wider than their unit by their office's projects."""
    return Charge.objects.visible_to(user) | Charge.objects.filter(pk__in=charges_confirmed_by(user))
