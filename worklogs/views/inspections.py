"""Inspections on the phone: begin, add what is found, hand in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import Refused
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.lookups import lookup_response
from core.permissions import get_for, require
from planners.models import Planner
from projects.models import Rectification
from projects.services.rectifications import term_days
from worklogs import permissions
from worklogs import permissions_inspections as may
from worklogs.forms_inspections import FindingForm, InspectionForm, PinForm, initial_of
from worklogs.models import FindingPhoto, Inspection, InspectionFinding, WorkLog
from worklogs.services import inspections as services
from worklogs.services import logs
from worklogs.services.entries import is_closed
from worklogs.services.photos import drop_pending, keep_photos, pending
from worklogs.tables import state_badge

_ROWS = Inspection.objects.select_related("log__planner", "log__project__locality", "log__charge", "log__locality")
_FINDINGS = InspectionFinding.objects.select_related("contractor", "rectification").prefetch_related(
    "photos__photo", "photos__plan__document"
)


def _planner_of(request: PersonRequest) -> Planner:
    planner = Planner.objects.of_user(request.user).select_related("locality").first()
    if planner is None:
        raise Refused("您的账号没有对应的规划师登记，不能记录巡查；请联系规划分局核对。")
    require(permissions.can_record(request.user, planner))
    return planner


def _one(request: PersonRequest, pk: int, *predicates: Any) -> Inspection:
    return get_for(request.user, Inspection, pk, *predicates, queryset=_ROWS)


def _numbers(values: list[str]) -> tuple[int, ...]:
    return tuple(int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 19)


@require_http_methods(["GET", "POST"])
@login_required
def inspection_create(request: PersonRequest) -> HttpResponse:
    """Where and when; `?project=` comes from a project's page."""
    planner = _planner_of(request)
    asked = _numbers([request.GET.get("project", "")])
    first = {"project": asked[0]} if asked else {}
    form = InspectionForm(request.POST or None, planner=planner, initial=first)
    if request.method == "POST" and form.is_valid():
        made = attempt(form, lambda: services.start_inspection(planner, actor=request.user, **form.arguments()))
        if made is not None:
            messages.info(request, "巡查已建立，请逐条记录发现，最后提交。")
            return redirect("worklogs:inspection", made.pk)
    return render(request, "worklogs/inspection_create.html", {"form": form})


