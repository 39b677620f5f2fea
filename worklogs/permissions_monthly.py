"""Who may do what with a monthly report, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of, persons_behind

from .permissions import answers_for

if TYPE_CHECKING:
    from accounts.models import User

    from .models import MonthlyReport


def is_author(user: User, report: MonthlyReport) -> bool:
    return report.author.user_id is not None and report.author.user_id == user.pk


def may_write(user: User) -> Decision:
    return Decision.of(access_of(user).is_role(Role.PLANNER, Role.LEAD), otherwise="只有责任规划师可以撰写工作月报。")


def _author(user: User, report: MonthlyReport) -> Decision:
    role = access_of(user).is_role(Role.PLANNER, Role.LEAD)
    return Decision.of(role and is_author(user, report), otherwise="只有撰写人本人可以办理。")


def _in_state(report: MonthlyReport, *states: str) -> Decision:
    return Decision.of(report.state in states, otherwise=f"这份月报{report.get_state_display()}，不能这样办理。")


def can_write(user: User, report: MonthlyReport) -> Decision:
    return _author(user, report) and _in_state(report, "draft", "returned")


def can_withdraw(user: User, report: MonthlyReport) -> Decision:
    return _author(user, report) and _in_state(report, "submitted")


def can_receive(user: User, report: MonthlyReport) -> Decision:
    """Whoever confirms the logs of the charge receives its reports; never their own."""
    if report.author.user_id in persons_behind(user):
        return Decision.no("不能接受或退回自己（被代理人）的月报。")
    return answers_for(user, report.charge)


def can_accept(user: User, report: MonthlyReport) -> Decision:
    return can_receive(user, report) and _in_state(report, "submitted")


def can_return(user: User, report: MonthlyReport) -> Decision:
    """What is accepted can be given back until the month is closed."""
    return can_receive(user, report) and _in_state(report, "submitted", "accepted")


def can_lock(user: User, report: MonthlyReport) -> Decision:
    return can_receive(user, report) and _in_state(report, "accepted")


def can_supersede(user: User, report: MonthlyReport) -> Decision:
    decision = _author(user, report)
    if decision and report.state != "locked":
        return Decision.no("月报尚未锁定，直接修改即可。")
    return decision
