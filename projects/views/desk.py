"""The worklist: what waits for me, my unit, my department; shared out, kept as filters, exported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.exports import export_response
from core.http import PersonRequest
from core.listing import FilteredListView
from core.paging import KeysetPage
from core.permissions import Decision, require
from core.spreadsheets import ExportColumn
from core.templatetags.ui import Column, query_with
from districts.access import access_of
from projects.filters_desk import ALL, DeskFilter
from projects.forms_desk import DistributeForm, FilterForm
from projects.matters import KINDS, matters_for, url_of
from projects.nav import REVIEWERS
from projects.services import worklists as services
from projects.services.adoption_pages import Day, Watch

_TILES = (("late", "已逾期", "bad"), ("soon", "即将到期", "waiting"), ("blocked", "受阻", "neutral"))


def may_see(user: Any) -> Decision:
    return Decision.of(access_of(user).is_role(*REVIEWERS), otherwise="当前身份没有项目审查的待办事项")


@dataclass(frozen=True, slots=True)
class MatterLine:
    """A matter as a row of the page."""

    kind: str
    label: str
    key: str
    text: str
    project: str
    url: str
    due: Day
    since: date
    who: str
    blocked: str
    handler: str
    may_give: bool


def _line(row: dict[str, Any], around: services.Around) -> MatterLine:
    kind = KINDS[row["m_kind"]]
    return MatterLine(
        kind.code, kind.label, f"{kind.code}-{row['m_ref']}", row["m_text"], row["m_name"], url_of(row),
        around.watch.day(row["m_due"]), row["m_since"], row["m_who"], row["m_blocked"],
        around.handlers.get(row["m_handler"], "") if row["m_handler"] else "",
        bool(row["m_mine"]) and not kind.personal,
    )  # fmt: skip


def _chosen(request: PersonRequest, watch: Watch) -> DeskFilter:
    soon = services.soon_day(watch.today, watch.calendar)
    kind, whose = request.GET.get("kind", ""), request.GET.get("whose", "")
    rows = matters_for(
        request.user, today=watch.today, kinds=[kind] if kind in KINDS else (), duty=whose != ALL
    )  # fmt: skip
    return DeskFilter(request.GET, rows, user=request.user, today=watch.today, soon=soon)


class Desk(FilteredListView):
    template_name = "projects/desk.html"
    columns = (Column("事项"),)
    caption = "待办事项"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = self.request
        require(may_see(request.user))
        around = services.around(request.user, today=timezone.localdate())
        watch = around.watch
        chosen = _chosen(request, watch)
        found: Any = chosen.qs
        page = KeysetPage(found, request=request, order=chosen.order(), counted=False)
        lines = [_line(row, around) for row in page.rows]
        counts = found.summary(watch.today, chosen.soon)
        total = sum(row[1] for row in counts)
        may_give = any(line.may_give for line in lines)
        return {
            "filter": chosen, "page": page, "lines": lines, "total": total,
            "tiles": self._tiles(counts), "kinds": self._kinds(counts),
            "saved": around.saved,
            "may_give": may_give, "colleagues": around.colleagues,
            "query": services.tidy_query(request.GET.urlencode()),
        }  # fmt: skip

    def _tiles(self, counts: list[tuple[str, int, int, int, int]]) -> list[dict[str, Any]]:
        """How pressing the list is; each opens to what it counts."""
        sums = [sum(row[at] for row in counts) for at in (2, 3, 4)]
        return [
            {"label": label, "value": number, "unit": "项", "tone": tone if number else "neutral",
             "url": query_with(self.request.GET, due=key) if number else ""}
            for (key, label, tone), number in zip(_TILES, sums, strict=True)
        ]  # fmt: skip

    def _kinds(self, counts: list[tuple[str, int, int, int, int]]) -> list[tuple[str, int, str, bool]]:
        now = self.request.GET.get("kind", "")
        by_kind = {row[0]: row[1] for row in counts}
        return [
            (kind.label, by_kind[kind.code], query_with(self.request.GET, kind=kind.code), kind.code == now)
            for kind in KINDS.values()
            if kind.code in by_kind
        ]


_COLUMNS = [
    ExportColumn("事项", width=18), ExportColumn("项目", width=36), ExportColumn("内容", width=40),
    ExportColumn("期限", kind="date"), ExportColumn("时限情况", width=18), ExportColumn("起始日期", kind="date"),
    ExportColumn("由谁办理", width=20), ExportColumn("经办人"), ExportColumn("受阻", width=16),
]  # fmt: skip


@login_required
@require_GET
def desk_export(request: PersonRequest) -> FileResponse:
    """Exactly the rows of the list, every page of it."""
    require(may_see(request.user))
    around = services.around(request.user, today=timezone.localdate())
    found: Any = _chosen(request, around.watch).qs
    audit.record("matter.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    rows = (_line(row, around) for row in found.order_by("m_day", "m_kind", "m_ref"))
    cells = (
        (line.label, line.project, line.text, line.due.on, line.due.words, line.since, line.who, line.handler,
         line.blocked)
        for line in rows
    )  # fmt: skip
    return export_response(_COLUMNS, cells, name="待办事项", title="待办事项")


@login_required
@require_POST
def desk_distribute(request: PersonRequest) -> HttpResponse:
    require(may_see(request.user))
    require(services.can_distribute(request.user))
    form = DistributeForm(request.POST, colleagues=services.colleagues_of(request.user))
    back = redirect(f"{reverse('projects:desk')}?{_query(request)}")
    if not form.is_valid():
        messages.error(request, "；".join(str(e) for errors in form.errors.values() for e in errors))
        return back
    data = form.cleaned_data
    try:
        done = services.distribute(
            data["matters"], actor=request.user, handler=data["handler"], note=data["note"]
        )  # fmt: skip
    except ValidationError as problem:
        messages.error(request, "；".join(problem.messages))
        return back
    if done.given:
        messages.success(request, f"已分派 {done.given} 项给{data['handler']}。")
    for reason, number in done.refused.items():
        messages.warning(request, f"{number} 项没有分派：{reason}。")
    return back


@login_required
@require_POST
def filter_save(request: PersonRequest) -> HttpResponse:
    require(may_see(request.user))
    form = FilterForm(request.POST)
    query = _query(request)
    if not form.is_valid():
        messages.error(request, "；".join(str(e) for errors in form.errors.values() for e in errors))
    else:
        try:
            kept = services.save_filter(actor=request.user, name=form.cleaned_data["name"], query=query)
            messages.success(request, f"已保存筛选“{kept.name}”。")
        except ValidationError as problem:
            messages.error(request, "；".join(problem.messages))
    return redirect(f"{reverse('projects:desk')}?{query}")


@login_required
@require_POST
def filter_delete(request: PersonRequest, pk: int) -> HttpResponse:
    if not services.delete_filter(pk, actor=request.user):
        raise Http404("没有找到，或您无权查看。")
    messages.success(request, "已删除保存的筛选。")
    return redirect("projects:desk")


def _query(request: PersonRequest) -> str:
    """The filter that the page had, for going back to it."""
    text = re.sub(r"[\x00-\x1f]", "", request.POST.get("query", ""))[:500]
    try:
        return services.tidy_query(text)
    except ValueError:
        return ""
