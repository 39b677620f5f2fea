"""Pages of localities: what there is in each, and starting a new one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.formtools import attempt_once
from core.http import PersonRequest
from core.permissions import require
from districts.forms import StartLocalityForm, StreetsForm
from districts.models import Division, Locality, Organisation, Unit
from districts.permissions import can_manage_locality, can_start_localities, can_start_locality
from districts.services.localities import (
    add_street_units,
    locality_code,
    locality_name,
    start_locality,
    streets_of,
    streets_without_unit,
)
from districts.services.overview import locality_cards

UNITS_SHOWN = 60


@require_GET
@login_required
def locality_list(request: PersonRequest) -> HttpResponse:
    localities = list(Locality.objects.visible_to(request.user).select_related("parent").order_by("code"))
    return render(request, "districts/locality_list.html", {
        "cards": locality_cards(localities, on=timezone.localdate()),
        "may_start": can_start_localities(request.user),
    })  # fmt: skip


@require_GET
@login_required
def locality_detail(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user).select_related("parent"), code=code)
    today = timezone.localdate()
    units = Unit.objects.visible_to(request.user).filter(locality=locality).current(today)
    return render(request, "districts/locality.html", {
        "locality": locality,
        "card": locality_cards([locality], on=today)[0],
        "units": units.order_by("sort_key", "name")[:UNITS_SHOWN],
        "organisations": Organisation.objects.visible_to(request.user).filter(locality=locality, is_active=True),
        "children": Locality.objects.visible_to(request.user).filter(parent=locality).order_by("code"),
        "may_manage": can_manage_locality(request.user, locality),
    })  # fmt: skip


@login_required
def locality_start(request: PersonRequest) -> HttpResponse:
    """First step: pick the division; goes on to its streets."""
    require(can_start_localities(request.user))
    form = StartLocalityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        division = form.cleaned_data["division"]
        require(can_start_locality(request.user, division))
        if not Locality.objects.filter(code=locality_code(division)).exists():
            return redirect("districts:locality-streets", code=division.code)
        form.add_error("division", f"{locality_name(division)}已启用。")
    return render(request, "districts/locality_start.html", {"form": form})


@login_required
def locality_streets(request: PersonRequest, code: str) -> HttpResponse:
    """Second step: choose the streets that become units; starts the locality."""
    division = get_object_or_404(Division.objects.select_related("parent__parent"), code=code)
    require(can_start_locality(request.user, division))
    if division.level not in (Division.Level.COUNTY, Division.Level.CITY):
        raise Http404
    form = StreetsForm(request.POST or None, streets=streets_of(division))
    if request.method == "POST" and form.is_valid():
        chosen = list(form.cleaned_data["streets"].select_related("parent"))
        locality = attempt_once(
            form, request.user, lambda _: start_locality(division, actor=request.user, streets=chosen)
        )
        if locality is not None:
            messages.success(
                request,
                f"已启用{locality.name}，并设立 {len(chosen)} 个责任单元。下一步：关联制度方案、登记单位和人员。",
            )
            visible = Locality.objects.visible_to(request.user).filter(pk=locality.pk).exists()
            return redirect("districts:locality", locality.code) if visible else redirect("districts:list")
    return render(request, "districts/locality_streets.html", {
        "form": form, "division": division, "name": locality_name(division), "starting": True,
    })  # fmt: skip


@login_required
def unit_from_streets(request: PersonRequest, code: str) -> HttpResponse:
    """Further units for streets of a running locality that have none."""
    locality = get_object_or_404(Locality.objects.visible_to(request.user).select_related("division"), code=code)
    require(can_manage_locality(request.user, locality))
    form = StreetsForm(request.POST or None, streets=streets_without_unit(locality))
    if request.method == "POST" and form.is_valid():
        chosen = list(form.cleaned_data["streets"].select_related("parent"))
        try:
            made = add_street_units(locality, actor=request.user, streets=chosen)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"已设立 {len(made)} 个责任单元。")
            return redirect("districts:locality", locality.code)
    return render(request, "districts/locality_streets.html", {
        "form": form, "division": locality.division, "name": locality.name, "locality": locality,
    })  # fmt: skip
