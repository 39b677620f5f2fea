"""Units: created with their charge, changed, renamed and retired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import changes_of, save_checked
from districts.models import Charge, Division, Locality, Organisation, Unit, UnitPart
from districts.permissions import can_edit_unit, can_manage_locality

audit.register_actions(
    {
        "unit.create": "设立责任单元",
        "unit.create_from_streets": "按街道设立责任单元",
        "unit.update": "修改责任单元",
        "unit.export": "导出责任单元",
    }
)


@dataclass(frozen=True, slots=True)
class PartGiven:
    """A street or town that a unit covers; `portion` says which part of it, empty for the whole."""

    division: Division
    portion: str = ""


def kind_of(division: Division) -> Unit.Kind:
    """What a street-level division is, by the word that ends its official name."""
    name = division.name
    if name.endswith(("街道", "街道办事处")):
        return Unit.Kind.STREET
    if any(word in name for word in ("开发区", "园区", "工业园", "产业园", "新区", "管委会")):
        return Unit.Kind.PARK
    return Unit.Kind.TOWN if name.endswith(("镇", "乡", "苏木")) else Unit.Kind.OTHER


@transaction.atomic
def create_unit(
    locality: Locality,
    *,
    actor: User,
    name: str,
    kind: str,
    origin: str,
    parts: Sequence[PartGiven] = (),
    area_type: str = "",
    office: Organisation | None = None,
    source: str = "",
    valid_from: date | None = None,
    note: str = "",
) -> Unit:
    """A new unit with its charge. Side effects: the charge, the parts, an audit entry.

    Raises Refused (not the bureau of the locality) and ValidationError (by field).
    """
    require(can_manage_locality(actor, locality))
    unit = build_unit(
        locality,
        name=name,
        kind=kind,
        origin=origin,
        area_type=area_type,
        office=office,
        source=source,
        valid_from=valid_from,
        note=note,
        parts=parts,
    )
    audit.record("unit.create", actor=actor, obj=unit, locality=locality, detail={"name": unit.name})
    return unit


def build_unit(locality: Locality, *, parts: Sequence[PartGiven], **values: Any) -> Unit:
    """The unit with its charge and parts, for callers that have authorised the actor and write the audit entry."""
    unit = Unit(locality=locality, **values)
    unit.name = unit.name.strip()
    _check_parts(unit, parts)
    _check_office(unit)
    unit.full_clean(exclude=["charge"])
    unit.charge = Charge.objects.create(kind=Charge.Kind.UNIT, locality=locality, name=unit.name)
    save_checked(unit)
    UnitPart.objects.bulk_create([UnitPart(unit=unit, division=p.division, portion=p.portion) for p in parts])
    return unit


def _check_parts(unit: Unit, parts: Sequence[PartGiven]) -> None:
    if unit.origin == Unit.Origin.DIVISION and not parts:
        raise ValidationError({"parts": "请至少选择一个街道（乡镇）；没有对应行政区划的，来源请选“文件确定”。"})
    codes = [part.division.code for part in parts]
    if len(set(codes)) < len(codes):
        raise ValidationError({"parts": "同一街道（乡镇）只需选择一次。"})
    home = unit.locality.division_id
    outside = [part.division.name for part in parts if home and not part.division.code.startswith(home)]
    if outside:
        raise ValidationError({"parts": f"{'、'.join(outside)}不在本地方的行政区划内。"})


def _check_office(unit: Unit) -> None:
    if unit.office and unit.office.locality_id != unit.locality_id:
        raise ValidationError({"office": "主管部门应为本地方的单位。"})


@transaction.atomic
def update_unit(unit: Unit, *, actor: User, parts: Sequence[PartGiven] | None = None, **values: Any) -> Unit:
    """Change a unit; a new name goes to its charge as well (records keep the name of their day).

    `values` are fields of Unit; `parts`, when given, replace the old ones. Raises Refused and ValidationError.
    """
    require(can_edit_unit(actor, unit))
    unit = Unit.objects.select_for_update(of=("self",)).select_related("locality", "charge").get(pk=unit.pk)
    changed = changes_of(unit, {**values, "name": str(values.get("name", unit.name)).strip()})
    before = [PartGiven(p.division, p.portion) for p in unit.parts.select_related("division").order_by("division")]
    after = before if parts is None else sorted(parts, key=lambda p: p.division.code)
    if parts is not None or "origin" in changed:
        _check_parts(unit, after)
    _check_office(unit)
    if "name" in changed:
        Charge.objects.filter(pk=unit.charge_id).update(name=unit.name)
    if "valid_to" in changed:
        current = not unit.valid_to or unit.valid_to >= timezone.localdate()
        Charge.objects.filter(pk=unit.charge_id).update(is_active=current)
    save_checked(unit)
    if after != before:
        unit.parts.all().delete()
        UnitPart.objects.bulk_create([UnitPart(unit=unit, division=p.division, portion=p.portion) for p in after])
        changed["parts"] = [_listed(before), _listed(after)]
    if changed:
        audit.record("unit.update", actor=actor, obj=unit, locality=unit.locality, detail=changed)
    return unit


def _listed(parts: Sequence[PartGiven]) -> str:
    return "、".join(p.division.name + (f"（{p.portion}）" if p.portion else "") for p in parts)


def retire_unit(unit: Unit, *, actor: User, on: date) -> Unit:
    """End a unit on a day: it and its records stay readable, nothing new can be assigned to it.

    Raises Refused, and ValidationError when the day lies before the unit began.
    """
    return update_unit(unit, actor=actor, valid_to=on)


def create_units_from_streets(locality: Locality, *, actor: User, divisions: Sequence[Division]) -> list[Unit]:
    """One unit per street or town, named after it; those whose name the locality already has are left out.

    For a caller that has authorised the actor (starting a locality): checks nothing about the actor itself.
    """
    present = set(Unit.objects.filter(locality=locality, valid_to=None).values_list("name", flat=True))
    names = [division.name for division in divisions]
    made = []
    for division in divisions:
        # Two towns of one name in different counties of a city are told apart by their county.
        name = division.name if names.count(division.name) == 1 else f"{division.parent}{division.name}"
        if name in present:
            continue
        made.append(
            build_unit(
                locality, name=name, kind=kind_of(division), origin=Unit.Origin.DIVISION, parts=[PartGiven(division)]
            )
        )
    if made:
        detail = {"units": [unit.name for unit in made]}
        audit.record("unit.create_from_streets", actor=actor, obj=locality, locality=locality, detail=detail)
    return made
