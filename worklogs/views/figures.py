"""The figures: all subjects of a year by month, one subject explained, and the records behind each number."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.paging import KeysetPage
from core.permissions import get_for, require
from districts.models import Charge
from worklogs import permissions
from worklogs.figure_filters import FigureFilter, years
from worklogs.figure_tables import light as light_figures
from worklogs.figure_tables import lines_of
from worklogs.models import DutyFigure, WorkLog
from worklogs.services.figure_exports import export_figures
from worklogs.services.figure_pages import Explained, chart_words, explained, year_chart
from worklogs.tables import light, log_table

_PAGE = 50
_FIGURES = DutyFigure.objects.select_related("contract", "charge", "planner", "group", "locality")


def _chosen(request: HttpRequest) -> FigureFilter:
    return FigureFilter(request.GET, DutyFigure.objects.visible_to(request.user), user=request.user)


@login_required
@require_GET
def figure_list(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    rows = chosen.qs
    page = KeysetPage(light_figures(rows), request=request, order=chosen.order(), size=_PAGE, counting=rows)
    context = {
        "filter": chosen, "page": page, "year": chosen.chosen_year,
        "lines": lines_of(page.rows, today=timezone.localdate()), "months": range(1, 13),
    }  # fmt: skip
    return render(request, "worklogs/figures.html", context)


@login_required
@require_GET
def figure_export(request: HttpRequest) -> HttpResponseBase:
    """What the list shows under the same filters, every page of it."""
    require(permissions.can_export(request.user))
    today, filters = timezone.localdate(), request.GET.urlencode()
    return export_figures(_chosen(request).qs, actor=request.user, today=today, filters=filters)


def _subject(request: HttpRequest, pk: int) -> tuple[DutyFigure, Explained]:
    figure = get_for(request.user, DutyFigure, pk, queryset=_FIGURES)
    shown = explained(figure, today=timezone.localdate())
    if shown is None:
        raise Http404("聘用或派驻安排已变更，统计正在更新。")
    return figure, shown


@login_required
@require_GET
def figure_detail(request: HttpRequest, pk: int) -> HttpResponse:
    figure, shown = _subject(request, pk)
    others = DutyFigure.objects.visible_to(request.user).filter(subject=figure.subject).order_by("-year")
    context = {
        "figure": figure, "shown": shown, "tally": shown.found.tally, "figures": shown.figures,
        "line": lines_of([figure], today=timezone.localdate())[0],
        "others": others.values_list("pk", "year"), "months": range(1, 13),
        "chart": year_chart(shown.found), "chart_words": chart_words(shown.found),
    }  # fmt: skip
    return render(request, "worklogs/figure_detail.html", context)


@login_required
@require_GET
def figure_month(request: HttpRequest, pk: int, month: int) -> HttpResponse:
    if not 1 <= month <= 12:
        raise Http404("没有这个月份。")
    figure, shown = _subject(request, pk)
    records = shown.found.tally.months[month - 1].records
    waiting = tuple(pk for pk in shown.found.tally.waiting if pk not in records)
    context = {
        "figure": figure, "month": month, "figures": shown.month(month), **_logs(request, (*records, *waiting), month),
    }  # fmt: skip
    return render(request, "worklogs/figure_month.html", context)


@login_required
@require_GET
def figure_records(request: HttpRequest, pk: int, code: str, part: int) -> HttpResponse:
    """The records behind one part of one figure, of the year or (`?month=`) of a month."""
    figure, shown = _subject(request, pk)
    text = request.GET.get("month", "")
    month = int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 12 else None
    found = shown.records(code, part, month)
    if found is None:
        raise Http404("没有这一项。")
    context = {"figure": figure, "month": month, "label": found[0], **_logs(request, found[1])}
    return render(request, "worklogs/figure_records.html", context)


def _logs(request: HttpRequest, ids: tuple[int, ...], month: int | None = None) -> dict[str, Any]:
    """The logs among `ids` that the person may see, as a table; and how many they may not."""
    rows = WorkLog.objects.visible_to(request.user).filter(pk__in=ids).order_by("date", "pk")
    rows = rows.filter(date__month=month) if month else rows
    found = list(light(rows))
    return {"table": log_table(found), "count": len(found), "hidden": 0 if month else len(set(ids)) - len(found)}


@login_required
@require_GET
def figure_unit(request: HttpRequest, charge: int, year: int) -> HttpResponse:
    """Every subject that serves one unit (project) in a year."""
    place = permissions.charges_seen(request.user).filter(pk=charge).first()
    if place is None or not 2000 <= year <= 2199:
        raise Http404("没有这个责任单元（项目）。")
    rows = DutyFigure.objects.visible_to(request.user).filter(charge=place, year=year).order_by("sort_key", "pk")
    context = {
        "place": place, "year": year, "years": years(), "months": range(1, 13),
        "lines": lines_of(light_figures(rows), today=timezone.localdate()), "kind": Charge.Kind(place.kind).label,
    }  # fmt: skip
    return render(request, "worklogs/figure_unit.html", context)
