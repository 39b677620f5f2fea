"""The two abuses that the paper names, measured side by side (R76): time eaten by meetings, opinions taken up
selectively. Each figure opens to its records; nothing here is judged."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from core.http import PersonRequest
from core.permissions import Decision, require
from core.templatetags.ui import Column, Table, query_with
from districts.access import access_of
from portal.filters import MeasureFilter
from projects.nav import REVIEWERS
from projects.services.adoption_figures import shown
from projects.services.adoption_reads import handed_in, items_seen, judged, selective_of
from worklogs.models import WorkLog
from worklogs.services.meeting_time import BY, ShareLine, few, lines_by, share_of

_MOST = 200


def can_see_measures(user: Any) -> Decision:
    """Everybody who takes part; each sees the figures of the records that they may see."""
    return Decision.of(access_of(user).is_role(*REVIEWERS), otherwise="当前身份不参与履职和项目审查，不能查看监测")


@require_GET
@login_required
def measures(request: PersonRequest) -> HttpResponse:
    require(can_see_measures(request.user))
    by = request.GET.get("by", "")
    by = by if by in BY else "charge"
    chosen = MeasureFilter(request.GET, WorkLog.objects.visible_to(request.user).counting(), user=request.user)
    logs: Any = chosen.qs
    asked = chosen.form.cleaned_data
    items = handed_in(items_seen(request.user), start=asked.get("since"), end=asked.get("until"))
    if asked.get("locality"):
        items = items.filter(opinion__consultee__consultation__locality__code=asked["locality"])
    lines = lines_by(logs, by)
    share = share_of(logs)
    period = {key: request.GET[key] for key in ("since", "until", "locality") if request.GET.get(key)}

    def opened(code: str, part: int) -> str:
        return f"{reverse('projects:adoption-records', args=[code, part])}?{urlencode(period)}"

    this = timezone.localdate().year
    return render(request, "portal/measures.html", {
        "filter": chosen, "share": share, "lines": len(lines), "most": _MOST, "few": few(),
        "parts": [
            (part, f"{reverse('worklogs:list')}?{urlencode({**period, 'kind': part.code})}")
            for part in share.parts
            if part.code != "formula"
        ],
        "tabs": [(key, words, query_with(request.GET, by=key), key == by) for key, (_, _, words) in BY.items()],
        "table": _table(lines[:_MOST], by, period),
        "years": [
            (f"{year}年", query_with(request.GET, since=f"{year}-01-01", until=f"{year}-12-31"))
            for year in (this, this - 1)
        ],
        "selective": [
            shown(code, figure, url=lambda part, code=code: opened(code, part))
            for code, figure in selective_of(judged(items, timezone.localdate())).figures.items()
        ],
        "adoption_url": f"{reverse('projects:adoption')}?{urlencode({**period, 'by': 'selective'})}",
    })  # fmt: skip


def _table(lines: list[ShareLine], by: str, period: dict[str, str]) -> Table:
    columns = [
        Column(BY[by][2], kind="main"), Column("履职记录", kind="num"), Column("其中会议", kind="num"),
        Column("会议占用", kind="num"),
    ]  # fmt: skip
    return Table(columns, [_cells(line, by, period) for line in lines], caption=f"会议占用，按{BY[by][2]}")


def _cells(line: ShareLine, by: str, period: dict[str, str]) -> list[Any]:
    def opened(number: int, **more: str) -> Any:
        url = f"{reverse('worklogs:list')}?{urlencode({**period, by: line.key, **more})}"
        return format_html('<a href="{}">{}</a>', url, number) if number else "0"

    mark = format_html(' <span class="few" title="{}">件少</span>', line.share.note) if line.share.note else ""
    return [
        line.name, opened(line.logs), opened(line.meetings, kind="meeting"),
        format_html('<span class="num">{}%</span>{}', line.share.value, mark),
    ]  # fmt: skip
