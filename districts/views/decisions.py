"""Local decisions on the policy: prepared on a form, compared, tried out, put in force or discarded."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.errors import StaleState
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for, require
from core.transitions import available_moves
from districts.forms_policy import AdoptionForm, AmendmentForm, DecisionForm, SupplementFileForm, SupplementForm
from districts.models import Locality, PolicyDecision, PolicyVersion
from districts.permissions import can_adopt_policy, can_decide_policy, can_edit_decision, can_set_policy, own_only
from districts.services.decisions import (
    changes_of,
    create_decision,
    discard_decision,
    enforce_decision,
    left_behind,
    own_version,
    update_decision,
)
from districts.services.policies import history, policy_for_version, policy_to_read, version_in_force
from districts.transitions import POLICY_DECISION

Kind = PolicyDecision.Kind
_ROWS = PolicyDecision.objects.select_related("base__pack", "locality", "entered_by", "scan", "made__pack")
_TITLES = {Kind.SUPPLEMENT: "录入补充规定", Kind.AMENDMENT: "录入修订", Kind.ADOPTION: "采用论文转述的制度"}
_TEMPLATES = {
    Kind.SUPPLEMENT: "districts/policy_supplement.html",
    Kind.AMENDMENT: "districts/policy_amend.html",
    Kind.ADOPTION: "districts/policy_adopt.html",
}


# --- entering ------------------------------------------------------------------------------------------------


@login_required
def supplement_create(request: PersonRequest, code: str) -> HttpResponse:
    """A local decision that fills what is open, field by field or (`?by=file`) as a file."""
    locality, base = _place(request, code)
    require(can_set_policy(request.user, base.pack, own_only(base.pack, locality)))
    return _enter(request, locality, base, Kind.SUPPLEMENT)


@login_required
def amendment_create(request: PersonRequest, code: str) -> HttpResponse:
    """A local decision that changes what is set, or lets a lapsed version go on."""
    locality, base = _place(request, code)
    require(can_set_policy(request.user, base.pack))
    return _enter(request, locality, base, Kind.AMENDMENT)


@login_required
def adoption_create(request: PersonRequest, code: str) -> HttpResponse:
    """A local decision that makes what a paper reports the locality's own."""
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_adopt_policy(request.user, locality))
    papers = [row for row in history(locality) if row.pack.second_hand]
    if not papers:
        raise Http404("没有可以采用的论文转述。")
    return _enter(request, locality, papers[0], Kind.ADOPTION)


def _place(request: PersonRequest, code: str) -> tuple[Locality, PolicyVersion]:
    """The locality and the version that counts there (or the one named by `?version=`, also when it has lapsed)."""
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    rows = [row for row in history(locality) if row.supplements_id is None and not row.pack.second_hand]
    wanted = request.GET.get("version")
    if wanted is not None:
        found = next((row for row in rows if str(row.pk) == wanted), None)
    else:
        policy = policy_to_read(locality)
        now = version_in_force(locality)
        pk = now.pk if now is not None else policy.version_id if policy is not None else None
        found = next((row for row in rows if row.pk == pk), None)
    if found is None:
        raise Http404("本地方没有可以补充或修订的制度。")
    return locality, PolicyVersion.objects.select_related("pack").get(pk=found.pk)


def _form(request: PersonRequest, decision: PolicyDecision, *, saved: bool) -> Any:
    """The form of the decision's kind; `saved`: start from what it holds."""
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    kept = decision if saved else None
    base, locality = decision.base, decision.locality
    if decision.kind == Kind.ADOPTION:
        own = own_version(base.pack, locality)
        taken = policy_for_version(own, locality=locality) if own is not None else None
        paper = policy_for_version(base, locality=locality)
        return AdoptionForm(data, files, policy=paper, taken=taken, decision=kept)
    if decision.kind == Kind.AMENDMENT:
        return AmendmentForm(data, files, policy=policy_for_version(base), decision=kept)
    policy = policy_for_version(base, locality=locality)
    if not saved and request.GET.get("by") == "file":
        return SupplementFileForm(data, files, policy=policy)
    return SupplementForm(data, files, policy=policy, decision=kept)


