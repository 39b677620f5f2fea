"""Who may open a round, write, endorse and export; each refusal says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.roles import Role
from core.permissions import Decision
from districts.access import access_of

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Locality
    from evaluations.models import Cycle, DutyReport


def can_open_cycle(user: User, locality: Locality) -> Decision:
    access = access_of(user)
    return Decision.of(
        access.is_role(Role.BUREAU) and access.covers(locality.pk), otherwise="仅本地方规划主管部门可以开启述职周期"
    )


def can_manage_cycle(user: User, cycle: Cycle) -> Decision:
    access = access_of(user)
    return Decision.of(
        access.is_role(Role.BUREAU) and access.covers(cycle.locality_id),
        otherwise="仅本地方规划主管部门可以管理述职周期",
    )


def can_close_cycle(user: User, cycle: Cycle) -> Decision:
    return can_manage_cycle(user, cycle)


def is_author(user: User, report: DutyReport) -> bool:
    return report.author.user_id is not None and report.author.user_id == user.pk


def can_write_report(user: User, report: DutyReport) -> Decision:
    """The author, while it is a draft or has come back, and the round is open."""
    if not is_author(user, report):
        return Decision.no("只有撰写人本人可以修改")
    if report.state not in {"draft", "returned"}:
        return Decision.no(f"文书{report.get_state_display()}，不能修改")
    return Decision.of(report.cycle.state == "open", otherwise="本期述职已截止")


def can_submit_report(user: User, report: DutyReport) -> Decision:
    return can_write_report(user, report)


def endorser_of(report: DutyReport) -> int | None:
    """The planner who has to endorse: the team's lead, unless the round asks for none, or the lead is the author."""
    team = report.contract.team if report.cycle.endorsed_by_lead else None
    lead_id = team.lead_id if team else None
    return lead_id if lead_id and lead_id != report.author_id else None


def can_endorse_report(user: User, report: DutyReport) -> Decision:
    if is_author(user, report):
        return Decision.no("不能审核自己的文书")
    team = report.contract.team
    leads = team is not None and team.lead is not None and team.lead.user_id == user.pk
    if not leads:
        return Decision.no("仅团队领衔规划师可以审核")
    return Decision.of(report.state == "submitted", otherwise=f"文书{report.get_state_display()}，无须审核")


def can_withdraw_report(user: User, report: DutyReport) -> Decision:
    if not is_author(user, report):
        return Decision.no("只有撰写人本人可以撤回")
    return Decision.of(report.state == "submitted", otherwise=f"文书{report.get_state_display()}，不能撤回")


def can_supersede_report(user: User, report: DutyReport) -> Decision:
    """A frozen document is never edited: its author starts a new version, while the round is open."""
    if not is_author(user, report):
        return Decision.no("只有撰写人本人可以发起新版次")
    if report.state != "frozen":
        return Decision.no("文书尚未定稿，直接修改即可")
    return Decision.of(report.cycle.state == "open", otherwise="本期述职已截止")


def can_export_cycle(user: User, cycle: Cycle) -> Decision:
    access = access_of(user)
    return Decision.of(
        access.is_role(Role.BUREAU, Role.LEADER, Role.CITY) and access.covers(cycle.locality_id),
        otherwise="仅规划主管部门、区领导和市级监督可以导出",
    )
