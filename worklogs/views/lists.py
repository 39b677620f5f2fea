"""The list of logs, what of it leaves as a spreadsheet, and the calendar."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.paging import KeysetPage
from core.permissions import require
from worklogs import permissions
from worklogs.filters import LogFilter
from worklogs.models import WorkLog
from worklogs.services.calendars import month_grid
from worklogs.services.exports import export_logs
from worklogs.tables import light, log_table

_PAGE = 50
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def _chosen(request: HttpRequest) -> LogFilter:
    return LogFilter(request.GET, WorkLog.objects.visible_to(request.user), user=request.user)


@login_required
@require_GET
def log_list(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    rows = chosen.qs
    # To count the rows that hold a frequent word one would have to read them all.
    page = KeysetPage(
        light(rows),
        request=request,
        order=("-date", "-pk"),
        size=_PAGE,
        counting=rows,
        counted=not chosen.searches_words,
    )
    context = {
        "filter": chosen,
        "page": page,
        "table": log_table(page.rows),
        "can_record": permissions.may_record(request.user),
        "can_import": permissions.may_import(request.user),
    }
    return render(request, "worklogs/log_list.html", context)


@login_required
@require_GET
def log_export(request: HttpRequest) -> HttpResponseBase:
    """What the list shows under the same filters, every page of it."""
    require(permissions.can_export(request.user))
    return export_logs(_chosen(request).qs, actor=request.user, filters=request.GET.urlencode())


@login_required
@require_GET
def log_calendar(request: HttpRequest, year: int | None = None, month: int | None = None) -> HttpResponse:
    if year is None or month is None:
        today = timezone.localdate()
        return redirect("worklogs:calendar-month", today.year, today.month)
    if not (2000 <= year <= 2199 and 1 <= month <= 12):
        raise Http404("没有这个月份。")
    chosen = _chosen(request)
    grid = month_grid(chosen.qs, date(year, month, 1))
    return render(request, "worklogs/calendar.html", {"grid": grid, "filter": chosen, "weekdays": WEEKDAYS})
