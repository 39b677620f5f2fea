"""The policy of a locality, readable by everybody who works there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.http import PersonRequest
from districts.models import Locality, PolicyDecision, PolicyVersion
from districts.permissions import can_adopt_policy, can_set_policy, own_only
from districts.policy.values import diff
from districts.services.bound import bound_to
from districts.services.policies import (
    effective_history,
    history,
    policy_after,
    policy_for_version,
    policy_to_read,
)
from districts.services.policy_words import answers


@require_GET
@login_required
def policy_detail(request: PersonRequest, code: str) -> HttpResponse:
    """The policy in force (or the last that was); `?version=N` shows another version of its history.

    `&pack=SLUG` says of which pack, where several serve the locality.
    """
    locality = get_object_or_404(Locality.objects.visible_to(request.user).select_related("parent"), code=code)
    versions = history(locality)
    policy = policy_to_read(locality)
    if "version" in request.GET:
        policy = policy_for_version(
            _chosen(versions, request.GET["version"], request.GET.get("pack", "")), locality=locality
        )
    context: dict[str, Any] = {"locality": locality, "policy": policy, "versions": effective_history(versions)}
    if policy is not None:
        row = next(version for version in versions if version.pk == policy.version_id)
        context |= {
            "shown": row,
            "answers": answers(policy),
            "chapters": [
                {"id": f"c{number}", "title": title, "values": found, "unset": unset}
                for number, (title, found, unset) in enumerate(policy.chapters(), start=1)
            ],
            "unset_count": len(policy.unset_keys()),
            "lapsed": policy.lapsed_on(timezone.localdate()),
            "withdrawn": row.is_withdrawn,
            "may_set": can_set_policy(request.user, row.pack, own_only(row.pack, locality)),
            "may_amend": can_set_policy(request.user, row.pack),
            "may_adopt": can_adopt_policy(request.user, locality),
            "bound": bound_to(row) if policy.lapsed_on(timezone.localdate()) else [],
            "decisions": PolicyDecision.objects.visible_to(request.user).open().filter(locality=locality),
        }
    return render(request, "districts/policy.html", context)


@require_GET
@login_required
def policy_versions(request: PersonRequest, code: str) -> HttpResponse:
    """Every version and supplement, and what differs between any two of them (`?a=` and `?b=`, ids)."""
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    versions = history(locality)
    if not versions:
        raise Http404("本地方还没有制度方案。")
    by_id = {str(row.pk): row for row in versions}
    later = by_id.get(request.GET.get("b", ""), versions[0])
    earlier = by_id.get(request.GET.get("a", ""), versions[1] if len(versions) > 1 else versions[0])
    changes = diff(policy_after(earlier, locality=locality), policy_after(later, locality=locality))
    crumbs = [("制度方案", reverse("districts:policy", args=[code])), ("版本沿革", "")]
    context = {
        "locality": locality, "versions": effective_history(versions), "earlier": earlier, "later": later,
        "changes": changes, "crumbs": crumbs,
    }  # fmt: skip
    return render(request, "districts/policy_versions.html", context)


def _chosen(versions: list[PolicyVersion], number: str, slug: str) -> int:
    """The id of a version of this locality's own history; anything else is not found."""
    found = [row for row in versions if str(row.number) == number and row.supplements_id is None]
    # Of a number that several packs have, the locality's own comes before what a paper reports.
    for row in sorted(found, key=lambda row: row.pack.second_hand):
        if slug in ("", row.pack.slug):
            return row.pk
    raise Http404
