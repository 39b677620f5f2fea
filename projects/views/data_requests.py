"""Pages of planners' requests for data: the list, one request, asking and answering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from projects.filters import DataRequestFilter
from projects.forms_files import DataAnswerForm, DataRequestForm
from projects.models import DataRequest, DataRequestFile, Project
from projects.permissions_conflicts import can_answer_data, can_ask_data, can_open_data, can_withdraw_data
from projects.services import data_requests as services

TONES = {"asked": "waiting", "granted": "good", "refused": "bad", "withdrawn": "neutral"}


class DataRequestList(FilteredListView):
    template_name = "projects/data_request_list.html"
    filter_class = DataRequestFilter
    caption = sheet = "资料申请"
    columns = (
        Column("所需资料", kind="main"), Column("申请人"), Column("项目"), Column("级别"), Column("申请时间", kind="date"),
        Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return DataRequest.objects.visible_to(self.request.user).select_related("planner", "project")

    def row(self, row: DataRequest) -> Sequence[Any]:
        return (
            format_html('<a href="{}">{}</a>', row.get_absolute_url(), row.what), row.planner.name,
            row.project.name if row.project else "", row.get_level_display(), f"{row.created:%Y-%m-%d}",
            status_html(row.get_state_display(), TONES[row.state]),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_ask=can_ask_data(self.request.user), **kwargs)


@login_required
def data_request_create(request: PersonRequest) -> HttpResponse:
    require(can_ask_data(request.user))
    initial = {}
    if request.GET.get("project", "").isdigit():
        initial["project"] = Project.objects.visible_to(request.user).filter(pk=request.GET["project"]).first()
    form = DataRequestForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: services.ask_data(actor=request.user, **data))
        if made is not None:
            messages.success(request, "申请已提交，答复后会通知您。")
            return redirect(made)
    return render(request, "projects/data_request_create.html", {"form": form})


def _request(request: PersonRequest, pk: int, *predicates: Any) -> DataRequest:
    return get_for(request.user, DataRequest, pk, *predicates, queryset=services.ROWS.all())


def _context(request: PersonRequest, row: DataRequest, form: Any = None) -> dict[str, Any]:
    user = request.user
    found = row.files.select_related("file", "request__planner", "request__project")
    return {
        "row": row, "tone": TONES[row.state], "form": form or DataAnswerForm(),
        "files": [(each, can_open_data(user, each)) for each in found],
        "may_answer": can_answer_data(user, row), "may_withdraw": can_withdraw_data(user, row),
        "seen_project": row.project is not None and Project.objects.visible_to(user).filter(pk=row.project_id).exists(),
        "history": audit.timeline(row, limit=30),
    }  # fmt: skip


@require_GET
@login_required
def data_request(request: PersonRequest, pk: int) -> HttpResponse:
    return render(request, "projects/data_request.html", _context(request, _request(request, pk)))


@require_POST
@login_required
def data_request_answer(request: PersonRequest, pk: int) -> HttpResponse:
    row = _request(request, pk, can_answer_data)
    form = DataAnswerForm(request.POST, request.FILES)
    if form.is_valid() and attempt(form, lambda: _answer(request, row, dict(form.cleaned_data))) is not None:
        messages.success(request, "已答复，并通知申请人。")
        return redirect(row)
    return render(request, "projects/data_request.html", _context(request, row, form))


def _answer(request: PersonRequest, row: DataRequest, data: dict[str, Any]) -> DataRequest:
    if data.pop("decision") == "refuse":
        return services.refuse_data(row, actor=request.user, answer=data["answer"])
    return services.grant_data(row, actor=request.user, **data)


@require_POST
@login_required
def data_request_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    row = _request(request, pk, can_withdraw_data)
    services.withdraw_data(row, actor=request.user)
    messages.success(request, "申请已撤回。")
    return redirect(row)


@require_GET
@login_required
def data_file(request: PersonRequest, pk: int) -> FileResponse:
    """What was handed over, to whom it was handed over."""
    rows = DataRequestFile.objects.select_related(
        "file", "request__planner", "request__project__locality", "request__locality"
    )
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404("没有这份资料。")
    _request(request, found.request_id)
    require(can_open_data(request.user, found))
    services.record_opening(found, actor=request.user)
    return stream(found.file, inline=True)
