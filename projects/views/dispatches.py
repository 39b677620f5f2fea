"""Letters that carry opinions (函告): the list, one letter with its steps, its 送审稿."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, F, OuterRef, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.explain import Clause
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.policy.keys import SIDES
from projects import permissions_followup as may
from projects.filters_followup import DispatchFilter
from projects.forms_followup import DispatchForm, NumberForm, StepForm
from projects.models import Consultation, DispatchStep, OpinionDispatch
from projects.services import dispatches as services
from projects.services.adoption import ROWS as CONSULTATIONS
from projects.services.adoption import items_of


class DispatchList(FilteredListView):
    template_name = "projects/dispatch_list.html"
    filter_class = DispatchFilter
    caption = sheet = "函告"
    columns = (
        Column("编号", kind="main"), Column("项目"), Column("发文字号"), Column("办理到"), Column("状态", kind="status"),
        Column("生成日期", kind="date"),
    )  # fmt: skip

    def scoped(self) -> Any:
        waiting = DispatchStep.objects.filter(dispatch=OuterRef("pk"), done_on=None).order_by("step")
        rows = OpinionDispatch.objects.visible_to(self.request.user).select_related("consultation__project")
        return rows.annotate(
            next_side=Subquery(waiting.values("side")[:1]), next_act=Subquery(waiting.values("act")[:1]),
            is_open=Exists(waiting), project_name=F("consultation__project__name"),
        )  # fmt: skip

    def row(self, obj: Any) -> Sequence[Any]:
        over = status_html("已办结", "good")
        state = over if not obj.is_open else status_html("办理中", "info")
        if not obj.office_number:
            state = status_html("未发出", "waiting")
        now = f"{SIDES.get(obj.next_side, obj.next_side)}：{obj.next_act}" if obj.is_open else ""
        return (
            format_html('<a href="{}">{}</a>', obj.get_absolute_url(), obj.number), obj.project_name,
            obj.office_number, now, state, obj.created.date().isoformat(),
        )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def dispatch_create(request: PersonRequest, pk: int) -> HttpResponse:
    consultation = get_for(request.user, Consultation, pk, queryset=CONSULTATIONS)
    known = made_with(request.user, request.POST.get(FIELD, ""))
    if isinstance(known, OpinionDispatch):
        return redirect(known)
    require(may.can_dispatch(request.user, consultation))
    route = services.route_of(consultation)
    is_set = route is not None and route.is_set
    form = DispatchForm(request.POST or None, initial={"text": services.suggested_text(consultation)})
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: services.make_dispatch(consultation, actor=request.user, text=data["text"]),
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"已生成函告 {made.number}，可以下载送审稿。")
            return redirect(made)
    return render(request, "projects/dispatch_form.html", {
        "form": form, "consultation": consultation, "project": consultation.project, "route": route, "is_set": is_set,
        "steps": [(SIDES.get(row["side"], row["side"]), row["act"]) for row in (route.value or ())] if route else [],
        "items": items_of(consultation).select_related("opinion__author"),
    })  # fmt: skip


def _dispatch(request: PersonRequest, pk: int) -> OpinionDispatch:
    return get_for(request.user, OpinionDispatch, pk, queryset=services.ROWS)


@login_required
@require_GET
def dispatch_detail(request: PersonRequest, pk: int) -> HttpResponse:
    dispatch = _dispatch(request, pk)
    steps = list(dispatch.steps.select_related("done_by"))
    waiting = next((step for step in steps if step.done_on is None), None)
    if waiting is not None:
        waiting.dispatch = dispatch
    items = items_of(dispatch.consultation).select_related("opinion__author")
    return render(request, "projects/dispatch.html", {
        "dispatch": dispatch, "consultation": dispatch.consultation, "project": dispatch.consultation.project,
        "steps": [(step, SIDES.get(step.side, step.side)) for step in steps], "waiting": waiting,
        "may_step": may.can_do_step(request.user, waiting) if waiting else None,
        "may_number": may.can_number(request.user, dispatch),
        "clause": Clause(**dispatch.clause) if dispatch.clause else None,
        "addressee": services.addressee_of(dispatch), "items": items,
        "sees_answers": Consultation.objects.visible_to(request.user).filter(pk=dispatch.consultation_id).exists(),
        "history": audit.timeline(dispatch, limit=30),
    })  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def dispatch_number(request: PersonRequest, pk: int) -> HttpResponse:
    dispatch = _dispatch(request, pk)
    require(may.can_number(request.user, dispatch))
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        done = attempt(
            form,
            lambda: services.enter_number(
                dispatch, actor=request.user, office_number=data["office_number"], on=data["on"]
            ),
        )
        if done is not None:
            messages.success(request, "已登记发文字号。")
            return redirect(dispatch)
    return render(request, "projects/dispatch_act.html", {
        "form": form, "dispatch": dispatch, "title": "登记发文字号"
    })  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def dispatch_step(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    dispatch = _dispatch(request, pk)
    step = dispatch.steps.filter(step=number).first() if number < 2**15 else None
    if step is None:
        raise Http404("没有这一步。")
    step.dispatch = dispatch
    require(may.can_do_step(request.user, step))
    form = StepForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        done = attempt(
            form, lambda: services.finish_step(step, actor=request.user, on=data["on"], note=data["note"])
        )  # fmt: skip
        if done is not None:
            messages.success(request, f"第 {step.step} 步已办结。")
            return redirect(dispatch)
    return render(request, "projects/dispatch_act.html", {
        "form": form, "dispatch": dispatch, "title": f"办结第 {step.step} 步：{step.act}",
        "side": SIDES.get(step.side, step.side),
    })  # fmt: skip


@login_required
@require_POST
def dispatch_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    dispatch = _dispatch(request, pk)
    if dispatch.document_id:
        return redirect("projects:dispatch-download", pk)
    job = services.request_pdf(dispatch, actor=request.user)
    return redirect(reverse("core:job", args=[job.pk]))


@login_required
@require_GET
def dispatch_download(request: PersonRequest, pk: int) -> HttpResponseBase:
    dispatch = _dispatch(request, pk)
    if dispatch.document is None or dispatch.document.file is None:
        raise Http404("送审稿尚未生成。")
    audit.record("opiniondispatch.pdf", actor=request.user, obj=dispatch)
    return stream(dispatch.document.file, as_name=services.file_name(dispatch))