def _enter(request: PersonRequest, locality: Locality, base: PolicyVersion, kind: str) -> HttpResponse:
    form = _form(request, PolicyDecision(locality=locality, base=base, kind=kind), saved=False)
    if request.method == "POST" and form.is_valid():

        def enter(data: dict[str, Any]) -> PolicyDecision:
            return create_decision(
                locality, actor=request.user, kind=kind, base=base, values=form.values, removed=form.removed,
                scan=data["scan"], **form.head,
            )  # fmt: skip

        decision = attempt_once(form, request.user, enter)
        if decision is not None:
            messages.success(request, "已保存为拟稿，尚未生效。请核对变化并试算，看过结果后再施行。")
            return redirect(decision)
    return _form_page(request, form, locality, base, kind)


@login_required
def decision_edit(request: PersonRequest, pk: int) -> HttpResponse:
    decision = get_for(request.user, PolicyDecision, pk, can_edit_decision, queryset=_ROWS)
    form = _form(request, decision, saved=True)
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: _update(request, decision, form))
        if saved is not None:
            messages.success(request, "已保存。内容有变化，请重新试算。")
            return redirect(decision)
    return _form_page(request, form, decision.locality, decision.base, decision.kind, decision=decision)


def _update(request: PersonRequest, decision: PolicyDecision, form: DecisionForm) -> PolicyDecision:
    try:
        seen = dt.datetime.fromisoformat(form.cleaned_data["seen"])
    except ValueError:
        raise StaleState from None
    return update_decision(
        decision, actor=request.user, seen=seen, values=form.values, removed=form.removed,
        scan=form.cleaned_data["scan"], **form.head,
    )  # fmt: skip


def _form_page(
    request: PersonRequest,
    form: forms.Form,
    locality: Locality,
    base: PolicyVersion,
    kind: str,
    *,
    decision: PolicyDecision | None = None,
) -> HttpResponse:
    title = f"修改：{decision}" if decision is not None else _TITLES[Kind(kind)]
    crumbs = [("制度方案", reverse("districts:policy", args=[locality.code])), (title, "")]
    context = {
        "locality": locality, "base": base, "form": form, "title": title, "crumbs": crumbs, "decision": decision,
        "by_file": isinstance(form, SupplementFileForm),
    }  # fmt: skip
    return render(request, _TEMPLATES[Kind(kind)], context)


# --- one decision ---------------------------------------------------------------------------------------------


@require_GET
@login_required
def decision_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """Old and new with their origins, what the dry run came to, and what may be done next."""
    decision = get_for(request.user, PolicyDecision, pk, queryset=_ROWS)
    problem, changes = "", []
    try:
        changes = changes_of(decision)
    except ValidationError as error:
        # Something else was put in force meanwhile, with which this no longer goes together.
        problem = "；".join(error.messages)
    crumbs = [("制度方案", reverse("districts:policy", args=[decision.locality.code])), (str(decision), "")]
    return render(request, "districts/decision.html", {
        "decision": decision, "changes": changes, "problem": problem, "crumbs": crumbs,
        "left_behind": left_behind(decision), "may_edit": can_edit_decision(request.user, decision),
        # What it would do to whom is the bureau's business, also afterwards.
        "may_see_trial": can_decide_policy(request.user, decision),
        "moves": [
            (move, allowed) for move, allowed in available_moves(POLICY_DECISION, decision, request.user)
            if move.name in ("enforce", "discard")
        ],
        "years": [timezone.localdate().year, timezone.localdate().year - 1],
        "history": audit.timeline(decision, limit=30),
    })  # fmt: skip


@require_POST
@login_required
def decision_enforce(request: PersonRequest, pk: int) -> HttpResponse:
    decision = get_for(request.user, PolicyDecision, pk, queryset=_ROWS)
    try:
        decision = enforce_decision(decision, actor=request.user)
    except ValidationError as error:
        messages.error(request, "不能施行：" + "；".join(error.messages))
    else:
        messages.success(request, f"“{decision.title}”已施行，自 {decision.effective_from} 起执行。")
    return redirect(decision)


@require_POST
@login_required
def decision_discard(request: PersonRequest, pk: int) -> HttpResponse:
    decision = get_for(request.user, PolicyDecision, pk, queryset=_ROWS)
    discard_decision(decision, actor=request.user)
    messages.success(request, "拟稿已作废。")
    return redirect("districts:policy", decision.locality.code)


@require_GET
@login_required
def decision_scan(request: PersonRequest, pk: int) -> FileResponse:
    """The decision's scan, for whoever may see the decision."""
    decision = get_for(request.user, PolicyDecision, pk, queryset=_ROWS)
    if decision.scan is None:
        raise Http404("没有上传扫描件。")
    audit.record("policydecision.scan", actor=request.user, obj=decision)
    return stream(decision.scan, inline=True)
