"""Monthly reports: the list, one report, and the steps it goes through."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.errors import Refused, StaleState
from core.files import stream
from core.formtools import attempt
from core.paging import KeysetPage
from core.permissions import get_for, require
from planners.models import Planner
from worklogs import permissions_monthly as may
from worklogs.filters_monthly import MonthlyFilter
from worklogs.forms import ReasonForm
from worklogs.forms_monthly import ChosenReportsForm, ReportForm, StartReportForm
from worklogs.models import MonthlyReport
from worklogs.services import monthly as services
from worklogs.services import monthly_documents as documents
from worklogs.services.monthly_exports import export_reports
from worklogs.services.monthly_facts import facts_of, is_outdated
from worklogs.services.monthly_plan import plan_of, start_report
from worklogs.tables_monthly import lines_of

_PAGE = 50
_ROWS = services.ROWS


def _chosen(request: HttpRequest) -> MonthlyFilter:
    rows = MonthlyReport.objects.listed_for(request.user).select_related("charge", "author", "locality")
    return MonthlyFilter(request.GET, rows, user=request.user)


@login_required
@require_GET
def monthly_list(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    page = KeysetPage(chosen.qs, request=request, order=chosen.order(), size=_PAGE)
    lines = lines_of(page.rows, user=request.user, today=timezone.localdate())
    context = {
        "filter": chosen, "page": page, "lines": lines, "can_write": may.may_write(request.user),
        "can_accept": any(line.may_accept for line in lines),
    }  # fmt: skip
    return render(request, "worklogs/monthly_list.html", context)


@login_required
@require_GET
def monthly_export(request: HttpRequest) -> HttpResponseBase:
    """What the list shows under the same filters, every page of it."""
    return export_reports(_chosen(request).qs, actor=request.user, filters=request.GET.urlencode())


@login_required
@require_http_methods(["GET", "POST"])
def monthly_start(request: HttpRequest) -> HttpResponse:
    require(may.may_write(request.user))
    planner = Planner.objects.of_user(request.user).first()
    if planner is None:
        raise Refused("您的账号没有对应的规划师登记，不能撰写工作月报；请联系规划分局核对。")
    form = StartReportForm(request.POST or None, planner=planner)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        report = attempt(
            form,
            lambda: start_report(planner, actor=request.user, charge=data["charge"], month=data["month"]),
        )
        if report is not None:
            return redirect("worklogs:monthly-edit" if may.can_write(request.user, report) else report, pk=report.pk)
    return render(request, "worklogs/monthly_start.html", {"form": form})


def _page(request: HttpRequest, report: MonthlyReport) -> dict[str, Any]:
    """Figures are drawn anew until the month is closed, and are those of its closing from then on."""
    user = request.user
    return {
        "report": report,
        "facts": report.facts if report.state == "locked" else facts_of(report),
        "sections": [(section, report.texts.get(section.code, "")) for section in services.SECTIONS],
        "plan": plan_of(report.locality, report.month),
        "may_write": may.can_write(user, report), "may_withdraw": may.can_withdraw(user, report),
        "may_accept": may.can_accept(user, report), "may_return": may.can_return(user, report),
        "may_supersede": may.can_supersede(user, report),
        "newer": MonthlyReport.objects.filter(supersedes=report).first(),
        "outdated": is_outdated(report),
        "waiting": services.waiting_logs(report),
        "events": audit.timeline(report, limit=30),
        "reason_form": ReasonForm(),
        "crumbs": [("首页", "/home/"), ("工作月报", "/worklogs/monthly/"), (f"{report.month:%Y年%-m月}", "")],
    }  # fmt: skip


@login_required
@require_GET
def monthly_detail(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, MonthlyReport, pk, queryset=_ROWS)
    return render(request, "worklogs/monthly_detail.html", _page(request, report))


@login_required
@require_http_methods(["GET", "POST"])
def monthly_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The texts beside the figures; what is typed saves itself as a draft."""
    report = get_for(request.user, MonthlyReport, pk, may.can_write, queryset=_ROWS)
    form = ReportForm(request.POST or None, initial={"revision": report.revision, **report.texts})
    if request.method == "POST" and form.is_valid() and _saved(request, report, form):
        if "submit" not in request.POST:
            messages.success(request, "已保存。")
            return redirect("worklogs:monthly-edit", pk)
        if attempt(form, lambda: services.submit_report(report, actor=request.user)) is not None:
            messages.success(request, "月报已提交，等待主管部门接受。")
            return redirect(report)
        # Saved, though not handed in: the form goes on from what is kept now.
        form.data = {**form.data.dict(), "revision": str(report.revision)}
    return render(request, "worklogs/monthly_edit.html", {**_page(request, report), "form": form})


