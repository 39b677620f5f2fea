"""A charge's month: confirm what is ticked with one click, and close it."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.calendar import load_work_calendar
from core.permissions import require
from worklogs import permissions
from worklogs.forms import ChosenLogsForm
from worklogs.permissions_monthly import can_accept
from worklogs.services import months as services
from worklogs.services.monthly import accept_reports
from worklogs.services.months import MonthView
from worklogs.tables import TONES
from worklogs.tables_monthly import TONES as MONTHLY_TONES


def _month(year: int, month: int) -> date:
    if not (2000 <= year <= 2199 and 1 <= month <= 12):
        raise Http404("没有这个月份。")
    return date(year, month, 1)


def _view(request: HttpRequest, charge: int, year: int, month: int) -> MonthView:
    first = _month(year, month)
    found = get_object_or_404(permissions.charges_seen(request.user), pk=charge)
    require(permissions.can_see_month(request.user, found))
    return services.month_view(found, first, user=request.user, calendar=load_work_calendar(first, first))


@login_required
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Which charges and months hold something to confirm."""
    require(permissions.may_review(request.user))
    return render(request, "worklogs/waiting.html", {"months": services.months_waiting(request.user)})


@login_required
@require_GET
def month(request: HttpRequest, charge: int, year: int, month: int) -> HttpResponse:
    view = _view(request, charge, year, month)
    context = {
        "view": view,
        "rows": [
            (
                log,
                view.marks.get(log.pk, []),
                view.findings.get(log.pk, []),
                permissions.can_confirm(request.user, log),
                TONES[log.state],
            )
            for log in view.logs
        ],
        "can_close": permissions.can_close_month(request.user, view.charge, view.month),
        "reports": [(report, can_accept(request.user, report), MONTHLY_TONES[report.state]) for report in view.reports],
        "may_review": permissions.answers_for(request.user, view.charge),
    }
    return render(request, "worklogs/month.html", context)


@login_required
@require_POST
def month_confirm(request: HttpRequest, charge: int, year: int, month: int) -> HttpResponse:
    """Confirm the ticked logs; with the other button also close the month."""
    view = _view(request, charge, year, month)
    require(permissions.answers_for(request.user, view.charge))
    form = ChosenLogsForm(
        request.POST, offered=[log.pk for log in view.logs], reports=[report.pk for report in view.reports]
    )
    back = redirect("worklogs:month", charge, year, month)
    if not form.is_valid():
        messages.error(request, "；".join(str(e) for errors in form.errors.values() for e in errors))
        return back
    ids, reports = form.cleaned_data["logs"], form.cleaned_data["reports"]
    if "close" in request.POST:
        _close(request, view, ids, reports)
    elif not ids and not reports:
        messages.warning(request, "没有勾选任何记录或月报。")
    else:
        _report(request, services.confirm_logs(ids, actor=request.user), "记录", "确认")
        _report(request, accept_reports(reports, actor=request.user), "工作月报", "接受")
    return back


def _close(request: HttpRequest, view: MonthView, ids: list[int], reports: list[int]) -> None:
    try:
        result = services.confirm_and_close(view.charge, actor=request.user, month=view.month, ids=ids, reports=reports)
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
        return
    done = f"已确认 {len(result.moved)} 条，" if result.moved else ""
    done += f"已接受工作月报 {len(reports)} 份，" if reports else ""
    messages.success(request, f"{done}{view.month:%Y年%-m月}已锁定。")


def _report(request: HttpRequest, result: services.BulkResult, what: str, done: str) -> None:
    counter = "份" if what == "工作月报" else "条"
    if result.moved:
        messages.success(request, f"已{done} {len(result.moved)} {counter}{what}。")
    if result.refused:
        reasons = "；".join(dict.fromkeys(result.refused.values()))
        messages.warning(request, f"{len(result.refused)} {counter}{what}没有{done}：{reasons}")
