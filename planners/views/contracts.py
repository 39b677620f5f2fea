"""Pages of contracts: list, detail, draft, and the moves between states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from core import audit
from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from core.text import parse_date
from core.transitions import available_moves
from districts.access import place_of
from districts.models import Locality
from districts.policy.values import EffectivePolicy, PolicyValue
from districts.services.policies import policy_in_force
from planners.exports import export_contracts
from planners.filters import ContractFilter
from planners.forms_contracts import ContractForm, EndContractForm, ReasonForm, SignForm
from planners.models import Contract, Reselection
from planners.permissions import (
    can_add_signing,
    can_assign,
    can_cancel_contract,
    can_create_contract,
    can_edit_contract,
    can_end_contract,
    can_sign_contract,
)
from planners.qualified import draft_context, people_context
from planners.reads import contract_rows, contract_state, overlapping_contracts
from planners.services.contracts import (
    assignments_of,
    cancel_contract,
    create_contract,
    end_contract,
    policy_of,
    sign_contract,
    update_contract,
)
from planners.services.terms import check_contract, departures, outlives, unsigned_years
from planners.transitions import CONTRACT

_SHOWN = (
    "contract.term_years", "contract.other_term_years",
    "contract.signer", "appointment.modes", "contract.yearly_signing",
    "pay.modes", "pay.unpaid_roles", "quota.owner", "contract.contents",
)  # fmt: skip


def _rows(user: Any) -> Any:
    return contract_rows(Contract.objects.visible_to(user))


class ContractList(FilteredListView):
    template_name = "planners/contract_list.html"
    filter_class = ContractFilter
    caption = "聘用合同"
    columns = (
        Column("合同编号", "number", "main"), Column("受聘方"), Column("聘用方"), Column("聘期", "start", "date"),
        Column("年服务费（元）", kind="num"), Column("制度版本"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return _rows(self.request.user)

    def row(self, row: Contract) -> Sequence[Any]:
        url = reverse("planners:contract", args=[row.pk])
        return (
            format_html('<a class="num" href="{}">{}</a>', url, row.number), str(row.party or ""), row.signer.name,
            f"{row.start:%Y-%m-%d} 至 {row.end:%Y-%m-%d}",
            f"{row.annual_fee:,.2f}" if row.annual_fee is not None else "",
            str(row.policy_version), status_html(*contract_state(row, timezone.localdate())),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        place = place_of(self.request.user)
        context["place"] = place if place is not None and can_create_contract(self.request.user, place) else None
        return context


@require_GET
@login_required
def contract_export(request: PersonRequest) -> FileResponse:
    rows = ContractFilter(request.GET, _rows(request.user), user=request.user).qs
    audit.record("contract.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_contracts(rows)


@require_GET
@login_required
def contract_detail(request: PersonRequest, pk: int) -> HttpResponse:
    contract = get_for(request.user, Contract, pk, queryset=contract_rows(Contract.objects.all()))
    today, user = timezone.localdate(), request.user
    policy = policy_of(contract)
    checks = check_contract(contract, policy)
    signings = list(contract.signings.order_by("start"))
    yearly = policy.get("contract.yearly_signing")
    return render(request, "planners/contract.html", {
        "contract": contract, "party": contract.party, "state": contract_state(contract, today),
        "policy": policy, "checks": checks, "departures": departures(checks),
        "role": policy.role_title(contract.role_type),
        "owner": policy.get("quota.owner"), "yearly": yearly, "signings": signings,
        "unsigned": unsigned_years(contract, signings, on=today) if yearly.value and contract.state == "signed" else [],
        "assignments": assignments_of(contract), "moves": available_moves(CONTRACT, contract, user),
        "may_edit": can_edit_contract(user, contract), "may_sign_year": can_add_signing(user, contract),
        "outlives": outlives(contract, policy), "validity": policy.get("validity.valid_to"),
        "same_party": overlapping_contracts(contract, user),
        "reselections": Reselection.objects.visible_to(user).filter(contract=contract).with_successor(),
        "may_assign": can_assign(user, contract), "history": audit.timeline(contract, limit=30),
        **people_context(user, contract, policy),
    })  # fmt: skip


@login_required
def contract_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_create_contract(request.user, locality))
    policy = policy_in_force(locality)
    form = ContractForm(
        request.POST or None, instance=Contract(locality=locality), locality=locality, user=request.user, policy=policy
    )
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: create_contract(locality, actor=request.user, **data))
        if made is not None:
            messages.success(request, "已保存草稿。请安排派驻，核对与制度的比对后登记签订。")
            return redirect("planners:contract", made.pk)
    context = {"form": form, "locality": locality, "policy": policy, "rules": _rules(policy)}
    return render(request, "planners/contract_form.html", context)


@require_GET
@login_required
def contract_people(request: PersonRequest, code: str) -> HttpResponse:
    """Part of the form: how whoever is being entered stands to the conditions of the type being entered."""
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_create_contract(request.user, locality))
    today = timezone.localdate()
    try:
        day = parse_date(request.GET.get("signed_on") or today)
    except ValueError:
        day = today
    policy = policy_in_force(locality, on=day)
    form = ContractForm(
        request.GET, instance=Contract(locality=locality), locality=locality, user=request.user, policy=policy
    )
    form.is_valid()  # half filled in as it is: what can be read of it is looked at
    chosen = {name: form.cleaned_data.get(name) for name in ("planner", "team", "institution")}
    contract = Contract(
        locality=locality, role_type=form.cleaned_data.get("role_type") or "",
        party_kind=form.cleaned_data.get("party_kind") or "", start=form.cleaned_data.get("start") or today,
        end=form.cleaned_data.get("end") or today, **chosen,
    )  # fmt: skip
    return render(request, "planners/_qualification_draft.html", draft_context(contract, policy))


def _rules(policy: EffectivePolicy | None) -> list[PolicyValue]:
    """What the policy says about contracts, shown beside the form."""
    return [policy.get(key) for key in _SHOWN] if policy is not None else []


def _contract(request: PersonRequest, pk: int, *predicates: Any) -> Contract:
    return get_for(request.user, Contract, pk, *predicates, queryset=contract_rows(Contract.objects.all()))


@login_required
def contract_edit(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_edit_contract)
    policy = policy_of(contract)
    form = ContractForm(
        request.POST or None, instance=contract, locality=contract.locality, user=request.user, policy=policy
    )
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: update_contract(contract, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("planners:contract", pk)
    context = {"form": form, "locality": contract.locality, "policy": policy, "contract": contract}
    context["rules"] = _rules(policy)
    return render(request, "planners/contract_form.html", context)


def _page(request: PersonRequest, form: Any, contract: Contract, title: str, **extra: Any) -> HttpResponse:
    back = reverse("planners:contract", args=[contract.pk])
    crumbs = [("聘用合同", reverse("planners:contract-list")), (contract.number, back), (title.split("：")[0], "")]
    context = {"form": form, "title": title, "note": contract.number, "back": back, "crumbs": crumbs, **extra}
    return render(request, "planners/simple_form.html", context)


@login_required
def contract_sign(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_sign_contract)
    form = SignForm(request.POST or None, initial={"signed_on": contract.signed_on or timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        day = form.cleaned_data["signed_on"]
        signed = attempt(form, lambda: sign_contract(contract, actor=request.user, signed_on=day))
        if signed is not None:
            messages.success(request, f"合同 {contract.number} 已登记签订，适用“{signed.policy_version}”。")
            return redirect("planners:contract", pk)
    extra = {"warning": CONTRACT.move("sign").danger, "submit": "登记签订"}
    extra |= people_context(request.user, contract, policy_of(contract))
    return _page(request, form, contract, "登记签订", **extra)


@login_required
def contract_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_cancel_contract)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(form, lambda: cancel_contract(contract, actor=request.user, reason=reason)) is not None:
            messages.success(request, "草稿已作废。")
            return redirect("planners:contract", pk)
    return _page(request, form, contract, "作废草稿", submit="作废")


@login_required
def contract_end(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_end_contract)
    form = EndContractForm(request.POST or None, initial={"ended_on": timezone.localdate()})
    grounds = policy_of(contract).get("contract.exit_grounds")
    if grounds.is_set:
        form.fields["reason"].help_text = f"制度规定的退出情形：{'、'.join(grounds.value)}（{grounds.clause}）。"
    if request.method == "POST" and form.is_valid():
        day, reason = form.cleaned_data["ended_on"], form.cleaned_data["reason"]
        if attempt(form, lambda: end_contract(contract, actor=request.user, on=day, reason=reason)) is not None:
            messages.success(request, "合同已终止，派驻安排同日结束。")
            return redirect("planners:contract", pk)
    warning = "终止后，派驻安排同日结束，之后的履职不再计入。"
    return _page(request, form, contract, "终止合同", warning=warning, submit="终止合同")
