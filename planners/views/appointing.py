"""Pages under a contract: yearly signings and assignments."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for
from planners.forms import EndForm
from planners.forms_contracts import AssignmentForm, SigningForm
from planners.models import AnnualSigning, Assignment, Contract
from planners.permissions import can_add_signing, can_assign, can_end_assignment
from planners.qualified import people_context
from planners.reads import contract_people, contract_rows, holder_of
from planners.services.assigning import assign, end_assignment
from planners.services.contracts import add_annual_signing, policy_of
from planners.services.terms import unsigned_years, years_of


def _page(request: PersonRequest, form: Any, contract: Contract, title: str, **extra: Any) -> HttpResponse:
    back = reverse("planners:contract", args=[contract.pk])
    crumbs = [("聘用合同", reverse("planners:contract-list")), (contract.number, back), (title.split("：")[0], "")]
    context = {"form": form, "title": title, "note": contract.number, "back": back, "crumbs": crumbs, **extra}
    return render(request, "planners/simple_form.html", context)


def _contract(request: PersonRequest, pk: int, predicate: Any) -> Contract:
    return get_for(request.user, Contract, pk, predicate, queryset=contract_rows(Contract.objects.all()))


def _next_year(contract: Contract) -> tuple[date, date]:
    """The first contract year that has no signing yet, else the first of all."""
    missing = unsigned_years(contract, list(contract.signings.all()), on=contract.end)
    return (missing or years_of(contract))[0]


@login_required
def signing_create(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_add_signing)
    start, end = _next_year(contract)
    initial = {"start": start, "end": end, "signed_on": timezone.localdate(), "fee": contract.annual_fee}
    form = SigningForm(request.POST or None, instance=AnnualSigning(contract=contract), initial=initial)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: add_annual_signing(contract, actor=request.user, **data))
        if made is not None:
            messages.success(request, "已登记年度签约。")
            return redirect("planners:contract", pk)
    return _page(request, form, contract, "登记年度签约")


@login_required
def assignment_create(request: PersonRequest, pk: int) -> HttpResponse:
    contract = _contract(request, pk, can_assign)
    form = AssignmentForm(request.POST or None, contract=contract, user=request.user)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: _assign(contract, request.user, data))
        if made is not None:
            messages.success(request, f"已安排：{holder_of(made)} → {made.charge}。")
            return redirect("planners:contract", pk)
    people = contract_people(contract)
    return _page(
        request, form, contract, "安排派驻", **people_context(request.user, contract, policy_of(contract), people)
    )


def _assign(contract: Contract, actor: Any, data: dict[str, Any]) -> Assignment:
    holder = data.pop("holder")
    kind = type(holder).__name__.lower()
    return assign(contract, data.pop("charge"), actor=actor, **{kind: holder}, **data)


@login_required
def assignment_end(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Assignment.objects.select_related("contract__locality", "charge", "planner", "group__team", "team")
    row = get_for(request.user, Assignment, pk, can_end_assignment, queryset=rows)
    form = EndForm(request.POST or None, initial={"end": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        day = form.cleaned_data["end"]
        if attempt(form, lambda: end_assignment(row, actor=request.user, on=day)) is not None:
            messages.success(request, "已登记派驻的截止日期。")
            return redirect("planners:contract", row.contract_id)
    return _page(request, form, row.contract, f"结束派驻：{holder_of(row)} → {row.charge}")
