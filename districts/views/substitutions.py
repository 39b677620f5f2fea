"""Standing in for a colleague who is away: what one handed over and took over, arranging it, ending it early."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.formtools import attempt_once
from core.http import PersonRequest
from core.permissions import get_for
from districts.access import valid_memberships
from districts.forms_substitutions import SubstitutionForm
from districts.models import Membership
from districts.permissions import can_end_substitution, can_hand_over
from districts.services.substitutions import end_substitution, substitute

SHOWN = 100
_JOINED = ("user", "locality", "unit", "organisation", "stands_in_for__user")


@require_GET
@login_required
def substitution_list(request: PersonRequest) -> HttpResponse:
    """Own roles with what can be handed over, and the latest substitutions one took part in."""
    today = timezone.localdate()
    own = [row for row in valid_memberships(request.user) if row.stands_in_for_id is None]
    rows = Membership.objects.of_person(request.user).substitutions().select_related(*_JOINED).order_by("-pk")[:SHOWN]
    return render(request, "districts/substitution_list.html", {
        "own": [(row, can_hand_over(request.user, row)) for row in own],
        "rows": [(row, row.standing(today), can_end_substitution(request.user, row)) for row in rows],
    })  # fmt: skip


@login_required
def substitution_create(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Membership.objects.select_related(*_JOINED)
    membership = get_for(request.user, Membership, pk, can_hand_over, queryset=rows)
    form = SubstitutionForm(request.POST or None, membership=membership, actor=request.user)
    own = membership.user_id == request.user.pk

    def arrange(data: dict[str, Any]) -> Membership:
        return substitute(membership, actor=request.user, **data)

    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, arrange)
        if made is not None:
            messages.success(request, f"已安排 {made.user} 代理，{made.valid_from} 至 {made.valid_to}。")
            return redirect("districts:substitutions" if own else "districts:memberships")
    context = {"form": form, "membership": membership, "own": own}
    return render(request, "districts/substitution_create.html", context)


@require_POST
@login_required
def substitution_end(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Membership.objects.select_related(*_JOINED)
    membership = get_for(request.user, Membership, pk, can_end_substitution, queryset=rows)
    ended = end_substitution(membership, actor=request.user)
    messages.success(request, f"代理已结束：{ended}。")
    return redirect("districts:substitutions")
