"""Who may do what: the list, granting, ending, export; and switching between one's own roles."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from core.formtools import attempt_once
from core.http import PersonRequest
from core.paging import KeysetPage
from core.permissions import get_for, require
from core.templatetags.ui import Column, Table, status_html
from districts.exports import export_memberships
from districts.filters_memberships import MembershipFilter
from districts.forms_memberships import EndForm, GrantForm
from districts.models import Membership
from districts.models.memberships import Standing
from districts.permissions import can_end_membership, can_grant, can_hand_over, can_see_memberships
from districts.services.memberships import Scope, end_membership, grant_membership, record_export
from districts.services.switching import switch_membership

PAGE = 50
COLUMNS = (
    Column("人员", "user", "main"), Column("用户名"), Column("角色", "role"), Column("地方", "locality"), Column("范围"),
    Column("起始日期", "from", "date"), Column("最后一天", kind="date"), Column("状态", kind="status"),
    Column("操作", kind="actions"),
)  # fmt: skip
TONES = {Standing.CURRENT: "good", Standing.COMING: "info", Standing.OVER: "neutral"}


def _filtered(request: PersonRequest) -> MembershipFilter:
    require(can_see_memberships(request.user))
    rows = Membership.objects.visible_to(request.user)
    rows = rows.select_related("user", "locality", "unit", "organisation", "stands_in_for__user")
    return MembershipFilter(request.GET, rows, user=request.user)


@require_GET
@login_required
def membership_list(request: PersonRequest) -> HttpResponse:
    chosen = _filtered(request)
    page = KeysetPage(chosen.qs, request=request, order=chosen.order(), size=PAGE)
    table = Table(COLUMNS, [_cells(row, request.user, chosen.day) for row in page.rows], caption="身份与授权")
    return render(request, "districts/membership_list.html", {
        "filter": chosen, "page": page, "table": table, "may_grant": can_grant(request.user),
    })  # fmt: skip


def _cells(row: Membership, user: Any, on: date) -> tuple[Any, ...]:
    standing = row.standing(on)
    state = status_html(standing.label, TONES[standing])
    if not row.user.is_active or row.is_suspended:
        shut = "账号已停用" if not row.user.is_active else "被代理人账号已停用"
        state = format_html("{} {}", state, status_html(shut, "bad"))
    role = row.get_role_display() + (f"（代 {row.principal}）" if row.principal else "")
    return (
        str(row.user), row.user.username, role, row.locality.name, row.scope_label,
        f"{row.valid_from:%Y-%m-%d}", f"{row.last_day:%Y-%m-%d}" if row.last_day else "长期", state,
        _links(row, user),
    )  # fmt: skip


def _links(row: Membership, user: Any) -> SafeString:
    if row.standing(timezone.localdate()) == Standing.OVER:
        return SafeString("")
    links = []
    if can_end_membership(user, row):
        links.append(("districts:membership-end", "结束"))
    if row.user_id != user.pk and can_hand_over(user, row):
        links.append(("districts:substitution-create", "代理"))
    return format_html_join(
        " ", '<a class="btn btn-sm" href="{}">{}<span class="visually-hidden">：{} {}</span></a>',
        ((reverse(name, args=[row.pk]), label, row.user, row) for name, label in links),
    )  # fmt: skip


@require_GET
@login_required
def membership_export(request: PersonRequest) -> FileResponse:
    chosen = _filtered(request)
    rows = chosen.qs.select_related("granted_by", "ended_by")
    record_export(actor=request.user, count=rows.count(), filters=request.GET.urlencode())
    return export_memberships(rows, on=chosen.day)


@login_required
def membership_grant(request: PersonRequest) -> HttpResponse:
    require(can_grant(request.user))
    form = GrantForm(request.POST or None, actor=request.user)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: _grant(request, data))
        if made is not None:
            messages.success(request, f"已授予 {made.user} “{made}”。")
            return redirect("districts:memberships")
    return render(request, "districts/membership_grant.html", {"form": form})


def _grant(request: PersonRequest, data: dict[str, Any]) -> Membership:
    scope = Scope(data.pop("locality"), data.pop("unit"), data.pop("organisation"))
    return grant_membership(data.pop("user"), actor=request.user, scope=scope, **data)


@login_required
def membership_end(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Membership.objects.select_related("user", "locality", "unit", "organisation")
    membership = get_for(request.user, Membership, pk, can_end_membership, queryset=rows)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ended = attempt_once(form, request.user, lambda data: end_membership(membership, actor=request.user, **data))
        if ended is not None:
            messages.success(request, f"已结束 {ended.user} 的“{ended}”，最后一天为 {ended.last_day:%Y-%m-%d}。")
            return redirect("districts:memberships")
    over = membership.standing(timezone.localdate()) == Standing.OVER
    return render(request, "districts/membership_end.html", {"form": form, "membership": membership, "over": over})


@require_POST
@login_required
def switch(request: PersonRequest) -> HttpResponse:
    """POST `membership`: its id. Goes home: the page one was on may not exist for the new role."""
    membership = switch_membership(request.user, membership_id=request.POST.get("membership", ""), actor=request.user)
    messages.success(request, f"已切换为：{membership}")
    return redirect("/home/")
