"""Remarks on logs: hints while a log is being entered, and the word of whoever looked into one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.permissions import get_for, require
from planners.models import Planner
from worklogs import permissions
from worklogs.forms import HintForm
from worklogs.models import LogFinding
from worklogs.services.checks import hints_for_form
from worklogs.services.findings import hints_shown, note_finding

_ROWS = LogFinding.objects.select_related("log__charge", "log__planner", "log__locality")


@login_required
@require_GET
def log_hints(request: HttpRequest) -> HttpResponse:
    """Part of the form: what a log of these hours would be remarked on. Empty until day, hours and place are chosen."""
    require(permissions.may_record(request.user))
    planner = Planner.objects.of_user(request.user).first()
    form = HintForm(request.GET, planner=planner, user=request.user)
    found = hints_for_form(actor=request.user, **form.arguments()) if planner and form.is_valid() else []
    return render(request, "worklogs/_hints.html", {"hints": hints_shown(found, user=request.user)})


@login_required
@require_POST
def finding_note(request: HttpRequest, log: int, pk: int) -> HttpResponse:
    finding = get_for(request.user, LogFinding, pk, permissions.can_note, queryset=_ROWS.filter(log=log))
    try:
        note_finding(finding, actor=request.user, note=request.POST.get("note", ""))
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
    else:
        messages.success(request, "核对结果已记下。")
    return redirect(f"{finding.log.get_absolute_url()}#findings-title")
