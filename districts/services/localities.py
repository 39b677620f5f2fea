"""Starting a locality from the table of divisions."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.permissions import require
from core.saving import save_checked
from districts.access import access_of
from districts.models import Division, Locality, Organisation, Unit
from districts.permissions import can_manage_locality, can_start_locality
from districts.services.memberships import appoint_starter
from districts.services.policy_loading import attach_packs
from districts.services.units import create_units_from_streets

audit.register_actions({"locality.start": "启用地方"})
# The table's own placeholders for "directly below": the place goes by the name of the level above.
_PLACEHOLDERS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


def locality_code(division: Division) -> str:
    """The six-digit code that names a locality; province and city level are padded (1405 → 140500)."""
    if division.level == Division.Level.STREET:
        raise ValidationError("请选择县级或地级行政区划。")
    return division.code.ljust(6, "0")


def locality_name(division: Division) -> str:
    if division.name in _PLACEHOLDERS and division.parent is not None:
        return division.parent.name
    return division.name


def streets_of(division: Division) -> list[Division]:
    """Every street and town of a county, or of all the counties of a city, in the order of the table."""
    if not division.code:
        return []
    return list(
        Division.objects.filter(level=Division.Level.STREET, code__startswith=division.code)
        .select_related("parent")
        .order_by("code")
    )


def streets_without_unit(locality: Locality) -> list[Division]:
    """The streets and towns that no current unit of the locality covers yet."""
    if locality.division is None:
        return []
    covered = set(
        Unit.objects.filter(locality=locality, valid_to=None, parts__isnull=False).values_list(
            "parts__division_id", flat=True
        )
    )
    return [street for street in streets_of(locality.division) if street.code not in covered]


@transaction.atomic
def start_locality(division: Division, *, actor: User, streets: Sequence[Division] = ()) -> Locality:
    """A locality for `division`, with its bureau and a unit for each of `streets`.

    A county finds its city above it, a city its counties below, where they have been started. A system
    administrator whose reach it lies outside of becomes its system administrator too (`appoint_starter`).
    Side effects: audit entries. Raises Refused, and ValidationError when it is started already or the streets lie
    elsewhere.
    """
    require(can_start_locality(actor, division))
    if any(not street.code.startswith(division.code) or len(street.code) != 9 for street in streets):
        raise ValidationError("所选街道（乡镇）不在该行政区划内。")
    locality = _start(division, actor=actor)
    if access_of(actor).is_role(Role.SYSADMIN) and not access_of(actor).covers(locality.parent_id or 0):
        appoint_starter(actor, locality=locality)
    create_units_from_streets(locality, actor=actor, divisions=streets)
    return locality


@transaction.atomic
def start_first_locality(division: Division) -> Locality:
    """A locality started by the operator of the server, before there is anybody who could.

    Side effects: audit entries. Raises ValidationError when it is started already.
    """
    return _start(division, actor=None)


def _start(division: Division, *, actor: User | None) -> Locality:
    code = locality_code(division)
    if Locality.objects.filter(code=code).exists():
        raise ValidationError("该地方已启用。")
    above = Locality.objects.filter(division_id=division.parent_id).first() if division.parent_id else None
    locality = Locality(code=code, name=locality_name(division), division=division, parent=above)
    save_checked(locality)
    if division.level == Division.Level.CITY:
        Locality.objects.filter(division__parent_id=division.code, parent=None).update(parent=locality)
    audit.record("locality.start", actor=actor, obj=locality, locality=locality, detail={"code": code})
    # Only a bureau enters organisations, and its officers' role names their organisation: one of them comes first.
    # The officers give it its full name.
    bureau = Organisation(locality=locality, name=f"{locality.name}规划主管部门", kind=Organisation.Kind.BUREAU)
    save_checked(bureau)
    audit.record("organisation.create", actor=actor, obj=bureau, locality=locality, detail={"name": bureau.name})
    attach_packs([locality])
    return locality


@transaction.atomic
def add_street_units(locality: Locality, *, actor: User, streets: Sequence[Division]) -> list[Unit]:
    """Units for further streets of a running locality. Raises Refused and ValidationError."""
    require(can_manage_locality(actor, locality))
    home = locality.division_id or ""
    if any(not street.code.startswith(home) or len(street.code) != 9 for street in streets):
        raise ValidationError("所选街道（乡镇）不在本地方的行政区划内。")
    return create_units_from_streets(locality, actor=actor, divisions=streets)
