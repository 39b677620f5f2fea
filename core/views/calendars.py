"""The working calendar: its years, one year on a sheet, and publishing or correcting a year's notice."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.db.models.functions import ExtractYear
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from core import audit
from core.calendar_notice import arrangements, statutory_count
from core.calendar_publishing import can_enter_calendar, may_enter_year, publish_year
from core.calendar_sheet import kept_days, year_sheet
from core.files import stream
from core.forms_calendar import NoticeForm
from core.formtools import attempt_once
from core.http import PersonRequest
from core.models import CalendarDay, CalendarNotice, CalendarYear
from core.permissions import get_for, require

_NOTICES = CalendarNotice.objects.select_related("published_by", "scan")


@login_required
@require_GET
def calendar_list(request: PersonRequest) -> HttpResponse:
    years = list(CalendarYear.objects.visible_to(request.user).prefetch_related("notices"))
    marked = CalendarDay.objects.filter(kind__in=["holiday", "makeup"]).annotate(year=ExtractYear("date"))
    counts = {(row["year"], row["kind"]): row["n"] for row in marked.values("year", "kind").annotate(n=Count("pk"))}
    rows = [(entry, counts.get((entry.year, "holiday"), 0), counts.get((entry.year, "makeup"), 0)) for entry in years]
    due = [entry.year for entry in years if entry.status == CalendarYear.Status.PROVISIONAL]
    return render(request, "core/calendar_list.html", {
        "rows": rows, "due": min(due, default=None), "may_enter": can_enter_calendar(request.user),
    })  # fmt: skip


@login_required
@require_GET
def calendar_year(request: PersonRequest, year: int) -> HttpResponse:
    """The year as it holds now; `?version=` shows an earlier version of its notice."""
    entry = get_for(request.user, CalendarYear, year)
    notices = list(_NOTICES.filter(year=entry))
    wanted = request.GET.get("version", "")
    notice = next((row for row in notices if str(row.number) == wanted), notices[0] if notices else None)
    old = notice is not None and notice != notices[0]
    days = (notice.days_off(), notice.days_worked()) if notice is not None and old else kept_days(year)
    around = CalendarYear.objects.filter(year__in=[year - 1, year + 1]).values_list("year", flat=True)
    return render(request, "core/calendar_year.html", {
        "entry": entry, "notice": notice, "notices": notices, "old": old, "sheet": year_sheet(year, *days),
        "arrangements": arrangements(*days), "around": sorted(around), "events": audit.timeline(entry, limit=20),
        "may_enter": can_enter_calendar(request.user) and may_enter_year(year),
    })  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def calendar_publish(request: PersonRequest, year: int) -> HttpResponse:
    """Enter, look at what was read, then publish: only what was looked at is published."""
    require(can_enter_calendar(request.user))
    if not may_enter_year(year):
        raise Http404("这一年的放假安排还不能录入。")
    entry = CalendarYear.objects.filter(pk=year).first()
    form = NoticeForm(request.POST or None, request.FILES or None, year=year, entry=entry)
    act = request.POST.get("act", "")
    if request.method == "POST" and form.is_valid() and act == "publish":
        if request.POST.get("looked_at") == form.digest:
            made = attempt_once(form, request.user, lambda data: _publish(request, form, data))
            if made is not None:
                messages.success(request, f"{year}年放假安排已公布，有关统计正在重新计算。")
                return redirect("core:calendar-year", year)
        else:
            form.add_error(None, "放假安排在核对之后有改动，请再核对一遍，然后公布。")
    if act == "table" and form.read.holidays:
        form.write_as_table()
    return render(request, "core/calendar_publish.html", _context(form, year, entry))


def _publish(request: PersonRequest, form: NoticeForm, data: dict[str, Any]) -> CalendarNotice:
    return publish_year(
        form.year, holidays=form.read.holidays, makeup_days=form.read.makeup, actor=request.user, **data
    )


def _context(form: NoticeForm, year: int, entry: CalendarYear | None) -> dict[str, Any]:
    read = form.read
    return {
        "form": form, "year": year, "entry": entry, "read": read, "checked": form.checked,
        "corrects": "reason" in form.fields, "statutory": statutory_count(year),
        "sheet": year_sheet(year, read.holidays, read.makeup) if read.holidays else (),
        "may_publish": form.is_bound and "text" not in form.errors,
    }  # fmt: skip


@login_required
@require_GET
def calendar_scan(request: PersonRequest, year: int, number: int) -> HttpResponse:
    get_for(request.user, CalendarYear, year)
    notice = _NOTICES.filter(year=year, number=number).first()
    if notice is None or notice.scan is None:
        raise Http404("这份通知没有扫描件。")
    return stream(notice.scan, inline=True)
