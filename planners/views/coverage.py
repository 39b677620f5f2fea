"""The page of coverage: units that nobody serves, or several contracts in one role, with the days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from core import audit
from core.http import PersonRequest
from core.permissions import require
from core.templatetags.ui import Column, Table, status_html
from districts.models import Unit
from planners.exports import export_coverage
from planners.filters_coverage import CoverageFilter
from planners.permissions import can_see_coverage
from planners.services.coverage import COVERED, DOUBLE, NEVER, PARTLY, STATES, Coverage, coverage_of

audit.register_actions({"coverage.export": "导出覆盖情况"})
_PAGE = 50
_COLUMNS = (
    Column("责任单元", kind="main"), Column("地方"), Column("状态", kind="status"), Column("未覆盖"), Column("重复覆盖"),
)  # fmt: skip
_TONES = {NEVER: "bad", PARTLY: "waiting", DOUBLE: "waiting", COVERED: "good"}


def _found(request: PersonRequest) -> tuple[CoverageFilter, list[Coverage]]:
    """The units asked for that exist on some of the days, with their coverage. Counties have hundreds, not more."""
    require(can_see_coverage(request.user))
    chosen = CoverageFilter(request.GET, Unit.objects.visible_to(request.user), user=request.user)
    units = chosen.qs.select_related("locality")
    start, end = chosen.days
    units = units.filter(Q(valid_from=None) | Q(valid_from__lte=end), Q(valid_to=None) | Q(valid_to__gte=start))
    rows = coverage_of(list(units), start, end)
    return chosen, [row for row in rows if not chosen.wanted_state or chosen.wanted_state in row.states]


@require_GET
@login_required
def coverage_list(request: PersonRequest) -> HttpResponse:
    chosen, rows = _found(request)
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    table = Table(_COLUMNS, [_cells(row) for row in page.object_list], caption="覆盖情况")
    return render(request, "planners/coverage.html", {
        "filter": chosen, "table": table, "page_obj": page, "has_rows": bool(rows), "days": chosen.days,
        "count": len(rows),
    })  # fmt: skip


def _cells(row: Coverage) -> Sequence[Any]:
    url = reverse("districts:unit", args=[row.unit.pk])
    states = format_html_join(" ", "{}", ((status_html(STATES[s], _TONES[s]),) for s in sorted(row.states)))
    gaps = "；".join(f"{gap.start:%Y-%m-%d} 至 {gap.end:%Y-%m-%d}" for gap in row.gaps)
    doubles = format_html_join(
        SafeString("<br>"), "{} 至 {}（{}）",
        ((f"{d.start:%Y-%m-%d}", f"{d.end:%Y-%m-%d}", _contracts(d.contracts)) for d in row.doubles),
    )  # fmt: skip
    return (format_html('<a href="{}">{}</a>', url, row.unit.name), row.unit.locality.name, states, gaps, doubles)


def _contracts(pairs: Sequence[tuple[int, str]]) -> Any:
    links = ((reverse("planners:contract", args=[pk]), number) for pk, number in pairs)
    return format_html_join("、", '<a href="{}">{}</a>', links)


@require_GET
@login_required
def coverage_export(request: PersonRequest) -> FileResponse:
    _, rows = _found(request)
    audit.record("coverage.export", actor=request.user, detail={"rows": len(rows), "filter": request.GET.urlencode()})
    return export_coverage(rows)
