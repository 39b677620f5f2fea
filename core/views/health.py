"""/health/: for load balancers and monitoring; says which part is away, and nothing else."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.health import check_all


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 while the portal can serve (also without worker or broker), 503 when a vital part is away."""
    parts = check_all()
    vital = all(part.status == "ok" for part in parts if part.vital)
    whole = all(part.status == "ok" for part in parts)
    status = "ok" if whole else "degraded" if vital else "down"
    return JsonResponse(
        {"status": status, "parts": {part.name: part.status for part in parts}}, status=200 if vital else 503
    )
