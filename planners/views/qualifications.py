"""Pages of qualifications: a person against what a role asks for, papers, judgements, the override."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for, require
from districts.services.policies import policy_in_force
from planners.forms_qualifications import CredentialForm, OverrideForm, VerdictForm
from planners.models import Contract, Credential, Planner
from planners.permissions import (
    can_add_credential,
    can_judge,
    can_override,
    can_see_qualification,
    can_withdraw_credential,
)
from planners.qualification import MET, Node
from planners.reads import contract_rows
from planners.services.contracts import policy_of
from planners.services.qualifications import (
    Assessment,
    add_credential,
    assess,
    override,
    record_verdict,
    roles_in,
    withdraw_credential,
)

_PLANNERS = Planner.objects.select_related("locality", "institution")


def _planner(request: PersonRequest, pk: int, *predicates: Any) -> Planner:
    return get_for(request.user, Planner, pk, can_see_qualification, *predicates, queryset=_PLANNERS)


@require_GET
@login_required
def qualification(request: PersonRequest, pk: int) -> HttpResponse:
    """What each role asks for, and how the person stands to it."""
    planner, today = _planner(request, pk), timezone.localdate()
    policy = policy_in_force(planner.locality, today)
    types = (policy.value("roles.types") if policy else None) or ()
    roles = [(row["code"], row["title"]) for row in types]
    found = [(code, title, assess(planner, code, policy=policy, on=today)) for code, title in roles] if policy else []
    asked = request.GET.get("role", "")
    shown = next((row for row in found if row[0] == asked), found[0] if found else None)
    papers = list(planner.credentials.select_related("file", "recorded_by"))
    return render(request, "planners/qualification.html", {
        "planner": planner, "policy": policy, "roles": found, "shown": shown,
        "tree": _shown(shown[2], papers) if shown else None,
        "papers": [(paper, can_withdraw_credential(request.user, paper)) for paper in papers],
        "checks": planner.qualification_checks.select_related("contract", "overridden_by").order_by("-pk"),
        "contracts_seen": set(Contract.objects.visible_to(request.user).filter(
            qualification_checks__planner=planner).values_list("pk", flat=True)),
        "may_judge": can_judge(request.user, planner), "may_add": can_add_credential(request.user, planner),
    })  # fmt: skip


def _shown(found: Assessment, papers: list[Credential]) -> dict[str, Any] | None:
    """The tree with the papers behind each item."""
    valid = [paper for paper in papers if paper.withdrawn_on is None]

    def behind(node: Node) -> list[Credential]:
        kind, _, code = node.record.partition(":")
        return [paper for paper in valid if kind and paper.kind == kind and paper.code in ("", code)]

    def shown(node: Node, *, spare: bool = False) -> dict[str, Any]:
        # Of a group that one condition satisfies, the others do not matter: they are not shown as faults.
        enough = node.op == "any" and node.state == MET
        children = [shown(child, spare=spare or (enough and child.state != MET)) for child in node.children]
        tone = "neutral" if spare or node.preferred else node.tone
        return {"node": node, "tone": tone, "papers": behind(node), "children": children}

    return shown(found.root) if found.root is not None else None


@login_required
def qualification_judge(request: PersonRequest, pk: int, role: str, number: int) -> HttpResponse:
    """A named officer says whether somebody meets what no figure tells, and on what ground."""
    planner = _planner(request, pk, can_judge)
    policy = policy_in_force(planner.locality)
    found = assess(planner, role, policy=policy, on=timezone.localdate()) if policy else None
    node = next((n for n in found.root.leaves() if n.number == number), None) if found and found.root else None
    if policy is None or found is None or node is None or not node.judged:
        raise Http404("没有这项需要判断的条件。")
    form = VerdictForm(request.POST or None)
    back = f"{reverse('planners:qualification', args=[pk])}?role={role}"
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: record_verdict(
            planner, actor=request.user, role=role, number=number, policy=policy, **data))  # fmt: skip
        if made is not None:
            messages.success(request, "已记录判断。")
            return redirect(back)
    return render(request, "planners/qualification_judge.html", {
        "form": form, "planner": planner, "node": node, "rule": found.rule, "back": back,
        "role": policy.role_title(role),
        "earlier": planner.verdicts.filter(role_type=role, criterion=node.words).select_related("decided_by"),
    })  # fmt: skip


@login_required
def credential_create(request: PersonRequest, pk: int) -> HttpResponse:
    planner = _planner(request, pk, can_add_credential)
    form = CredentialForm(request.POST or None, request.FILES or None)
    back = reverse("planners:qualification", args=[pk])
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: add_credential(planner, actor=request.user, **data))
        if made is not None:
            messages.success(request, "已登记材料。")
            return redirect(back)
    return render(request, "planners/credential_create.html", {"form": form, "planner": planner, "back": back})


def _credential(request: PersonRequest, pk: int, *predicates: Any) -> Credential:
    rows = Credential.objects.select_related("planner__locality", "file")
    return get_for(request.user, Credential, pk, *predicates, queryset=rows)


@require_GET
@login_required
def credential_file(request: PersonRequest, pk: int) -> FileResponse:
    credential = _credential(request, pk)
    require(can_see_qualification(request.user, credential.planner))
    if credential.file is None:
        raise Http404("这份材料没有扫描件。")
    return stream(credential.file, inline=True)


@require_POST
@login_required
def credential_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    credential = _credential(request, pk, can_withdraw_credential)
    withdraw_credential(credential, actor=request.user)
    messages.success(request, f"“{credential.name}”已停用。")
    return redirect("planners:qualification", credential.planner_id)


@login_required
def qualification_override(request: PersonRequest, pk: int, planner_pk: int) -> HttpResponse:
    """Why somebody who does not meet the conditions is appointed all the same."""
    contract = get_for(request.user, Contract, pk, can_override, queryset=contract_rows(Contract.objects.all()))
    planner = get_for(request.user, Planner, planner_pk, queryset=_PLANNERS)
    policy = policy_of(contract)
    role = roles_in(contract, [planner])[planner.pk]
    found = assess(planner, role, policy=policy, on=timezone.localdate())
    form = OverrideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        made = attempt(form, lambda: override(contract, planner, actor=request.user, reason=reason, policy=policy))
        if made is not None:
            messages.success(request, "已记录仍予聘任的理由。")
            return redirect("planners:contract", pk)
    return render(request, "planners/qualification_override.html", {
        "form": form, "contract": contract, "planner": planner, "found": found, "tree": _shown(found, []),
        "role": policy.role_title(role),
    })  # fmt: skip
