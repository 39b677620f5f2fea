"""Pages of projects: list, board, one project, form, recognition, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from core import audit
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.state_diagram import draw, lines_of
from core.templatetags.ui import Column, status_html
from districts.access import access_of, place_of
from districts.models import Locality, Unit
from districts.services.policies import policy_in_force
from projects import pages
from projects.exports import export_projects, unit_names
from projects.filters import BoardFilter, ProjectFilter
from projects.forms import NOT_FIELDS, ProjectForm
from projects.lookalikes import Lookalike, lookalikes
from projects.models import Project, Recusal, StageDecision
from projects.permissions import can_create_project, can_edit_project, can_recognise_project
from projects.permissions_conflicts import can_ask_data, can_end_recusal, can_recuse
from projects.permissions_files import can_add_file
from projects.permissions_stages import can_reopen_project
from projects.services.registry import create_project, recognise_project, update_project
from projects.transitions import PROJECT, STAGE


class ProjectList(FilteredListView):
    template_name = "projects/project_list.html"
    filter_class = ProjectFilter
    caption = "项目"
    columns = (
        Column("项目编号"), Column("项目名称", kind="main"), Column("类型"), Column("等级"), Column("责任单元"),
        Column("责任项目", kind="status"), Column("阶段", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        # Asked of the rows of one page alone: cheaper than a further query.
        red = StageDecision.objects.filter(ground="unconsulted", stage__project_id=OuterRef("pk"))
        return Project.objects.visible_to(self.request.user).annotate(red=Exists(red))

    def prepare(self, page: Sequence[Project]) -> None:
        self.units = unit_names([project.pk for project in page])

    def row(self, row: Any) -> Sequence[Any]:
        url = reverse("projects:project", args=[row.pk])
        stage = status_html(row.get_stage_display(), pages.TONES[row.stage])
        if row.red:
            stage = format_html("{} {}", stage, status_html("未经征询", "bad"))
        return (
            row.number, format_html('<a href="{}">{}</a>', url, row.name), row.get_kind_display(), row.tier,
            "、".join(self.units.get(row.pk, [])), status_html("已认定", "good") if row.charge_id else "", stage,
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        place = place_of(self.request.user)
        context["place"] = place if place is not None and can_create_project(self.request.user, place) else None
        return context


@require_GET
@login_required
def project_export(request: PersonRequest) -> FileResponse:
    rows = ProjectFilter(request.GET, Project.objects.visible_to(request.user), user=request.user).qs
    audit.record("project.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_projects(rows)


@require_GET
@login_required
def project_board(request: PersonRequest) -> HttpResponse:
    """Projects by stage, and how many were passed without asking anybody."""
    visible = Project.objects.visible_to(request.user)
    chosen = BoardFilter(request.GET, visible, user=request.user)
    red = StageDecision.objects.filter(ground="unconsulted", stage__project__in=visible.values("pk")).count()
    return render(
        request, "projects/project_board.html", {"filter": chosen, "lanes": pages.board_of(chosen.qs), "red": red}
    )


@require_GET
@login_required
def project_detail(request: PersonRequest, pk: int) -> HttpResponse:
    project = get_for(request.user, Project, pk, queryset=pages.with_surroundings(Project.objects.all()))
    return render(request, "projects/project.html", _page(request.user, project))


def _page(user: Any, project: Project) -> dict[str, Any]:
    assignments: list[Any] = []
    if project.charge is not None:
        signed = project.charge.assignments.filter(contract__state__in=["signed", "ended"])
        assignments = list(signed.select_related("planner", "group__team", "team", "contract").order_by("-start"))
    conflict, now = pages.own_conflict(user, project), pages.now_of(project, user)
    knows = pages.knows_of_asking(user, project)
    recusals = Recusal.objects.visible_to(user).filter(project=project).select_related("planner", "replaced_by")
    return {
        "project": project, "stage_tone": pages.TONES[project.stage], "now": now, "conflict": conflict,
        "path": pages.path_of(project, user, silent=conflict is not None),
        "units": project.units.all(), "also_in": project.also_in.order_by("code"),
        "seen_units": set(Unit.objects.visible_to(user).filter(projects=project).values_list("pk", flat=True)),
        "parties": project.parties.all(),
        "key_dates": project.key_dates.order_by("day", "pk"), "today": timezone.localdate(),
        "files": pages.file_lines(project, user), "may_add_file": can_add_file(user, project),
        "votes": list(_votes(project)), "vote_values": pages.vote_values(now),
        "recusals": [(row, row.ended_at is None and can_end_recusal(user, row)) for row in recusals],
        "kept_out": pages.serving_conflicts(project, user, timezone.localdate()) if knows else [],
        "may_recuse": can_recuse(user, project), "may_ask_data": conflict is None and can_ask_data(user),
        "assignments": assignments, "may_edit": can_edit_project(user, project),
        "may_recognise": can_recognise_project(user, project), "may_reopen": can_reopen_project(user, project),
        "diagrams": [
            (PROJECT, draw(PROJECT, now=project.stage), lines_of(PROJECT)),
            (STAGE, draw(STAGE, now=now.row.state if now else ""), lines_of(STAGE)),
        ],
    }  # fmt: skip


def _votes(project: Project) -> Any:
    from projects.models import Vote

    return Vote.objects.filter(stage__project=project).select_related("stage", "scan", "recorded_by").order_by("-pk")


@login_required
def project_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_create_project(request.user, locality))
    alike = _alike(request, locality) if request.method == "POST" else []
    form = _form(request, Project(locality=locality), locality, alike=bool(alike))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: _create(request.user, locality, form, data))
        if made is not None:
            messages.success(request, f"已登记项目“{made.name}”。")
            return redirect("projects:project", made.pk)
    seen = set(
        Project.objects.visible_to(request.user)
        .filter(pk__in=[a.project.pk for a in alike])
        .values_list("pk", flat=True)
    )
    context = {"form": form, "locality": locality, "alike": [(a, a.project.pk in seen) for a in alike]}
    return render(request, "projects/project_form.html", context)


def _alike(request: PersonRequest, locality: Locality) -> list[Lookalike]:
    """What is registered already and looks like what was typed."""
    name, place = request.POST.get("name", "")[:200], request.POST.get("place", "")[:200]
    return lookalikes(locality, name=name.replace("\x00", ""), place=place.replace("\x00", ""))


def _create(user: Any, locality: Locality, form: ProjectForm, data: dict[str, Any]) -> Project:
    access = access_of(user)
    units = list(data.pop("units", ()))
    if access.is_role(Role.UNIT):
        units = list(Unit.objects.filter(pk=access.unit_id))
    values = {name: value for name, value in data.items() if name not in NOT_FIELDS}
    values.setdefault("not_the_same", False)
    return create_project(
        locality, actor=user, units=units, parties=form.parties(), key_dates=form.key_dates(), **values
    )


@login_required
def project_edit(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Project.objects.select_related("locality", "owner")
    project = get_for(request.user, Project, pk, can_edit_project, queryset=rows)
    form = _form(request, project, project.locality)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: update_project(project, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("projects:project", pk)
    return render(
        request, "projects/project_form.html", {"form": form, "locality": project.locality, "project": project}
    )


def _form(request: PersonRequest, project: Project, locality: Locality, *, alike: bool = False) -> ProjectForm:
    return ProjectForm(
        request.POST or None, instance=project, locality=locality, user=request.user, alike=alike,
        policy=policy_in_force(locality),
    )  # fmt: skip


@require_POST
@login_required
def project_recognise(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Project.objects.select_related("locality")
    project = get_for(request.user, Project, pk, can_recognise_project, queryset=rows)
    recognise_project(project, actor=request.user)
    messages.success(request, f"已认定“{project.name}”为责任项目，可以在聘用合同中派驻项目责任规划师。")
    return redirect("projects:project", pk)
