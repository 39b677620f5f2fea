"""Pages of planners: list, detail, form, whole numbers, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from accounts.roles import Role
from core import audit
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.access import access_of, place_of
from districts.models import Locality
from districts.policy.qualification import CERTIFICATES
from districts.services.policies import policy_in_force
from planners.exports import export_planners
from planners.filters import PlannerFilter
from planners.forms import PlannerForm, RevealForm
from planners.models import Contract, Planner
from planners.permissions import can_edit_planner, can_register, can_see_identity, can_see_phone
from planners.qualified import qualification_of
from planners.reads import assignments_touching, contract_rows, contract_state, served_names
from planners.services.registry import create_planner, namesakes, reveal, update_planner

_REVEALED: dict[str, tuple[Literal["identity_number", "phone"], str]] = {
    "identity": ("identity_number", "证件号码"),
    "phone": ("phone", "电话"),
}


def _rows(user: Any) -> Any:
    return Planner.objects.visible_to(user).select_related("institution", "locality")


class PlannerList(FilteredListView):
    template_name = "planners/planner_list.html"
    filter_class = PlannerFilter
    caption = "规划师"
    columns = (
        Column("姓名", "name", "main"), Column("设计单位"), Column("专业"), Column("职称", "title"),
        Column("现服务"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return _rows(self.request.user)

    def prepare(self, page: Sequence[Planner]) -> None:
        self.served = served_names(page)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        place = place_of(self.request.user)
        context["place"] = place if place is not None and can_register(self.request.user, place) else None
        return context

    def row(self, planner: Planner) -> Sequence[Any]:
        url = reverse("planners:planner", args=[planner.pk])
        return (
            format_html('<a href="{}">{}</a>', url, planner.name),
            planner.institution.name if planner.institution else "", planner.profession, planner.get_title_display(),
            "、".join(self.served.get(planner.pk, [])),
            status_html("在册", "good") if planner.is_active else status_html("已离册", "neutral"),
        )  # fmt: skip


@require_GET
@login_required
def planner_export(request: PersonRequest) -> FileResponse:
    rows = PlannerFilter(request.GET, _rows(request.user), user=request.user).qs
    audit.record("planner.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_planners(rows, with_phone=access_of(request.user).is_role(Role.BUREAU, Role.UNIT))


@require_GET
@login_required
def planner_detail(request: PersonRequest, pk: int) -> HttpResponse:
    planner = get_for(request.user, Planner, pk, queryset=_rows(request.user))
    today = timezone.localdate()
    serving = [row for row in assignments_touching(planner) if row.contract.state in ("signed", "ended")]
    contracts = contract_rows(Contract.objects.visible_to(request.user).filter(pk__in=_contract_ids(planner, serving)))
    return render(request, "planners/planner.html", {
        "planner": planner,
        "certificates": [CERTIFICATES.get(code, code) for code in planner.registrations or []],
        "now": [row for row in serving if row.start <= today <= min(row.end or row.contract.end, row.contract.end)],
        "earlier": [row for row in serving if min(row.end or row.contract.end, row.contract.end) < today],
        "contracts": [(row, row.party, *contract_state(row, today)) for row in contracts.order_by("-start")],
        "memberships": planner.team_memberships.select_related("team", "group").order_by("-start"),
        "sees_identity": can_see_identity(request.user, planner), "sees_phone": can_see_phone(request.user, planner),
        "may_edit": can_edit_planner(request.user, planner), **qualification_of(request.user, planner),
        "history": audit.timeline(planner, limit=20) if can_edit_planner(request.user, planner) else [],
    })  # fmt: skip


def _contract_ids(planner: Planner, serving: Sequence[Any]) -> set[int]:
    own = Contract.objects.filter(planner=planner).values_list("pk", flat=True)
    return {*own, *(row.contract_id for row in serving)}


@login_required
def planner_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_register(request.user, locality))
    form = PlannerForm(request.POST or None, instance=Planner(locality=locality), policy=policy_in_force(locality))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: create_planner(locality, actor=request.user, **data))
        if made is not None:
            messages.success(request, f"已登记规划师“{made.name}”。")
            return redirect("planners:planner", made.pk)
    return render(request, "planners/planner_form.html", {
        "form": form, "locality": locality, "others": _others(form, locality, None),
    })  # fmt: skip


@login_required
def planner_edit(request: PersonRequest, pk: int) -> HttpResponse:
    planner = get_for(request.user, Planner, pk, can_edit_planner, queryset=_rows(request.user))
    form = PlannerForm(request.POST or None, instance=planner, policy=policy_in_force(planner.locality))
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: update_planner(planner, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("planners:planner", planner.pk)
    return render(request, "planners/planner_form.html", {
        "form": form, "locality": planner.locality, "planner": planner,
        "others": _others(form, planner.locality, planner),
    })  # fmt: skip


def _others(form: PlannerForm, locality: Locality, planner: Planner | None) -> list[Planner]:
    """Namesakes to show beside the box that says "this is another person"; none until the service has asked."""
    if "confirm_namesake" not in form.errors:
        return []
    return list(namesakes(form.data.get("name", ""), locality, exclude=planner).select_related("institution"))


@login_required
def planner_reveal(request: PersonRequest, pk: int, what: str) -> HttpResponse:
    """A whole number, after a reason has been given; the page itself is never stored."""
    if what not in _REVEALED:
        raise Http404
    field, label = _REVEALED[what]
    allowed = can_see_identity if field == "identity_number" else can_see_phone
    planner = get_for(request.user, Planner, pk, allowed, queryset=_rows(request.user))
    form = RevealForm(request.POST or None)
    value = None
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        value = attempt(form, lambda: reveal(planner, field, actor=request.user, reason=reason))
    context = {"form": form, "planner": planner, "label": label, "value": value}
    response = render(request, "planners/planner_reveal.html", context)
    response["Cache-Control"] = "no-store"
    return response
