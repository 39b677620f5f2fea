"""Pages of organisations and named contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html

from core.formtools import attempt, attempt_once, changes
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.filters import OrganisationFilter
from districts.forms import ContactForm, OrganisationForm, RevealForm
from districts.models import Contact, Locality, Organisation, Unit
from districts.permissions import (
    can_add_contact,
    can_edit_contact,
    can_edit_organisation,
    can_manage_locality,
    can_see_contact_phone,
    managed_place,
)
from districts.services.organisations import (
    add_contact,
    create_organisation,
    reveal_contact_phone,
    update_contact,
    update_organisation,
)


class OrganisationList(FilteredListView):
    template_name = "districts/organisation_list.html"
    filter_class = OrganisationFilter
    caption = sheet = "单位"
    columns = (
        Column("名称", "name", "main"), Column("类别", "kind"), Column("地方"), Column("主管的责任单元", kind="num"),
        Column("联系人", kind="num"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return (
            Organisation.objects.visible_to(self.request.user)
            .select_related("locality")
            .annotate(
                unit_count=Count("units", distinct=True),
                contact_count=Count("contacts", filter=Q(contacts__is_active=True), distinct=True),
            )
        )

    def row(self, row: Any) -> Sequence[Any]:
        url = reverse("districts:organisation-edit", args=[row.pk])
        may = can_edit_organisation(self.request.user, row)
        return (
            format_html('<a href="{}">{}</a>', url, row.name) if may else row.name, row.get_kind_display(),
            row.locality.name, row.unit_count, row.contact_count,
            status_html("在用", "good") if row.is_active else status_html("停用", "neutral"),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["managed"] = managed_place(self.request.user)
        return context


@login_required
def organisation_create(request: PersonRequest, code: str) -> HttpResponse:
    locality = get_object_or_404(Locality.objects.visible_to(request.user), code=code)
    require(can_manage_locality(request.user, locality))
    form = OrganisationForm(request.POST or None, instance=Organisation(locality=locality))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: create_organisation(locality, actor=request.user, **data))
        if made is not None:
            messages.success(request, f"已登记“{made.name}”。")
            return redirect("districts:organisation-list")
    return render(request, "districts/organisation_form.html", {"form": form, "locality": locality})


@login_required
def organisation_edit(request: PersonRequest, pk: int) -> HttpResponse:
    organisation = get_for(
        request.user, Organisation, pk, can_edit_organisation, queryset=Organisation.objects.select_related("locality")
    )
    form = OrganisationForm(request.POST or None, instance=organisation)
    if request.method == "POST" and form.is_valid():
        fresh = Organisation.objects.select_related("locality").get(pk=pk)
        saved = attempt(form, lambda: update_organisation(fresh, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return redirect("districts:organisation-list")
    contacts = organisation.contacts.select_related("unit").order_by("-is_active", "duty", "name")
    context = {"form": form, "locality": organisation.locality, "organisation": organisation, "contacts": contacts}
    return render(request, "districts/organisation_form.html", context)


@login_required
def contact_create(request: PersonRequest, pk: int) -> HttpResponse:
    """A contact for the unit `pk`."""
    unit = get_for(request.user, Unit, pk, can_add_contact, queryset=Unit.objects.select_related("locality", "office"))
    organisations = Organisation.objects.filter(locality=unit.locality, is_active=True)
    form = ContactForm(request.POST or None, organisations=organisations, initial={"organisation": unit.office_id})
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form,
            request.user,
            lambda data: add_contact(data.pop("organisation"), actor=request.user, unit=unit, **data),
        )
        if made is not None:
            messages.success(request, f"已登记联系人“{made.name}”。")
            return redirect("districts:unit", unit.pk)
    return render(request, "districts/contact_form.html", {"form": form, "unit": unit})


@login_required
def contact_edit(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Contact.objects.select_related("organisation__locality", "unit")
    contact = get_for(request.user, Contact, pk, can_edit_contact, queryset=rows)
    form = ContactForm(request.POST or None, instance=contact, organisations=Organisation.objects.none())
    if request.method == "POST" and form.is_valid():
        fresh = rows.get(pk=pk)
        saved = attempt(form, lambda: update_contact(fresh, actor=request.user, **changes(form)))
        if saved is not None:
            messages.success(request, "已保存。")
            return _back(contact)
    return render(request, "districts/contact_form.html", {"form": form, "unit": contact.unit, "contact": contact})


@login_required
def contact_reveal(request: PersonRequest, pk: int) -> HttpResponse:
    """The whole number, after a reason has been given; the page itself is never stored."""
    rows = Contact.objects.select_related("organisation__locality", "unit")
    contact = get_for(request.user, Contact, pk, can_see_contact_phone, queryset=rows)
    form = RevealForm(request.POST or None)
    phone = None
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        phone = attempt(form, lambda: reveal_contact_phone(contact, actor=request.user, reason=reason))
    response = render(request, "districts/contact_reveal.html", {"form": form, "contact": contact, "phone": phone})
    response["Cache-Control"] = "no-store"
    return response


def _back(contact: Contact) -> HttpResponse:
    if contact.unit_id:
        return redirect("districts:unit", contact.unit_id)
    return redirect("districts:organisation-edit", contact.organisation_id)
