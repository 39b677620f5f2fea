"""Planners and institutions: entered, corrected, looked up; sensitive fields read with reason and audit."""

from __future__ import annotations

from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.crypto import blind_index
from core.names import normalise_name
from core.permissions import require
from core.saving import changes_of, save_checked
from districts.models import Locality
from planners.models import Institution, Planner
from planners.permissions import (
    can_edit_institutions,
    can_edit_planner,
    can_register,
    can_see_identity,
    can_see_phone,
)
from planners.querysets import PlannerQuerySet
from planners.validators import clean_other_document, clean_resident_number

# What an outsider may set; everything else of the row follows from these.
FIELDS = frozenset(
    {
        "name", "identity_kind", "identity_number", "phone", "institution", "profession", "title", "registrations",
        "education", "practising_since", "is_secondee", "is_active", "note", "user",
    }
)  # fmt: skip


class NamesakeFound(ValidationError):
    """The locality has somebody of this name; `others` are shown, and the caller confirms that this is another."""

    def __init__(self, others: list[Planner]) -> None:
        super().__init__({"confirm_namesake": "本地方已有同名规划师，请核对；确为不同的人，请勾选确认。"})
        self.others = others


def namesakes(name: str, locality: Locality, *, exclude: Planner | None = None) -> PlannerQuerySet:
    """Planners of the locality with exactly this name, `exclude` left out."""
    rows = Planner.objects.filter(locality=locality, name=normalise_name(name))
    return rows.exclude(pk=exclude.pk) if exclude is not None and exclude.pk else rows


def fill_derived(planner: Planner) -> None:
    """Bring name and document number into the form they are kept in; set the number's keyed hash and tail."""
    planner.name = normalise_name(planner.name)
    number = planner.identity_number or ""
    if number:
        resident = planner.identity_kind == Planner.IdentityKind.RESIDENT
        try:
            number = clean_resident_number(number) if resident else clean_other_document(number)
        except ValidationError as exc:
            raise ValidationError({"identity_number": exc.messages}) from exc
    planner.identity_number = number
    planner.identity_index = blind_index(number) if number else ""
    planner.identity_tail = number[-4:]


def _save(planner: Planner) -> None:
    twin = (
        planner.identity_index
        and Planner.objects.filter(locality_id=planner.locality_id, identity_index=planner.identity_index)
        .exclude(pk=planner.pk)
        .first()
    )
    if twin:
        raise ValidationError({"identity_number": f"该证件号码已登记（{twin.name}）。"})
    save_checked(planner, exclude=["sort_key"])


def _set(planner: Planner, values: dict[str, Any]) -> dict[str, list[str]]:
    unknown = values.keys() - FIELDS
    if unknown:
        raise TypeError(f"not fields of a planner: {sorted(unknown)}")
    return changes_of(planner, values)


@transaction.atomic
def create_planner(locality: Locality, *, actor: User, confirm_namesake: bool = False, **values: Any) -> Planner:
    """Enter a planner; `values` are the fields named in FIELDS.

    Raises Refused, ValidationError (by field: bad document number, registered already), and NamesakeFound when the
    locality has somebody of the same name and the caller has not confirmed that this is another person.
    """
    require(can_register(actor, locality))
    planner = Planner(locality=locality)
    _set(planner, values)
    fill_derived(planner)
    others = list(namesakes(planner.name, locality))
    if others and not confirm_namesake:
        raise NamesakeFound(others)
    _save(planner)
    audit.record(
        "planner.create",
        actor=actor,
        obj=planner,
        locality=locality,
        detail={"name": planner.name, "namesakes": [other.pk for other in others]},
    )
    return planner


@transaction.atomic
def update_planner(planner: Planner, *, actor: User, confirm_namesake: bool = False, **values: Any) -> Planner:
    """Correct a planner's entry. The audit entry says what changed, for secret fields only that they did.

    Raises Refused, ValidationError, NamesakeFound (when the name is changed to one that is taken).
    """
    require(can_edit_planner(actor, planner))
    planner = Planner.objects.select_for_update(of=("self",)).select_related("locality").get(pk=planner.pk)
    changed = _set(planner, values)
    fill_derived(planner)
    others = list(namesakes(planner.name, planner.locality, exclude=planner))
    if "name" in changed and others and not confirm_namesake:
        raise NamesakeFound(others)
    _save(planner)
    if changed:
        audit.record("planner.update", actor=actor, obj=planner, locality=planner.locality, detail={"changed": changed})
    return planner


@transaction.atomic
def reveal(planner: Planner, field: Literal["identity_number", "phone"], *, actor: User, reason: str) -> str:
    """The whole identity or phone number, with an audit entry that holds the reason (个人信息保护法: 目的明确).

    Raises Refused, and ValidationError when no reason is given.
    """
    require((can_see_identity if field == "identity_number" else can_see_phone)(actor, planner))
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": "请写明查看原因。"})
    audit.record(
        "planner.unmask",
        actor=actor,
        obj=planner,
        locality=planner.locality,
        detail={"field": field, "reason": reason.strip()},
    )
    return str(getattr(planner, field))


@transaction.atomic
def save_institution(institution: Institution, *, actor: User, **values: Any) -> Institution:
    """Enter or correct an institution. Raises Refused and ValidationError (the name is taken)."""
    require(can_edit_institutions(actor))
    new = institution.pk is None
    changed = changes_of(institution, values)
    save_checked(institution)
    if changed:
        action = "institution.create" if new else "institution.update"
        audit.record(action, actor=actor, obj=institution, detail={"changed": changed})
    return institution