@require_GET
@login_required
def inspection_projects(request: PersonRequest) -> JsonResponse:
    """Projects that the planner may inspect, by number or name."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    planner = Planner.objects.of_user(request.user).first()
    if planner is None or not permissions.may_record(request.user):
        return lookup_response([])
    rows = services.projects_of(planner).order_by("-pk")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(number__istartswith=text))
    return lookup_response(rows, text=lambda p: p.name, note=lambda p: f"{p.number} {p.get_stage_display()}")


@require_POST
@login_required
def inspection_attach(request: PersonRequest, pk: int) -> HttpResponse:
    rows = WorkLog.objects.select_related("planner", "project", "charge", "locality")
    log = get_for(request.user, WorkLog, pk, may.can_attach, queryset=rows)
    return redirect("worklogs:inspection", services.attach_inspection(log, actor=request.user).pk)


@require_GET
@login_required
def inspection_detail(request: PersonRequest, pk: int) -> HttpResponse:
    inspection = _one(request, pk)
    log = inspection.log
    return render(request, "worklogs/inspection.html", {
        "inspection": inspection, "log": log,
        "badge": state_badge(log.state, superseded=log.superseded_by_id is not None),
        **findings_shown(request, inspection), "may_collect": may.can_collect(request.user, inspection),
        "late": is_closed(log.charge_id, log.date),
    })  # fmt: skip


def findings_shown(request: PersonRequest, inspection: Inspection) -> dict[str, Any]:
    """What `worklogs/_findings_found.html` takes: the findings, and which rectifications the reader may open."""
    findings = list(_FINDINGS.filter(inspection=inspection))
    ids = [finding.rectification_id for finding in findings if finding.rectification_id]
    seen = Rectification.objects.visible_to(request.user).filter(pk__in=ids) if ids else Rectification.objects.none()
    return {
        "found": [(finding, _drawings(finding)) for finding in findings],
        "seen_rectifications": set(seen.values_list("pk", flat=True)) if ids else set(),
        "waiting": sum(bool(finding.demand) and finding.rectification_id is None for finding in findings),
    }


def _drawings(finding: InspectionFinding) -> list[tuple[Any, list[tuple[int, FindingPhoto]]]]:
    """Each drawing that photos of the finding are pinned to, with their numbers; none that demands 保密协议 by now."""
    found: dict[int, tuple[Any, list[tuple[int, FindingPhoto]]]] = {}
    for number, kept in enumerate(finding.photos.all(), 1):
        if kept.plan is not None and not kept.plan.document.needs_nda:
            found.setdefault(kept.plan.pk, (kept.plan, []))[1].append((number, kept))
    return list(found.values())


def _sent(form: FindingForm, request: PersonRequest, inspection: Inspection) -> bool:
    """Keep the photos that came with the form, whatever becomes of the form; then, is it valid?"""
    if request.method != "POST" or form.key is None:
        return False
    drop_pending(_numbers(request.POST.getlist("drop_pending")), actor=request.user, submission_key=form.key)
    for problem in keep_photos(
        request.FILES.getlist("photos"), actor=request.user, submission_key=form.key,
        already=inspection.log.photos.count(), most=services.MAX_PHOTOS,
    ):  # fmt: skip
        form.add_error("photos", problem)
    return form.is_valid()


def _form(request: PersonRequest, inspection: Inspection, finding: InspectionFinding | None = None) -> FindingForm:
    project = inspection.log.project
    if project is None:
        raise Refused("这条记录没有选定相关项目。")
    return FindingForm(
        request.POST or None, plans=services.plans_of(project), project=project, term=term_days(project),
        finding=finding, initial=initial_of(finding) if finding is not None else None,
    )  # fmt: skip


def _form_page(request: PersonRequest, inspection: Inspection, form: FindingForm, **extra: Any) -> HttpResponse:
    waiting = pending(request.user, form.key)
    context = {"form": form, "inspection": inspection, "log": inspection.log, "pending_photos": waiting,
               "max_photos": services.MAX_PHOTOS, **extra}  # fmt: skip
    return render(request, "worklogs/finding_form.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def finding_create(request: PersonRequest, pk: int) -> HttpResponse:
    inspection = _one(request, pk, may.can_collect)
    form = _form(request, inspection)
    if _sent(form, request, inspection):
        made = attempt_once(form, request.user, lambda data: services.add_finding(
            inspection, actor=request.user, values=form.values(), pin=form.pin(), submission_key=form.key,
        ))  # fmt: skip
        if made is not None:
            messages.success(request, f"已记录发现 {made.position}。")
            if "another" in request.POST:
                return redirect("worklogs:finding-create", pk)
            return redirect("worklogs:inspection", pk)
    return _form_page(request, inspection, form, title="记录发现")


def _finding(request: PersonRequest, pk: int, finding_pk: int) -> tuple[Inspection, InspectionFinding]:
    inspection = _one(request, pk)
    finding = get_object_or_404(_FINDINGS, pk=finding_pk, inspection=inspection)
    finding.inspection = inspection
    require(may.can_change_finding(request.user, finding))
    return inspection, finding


@require_http_methods(["GET", "POST"])
@login_required
def finding_edit(request: PersonRequest, pk: int, finding_pk: int) -> HttpResponse:
    inspection, finding = _finding(request, pk, finding_pk)
    form = _form(request, inspection, finding)
    if _sent(form, request, inspection):
        drop = _numbers(request.POST.getlist("drop_photo"))
        saved = attempt(form, lambda: services.change_finding(
            finding, actor=request.user, values=form.values(), pin=form.pin(), submission_key=form.key, drop=drop,
        ))  # fmt: skip
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("worklogs:inspection", pk)
    return _form_page(request, inspection, form, title=f"修改发现 {finding.position}", finding=finding)


@require_POST
@login_required
def finding_remove(request: PersonRequest, pk: int, finding_pk: int) -> HttpResponse:
    _, finding = _finding(request, pk, finding_pk)
    services.remove_finding(finding, actor=request.user)
    messages.success(request, "已删除这项发现。")
    return redirect("worklogs:inspection", pk)


@require_http_methods(["GET", "POST"])
@login_required
def finding_pin(request: PersonRequest, pk: int, photo_pk: int) -> HttpResponse:
    """Where on the drawing one photo was taken."""
    inspection = _one(request, pk)
    rows = FindingPhoto.objects.select_related("finding", "photo", "plan")
    kept = get_object_or_404(rows, pk=photo_pk, finding__inspection=inspection)
    kept.finding.inspection = inspection
    require(may.can_change_finding(request.user, kept.finding))
    plans = services.plans_of(inspection.log.project) if inspection.log.project is not None else []
    first = {"plan": kept.plan_id, "x": (kept.x or 0) / 10, "y": (kept.y or 0) / 10} if kept.plan_id else {}
    form = PinForm(request.POST or None, plans=plans, initial=first)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: services.pin_photo(kept, actor=request.user, pin=form.pin()))
        if saved is not None:
            messages.success(request, "已标注位置。" if saved.plan_id else "已去掉标注。")
            return redirect("worklogs:inspection", pk)
    return render(request, "worklogs/finding_pin.html", {
        "form": form, "inspection": inspection, "log": inspection.log, "kept": kept
    })  # fmt: skip


@require_GET
@login_required
def inspection_plan(request: PersonRequest, pk: int, version_pk: int) -> HttpResponseBase:
    """A drawing that photos of this inspection can be, or are, pinned to; never one that demands 保密协议."""
    inspection = _one(request, pk)
    offered = services.plans_of(inspection.log.project) if inspection.log.project is not None else []
    pinned = FindingPhoto.objects.filter(
        finding__inspection=inspection, plan__document__needs_nda=False, plan_id=version_pk
    ).select_related("plan__file")  # fmt: skip
    files = {plan.pk: plan.file for plan in offered} | {kept.plan_id: kept.plan.file for kept in pinned if kept.plan}
    if version_pk not in files:
        raise Http404("没有这张平面图。")
    return stream(files[version_pk], inline=True)


@require_POST
@login_required
def inspection_submit(request: PersonRequest, pk: int) -> HttpResponse:
    """Hand the log in, and with it ask for everything that is to be mended."""
    inspection = _one(request, pk, may.can_collect)
    try:
        logs.submit_log(inspection.log, actor=request.user, reason=request.POST.get("reason", ""))
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
        return redirect("worklogs:inspection", pk)
    asked = InspectionFinding.objects.filter(inspection=inspection, rectification__isnull=False).count()
    words = f"，已提出 {asked} 项整改意见" if asked else ""
    messages.success(request, f"巡查已提交，等待主管部门确认{words}。")
    return redirect("worklogs:inspection", pk)
