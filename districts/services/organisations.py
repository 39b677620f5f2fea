"""Organisations and their named contacts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import changes_of, save_checked
from districts.models import Contact, Locality, Organisation, Unit
from districts.permissions import (
    can_add_contact,
    can_edit_contact,
    can_edit_organisation,
    can_manage_locality,
    can_see_contact_phone,
)
from districts.signals import organisation_closed

audit.register_actions(
    {
        "organisation.create": "登记单位",
        "organisation.update": "修改单位",
        "contact.create": "登记联系人",
        "contact.update": "修改联系人",
        "contact.unmask": "查看联系人完整电话",
    }
)


@transaction.atomic
def create_organisation(locality: Locality, *, actor: User, name: str, kind: str) -> Organisation:
    """Raises Refused and ValidationError (the name is taken)."""
    require(can_manage_locality(actor, locality))
    organisation = Organisation(locality=locality, name=name.strip(), kind=kind)
    save_checked(organisation)
    audit.record("organisation.create", actor=actor, obj=organisation, locality=locality, detail={"name": name})
    return organisation


@transaction.atomic
def update_organisation(organisation: Organisation, *, actor: User, **values: Any) -> Organisation:
    """Change it; one that is closed leaves its matters to `succeeded_by` (signal `organisation_closed`).

    Raises Refused and ValidationError (also: it still owes something and nobody can go on with it).
    """
    require(can_edit_organisation(actor, organisation))
    was_active = organisation.is_active
    changed = changes_of(organisation, values)
    heir = organisation.succeeded_by
    if heir is not None and (heir.locality_id != organisation.locality_id or not heir.is_active):
        raise ValidationError({"succeeded_by": "承接单位须为本地方在用的单位。"})
    save_checked(organisation)
    if was_active and not organisation.is_active:
        organisation_closed.send(Organisation, organisation=organisation, heir=heir, actor=actor)
    if changed:
        audit.record(
            "organisation.update", actor=actor, obj=organisation, locality=organisation.locality, detail=changed
        )
    return organisation


@transaction.atomic
def add_contact(
    organisation: Organisation,
    *,
    actor: User,
    duty: str,
    name: str,
    unit: Unit | None = None,
    post: str = "",
    phone: str = "",
) -> Contact:
    """A named contact of an organisation, for one unit or for all of its work (聊城市责任规划师制度 四(三)).

    Raises Refused and ValidationError.
    """
    require(can_edit_organisation(actor, organisation) if unit is None else can_add_contact(actor, unit))
    if unit is not None and unit.locality_id != organisation.locality_id:
        raise ValidationError({"organisation": "单位与责任单元不属于同一地方。"})
    contact = Contact(organisation=organisation, unit=unit, duty=duty, name=name.strip(), post=post, phone=phone)
    save_checked(contact)
    audit.record("contact.create", actor=actor, obj=contact, locality=organisation.locality, detail={"name": name})
    return contact


@transaction.atomic
def update_contact(contact: Contact, *, actor: User, **values: Any) -> Contact:
    """Raises Refused and ValidationError. A number never enters the audit entry, only that it changed."""
    require(can_edit_contact(actor, contact))
    changed = changes_of(contact, values)
    save_checked(contact)
    if changed:
        locality = contact.organisation.locality
        audit.record("contact.update", actor=actor, obj=contact, locality=locality, detail=changed)
    return contact


@transaction.atomic
def reveal_contact_phone(contact: Contact, *, actor: User, reason: str) -> str:
    """The full number, with an audit entry that holds the reason. Raises Refused and ValidationError (no reason)."""
    require(can_see_contact_phone(actor, contact))
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": "请写明查看原因。"})
    audit.record(
        "contact.unmask",
        actor=actor,
        obj=contact,
        locality=contact.organisation.locality,
        detail={"field": "phone", "reason": reason.strip()},
    )
    return contact.phone
