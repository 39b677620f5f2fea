"""One's own drafts, for autosave.js."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.drafts import discard_draft, draft_of, save_draft
from core.models import Draft

if TYPE_CHECKING:
    from accounts.models import User


@never_cache
@login_required
@require_http_methods(["GET", "POST", "DELETE"])
def draft(request: HttpRequest, form_key: str) -> HttpResponse:
    """GET the draft (204 when there is none), POST a JSON object of fields, DELETE it."""
    user = cast("User", request.user)
    try:
        if request.method == "DELETE":
            discard_draft(user, form_key)
            return HttpResponse(status=204)
        if request.method == "POST":
            return _answer(save_draft(user, form_key, _posted(request)))
        found = draft_of(user, form_key)
    except ValidationError as exc:
        return JsonResponse({"error": exc.messages[0]}, status=413 if exc.code == "too_big" else 400)
    return _answer(found) if found is not None else HttpResponse(status=204)


def _posted(request: HttpRequest) -> dict[str, object]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError) as exc:
        raise ValidationError("草稿内容无法识别。", code="invalid") from exc
    if not isinstance(data, dict):
        raise ValidationError("草稿内容无法识别。", code="invalid")
    return data


def _answer(found: Draft) -> JsonResponse:
    saved = timezone.localtime(found.updated)
    return JsonResponse({"data": found.data, "saved": saved.isoformat(), "saved_words": f"{saved:%H:%M}"})
