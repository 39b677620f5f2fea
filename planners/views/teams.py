"""Pages of institutions, teams, groups and members."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from core import audit
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column
from districts.access import place_of
from districts.models import Locality
from planners.filters import InstitutionFilter, TeamFilter
from planners.forms import (
    EndForm,
    GroupForm,
    InstitutionForm,
    LeadForm,
    MemberForm,
    MemberRoleForm,
    TeamForm,
    member_roles,
)
from planners.models import Contract, Group, Institution, Planner, Team, TeamMember
from planners.permissions import can_edit_institutions, can_edit_team, can_register
from planners.querysets import on_date
from planners.reads import contract_rows, contract_state
from planners.services.registry import save_institution
from planners.services.teams import (
    add_group,
    add_member,
    create_team,
    end_member,
    set_lead,
    set_member_role,
    update_team,
)


def _running(on: Any) -> Q:
    return Q(members__start__lte=on) & (Q(members__end=None) | Q(members__end__gte=on))


class TeamList(FilteredListView):
    template_name = "planners/team_list.html"
    filter_class = TeamFilter
    caption = sheet = "团队"
    columns = (
        Column("团队", "name", "main"), Column("设计单位"), Column("领衔"), Column("小组", kind="num"),
        Column("成员", kind="num"), Column("地方"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return (
            Team.objects.visible_to(self.request.user)
            .select_related("institution", "lead", "locality")
            .annotate(
                group_count=Count("groups", distinct=True),
                member_count=Count("members__planner", filter=_running(timezone.localdate()), distinct=True),
            )
        )

    def row(self, team: Any) -> Sequence[Any]:
        return (
            format_html('<a href="{}">{}</a>', reverse("planners:team", args=[team.pk]), team.name),
            team.institution.name if team.institution else "", team.lead.name if team.lead else "",
            team.group_count, team.member_count, team.locality.name,
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        place = place_of(self.request.user)
        context["place"] = place if place is not None and can_register(self.request.user, place) else None
        return context


@require_GET
@login_required
def team_detail(request: PersonRequest, pk: int) -> HttpResponse:
    team = get_for(request.user, Team, pk, queryset=Team.objects.select_related("institution", "lead", "locality"))
    today = timezone.localdate()
    current = TeamMember.objects.filter(on_date(today)).select_related("planner__institution")
    members = team.members.select_related("planner__institution", "group").order_by("planner__sort_key", "start")
    contracts = contract_rows(Contract.objects.visible_to(request.user).filter(team=team))
    # A unit sees who served it; the other members are named, not opened.
    seen = Planner.objects.visible_to(request.user).filter(team_memberships__team=team)
    groups = sorted(team.groups.prefetch_related(Prefetch("members", current, to_attr="now")), key=natural)
    _name_roles(team, [*members, *(row for group in groups for row in group.now)])
    return render(request, "planners/team.html", {
        "known": set(seen.values_list("pk", flat=True)),
        "team": team,
        "groups": groups,
        "loose": [row for row in members if row.group_id is None and row.start <= today and not _over(row, today)],
        "past": [row for row in members if _over(row, today)],
        "coming": [row for row in members if row.start > today],
        "contracts": [(row, *contract_state(row, today)) for row in contracts],
        "may_edit": can_edit_team(request.user, team), "history": audit.timeline(team, limit=20),
    })  # fmt: skip


def _name_roles(team: Team, rows: Sequence[TeamMember]) -> None:
    """Give each row the title of what its person serves as."""
    if any(row.role_type for row in rows):
        titles = dict(member_roles(team))
        for row in rows:
            title = titles.get(row.role_type, row.role_type) if row.role_type else ""
            row.role_title = title  # type: ignore[attr-defined]


def natural(group: Group) -> list[tuple[int, str]]:
    """第2小组 before 第10小组: figures in a name are ordered as numbers."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", group.name) if part]


def _over(row: TeamMember, on: Any) -> bool:
    return row.end is not None and row.end < on


@login_required
def team_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_register(request.user, locality))
    form = TeamForm(request.POST or None, instance=Team(locality=locality))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: create_team(locality, actor=request.user, **data))
        if made is not None:
            messages.success(request, f"已登记团队“{made.name}”，请添加成员。")
            return redirect("planners:team", made.pk)
    back = reverse("planners:team-list")
    return render(request, "planners/simple_form.html", {
        "form": form, "title": "登记团队", "note": locality.name, "back": back,
        "crumbs": [("团队与小组", back), ("登记", "")],
    })  # fmt: skip


def _team(request: PersonRequest, pk: int) -> Team:
    return get_for(request.user, Team, pk, can_edit_team, queryset=Team.objects.select_related("locality"))


def _page(request: PersonRequest, form: Any, team: Team, title: str) -> HttpResponse:
    back = reverse("planners:team", args=[team.pk])
    crumbs = [("团队与小组", reverse("planners:team-list")), (team.name, back), (title, "")]
    context = {"form": form, "title": title, "note": team.name, "back": back, "crumbs": crumbs}
    return render(request, "planners/simple_form.html", context)


@login_required
def team_edit(request: PersonRequest, pk: int) -> HttpResponse:
    team = _team(request, pk)
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        fresh = Team.objects.select_related("locality").get(pk=pk)
        if attempt(form, lambda: update_team(fresh, actor=request.user, **changes(form))) is not None:
            messages.success(request, "已保存。")
            return redirect("planners:team", pk)
    return _page(request, form, team, "修改团队")


