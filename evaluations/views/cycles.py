"""Rounds: which are open, how far each is, and the whole of one as a ZIP."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.files import stream
from core.permissions import get_for, require
from districts.access import access_of
from districts.models import Locality
from evaluations.forms import OpenCycleForm, ReasonForm
from evaluations.models import Cycle, DutyReport, ReportBatch
from evaluations.permissions import can_close_cycle, can_export_cycle, can_manage_cycle, can_open_cycle
from evaluations.services.batches import start_batch
from evaluations.services.cycles import (
    add_missing_reports,
    close_cycle,
    document_plan,
    due_day,
    offered_periods,
    open_cycle,
    reopen_cycle,
)


@require_GET
@login_required
def cycle_list(request: HttpRequest) -> HttpResponse:
    """The rounds one may see, and one's own documents first."""
    locality = Locality.objects.filter(pk=access_of(request.user).locality_id).first()
    reports = DutyReport.objects.visible_to(request.user)
    cycles = (
        Cycle.objects.visible_to(request.user)
        .select_related("locality")
        .annotate(total=Count("reports"), frozen=Count("reports", filter=Q(reports__state="frozen")))
    )
    return render(
        request,
        "evaluations/cycle_list.html",
        {
            "cycles": cycles[:100],
            "mine": reports.filter(author__user_id=request.user.pk).select_related("cycle", "contract", "charge"),
            "to_endorse": reports.filter(state="submitted", contract__team__lead__user_id=request.user.pk)
            .exclude(author__user_id=request.user.pk)
            .select_related("cycle", "author", "charge"),
            "may_open": can_open_cycle(request.user, locality) if locality else None,
            "crumbs": [("首页", "/home/"), ("述职文书", "")],
        },
    )


@login_required
def cycle_open(request: HttpRequest) -> HttpResponse:
    """Open a round for a period that the pack in force names."""
    locality = get_for(request.user, Locality, access_of(request.user).locality_id, can_open_cycle)
    today = timezone.localdate()
    plan, periods = document_plan(locality, on=today), offered_periods(locality, today=today)
    due = due_day(plan, periods[0]) if plan and periods else None
    initial: dict[str, object] = {"recipient": plan.recipient if plan else ""}
    if due and due >= today:
        initial["due_on"] = due
    form = OpenCycleForm(request.POST or None, periods=periods, initial=initial)
    if request.method == "POST" and form.is_valid():
        start, end = form.dates()
        try:
            cycle = open_cycle(
                locality, actor=request.user, start=start, end=end, today=today,
                due_on=form.cleaned_data["due_on"], recipient=form.cleaned_data["recipient"],
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error) if not hasattr(error, "error_dict") else form.add_error(None, error.messages)
        else:
            messages.success(request, f"{cycle.title}已开启，已为 {cycle.reports.count()} 份文书建立草稿。")
            return redirect("evaluations:cycle-detail", cycle.pk)
    crumbs = [("首页", "/home/"), ("述职文书", "/evaluations/"), ("开启周期", "")]
    return render(
        request, "evaluations/cycle_open.html", {"form": form, "plan": plan, "locality": locality, "crumbs": crumbs}
    )


@require_GET
@login_required
def cycle_detail(request: HttpRequest, pk: int) -> HttpResponse:
    cycle = get_for(request.user, Cycle, pk, queryset=Cycle.objects.select_related("locality", "policy_version"))
    reports = (
        DutyReport.objects.visible_to(request.user)
        .filter(cycle=cycle, superseded_by=None)
        .select_related("author", "contract", "charge", "document")
    )
    counts = dict(
        DutyReport.objects.filter(cycle=cycle, superseded_by=None).values_list("state").annotate(n=Count("pk"))
    )
    return render(
        request,
        "evaluations/cycle_detail.html",
        {
            "cycle": cycle,
            "reports": reports,
            "tiles": [
                {"label": label, "value": counts.get(state, 0), "unit": "份", "tone": tone}
                for state, label, tone in (
                    ("draft", "撰写中", "neutral"),
                    ("submitted", "待审核", "waiting"),
                    ("returned", "已退回", "bad"),
                    ("frozen", "已定稿", "good"),
                )
            ],
            # Who has not handed in yet is no secret from those who collect; what they are writing is.
            "unwritten": _unwritten(cycle) if can_export_cycle(request.user, cycle) else [],
            "batches": cycle.batches.select_related("job", "archive")[:5],
            "may_manage": can_manage_cycle(request.user, cycle),
            "may_export": can_export_cycle(request.user, cycle),
            "reason_form": ReasonForm(),
            "crumbs": [("首页", "/home/"), ("述职文书", "/evaluations/"), (cycle.title, "")],
        },
    )


def _unwritten(cycle: Cycle) -> list[DutyReport]:
    drafts = DutyReport.objects.filter(cycle=cycle, superseded_by=None, state="draft")
    return list(drafts.select_related("author", "charge", "contract").order_by("charge__name", "author__sort_key"))


@require_POST
@login_required
def cycle_close(request: HttpRequest, pk: int) -> HttpResponse:
    cycle = get_for(request.user, Cycle, pk, can_close_cycle)
    close_cycle(cycle, actor=request.user)
    messages.success(request, "本期述职已截止。")
    return redirect("evaluations:cycle-detail", pk)


@require_POST
@login_required
def cycle_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    cycle = get_for(request.user, Cycle, pk, can_manage_cycle)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reopen_cycle(cycle, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, "本期述职已重新开启。")
    else:
        messages.error(request, "请填写重新开启的原因。")
    return redirect("evaluations:cycle-detail", pk)


@require_POST
@login_required
def cycle_refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Make drafts for planners who joined after the round was opened."""
    cycle = get_for(request.user, Cycle, pk, can_manage_cycle)
    made = add_missing_reports(cycle, actor=request.user)
    messages.success(request, f"已补充 {len(made)} 份文书草稿。" if made else "没有需要补充的文书。")
    return redirect("evaluations:cycle-detail", pk)


@require_POST
@login_required
def cycle_export(request: HttpRequest, pk: int) -> HttpResponse:
    cycle = get_for(request.user, Cycle, pk, can_export_cycle)
    batch = start_batch(cycle, actor=request.user)
    return redirect("core:job", batch.job_id)


@require_GET
@login_required
def batch_download(request: HttpRequest, pk: int) -> FileResponse:
    batch = get_for(request.user, ReportBatch, pk)
    require(can_export_cycle(request.user, batch.cycle))
    audit.record("cycle.export", actor=request.user, obj=batch.cycle, detail={"batch": batch.pk})
    if batch.archive is None:
        raise Http404("汇编还没有生成完。")
    return stream(batch.archive, as_name=f"{batch.cycle.title}汇编.zip")
