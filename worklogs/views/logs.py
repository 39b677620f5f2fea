"""One log: entering it, its page, and the steps it goes through."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.errors import Refused
from core.files import stream
from core.formtools import attempt
from core.lookups import lookup_response
from core.permissions import get_for, require
from core.transitions import available_moves
from planners.models import Planner
from projects.models import Project
from worklogs import permissions
from worklogs.forms import CorrectionForm, LogForm, ReasonForm, initial_of, initial_of_copy
from worklogs.models import LogPhoto, PendingPhoto, WorkLog
from worklogs.permissions_inspections import can_attach
from worklogs.services import logs as services
from worklogs.services.checks import hints_for_log
from worklogs.services.entries import is_closed
from worklogs.services.findings import findings_of, hints_shown
from worklogs.services.inspection_matters import inspection_of
from worklogs.services.photos import MAX_PHOTOS, drop_pending, keep_photos, pending
from worklogs.tables import state_badge
from worklogs.transitions import WORKLOG
from worklogs.views.inspections import findings_shown

_ROWS = WorkLog.objects.select_related(
    "planner", "charge", "project", "contract", "locality", "confirmed_by", "created_by", "supersedes", "superseded_by"
)


def _planner_of(request: HttpRequest) -> Planner:
    planner = Planner.objects.of_user(request.user).select_related("locality").first()
    if planner is None:
        raise Refused("您的账号没有对应的规划师登记，不能填写履职记录；请联系规划分局核对。")
    return planner


def _numbers(values: list[str]) -> list[int]:
    return [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 19]


def _sent(form: LogForm, request: HttpRequest, log: WorkLog | None = None) -> bool:
    """Keep the photos that came with the form, whatever becomes of the form; then, is it valid?"""
    if request.method != "POST" or form.key is None:
        return False
    drop_pending(_numbers(request.POST.getlist("drop_pending")), actor=request.user, submission_key=form.key)
    had = log.photos.count() if log is not None else 0
    for problem in keep_photos(
        request.FILES.getlist("photos"), actor=request.user, submission_key=form.key, already=had
    ):
        form.add_error("photos", problem)
    return form.is_valid()


def _form_page(request: HttpRequest, form: LogForm, **extra: Any) -> HttpResponse:
    waiting = pending(request.user, form.key)
    context = {
        "form": form,
        "pending_photos": waiting,
        "log": form.log,
        "max_photos": MAX_PHOTOS,
        "autosave_key": "worklog-create",
        **extra,
    }
    return render(request, "worklogs/log_form.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def log_create(request: HttpRequest) -> HttpResponse:
    planner = _planner_of(request)
    require(permissions.can_record(request.user, planner))
    form = LogForm(request.POST or None, planner=planner, initial=_first_values(request, planner))
    if _sent(form, request):
        log = attempt(form, lambda: services.record_log(planner, actor=request.user, **form.arguments()))
        if log is not None:
            return _saved(request, log)
    return _form_page(request, form, title="填写履职记录", last=services.last_of(planner))


def _first_values(request: HttpRequest, planner: Planner) -> dict[str, Any]:
    """Of a copied entry, else the charge of the last one: most people serve the same place again."""
    wanted = request.GET.get("copy", "")
    last = services.last_of(planner)
    if wanted == "last" and last is not None:
        return initial_of_copy(last)
    for number in _numbers([wanted]):
        return initial_of_copy(get_for(request.user, WorkLog, number))
    return {"charge": last.charge_id} if last is not None else {}


def _saved(request: HttpRequest, log: WorkLog) -> HttpResponse:
    if log.state == "draft":
        messages.info(request, "草稿已保存，提交后才会计入。")
    elif log.state == "proposed":
        messages.success(request, "已提交，由主管部门确认后计入。")
    else:
        messages.success(request, "已提交，等待主管部门确认。")
    return redirect(log)


@login_required
@require_http_methods(["GET", "POST"])
def log_edit(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_edit, queryset=_ROWS)
    form_class = CorrectionForm if log.supersedes_id is not None else LogForm
    form = form_class(request.POST or None, planner=log.planner, log=log, initial=initial_of(log))
    if _sent(form, request, log):
        dropped = _numbers(request.POST.getlist("drop_photo"))
        saved = attempt(
            form, lambda: services.edit_log(log, actor=request.user, drop_photos=dropped, **form.arguments())
        )
        if saved is not None:
            return _saved(request, saved)
    return _form_page(
        request,
        form,
        title="修改履职记录",
        photos=log.photos.all(),
        late=_is_late(log),
        autosave_key=f"worklog-edit:{log.pk}",
    )


def _is_late(log: WorkLog) -> bool:
    return log.supersedes_id is not None or is_closed(log.charge_id, log.date)


@login_required
@require_http_methods(["GET", "POST"])
def log_correct(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_correct, queryset=_ROWS)
    initial = {**initial_of(log), "reason": ""}
    form = CorrectionForm(request.POST or None, planner=log.planner, log=log, initial=initial)
    if _sent(form, request, log):
        dropped = _numbers(request.POST.getlist("drop_photo"))
        version = attempt(
            form, lambda: services.correct_log(log, actor=request.user, drop_photos=dropped, **form.correction())
        )
        if version is not None:
            messages.success(request, "更正已提交；确认之前，原记录继续有效。")
            return redirect(version)
    return _form_page(
        request,
        form,
        title="提出更正",
        photos=log.photos.all(),
        late=True,
        correcting=True,
        autosave_key=f"worklog-correct:{log.pk}",
    )


@login_required
@require_GET
def log_detail(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, queryset=_ROWS)
    seen = WorkLog.objects.visible_to(request.user)
    ids = [version.pk for version in services.versions_of(log)]
    context = {
        "log": log,
        "badge": state_badge(log.state, superseded=log.superseded_by_id is not None),
        "photos": log.photos.select_related("file"),
        "versions": seen.filter(pk__in=ids).select_related("created_by", "confirmed_by").order_by("pk"),
        "moves": {move.name: decision for move, decision in available_moves(WORKLOG, log, request.user)},
        "can_edit": permissions.can_edit(request.user, log),
        "can_delete": permissions.can_delete(request.user, log),
        "can_correct": permissions.can_correct(request.user, log),
        "events": audit.timeline(log, limit=30),
        "reason_form": ReasonForm(),
        **_remarks(request, log),
        **_found(request, log),
        "late": _is_late(log),
        "is_own": permissions.is_own(request.user, log),
    }
    return render(request, "worklogs/log_detail.html", context)


def _found(request: HttpRequest, log: WorkLog) -> dict[str, Any]:
    """What an inspection found; for a log that could become one, whether it may."""
    if log.kind != WorkLog.Kind.INSPECTION:
        return {}
    inspection = inspection_of(log)
    if inspection is None:
        return {"can_attach": can_attach(request.user, log)}
    return {"inspection": inspection, **findings_shown(request, inspection)}


def _remarks(request: HttpRequest, log: WorkLog) -> dict[str, Any]:
    """What is kept about the log; while its planner has it in hand, what it would be remarked on."""
    if permissions.can_edit(request.user, log):
        return {"hints": hints_shown(hints_for_log(log), user=request.user)}
    return {"findings": findings_of([log], user=request.user).get(log.pk, [])}


@login_required
@require_POST
def log_submit(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_submit, queryset=_ROWS)
    try:
        return _saved(request, services.submit_log(log, actor=request.user, reason=request.POST.get("reason", "")))
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
        return redirect("worklogs:edit", pk=pk)


@login_required
@require_POST
def log_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_withdraw, queryset=_ROWS)
    services.withdraw_log(log, actor=request.user)
    messages.success(request, "记录已撤回，修改后可以再次提交。")
    return redirect(log if permissions.is_own(request.user, log) else "worklogs:list")


@login_required
@require_POST
def log_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_review, queryset=_ROWS)
    services.confirm_log(log, actor=request.user)
    messages.success(request, "记录已确认。")
    return redirect(log)


@login_required
@require_http_methods(["GET", "POST"])
def log_return(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_review, queryset=_ROWS)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, lambda: services.return_log(log, actor=request.user, reason=form.cleaned_data["reason"]))
        if done is not None:
            messages.success(request, "记录已退回，规划师会收到通知。")
            return redirect("worklogs:month", log.charge_id, log.date.year, log.date.month)
    return render(request, "worklogs/log_return.html", {"form": form, "log": log})


@login_required
@require_POST
def log_delete(request: HttpRequest, pk: int) -> HttpResponse:
    log = get_for(request.user, WorkLog, pk, permissions.can_delete, queryset=_ROWS)
    services.delete_draft(log, actor=request.user)
    messages.success(request, "草稿已删除。")
    return redirect("worklogs:list")


@login_required
@require_GET
def photo(request: HttpRequest, pk: int, photo_pk: int) -> HttpResponseBase:
    """A photo of a log that the person may see: the re-encoded picture, without where it was taken."""
    log = get_for(request.user, WorkLog, pk)
    found = get_object_or_404(LogPhoto.objects.select_related("file"), pk=photo_pk, log=log)
    return stream(found.file, inline=True)


@login_required
@require_GET
def pending_photo(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = get_object_or_404(PendingPhoto.objects.select_related("file"), pk=pk, user=request.user)
    return stream(found.file, inline=True)


@login_required
@require_GET
def project_lookup(request: HttpRequest) -> JsonResponse:
    """Projects of one's locality by number or name, for the form's search box."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    rows = Project.objects.visible_to(request.user).order_by("-pk")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(number__istartswith=text))
    return lookup_response(rows, text=lambda p: p.name, note=lambda p: f"{p.number} {p.get_kind_display()}")