def _saved(request: HttpRequest, report: MonthlyReport, form: ReportForm) -> bool:
    def save() -> MonthlyReport:
        return services.save_texts(
            report, actor=request.user, texts=form.texts(), revision=form.cleaned_data["revision"]
        )

    try:
        return attempt(form, save) is not None
    except StaleState as stale:
        # The author's words stay in the form: nothing written is lost.
        form.add_error(None, stale.reason)
        return False


@login_required
@require_POST
def monthly_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, MonthlyReport, pk, may.can_withdraw, queryset=_ROWS)
    services.withdraw_report(report, actor=request.user)
    messages.success(request, "已撤回，可以继续修改。")
    return redirect("worklogs:monthly-edit", pk)


@login_required
@require_POST
def monthly_accept(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, MonthlyReport, pk, may.can_receive, queryset=_ROWS)
    try:
        services.accept_report(report, actor=request.user)
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
    else:
        messages.success(request, "月报已接受。")
    return redirect(report)


@login_required
@require_POST
def monthly_accept_many(request: HttpRequest) -> HttpResponse:
    form = ChosenReportsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "；".join(str(error) for error in form.errors["reports"]))
        return redirect("worklogs:monthly-list")
    result = services.accept_reports(form.cleaned_data["reports"], actor=request.user)
    if result.moved:
        messages.success(request, f"已接受 {len(result.moved)} 份工作月报。")
    if result.refused:
        reasons = "；".join(dict.fromkeys(result.refused.values()))
        messages.warning(request, f"{len(result.refused)} 份没有接受：{reasons}")
    return redirect("worklogs:monthly-list")


@login_required
@require_POST
def monthly_return(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, MonthlyReport, pk, may.can_receive, queryset=_ROWS)
    form = ReasonForm(request.POST)
    done = form.is_valid() and attempt(
        form, lambda: services.return_report(report, actor=request.user, reason=form.cleaned_data["reason"])
    )
    if not done:
        return render(request, "worklogs/monthly_detail.html", {**_page(request, report), "reason_form": form})
    messages.success(request, "月报已退回撰写人修改。")
    return redirect(report)


@login_required
@require_POST
def monthly_supersede(request: HttpRequest, pk: int) -> HttpResponse:
    report = get_for(request.user, MonthlyReport, pk, may.can_supersede, queryset=_ROWS)
    form = ReasonForm(request.POST)
    fresh = (
        attempt(form, lambda: services.supersede_report(report, actor=request.user, reason=form.cleaned_data["reason"]))
        if form.is_valid()
        else None
    )
    if fresh is None:
        return render(request, "worklogs/monthly_detail.html", {**_page(request, report), "reason_form": form})
    messages.success(request, f"已建立第 {fresh.version} 版，原版次保留可查。")
    return redirect("worklogs:monthly-edit", fresh.pk)


@login_required
@require_POST
def monthly_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the PDF: the document itself when the month is locked, a marked draft before."""
    report = get_for(request.user, MonthlyReport, pk, queryset=_ROWS)
    if report.document_id:
        return redirect("worklogs:monthly-download", pk)
    return redirect("core:job", documents.request_pdf(report, actor=request.user).pk)


@login_required
@require_GET
def monthly_download(request: HttpRequest, pk: int) -> FileResponse:
    report = get_for(request.user, MonthlyReport, pk, queryset=_ROWS)
    if report.document is None or report.document.file is None:
        raise Http404("这份月报还没有生成 PDF。")
    audit.record("monthlyreport.pdf", actor=request.user, obj=report)
    return stream(report.document.file, as_name=documents.file_name(report))
