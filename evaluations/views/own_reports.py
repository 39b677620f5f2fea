"""What one rater handed in, as one report: for its author, and after the closing for whoever collates."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.errors import Refused
from core.http import PersonRequest
from core.permissions import get_for, require
from evaluations.models import Sheet
from evaluations.permissions.sheets import can_read_answers
from evaluations.services.own_reports import OPEN, OwnReport, report_of, report_paper
from evaluations.services.paper_requests import request_paper

SHEETS = Sheet.objects.select_related("round__locality", "form", "author", "step", "subject")


def _report(request: PersonRequest, pk: int) -> tuple[Sheet, OwnReport]:
    sheet = get_for(request.user, Sheet, pk, queryset=SHEETS)
    require(can_read_answers(request.user, sheet))
    report = report_of(sheet, reader=request.user)
    if report is None:
        raise Http404("这份评估表没有提交，没有报告。")
    return sheet, report


@require_GET
@login_required
def own_report(request: PersonRequest, pk: int) -> HttpResponse:
    sheet, report = _report(request, pk)
    is_own = report.author.pk == request.user.pk
    round_ = (report.round.title, reverse("evaluations:round", args=[report.round.pk]))
    own = ("我的评估表", reverse("evaluations:sheet-list"))
    context: dict[str, Any] = {
        "sheet": sheet, "report": report, "paper": report_paper(report), "why": "" if report.is_closed else OPEN,
        "is_own": is_own, "crumbs": [("首页", "/home/"), own if is_own else round_, (report.name, "")],
    }  # fmt: skip
    return render(request, "evaluations/own_report.html", context)


@require_POST
@login_required
def own_report_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    sheet, report = _report(request, pk)
    if not report.is_closed:
        raise Refused(OPEN)
    label = f"生成{report.round.title}{report.name}"
    job = request_paper("report", sheet, actor=request.user, locality=report.round.locality, label=label)
    return redirect("core:job", job.pk)
