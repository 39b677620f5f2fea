"""The yearly review of the system, supervision and circulars."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import Decision, get_for, require
from core.templatetags.ui import Column, status_html
from core.transitions import available_moves
from districts.access import access_of, place_of
from districts.models import Locality, Organisation
from evaluations import forms_outcomes as forms
from evaluations.filters_outcomes import InspectionFilter
from evaluations.models import Circular, Inspection, SystemReview
from evaluations.permissions import oversight as may
from evaluations.querysets.rounds import ORGANISERS
from evaluations.services import oversight as service
from evaluations.services.paper_requests import request_paper
from evaluations.transitions.oversight import INSPECTION
from evaluations.views.filings import _attempt

HOME = ("首页", "/home/")
TONES = {"open": "waiting", "answered": "info", "closed": "good", "cancelled": "neutral"}


# --- reviews ------------------------------------------------------------------------------------------------------


@require_GET
@login_required
def review_list(request: PersonRequest) -> HttpResponse:
    access = access_of(request.user)
    require(Decision.of(access.is_role(*ORGANISERS, Role.CITY), otherwise="仅评估组织方和市级监督人员可以查看制度评估"))
    place, today = place_of(request.user), timezone.localdate()
    rows = SystemReview.objects.visible_to(request.user).select_related("locality")
    context = {
        "reviews": rows[:100], "years": range(today.year, today.year - 3, -1),
        "may_draft": may.can_draft_review(request.user, place) if place else None,
        "ground": service.review_ground(place) if place else "", "crumbs": [HOME, ("制度评估", "")],
    }  # fmt: skip
    return render(request, "evaluations/review_list.html", context)


@require_POST
@login_required
def review_create(request: PersonRequest) -> HttpResponse:
    place = get_for(request.user, Locality, access_of(request.user).locality_id, may.can_draft_review)
    form, today = forms.YearForm(request.POST), timezone.localdate()
    made = None
    if form.is_valid():
        year = form.cleaned_data["year"]
        made = attempt(form, lambda: service.draft_review(place, actor=request.user, year=year, today=today))
    if made is not None:
        return redirect("evaluations:review", made.pk)
    messages.error(request, "请选择今年或以前的年度。")
    return redirect("evaluations:review-list")


@login_required
def review(request: PersonRequest, pk: int) -> HttpResponse:
    """A draft is written here, beside the figures of today; a settled one is read."""
    row = get_for(request.user, SystemReview, pk, queryset=SystemReview.objects.select_related("locality", "document"))
    may_edit = may.can_edit_review(request.user, row) and Decision.of(row.state == "draft", otherwise="已定稿")
    initial = {"findings": row.findings, "proposals": row.proposals, "revision": row.revision}
    form = forms.ReviewForm(request.POST or None, initial=initial)
    if request.method == "POST":
        require(may_edit)
        if form.is_valid() and _save_review(request, row, form):
            return redirect("evaluations:review", pk)
    context = {
        "review": row, "form": form if may_edit else None, "events": audit.timeline(row),
        "facts": row.facts or service.review_facts(row.locality, row.year),
        "ground": service.review_ground(row.locality),
        "crumbs": [HOME, ("制度评估", reverse("evaluations:review-list")), (str(row), "")],
    }  # fmt: skip
    return render(request, "evaluations/review.html", context)


def _save_review(request: PersonRequest, row: SystemReview, form: forms.ReviewForm) -> bool:
    try:
        saved = service.save_review(row, actor=request.user, **form.cleaned_data)
    except StaleState as stale:
        form.add_error(None, stale.reason)  # what was written stays in the form
        return False
    if "settle" in request.POST:
        if attempt(form, lambda: service.settle_review(saved, actor=request.user)) is None:
            form.data = {**form.data.dict(), "revision": saved.revision}
            return False
        messages.success(request, "制度评估已定稿。")
    else:
        messages.success(request, "已保存。")
    return True


@require_POST
@login_required
def review_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, SystemReview, pk, queryset=SystemReview.objects.select_related("locality"))
    require(Decision.of(row.state == "settled", otherwise="定稿后才能生成 PDF"))
    job = request_paper("review", row, actor=request.user, locality=row.locality, label=f"生成{row}")
    return redirect("core:job", job.pk)


# --- supervision --------------------------------------------------------------------------------------------------


class InspectionList(FilteredListView):
    template_name = "evaluations/inspection_list.html"
    filter_class = InspectionFilter
    caption = sheet = "督查"
    columns = (
        Column("编号", kind="main"), Column("受督查"), Column("督查日期", kind="date"), Column("整改期限", kind="date"),
        Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return Inspection.objects.visible_to(self.request.user).select_related("locality", "organisation")

    def row(self, row: Any) -> Any:
        late = row.state == "open" and row.due_on < timezone.localdate()
        state = status_html("逾期未反馈" if late else row.get_state_display(), "bad" if late else TONES[row.state])
        url = reverse("evaluations:inspection", args=[row.pk])
        office = f"{row.locality.name}{f' {row.organisation.name}' if row.organisation else ''}"
        return format_html('<a href="{}">{}</a>', url, row.number), office, str(row.held_on), str(row.due_on), state

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = place_of(self.request.user)
        may_make = bool(place and may.can_inspect(self.request.user, place))
        return super().get_context_data(may_make=may_make, crumbs=[HOME, ("督查", "")], **kwargs)


@login_required
def inspection_create(request: PersonRequest) -> HttpResponse:
    access = access_of(request.user)
    require(Decision.of(access.is_role(Role.CITY, Role.BUREAU), otherwise="仅市级监督人员和规划主管部门可以登记督查"))
    form = forms.InspectionForm(
        request.POST or None,
        places=Locality.objects.filter(pk__in=access.locality_ids, is_active=True).order_by("code"),
        offices=Organisation.objects.filter(locality_id__in=access.locality_ids).order_by("locality__code", "name"),
        office_required=access.is_role(Role.BUREAU),
    )
    if request.method == "POST" and form.is_valid():
        today = timezone.localdate()
        made = attempt_once(
            form, request.user,
            lambda data: service.make_inspection(
                data.pop("locality"), actor=request.user, organisation=data.pop("organisation"), today=today, **data
            ),
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"督查 {made.number} 已登记并通知。")
            return redirect("evaluations:inspection", made.pk)
    crumbs = [HOME, ("督查", reverse("evaluations:inspection-list")), ("登记督查", "")]
    context = {"form": form, "crumbs": crumbs, "heading": "登记督查", "back": reverse("evaluations:inspection-list")}
    return render(request, "evaluations/outcome_form.html", context)


INSPECTIONS = Inspection.objects.select_related("locality", "organisation", "made_by", "answered_by")


@login_required
def inspection(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Inspection, pk, queryset=INSPECTIONS)
    may_answer = may.can_answer_inspection(request.user, row)
    form = forms.OutcomeForm(request.POST or None)
    form.fields["outcome"].label = "整改情况"
    if request.method == "POST":
        require(may_answer)
        if form.is_valid():
            answer = form.cleaned_data["outcome"]
            if attempt(form, lambda: service.answer_inspection(row, actor=request.user, answer=answer)) is not None:
                messages.success(request, "整改情况已反馈。")
                return redirect("evaluations:inspection", pk)
    context = {
        "inspection": row, "tone": TONES[row.state], "form": form if may_answer and row.state == "open" else None,
        "late": row.state == "open" and row.due_on < timezone.localdate(), "reason_form": forms.ReasonForm(),
        "moves": {move.name: decision for move, decision in available_moves(INSPECTION, row, request.user)},
        "events": audit.timeline(row),
        "crumbs": [HOME, ("督查", reverse("evaluations:inspection-list")), (row.number, "")],
    }  # fmt: skip
    return render(request, "evaluations/inspection.html", context)


@require_POST
@login_required
def inspection_move(request: PersonRequest, pk: int, move: str) -> HttpResponse:
    row = get_for(request.user, Inspection, pk, queryset=INSPECTIONS)
    reason = request.POST.get("reason", "")[:300]
    done = _attempt(request, lambda: service.move_inspection(row, move, actor=request.user, reason=reason))
    if done is not None:
        messages.success(request, f"督查{row.get_state_display()}。")
    return redirect("evaluations:inspection", pk)


# --- circulars ----------------------------------------------------------------------------------------------------


@require_GET
@login_required
def circular_list(request: PersonRequest) -> HttpResponse:
    place = place_of(request.user)
    context = {
        "circulars": Circular.objects.visible_to(request.user).select_related("locality")[:100],
        "may_make": bool(place and may.can_make_circular(request.user, place)), "crumbs": [HOME, ("通报", "")],
    }  # fmt: skip
    return render(request, "evaluations/circular_list.html", context)


@login_required
def circular_create(request: PersonRequest) -> HttpResponse:
    place = get_for(request.user, Locality, access_of(request.user).locality_id, may.can_make_circular)
    form = forms.CircularForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: service.draft_circular(place, actor=request.user, **data))
        if made is not None:
            return redirect("evaluations:circular", made.pk)
    crumbs = [HOME, ("通报", reverse("evaluations:circular-list")), ("拟定通报", "")]
    context = {"form": form, "crumbs": crumbs, "heading": "拟定通报", "back": reverse("evaluations:circular-list")}
    return render(request, "evaluations/outcome_form.html", context)


CIRCULARS = Circular.objects.select_related("locality", "document")


@require_GET
@login_required
def circular(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Circular, pk, queryset=CIRCULARS)
    lines = row.rows if row.state == "out" else service.circular_rows(row.locality, row.start, row.end)
    context = {
        "circular": row, "heads": service.CIRCULAR_HEADS,
        "cells": [list(zip(service.CIRCULAR_HEADS, line, strict=False)) for line in lines],
        "may_put_out": may.can_edit_circular(request.user, row) if row.state == "draft" else None,
        "crumbs": [HOME, ("通报", reverse("evaluations:circular-list")), (row.title, "")],
    }  # fmt: skip
    return render(request, "evaluations/circular.html", context)


@require_POST
@login_required
def circular_put_out(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Circular, pk, may.can_edit_circular, queryset=CIRCULARS)
    today = timezone.localdate()
    if _attempt(request, lambda: service.put_out_circular(row, actor=request.user, today=today)) is not None:
        messages.success(request, "通报已印发。")
    return redirect("evaluations:circular", pk)


@require_POST
@login_required
def circular_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Circular, pk, queryset=CIRCULARS)
    require(Decision.of(row.state == "out", otherwise="印发后才能生成 PDF"))
    job = request_paper("circular", row, actor=request.user, locality=row.locality, label=f"生成{row.title}")
    return redirect("core:job", job.pk)
