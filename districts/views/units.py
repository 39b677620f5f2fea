"""Pages of units: list, detail, form, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from core import audit
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.exports import export_units
from districts.filters import UnitFilter
from districts.forms import UnitForm
from districts.models import Contact, Locality, Organisation, Unit, UnitPart, UnitSuccession
from districts.permissions import (
    can_add_contact,
    can_change_unit,
    can_edit_unit,
    can_manage_locality,
    can_see_contact_phone,
    managed_place,
)
from districts.policy.keys_appointment import AREA_TYPES
from districts.policy.values import EffectivePolicy
from districts.services.lineage import former_names, history_of
from districts.services.localities import streets_of
from districts.services.policies import policy_in_force, policy_to_read
from districts.services.units import create_unit, update_unit


def _rows(user: Any) -> Any:
    return (
        Unit.objects.visible_to(user)
        .select_related("locality", "office")
        .prefetch_related(Prefetch("parts", UnitPart.objects.select_related("division").order_by("division")))
    )


class UnitList(FilteredListView):
    template_name = "districts/unit_list.html"
    filter_class = UnitFilter
    caption = "责任单元"
    columns = (
        Column("名称", "name", "main"), Column("类别", "kind"), Column("覆盖范围"), Column("片区类型"),
        Column("主管部门"), Column("在岗安排", kind="num"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        today = timezone.localdate()
        running = Q(charge__assignments__start__lte=today, charge__assignments__contract__state="signed") & (
            Q(charge__assignments__end=None) | Q(charge__assignments__end__gte=today)
        )
        return _rows(self.request.user).annotate(serving=Count("charge__assignments", filter=running))

    def prepare(self, page: Sequence[Unit]) -> None:
        self.former = former_names(page)

    def row(self, unit: Unit) -> Sequence[Any]:
        url = reverse("districts:unit", args=[unit.pk])
        former = "、".join(self.former.get(unit.pk, ()))
        note = format_html('<span class="former-names">原：{}</span>', former) if former else ""
        return (
            format_html('<a href="{}">{}</a>{}', url, unit.name, note), unit.get_kind_display(), covers(unit),
            AREA_TYPES.get(unit.area_type, unit.area_type), unit.office.name if unit.office else "",
            getattr(unit, "serving", 0), standing_of(unit),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["managed"] = managed_place(self.request.user)
        return context


def standing_of(unit: Unit) -> SafeString:
    """现行, 未设立, 将终止 or 已终止: by the unit's dates."""
    today = timezone.localdate()
    if unit.valid_to is not None and unit.valid_to < today:
        return status_html("已终止", "neutral")
    if unit.valid_from is not None and unit.valid_from > today:
        return status_html(f"{unit.valid_from:%Y-%m-%d} 设立", "info")
    return status_html(f"{unit.valid_to:%Y-%m-%d} 终止", "waiting") if unit.valid_to else status_html("现行", "good")


def covers(unit: Unit) -> str:
    """The streets of a unit in words; the document where it comes from one."""
    words = "、".join(str(part) for part in unit.parts.all())
    return words or (f"依据：{unit.source}" if unit.source else "")


@require_GET
@login_required
def unit_export(request: PersonRequest) -> FileResponse:
    chosen = UnitFilter(request.GET, _rows(request.user), user=request.user)
    audit.record("unit.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_units(chosen.qs)


@require_GET
@login_required
def unit_detail(request: PersonRequest, pk: int) -> HttpResponse:
    unit = get_for(request.user, Unit, pk, queryset=_rows(request.user))
    today = timezone.localdate()
    assignments = unit.charge.assignments.filter(contract__state__in=["signed", "ended"]).select_related(
        "planner", "group__team", "team", "contract"
    )
    now = [row for row in assignments if row.start <= today <= min(row.end or row.contract.end, row.contract.end)]
    contacts = Contact.objects.visible_to(request.user).filter(
        Q(unit=unit) | Q(unit=None, organisation__kind=Organisation.Kind.BUREAU), organisation__locality=unit.locality
    )
    policy = policy_to_read(unit.locality, today)
    return render(request, "districts/unit.html", {
        "unit": unit, "covers": covers(unit), "area": AREA_TYPES.get(unit.area_type, unit.area_type),
        "now": now, "earlier": [row for row in assignments if row not in now],
        "contacts": [
            (contact, can_see_contact_phone(request.user, contact))
            for contact in contacts.filter(is_active=True).select_related("organisation").order_by("organisation", "pk")
        ],
        "focus": policy.get("units.focus") if policy else None, "focus_rows": _focus(policy, unit),
        "steps": history_of(unit), "seen": _seen_steps(request.user, unit), "standing": standing_of(unit),
        "may_change": can_change_unit(request.user, unit), "may_edit": can_edit_unit(request.user, unit),
        "may_add_contact": can_add_contact(request.user, unit),
        "history": audit.timeline(unit, limit=20),
    })  # fmt: skip


def _seen_steps(user: Any, unit: Unit) -> set[int]:
    """Predecessors and successors that this person may open."""
    lines = UnitSuccession.objects.filter(Q(predecessor=unit) | Q(successor=unit))
    rows = Unit.objects.visible_to(user).filter(
        Q(pk__in=lines.values("predecessor")) | Q(pk__in=lines.values("successor"))
    )
    return set(rows.values_list("pk", flat=True))


def _focus(policy: EffectivePolicy | None, unit: Unit) -> list[str]:
    rows = (policy.value("units.focus") if policy else None) or ()
    return [row["focus"] for row in rows if row["area"] == unit.area_type]


@login_required
def unit_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user).select_related("division"), code=code)
    require(can_manage_locality(request.user, locality))
    form = _form(request, Unit(), locality)
    if request.method == "POST" and form.is_valid():
        unit = attempt_once(form, request.user, lambda data: create_unit(locality, actor=request.user, **data))
        if unit is not None:
            messages.success(request, f"已设立责任单元“{unit.name}”。")
            return redirect("districts:unit", unit.pk)
    return render(request, "districts/unit_form.html", {"form": form, "locality": locality})


@login_required
def unit_edit(request: PersonRequest, pk: int) -> HttpResponse:
    unit = get_for(request.user, Unit, pk, can_edit_unit, queryset=_rows(request.user))
    form = _form(request, unit, unit.locality)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: update_unit(unit, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("districts:unit", unit.pk)
    return render(request, "districts/unit_form.html", {"form": form, "locality": unit.locality, "unit": unit})


def _form(request: PersonRequest, unit: Unit, locality: Locality) -> UnitForm:
    return UnitForm(
        request.POST or None,
        instance=unit,
        locality=locality,
        streets=streets_of(locality.division) if locality.division else (),
        policy=policy_in_force(locality),
    )
