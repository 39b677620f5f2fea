"""Endpoints of search-as-you-type fields: each holds exactly what the person may see."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import JsonResponse
from django.views.decorators.http import require_GET

from core.http import PersonRequest
from core.lookups import lookup_response
from districts.lookups import typed
from planners.filters import find_people
from planners.models import Group, Institution, Planner, Team


def _note(planner: Planner) -> str:
    """Tells namesakes apart without saying more than a list does."""
    return " · ".join(filter(None, [planner.locality.name, planner.institution.name if planner.institution else ""]))


@require_GET
@login_required
def planner_lookup(request: PersonRequest) -> JsonResponse:
    rows = find_people(Planner.objects.visible_to(request.user).filter(is_active=True), typed(request))
    return lookup_response(rows.select_related("locality", "institution").order_by("sort_key", "pk"), note=_note)


@require_GET
@login_required
def institution_lookup(request: PersonRequest) -> JsonResponse:
    rows = Institution.objects.visible_to(request.user)
    for word in typed(request).split():
        rows = rows.filter(Q(name__contains=word) | Q(city__contains=word))
    return lookup_response(rows.order_by("name"), note=lambda row: row.city)


@require_GET
@login_required
def team_lookup(request: PersonRequest) -> JsonResponse:
    rows = Team.objects.visible_to(request.user).select_related("locality", "institution")
    for word in typed(request).split():
        rows = rows.filter(Q(name__contains=word) | Q(institution__name__contains=word))
    return lookup_response(rows.order_by("name"), note=lambda row: row.locality.name)


@require_GET
@login_required
def group_lookup(request: PersonRequest) -> JsonResponse:
    rows = Group.objects.visible_to(request.user).select_related("team__locality")
    for word in typed(request).split():
        rows = rows.filter(Q(name__contains=word) | Q(team__name__contains=word))
    return lookup_response(rows.order_by("team__name", "name"), note=lambda row: row.team.locality.name)
