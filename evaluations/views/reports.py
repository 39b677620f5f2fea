"""One document: write, hand in, endorse, return, print."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.errors import StaleState
from core.files import stream
from core.permissions import get_for
from evaluations import permissions as may
from evaluations.facts import facts_of
from evaluations.forms import ReasonForm, ReportForm
from evaluations.models import DutyReport
from evaluations.sections import SECTIONS
from evaluations.services import documents
from evaluations.services import reports as service

ROWS = DutyReport.objects.select_related(
    "cycle__locality", "cycle__policy_version", "contract__team__lead",
    "contract__signer", "charge", "author__institution",
    "document",
)  # fmt: skip


@require_GET
@login_required
def report_detail(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, queryset=ROWS)
    return render(request, "evaluations/report_detail.html", _page(request, report))


def _page(request: HttpRequest, report: DutyReport) -> dict[str, object]:
    """Facts are drawn anew while the document is being written, and are those of the day once handed in."""
    drawn = report.state in {"draft", "returned"}
    return {
        "report": report,
        "facts": facts_of(report) if drawn else report.facts,
        "sections": [(section, report.sections.get(section.code, "")) for section in SECTIONS],
        "may_write": may.can_write_report(request.user, report),
        "may_endorse": may.can_endorse_report(request.user, report),
        "may_withdraw": may.can_withdraw_report(request.user, report),
        "may_supersede": may.can_supersede_report(request.user, report),
        "goes_to_lead": may.endorser_of(report) is not None,
        "newer": DutyReport.objects.filter(supersedes=report).first(),
        "events": audit.timeline(report),
        "reason_form": ReasonForm(),
        "crumbs": [
            ("首页", "/home/"), ("述职文书", "/evaluations/"),
            (report.cycle.title, f"/evaluations/{report.cycle_id}/"), (report.author.name, ""),
        ],
    }  # fmt: skip


@login_required
def report_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The sections side by side with the facts; kept section by section as one writes."""
    report = get_for(request.user, DutyReport, pk, may.can_write_report, queryset=ROWS)
    form = ReportForm(request.POST or None, initial={"revision": report.revision, **report.sections})
    if request.method == "POST" and form.is_valid():
        saved = _save(request, report, form)
        if saved and "submit" in request.POST:
            return _submit(request, report, form)
        if saved:
            messages.success(request, "已保存。")
            return redirect("evaluations:report-edit", pk)
    return render(request, "evaluations/report_edit.html", {**_page(request, report), "form": form})


def _save(request: HttpRequest, report: DutyReport, form: ReportForm) -> bool:
    try:
        service.save_sections(report, actor=request.user, texts=form.texts(), revision=form.cleaned_data["revision"])
    except StaleState as stale:
        # The author's text stays in the form: nothing written is lost.
        form.add_error(None, stale.reason)
    except ValidationError as error:
        form.add_error(None, error)
    return not form.errors


def _submit(request: HttpRequest, report: DutyReport, form: ReportForm) -> HttpResponse:
    try:
        service.submit_report(report, actor=request.user)
    except ValidationError as error:
        form = ReportForm(
            {**request.POST.dict(), "revision": str(report.revision)}, initial={"revision": report.revision}
        )
        form.full_clean()
        form.add_error(None, error)
        return render(request, "evaluations/report_edit.html", {**_page(request, report), "form": form})
    messages.success(request, "已提交，待领衔规划师审核。" if report.state == "submitted" else "已提交并定稿。")
    return redirect("evaluations:report-detail", report.pk)


@require_POST
@login_required
def report_autosave(request: HttpRequest, pk: int) -> JsonResponse:
    """Keep the sections sent; answers {"revision", "saved"} or {"error"} with 400 or 409."""
    report = get_for(request.user, DutyReport, pk, may.can_write_report, queryset=ROWS)
    form = ReportForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"error": "；".join(e for errors in form.errors.values() for e in errors)}, status=400)
    try:
        service.save_sections(report, actor=request.user, texts=form.texts(), revision=form.cleaned_data["revision"])
    except StaleState as stale:
        return JsonResponse({"error": stale.reason}, status=409)
    except ValidationError as error:
        return JsonResponse({"error": "；".join(error.messages)}, status=400)
    return JsonResponse({"revision": report.revision, "saved": timezone.localtime().strftime("%H:%M")})


@require_POST
@login_required
def report_submit(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, may.can_submit_report, queryset=ROWS)
    try:
        service.submit_report(report, actor=request.user)
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
        return redirect("evaluations:report-edit", pk)
    messages.success(request, "已提交，待领衔规划师审核。" if report.state == "submitted" else "已提交并定稿。")
    return redirect("evaluations:report-detail", pk)


@require_POST
@login_required
def report_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, may.can_withdraw_report, queryset=ROWS)
    service.withdraw_report(report, actor=request.user)
    messages.success(request, "已撤回，可以继续修改。")
    return redirect("evaluations:report-edit", pk)


@require_POST
@login_required
def report_endorse(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, may.can_endorse_report, queryset=ROWS)
    service.endorse_report(report, actor=request.user)
    messages.success(request, f"已审核通过，{report.author.name}的{report.cycle.document_title}已定稿。")
    return redirect("evaluations:report-detail", pk)


@require_POST
@login_required
def report_return(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, may.can_endorse_report, queryset=ROWS)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return render(request, "evaluations/report_detail.html", {**_page(request, report), "reason_form": form})
    service.return_report(report, actor=request.user, reason=form.cleaned_data["reason"])
    messages.success(request, "已退回撰写人修改。")
    return redirect("evaluations:report-detail", pk)


@require_POST
@login_required
def report_supersede(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, DutyReport, pk, may.can_supersede_report, queryset=ROWS)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return render(request, "evaluations/report_detail.html", {**_page(request, report), "reason_form": form})
    fresh = service.supersede_report(report, actor=request.user, reason=form.cleaned_data["reason"])
    messages.success(request, f"已建立第 {fresh.version} 版，原版次保留可查。")
    return redirect("evaluations:report-edit", fresh.pk)


@require_POST
@login_required
def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the PDF: the document itself when it is frozen, a marked draft before."""
    report = get_for(request.user, DutyReport, pk, queryset=ROWS)
    if report.document_id:
        return redirect("evaluations:report-download", pk)
    return redirect("core:job", documents.request_pdf(report, actor=request.user).pk)


@require_GET
@login_required
def report_download(request: HttpRequest, pk: int) -> FileResponse:
    report = get_for(request.user, DutyReport, pk, queryset=ROWS)
    stored = documents.latest_pdf(report)
    if stored is None:
        raise Http404("这份文书还没有生成 PDF。")
    audit.record("dutyreport.pdf", actor=request.user, obj=report, locality=report.cycle.locality)
    return stream(stored, as_name=documents.file_name(report))
