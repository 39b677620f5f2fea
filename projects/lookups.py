"""The endpoint of search-as-you-type fields for projects: exactly what the person may see."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.views.decorators.http import require_GET

from core.http import PersonRequest
from core.lookups import lookup_response
from districts.lookups import typed
from projects.filters import find_projects
from projects.models import Project


@require_GET
@login_required
def project_lookup(request: PersonRequest) -> JsonResponse:
    rows = find_projects(Project.objects.visible_to(request.user), typed(request))
    return lookup_response(rows.order_by("-pk"), note=lambda row: row.number)
