"""退出和再遴选: charges whose planner was let go, and who was chosen anew."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from core.http import PersonRequest
from core.permissions import require
from core.templatetags.ui import Column, Table, status_html
from planners.models import Assignment, Reselection
from planners.permissions import can_see_coverage

MOST = 200
_COLUMNS = (
    Column("责任单元（项目）", kind="main"), Column("退出日期", kind="date"), Column("退出的合同"), Column("退出原因"),
    Column("依据"), Column("重新选聘", kind="status"),
)  # fmt: skip


@require_GET
@login_required
def reselection_list(request: PersonRequest) -> HttpResponse:
    """Those still to be chosen come first, the oldest of them at the head."""
    require(can_see_coverage(request.user))
    rows = list(
        Reselection.objects.visible_to(request.user).with_successor().select_related("contract", "charge")
        .order_by("left_on", "pk")[:MOST]
    )  # fmt: skip
    rows.sort(key=lambda row: row.successor is not None)  # type: ignore[attr-defined]
    taken = Assignment.objects.select_related("planner", "team", "group").in_bulk(
        [row.successor for row in rows if row.successor]  # type: ignore[attr-defined]
    )
    table = Table(_COLUMNS, [_cells(row, taken) for row in rows], caption="退出和再遴选")
    return render(request, "planners/reselection_list.html", {"table": table, "has_rows": bool(rows)})


def _cells(row: Reselection, taken: dict[int, Assignment]) -> list[object]:
    url = reverse("planners:contract", args=[row.contract_id])
    successor = taken.get(row.successor)  # type: ignore[attr-defined]
    if successor is None:
        state = status_html("待重新选聘", "waiting")
    else:
        name = successor.planner or successor.group or successor.team
        state = format_html("{} {}，{:%Y-%m-%d} 起", status_html("已重新选聘", "good"), name, successor.start)
    return [
        row.charge.name, f"{row.left_on:%Y-%m-%d}",
        format_html('<a class="num" href="{}">{}</a>', url, row.contract.number),
        row.ground, row.article, state,
    ]  # fmt: skip