@login_required
def team_lead(request: PersonRequest, pk: int) -> HttpResponse:
    team, today = _team(request, pk), timezone.localdate()
    members = Planner.objects.filter(pk__in=team.members.filter(on_date(today)).values("planner_id"))
    form = LeadForm(request.POST or None, members=members, initial={"planner": team.lead_id, "seen": team.lead_id or 0})
    if request.method == "POST" and form.is_valid():
        lead, seen = form.cleaned_data["planner"], form.cleaned_data["seen"]
        if attempt(form, lambda: set_lead(team, lead, actor=request.user, on=today, seen=seen)) is not None:
            messages.success(request, f"领衔规划师：{lead.name}。")
            return redirect("planners:team", pk)
    return _page(request, form, team, "确定领衔规划师")


@login_required
def group_create(request: PersonRequest, pk: int) -> HttpResponse:
    team = _team(request, pk)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: add_group(team, actor=request.user, **data))
        if made is not None:
            messages.success(request, f"已设小组“{made.name}”。")
            return redirect("planners:team", pk)
    return _page(request, form, team, "新设小组")


@login_required
def member_add(request: PersonRequest, pk: int) -> HttpResponse:
    team = _team(request, pk)
    start = {"start": timezone.localdate(), "group": request.GET.get("group")}
    form = MemberForm(request.POST or None, team=team, user=request.user, initial=start)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user, lambda data: add_member(team, data.pop("planner"), actor=request.user, **data)
        )
        if made is not None:
            messages.success(request, f"{made.planner.name}已加入。")
            return redirect("planners:team", pk)
    return _page(request, form, team, "添加成员")


def _member(request: PersonRequest, pk: int) -> TeamMember:
    """The membership row; its team decides who may see and change it."""
    rows = TeamMember.objects.filter(team__in=Team.objects.visible_to(request.user))
    row = get_object_or_404(rows.select_related("team__locality", "planner"), pk=pk)
    require(can_edit_team(request.user, row.team))
    return row


@login_required
def member_role(request: PersonRequest, pk: int) -> HttpResponse:
    """As what somebody serves in the team: what the person is held against at an appointment."""
    row = _member(request, pk)
    form = MemberRoleForm(request.POST or None, member=row)
    if request.method == "POST" and form.is_valid():
        set_member_role(row, actor=request.user, role_type=form.cleaned_data["role_type"])
        messages.success(request, f"已登记{row.planner.name}在团队中的类型。")
        return redirect("planners:team", row.team_id)
    return _page(request, form, row.team, f"{row.planner.name}在团队中的类型")


@login_required
def member_end(request: PersonRequest, pk: int) -> HttpResponse:
    row = _member(request, pk)
    form = EndForm(request.POST or None, initial={"end": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: end_member(row, actor=request.user, on=form.cleaned_data["end"]))
        if saved is not None:
            messages.success(request, f"已登记{row.planner.name}的退出日期。")
            return redirect("planners:team", row.team_id)
    return _page(request, form, row.team, f"{row.planner.name}退出团队")


class InstitutionList(FilteredListView):
    template_name = "planners/institution_list.html"
    filter_class = InstitutionFilter
    caption = sheet = "设计单位"
    columns = (
        Column("名称", "name", "main"), Column("规划资质等级"), Column("所在城市", "city"), Column("在册规划师", kind="num"),
        Column("", kind="actions"),
    )  # fmt: skip

    def scoped(self) -> Any:
        # Counted over what this person may see: an institution serves localities that are none of their business.
        people = Planner.objects.visible_to(self.request.user).filter(is_active=True).values("pk")
        count = Count("planners", filter=Q(planners__in=people), distinct=True)
        return Institution.objects.visible_to(self.request.user).annotate(people=count)

    def row(self, row: Any) -> Sequence[Any]:
        may = can_edit_institutions(self.request.user)
        url = reverse("planners:institution-edit", args=[row.pk])
        return (
            row.name, row.grade, row.city, row.people,
            format_html('<a class="btn btn-sm" href="{}">修改<span class="visually-hidden">{}</span></a>', url, row.name)
            if may else "",
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_edit=can_edit_institutions(self.request.user), **kwargs)


@login_required
def institution_create(request: PersonRequest) -> HttpResponse:
    require(can_edit_institutions(request.user))
    form = InstitutionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user, lambda data: save_institution(Institution(), actor=request.user, **data)
        )
        if made is not None:
            messages.success(request, f"已登记“{made.name}”。")
            return redirect("planners:institution-list")
    return _institution_page(request, form, "登记设计单位")


@login_required
def institution_edit(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Institution, pk)
    require(can_edit_institutions(request.user))
    form = InstitutionForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        fresh = Institution.objects.get(pk=pk)
        if attempt(form, lambda: save_institution(fresh, actor=request.user, **changes(form))) is not None:
            messages.success(request, "已保存。")
            return redirect("planners:institution-list")
    return _institution_page(request, form, "修改设计单位", row.name)


def _institution_page(request: PersonRequest, form: Any, title: str, note: str = "") -> HttpResponse:
    back = reverse("planners:institution-list")
    context = {"form": form, "title": title, "note": note, "back": back, "crumbs": [("设计单位", back), (title, "")]}
    return render(request, "planners/simple_form.html", context)
