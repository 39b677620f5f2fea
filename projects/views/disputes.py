"""Pages of disputes: list, one of them, filing, stating, ruling, the dossier; and the precedents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from core.transitions import available_moves
from districts.access import access_of
from districts.models import Organisation
from projects import permissions_disputes as may
from projects.filters_field import DisputeFilter, PrecedentFilter
from projects.forms_disputes import FilingForm, RulingForm, StatementForm
from projects.forms_rectifications import ActForm
from projects.models import Dispute, DisputeFile, Opinion, OpinionItem, Project, Rectification
from projects.permissions_disputes import Matter
from projects.querysets import offices_of
from projects.services import dispute_documents as documents
from projects.services import disputes
from projects.shown import DISPUTE_TONES, clause_words, late_words
from projects.transitions import DISPUTE


def _one(request: PersonRequest, pk: int, *predicates: Any) -> Dispute:
    return get_for(request.user, Dispute, pk, *predicates, queryset=documents.ROWS)


class DisputeList(FilteredListView):
    template_name = "projects/dispute_list.html"
    filter_class = DisputeFilter
    caption = sheet = "分歧协调"
    columns = (
        Column("编号"), Column("争议事项", kind="main"), Column("项目"), Column("提请方"), Column("协调单位"),
        Column("提请日期", "recent", "date"), Column("裁定期限", kind="date"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return Dispute.objects.visible_to(self.request.user).select_related("project")

    def row(self, row: Dispute) -> Sequence[Any]:
        late = late_words(row, timezone.localdate())
        due = f"{row.ruling_due_on or '未设定'}"
        return (
            format_html('<span class="serial">{}</span>', row.number),
            format_html('<a href="{}">{}</a>', row.get_absolute_url(), row.title), row.project.name,
            row.raised_for, row.route, f"{row.filed_on}",
            format_html('{} <span class="late">{}</span>', due, late) if late else due,
            status_html(row.get_state_display(), DISPUTE_TONES[row.state]),
        )  # fmt: skip


class PrecedentList(FilteredListView):
    """Rulings with a principle, without who stood on which side: what others may lean on."""

    template_name = "projects/precedent_list.html"
    filter_class = PrecedentFilter
    caption = sheet = "分歧裁定先例"
    columns = (
        Column("要旨", kind="main"), Column("关键词"), Column("项目类型"), Column("阶段"),
        Column("裁定日期", "recent", "date"), Column("裁定", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return Dispute.objects.precedents_for(self.request.user).select_related("project", "stage")

    def prepare(self, page: Sequence[Dispute]) -> None:
        mine = Dispute.objects.visible_to(self.request.user).filter(pk__in=[row.pk for row in page])
        self.seen = set(mine.values_list("pk", flat=True))

    def row(self, row: Dispute) -> Sequence[Any]:
        text = row.principle
        if row.pk in self.seen:
            text = format_html('<a href="{}">{}</a>', row.get_absolute_url(), text)
        return (
            text, row.keywords, row.project.get_kind_display(), row.stage.get_stage_display(), f"{row.ruled_on}",
            status_html(row.get_outcome_display(), "info"),
        )  # fmt: skip


@require_GET
@login_required
def dispute_detail(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk)
    user = request.user
    return render(request, "projects/dispute.html", {
        "row": row, "tone": DISPUTE_TONES[row.state], "late": late_words(row, timezone.localdate()),
        "clause": clause_words(row.clause), "statements": documents.statements_of(row),
        "moves": {move.name: decision for move, decision in available_moves(DISPUTE, row, user)},
        "may_state": may.can_state(user, row), "is_side": bool(may.side_of(user, Matter.of(row))),
        "sees_project": Project.objects.visible_to(user).filter(pk=row.project_id).exists(),
        "sees_rectification": row.rectification_id is not None
        and Rectification.objects.visible_to(user).filter(pk=row.rectification_id).exists(),
        "events": audit.timeline(row, limit=40),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
@login_required
def dispute_create(request: PersonRequest, pk: int) -> HttpResponse:
    """About the project; with `?item=` or `?rectification=` about one of its items or rectifications."""
    rows = Project.objects.select_related("locality", "owner")
    project = get_for(request.user, Project, pk, queryset=rows)
    matter = _matter(request, project)
    if isinstance(known := made_with(request.user, request.POST.get(FIELD, "")), Dispute):
        return redirect(known)
    require(may.can_file(request.user, matter))
    form = FilingForm(request.POST or None, request.FILES or None, names=_names(request.user, matter))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user, lambda data: disputes.file_dispute(matter, actor=request.user, **data)
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"已提请{made.route}协调，编号 {made.number}。")
            return redirect(made)
    _, route = may.route_of(project)
    return render(request, "projects/dispute_create.html", {
        "project": project, "matter": matter, "form": form, "route": route
    })  # fmt: skip


def _matter(request: PersonRequest, project: Project) -> Matter:
    """What the address names, among what the person may see of this project."""
    if number := request.GET.get("item", ""):
        opinions = Opinion.objects.visible_to(request.user).filter(consultee__consultation__project=project)
        items = OpinionItem.objects.filter(opinion__in=opinions).select_related(
            "opinion__author", "opinion__consultee__consultation"
        )
        return Matter(project, item=get_object_or_404(items, pk=_number(number)))
    if number := request.GET.get("rectification", ""):
        seen = Rectification.objects.visible_to(request.user).filter(project=project).select_related("project")
        return Matter(project, rectification=get_object_or_404(seen, pk=_number(number)))
    return Matter(project)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404("没有找到。")
    return int(text)


def _names(user: Any, matter: Matter) -> list[str]:
    """In whose name: a planner in their own; an office in its own, or for a party of the project without a login."""
    if may.side_of(user, matter) == Dispute.Side.PLANNER:
        return [user.name]
    offices = Organisation.objects.filter(pk__in=offices_of(access_of(user)), is_active=True).values_list(
        "name", flat=True
    )
    parties = [f"{party}" for party in matter.project.parties.filter(is_active=True)]
    return [*offices, *parties] or [user.name]


@require_http_methods(["GET", "POST"])
@login_required
def dispute_state(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_state)
    form = StatementForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user, lambda data: disputes.state_position(row, actor=request.user, **data)
        )  # fmt: skip
        if made is not None:
            messages.success(request, "已提交陈述。")
            return redirect(row)
    intro = "陈述提交后不能修改，可以再次补充。"
    return render(request, "projects/dispute_act.html", {"row": row, "form": form, "title": "陈述意见", "intro": intro})


@require_http_methods(["GET", "POST"])
@login_required
def dispute_rule(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_rule)
    form = RulingForm(request.POST or None, about_rectification=row.rectification_id is not None)
    if request.method == "POST" and form.is_valid():
        ruled = attempt(form, lambda: disputes.rule_dispute(row, actor=request.user, **form.cleaned_data))
        if ruled is not None:
            messages.success(request, "已裁定，双方会收到通知。")
            return redirect(row)
    heard = row.state == Dispute.State.STATED
    warning = "" if heard else "对方尚未陈述。"
    return render(request, "projects/dispute_act.html", {
        "row": row, "form": form, "title": "裁定", "warning": warning
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
@login_required
def dispute_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_withdraw)
    form = ActForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        done = attempt(form, lambda: disputes.withdraw_dispute(row, actor=request.user, reason=reason))
        if done is not None:
            messages.success(request, "已撤回。")
            return redirect(row)
    intro = "撤回后双方、规划主管部门和区领导会收到通知，已提交的陈述和证据保留。"
    return render(request, "projects/dispute_act.html", {"row": row, "form": form, "title": "撤回分歧", "intro": intro})


@require_GET
@login_required
def dispute_file(request: PersonRequest, pk: int, file_pk: int) -> HttpResponseBase:
    row = _one(request, pk)
    found = get_object_or_404(DisputeFile.objects.select_related("file"), pk=file_pk, statement__dispute=row)
    audit.record("dispute.open_file", actor=request.user, obj=row, detail={"file": found.file.original_name})
    return stream(found.file, inline=True)


@require_POST
@login_required
def dispute_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    """The dossier: the issued one once it is ruled, a marked draft before."""
    row = _one(request, pk)
    if row.document_id is not None:
        return redirect("projects:dispute-download", pk)
    return redirect("core:job", documents.request_pdf(row, actor=request.user).pk)


@require_GET
@login_required
def dispute_download(request: PersonRequest, pk: int) -> FileResponse:
    row = _one(request, pk)
    if row.document is None or row.document.file is None:
        raise Http404("这份卷宗还没有生成 PDF。")
    audit.record("dispute.pdf", actor=request.user, obj=row)
    return stream(row.document.file, as_name=documents.file_name(row))
