"""Adoption in figures: by department, unit, kind and stage, signs of selective uptake, and the items behind each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from core import audit
from core.http import PersonRequest
from core.listing import FilteredListView
from core.paging import KeysetPage
from core.permissions import require
from core.templatetags.ui import Column, Table, query_with, status_html
from projects import adoption
from projects.adoption import WORDS, Bundle, rates_of
from projects.exports_adoption import export_items, export_rates
from projects.filters_adoption import ItemFilter
from projects.models import OpinionItem
from projects.permissions_adoption import can_see_rates
from projects.services.adoption_figures import UNITS, ShownFigure, shown
from projects.services.adoption_pages import SEVERITY_TONES, TONES
from projects.services.adoption_reads import (
    DIMENSIONS,
    Line,
    bundle_of,
    few,
    items_seen,
    lines_by,
    selective_of,
)

SELECTIVE = "selective"
TABS = {**{key: f"按{name}" for key, (_, name) in DIMENSIONS.items()}, SELECTIVE: "选择性采纳"}
_PATH = "opinion__consultee__consultation"
_JOINS = ("opinion__author", f"{_PATH}__project", f"{_PATH}__stage", f"{_PATH}__asker")


def _chosen(request: PersonRequest) -> ItemFilter:
    require(can_see_rates(request.user))
    return ItemFilter(request.GET, items_seen(request.user), user=request.user)


def _tab(request: PersonRequest) -> str:
    wanted = request.GET.get("by", "")
    return wanted if wanted in TABS else next(iter(TABS))


@login_required
@require_GET
def adoption_rates(request: PersonRequest) -> HttpResponse:
    """The shares of what the person sees, under the filters in the address; each number opens to its items."""
    chosen, tab = _chosen(request), _tab(request)
    rows = chosen.qs
    whole = bundle_of(rows)
    total = rates_of(whole, few=few())
    context: dict[str, Any] = {
        "filter": chosen, "tab": tab,
        "tabs": [(key, words, query_with(request.GET, by=key)) for key, words in TABS.items()],
        "total": total, "whole": whole, "figures": _shown(request, total.figures), "few": few(),
        "years": _years(request),
    }  # fmt: skip
    if tab == SELECTIVE:
        found = selective_of(rows)
        context |= {"selective": _shown(request, found.figures), "must": found.must, "other": found.other}
    else:
        context["table"] = _table(request, lines_by(rows, tab), tab)
    return render(request, "projects/adoption_rates.html", context)


def _years(request: PersonRequest) -> list[tuple[str, str]]:
    """This year and the one before, one click away."""
    this = timezone.localdate().year
    return [
        (f"{year}年", query_with(request.GET, since=f"{year}-01-01", until=f"{year}-12-31"))
        for year in (this, this - 1)
    ]


def _shown(request: PersonRequest, figures: dict[str, Any]) -> list[ShownFigure]:
    query = query_with(request.GET)
    return [
        shown(code, figure, url=lambda part, code=code: reverse("projects:adoption-records", args=[code, part]) + query)
        for code, figure in figures.items()
    ]  # fmt: skip


def _table(request: PersonRequest, lines: Sequence[Line], tab: str) -> Table:
    columns = [
        Column(DIMENSIONS[tab][1], kind="main"), Column("意见（条）", kind="num"),
        *(Column(WORDS[outcome], kind="num") for outcome in adoption.ANSWERED), Column("采纳率", kind="num"),
        Column("含部分采纳", kind="num"), Column("待反馈", kind="num"), Column("其中逾期", kind="num"),
        Column("反馈率", kind="num"),
    ]  # fmt: skip
    return Table(columns, [_cells(request, line, tab) for line in lines], caption=f"采纳情况{TABS[tab]}")


def _cells(request: PersonRequest, line: Line, tab: str) -> list[Any]:
    narrowed: dict[str, Any] = {"placed": "no"} if line.key == "none" else {tab: line.key}

    def opened(number: int, **more: Any) -> Any:
        url = reverse("projects:adoption-items") + query_with(request.GET, by=None, **narrowed, **more)
        return format_html('<a href="{}">{}</a>', url, number) if number else "0"

    bundle, rates = line.rates.bundle, line.rates
    return [
        line.name, opened(bundle.total), *(opened(bundle.count(o), outcome=o) for o in adoption.ANSWERED),
        _rate(rates.adoption, small=rates.is_small), _rate(rates.taken),
        opened(bundle.count(adoption.OWED, adoption.LATE), outcome="open"),
        opened(bundle.count(adoption.LATE), outcome=adoption.LATE), _rate(rates.answer),
    ]  # fmt: skip


def _rate(figure: Any, *, small: bool = False) -> Any:
    if figure.value is None:
        return format_html('<span class="text-muted" title="{}">—</span>', figure.note)
    mark = format_html(' <span class="few" title="{}">件少</span>', figure.note) if small else ""
    return format_html('<span class="num">{}%</span>{}', figure.value, mark)


@login_required
@require_GET
def adoption_records(request: PersonRequest, code: str, part: int) -> HttpResponse:
    """The items behind one part of one figure, under the same filters."""
    chosen = _chosen(request)
    figures = {
        **rates_of(Bundle.of(chosen.qs.order_by().values_list("pk", "outcome")), few=few()).figures,
        **(selective_of(chosen.qs).figures if code in UNITS and code not in adoption.RATE_CODES else {}),
    }  # fmt: skip
    figure = figures.get(code)
    if figure is None or part >= len(figure.parts) or figure.parts[part].code.startswith("formula:"):
        raise Http404("没有这一项。")
    rows = ItemFilter({}, items_seen(request.user), user=request.user).qs
    rows = rows.filter(pk__in=figure.parts[part].records).select_related(*_JOINS)
    page = KeysetPage(rows, request=request, order=("-pk",))
    table = Table(ItemList.columns, [item_cells(item) for item in page.rows], caption="意见")
    return render(request, "projects/adoption_records.html", {
        "label": adoption.LABELS[code], "part": figure.parts[part], "page": page, "table": table,
        "back": reverse("projects:adoption") + query_with(request.GET),
    })  # fmt: skip


class ItemList(FilteredListView):
    template_name = "projects/adoption_items.html"
    filter_class = ItemFilter
    caption = "意见和采纳情况"
    columns = (
        Column("意见", kind="main"), Column("项目"), Column("阶段"), Column("程度", kind="status"), Column("规划师"),
        Column("征询单位"), Column("采纳情况", kind="status"), Column("理由"), Column("落实", kind="date"),
    )  # fmt: skip

    def scoped(self) -> Any:
        require(can_see_rates(self.request.user))
        return items_seen(self.request.user).select_related(*_JOINS)

    def row(self, obj: OpinionItem) -> Sequence[Any]:
        return item_cells(obj)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(back=reverse("projects:adoption") + query_with(self.request.GET), **kwargs)


def item_cells(item: Any) -> Sequence[Any]:
    consultation = item.opinion.consultee.consultation
    url = f"{reverse('projects:adoption-answer', args=[consultation.pk])}#item-{item.pk}"
    text = item.text if len(item.text) <= 60 else f"{item.text[:60]}…"
    outcome = item.outcome
    done = ""
    if item.done:
        words = {"done": "已落实", "overdue": f"{item.until} 到期未登记", "running": f"{item.until} 前"}
        done = words[item.done]
    return (
        format_html('<a href="{}">{}</a>', url, text), consultation.project.name,
        consultation.stage.get_stage_display(), status_html(item.get_severity_display(), SEVERITY_TONES[item.severity]),
        item.opinion.author.name, consultation.asker.name, status_html(WORDS[outcome], TONES.get(outcome, "neutral")),
        item.said or "", done,
    )  # fmt: skip


@login_required
@require_GET
def adoption_export(request: PersonRequest) -> FileResponse:
    """The table of the page under the same filters, with how each share is counted."""
    chosen, tab = _chosen(request), _tab(request)
    tab = tab if tab in DIMENSIONS else next(iter(DIMENSIONS))
    audit.record("adoption.export", actor=request.user, detail={"filter": request.GET.urlencode(), "by": tab})
    return export_rates(lines_by(chosen.qs, tab), title=DIMENSIONS[tab][1])


@login_required
@require_GET
def adoption_items_export(request: PersonRequest) -> FileResponse:
    chosen = _chosen(request)
    audit.record("adoption.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_items(chosen.qs)
