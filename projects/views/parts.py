"""Pages of what hangs on a project: parties, dates, files, recusals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.files import stream
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.permissions import get_for, require
from planners.models import Planner
from projects.forms import KeyDateForm, PartyForm, ReasonForm
from projects.forms_files import FileForm, RecusalForm, VersionForm
from projects.models import KeyDate, Project, ProjectFile, ProjectFileVersion, ProjectParty, Recusal
from projects.permissions import can_edit_project
from projects.permissions_conflicts import can_end_recusal, can_recuse
from projects.permissions_files import can_add_file, can_add_version, can_open_version
from projects.services import conflicts, files, parties

_PROJECTS = Project.objects.select_related("locality", "owner")


def _project(request: PersonRequest, pk: int, *predicates: Any) -> Project:
    return get_for(request.user, Project, pk, *predicates, queryset=_PROJECTS)


def _page(request: PersonRequest, form: Any, project: Project, title: str, **more: Any) -> HttpResponse:
    return render(request, "projects/project_part.html", {"form": form, "project": project, "title": title, **more})


def _done(request: PersonRequest, project_id: int, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("projects:project", project_id)


# --- parties and dates --------------------------------------------------------------------------------------------


@login_required
def party_create(request: PersonRequest, pk: int) -> HttpResponse:
    project = _project(request, pk, can_edit_project)
    form = PartyForm(request.POST or None, instance=ProjectParty(project=project), user=request.user)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: parties.add_party(project, actor=request.user, **data))
        if made is not None:
            return _done(request, pk, f"已登记{made.get_role_display()}“{made.name}”。")
    return _page(request, form, project, "登记参建单位")


@login_required
def party_edit(request: PersonRequest, pk: int) -> HttpResponse:
    party = get_for(request.user, ProjectParty, pk, queryset=ProjectParty.objects.select_related("project__locality"))
    require(can_edit_project(request.user, party.project))
    form = PartyForm(request.POST or None, instance=party, user=request.user)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: parties.update_party(party, actor=request.user, **changes(form)))
        if saved is not None:
            return _done(request, party.project_id, "已保存。")
    return _page(request, form, party.project, "修改参建单位")


@login_required
def key_date_create(request: PersonRequest, pk: int) -> HttpResponse:
    project = _project(request, pk, can_edit_project)
    form = KeyDateForm(request.POST or None, instance=KeyDate(project=project))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: parties.add_key_date(project, actor=request.user, **data))
        if made is not None:
            return _done(request, pk, "已登记。")
    return _page(request, form, project, "登记重要日期")


def _key_date(request: PersonRequest, pk: int) -> KeyDate:
    row = KeyDate.objects.select_related("project__locality").filter(pk=pk).first()
    if row is None:
        raise Http404("没有这个日期。")
    _project(request, row.project_id, can_edit_project)
    return row


@login_required
def key_date_edit(request: PersonRequest, pk: int) -> HttpResponse:
    row = _key_date(request, pk)
    form = KeyDateForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: parties.update_key_date(row, actor=request.user, **changes(form)))
        if saved is not None:
            return _done(request, row.project_id, "已保存。")
    return _page(request, form, row.project, "修改重要日期")


@require_POST
@login_required
def key_date_delete(request: PersonRequest, pk: int) -> HttpResponse:
    row = _key_date(request, pk)
    parties.remove_key_date(row, actor=request.user)
    return _done(request, row.project_id, f"已删除“{row.title}”。")


# --- files --------------------------------------------------------------------------------------------------------


@login_required
def file_create(request: PersonRequest, pk: int) -> HttpResponse:
    project = _project(request, pk, can_add_file)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: files.add_file(project, actor=request.user, **data))
        if made is not None:
            return _done(request, pk, f"已上传“{made.title}”。")
    return _page(request, form, project, "上传资料")


@login_required
def file_version(request: PersonRequest, pk: int) -> HttpResponse:
    rows = ProjectFile.objects.select_related("project__locality", "project__owner")
    document = get_for(request.user, ProjectFile, pk, can_add_version, queryset=rows)
    form = VersionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: files.add_version(document, actor=request.user, **data))
        if made is not None:
            return _done(request, document.project_id, f"“{document.title}”第 {made.number} 版已上传，旧版本保留。")
    return _page(request, form, document.project, f"上传新版本：{document.title}")


@require_GET
@login_required
def file_open(request: PersonRequest, pk: int) -> FileResponse:
    """One version of a document, to whoever its level allows."""
    rows = ProjectFileVersion.objects.select_related("document__project__locality", "document__project__owner", "file")
    version = rows.filter(pk=pk).first()
    if version is None:
        raise Http404("没有这份资料。")
    _project(request, version.document.project_id)
    require(can_open_version(request.user, version))
    files.record_opening(version, actor=request.user)
    return stream(version.file, inline=True)


# --- recusals -----------------------------------------------------------------------------------------------------


@login_required
def recusal_create(request: PersonRequest, pk: int) -> HttpResponse:
    project = _project(request, pk, can_recuse)
    form = RecusalForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: _recuse(request, project, data))
        if made is not None:
            return _done(request, pk, f"{made.planner.name}已登记回避。")
    title = "登记回避" if "planner" in form.fields else "申请回避"
    return _page(request, form, project, title)


def _recuse(request: PersonRequest, project: Project, data: dict[str, Any]) -> Recusal:
    if "planner" not in data:
        data |= {"planner": Planner.objects.get(user=request.user), "ground": Recusal.Ground.DECLARED}
    return conflicts.record_recusal(project, data.pop("planner"), actor=request.user, **data)


@login_required
def recusal_end(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Recusal.objects.select_related("project__locality", "planner")
    recusal = get_for(request.user, Recusal, pk, can_end_recusal, queryset=rows)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, lambda: conflicts.end_recusal(recusal, actor=request.user, **form.cleaned_data))
        if done is not None:
            return _done(request, recusal.project_id, "回避已解除。")
    intro = f"{recusal.planner.name}的回避原因：{recusal.reason}。所在单位仍是参建单位的，解除登记后仍须回避。"
    return _page(request, form, recusal.project, "解除回避", intro=intro, submit="解除回避")
