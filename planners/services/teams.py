"""Teams, their groups and who belongs to them, from when to when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.permissions import require
from core.saving import changes_of, save_checked, word_constraint
from districts.models import Locality
from planners.models import Group, Institution, Planner, Team, TeamMember
from planners.permissions import can_edit_team, can_register
from planners.signals import assignments_changed

word_constraint(
    "team_member_once_at_a_time", "该规划师在此期间已在本团队，可能刚由他人登记，请刷新后核对。", field="planner"
)


@transaction.atomic
def create_team(locality: Locality, *, actor: User, name: str, institution: Institution | None = None) -> Team:
    """Raises Refused and ValidationError (the name is taken)."""
    require(can_register(actor, locality))
    team = Team(locality=locality, name=name.strip(), institution=institution)
    save_checked(team)
    audit.record("team.create", actor=actor, obj=team, locality=locality, detail={"name": team.name})
    return team


@transaction.atomic
def update_team(team: Team, *, actor: User, **values: Any) -> Team:
    """Name and institution; the lead has `set_lead`. Raises Refused and ValidationError."""
    require(can_edit_team(actor, team))
    changed = changes_of(team, values)
    save_checked(team)
    if changed:
        audit.record("team.update", actor=actor, obj=team, locality=team.locality, detail={"changed": changed})
    return team


@transaction.atomic
def set_lead(team: Team, planner: Planner, *, actor: User, on: date, seen: int | None = None) -> Team:
    """Make a member the lead (领衔、首席): a team has one. `seen`: id of the lead that the actor saw (0: none).

    Raises Refused, ValidationError when they are no member on `on`, StaleState when another lead was set meanwhile.
    """
    team = Team.objects.select_for_update(of=("self",), no_key=True).select_related("locality").get(pk=team.pk)
    require(can_edit_team(actor, team))
    if seen is not None and seen != (team.lead_id or 0) and team.lead_id != planner.pk:
        raise StaleState(f"已被他人处理：领衔规划师刚刚改为{team.lead or '（无）'}，请核对后再办理。")
    if not _belonging(team, planner).filter(start__lte=on).filter(Q(end=None) | Q(end__gte=on)).exists():
        raise ValidationError({"lead": f"{planner.name}当日不是本团队成员，请先加入团队。"})
    return update_team(team, actor=actor, lead=planner)


@transaction.atomic
def add_group(team: Team, *, actor: User, name: str) -> Group:
    """Raises Refused and ValidationError (the team has a group of this name)."""
    require(can_edit_team(actor, team))
    group = Group(team=team, name=name.strip())
    save_checked(group)
    audit.record("group.create", actor=actor, obj=group, locality=team.locality, detail={"name": group.name})
    return group


@transaction.atomic
def add_member(
    team: Team,
    planner: Planner,
    *,
    actor: User,
    start: date,
    group: Group | None = None,
    end: date | None = None,
    role_type: str = "",
) -> TeamMember:
    """A planner joins a team, and one of its groups where it has groups.

    Raises Refused, and ValidationError: another locality's planner, another team's group, or in the team already.
    """
    require(can_edit_team(actor, team))
    # One door for everybody who changes this team: the check below and the row must not interleave.
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    if planner.locality_id != team.locality_id:
        raise ValidationError({"planner": "该规划师不在本地方登记。"})
    if group is not None and group.team_id != team.pk:
        raise ValidationError({"group": "该小组不属于本团队。"})
    overlapping = _belonging(team, planner).filter(Q(end=None) | Q(end__gte=start))
    if end is not None:
        overlapping = overlapping.filter(start__lte=end)
    clash = overlapping.select_related("group").first()
    if clash:
        where = f"“{clash.group.name}”" if clash.group else "本团队"
        raise ValidationError({"planner": f"{planner.name}在此期间已在{where}；换组请先登记退出日期。"})
    member = TeamMember(team=team, group=group, planner=planner, start=start, end=end, role_type=role_type)
    save_checked(member)
    detail = {"planner": planner.name, "group": group.name if group else "", "start": start.isoformat()}
    audit.record("team.member_added", actor=actor, obj=team, locality=team.locality, detail=detail)
    assignments_changed.send(sender=TeamMember, charge_ids=[], planner_ids=[planner.pk])
    return member


@transaction.atomic
def set_member_role(member: TeamMember, *, actor: User, role_type: str) -> TeamMember:
    """Say as what somebody serves in the team (a code of roles.types). Raises Refused."""
    require(can_edit_team(actor, member.team))
    before, member.role_type = member.role_type, role_type
    save_checked(member)
    detail = {"planner": member.planner.name, "from": before, "to": role_type}
    audit.record("team.member_role", actor=actor, obj=member.team, locality=member.team.locality, detail=detail)
    return member


@transaction.atomic
def end_member(member: TeamMember, *, actor: User, on: date) -> TeamMember:
    """Last day in the team. Raises Refused and ValidationError (before the first day)."""
    require(can_edit_team(actor, member.team))
    if on < member.start:
        raise ValidationError({"end": "退出日期不能早于加入日期。"})
    member.end = on
    save_checked(member)
    detail = {"planner": member.planner.name, "end": on.isoformat()}
    audit.record("team.member_ended", actor=actor, obj=member.team, locality=member.team.locality, detail=detail)
    assignments_changed.send(sender=TeamMember, charge_ids=[], planner_ids=[member.planner_id])
    return member


@transaction.atomic
def move_member(member: TeamMember, group: Group | None, *, actor: User, on: date) -> TeamMember:
    """From `on` in another group; the days before stay with the old one. Raises Refused and ValidationError."""
    end_member(member, actor=actor, on=on - timedelta(days=1))
    return add_member(member.team, member.planner, actor=actor, start=on, group=group)


def _belonging(team: Team, planner: Planner) -> Any:
    return TeamMember.objects.filter(team=team, planner=planner)
