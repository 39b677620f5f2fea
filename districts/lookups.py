"""Endpoints of search-as-you-type fields: each holds exactly what the person may see."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.roles import Role
from core.http import PersonRequest
from core.lookups import lookup_response
from districts.access import access_of, places_reached
from districts.filters import find_units
from districts.models import Charge, Division, Organisation, Unit
from districts.reads import grantable_people


def typed(request: HttpRequest) -> str:
    """What was typed, without what no name holds."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:60]


@require_GET
@login_required
def division_lookup(request: PersonRequest) -> JsonResponse:
    """Counties and cities by name or code, for those who may start a locality."""
    rows = Division.objects.none()
    words = typed(request)
    if words and access_of(request.user).is_role(Role.SYSADMIN, Role.BUREAU):
        rows = Division.objects.filter(level__in=[Division.Level.COUNTY, Division.Level.CITY])
        for word in words.split():
            match = Q(name__contains=word) | Q(parent__name__contains=word) | Q(parent__parent__name__contains=word)
            rows = rows.filter(Q(code__startswith=word) if word.isdigit() else match)
        rows = rows.select_related("parent__parent").order_by("code")
    return lookup_response(rows, note=path_of)


def path_of(division: Division) -> str:
    """北京市 · 市辖区: where a division lies, and its code."""
    above, names = division.parent, []
    while above is not None:
        names.append(above.name)
        above = above.parent
    return " · ".join([*reversed(names), division.code])


@require_GET
@login_required
def unit_lookup(request: PersonRequest) -> JsonResponse:
    rows = find_units(Unit.objects.visible_to(request.user).filter(valid_to=None), typed(request))
    return lookup_response(rows.select_related("locality").order_by("sort_key", "name"), note=lambda u: u.locality.name)


@require_GET
@login_required
def charge_lookup(request: PersonRequest) -> JsonResponse:
    """Units and responsible projects, by name or (units) pinyin."""
    rows = Charge.objects.visible_to(request.user).filter(is_active=True).select_related("locality")
    for word in typed(request).split():
        match = Q(name__contains=word)
        if word.isascii():
            match |= Q(unit__search_text__contains=word.lower())
        rows = rows.filter(match)
    return lookup_response(rows.order_by("-kind", "name"), note=lambda c: f"{c.get_kind_display()} · {c.locality.name}")


@require_GET
@login_required
def organisation_lookup(request: PersonRequest) -> JsonResponse:
    rows = Organisation.objects.visible_to(request.user).filter(is_active=True).select_related("locality")
    for word in typed(request).split():
        rows = rows.filter(name__contains=word)
    return lookup_response(rows.order_by("name"), note=lambda o: f"{o.get_kind_display()} · {o.locality.name}")


@require_GET
@login_required
def person_lookup(request: PersonRequest) -> JsonResponse:
    """Accounts that a security administrator may give a role to; namesakes are told apart by their user names."""
    rows = grantable_people(request.user).matching(typed(request)).order_by("name", "username")
    places = places_reached(request.user)
    return lookup_response(
        rows, note=lambda person: " · ".join(filter(None, [person.username, places.get(person.locality_code, "")]))
    )
