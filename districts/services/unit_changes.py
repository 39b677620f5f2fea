"""Units that change: renamed, merged, split, retired, handed to another locality (docs/decisions/units-that-change.md).

Each is one act in one transaction: the units, who works for them, and whatever the apps above keep under them
(`districts.signals.unit_changed`). Nothing recorded is rewritten; a mistaken change is mended by a further one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.models import StoredFile
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from districts.models import Charge, Locality, Membership, Organisation, Unit, UnitChange, UnitPart, UnitSuccession
from districts.passing import STOP, Effect, Passing
from districts.permissions import can_change_unit
from districts.services.unit_people import contacts_to_pass, pass_contacts, pass_memberships
from districts.services.units import PartGiven, build_unit
from districts.signals import unit_changed

audit.register_actions(
    {"unit.change": "变更责任单元", "unit.settle": "责任单元变更生效", "unit.change_export": "导出责任单元变更"}
)
Kind = UnitChange.Kind
_FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Order:
    """What every change states: the first day of the new order, and the document that orders it.

    `seen`: the newest change of all when the actor began (`newest_change()`; None: not asked); a newer one of these
    units means that somebody else was at them.
    `choices`: what becomes of single rows, by the keys of their effects; whatever is not named goes the usual way.
    `tentative`: for a rehearsal: what stands in the way is one of its rows, beside the choices that may clear it.
    """

    effective: date
    document_number: str
    document_date: date
    note: str = ""
    scan: StoredFile | None = None
    seen: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit that a change sets up; without `parts` the ordering document says what it covers."""

    name: str
    kind: str
    office: Organisation | None = None
    parts: tuple[PartGiven, ...] = ()


def newest_change(units: Iterable[int] | None = None) -> int:
    """The newest change that concerns any of these units (ids; None: any unit at all); 0 when there is none."""
    rows = UnitSuccession.objects.all()
    if units is not None:
        ids = list(units)
        rows = rows.filter(Q(predecessor_id__in=ids) | Q(successor_id__in=ids))
    return rows.aggregate(newest=Max("change_id"))["newest"] or 0


class _Undone(Exception):
    """Takes a rehearsal back."""


def rehearse(act: Callable[[], UnitChange]) -> UnitChange:
    """What `act` would do, row by row: it is done in full and taken back, so that the preview is the act itself.

    The change is not in the database afterwards; its `rehearsal` holds the effects. Raises whatever `act` raises.
    """
    change = None
    try:
        with transaction.atomic():
            change = act()
            raise _Undone
    except _Undone:
        pass
    return change  # type: ignore[return-value]


@transaction.atomic
def rename_unit(unit: Unit, *, actor: User, order: Order, name: str) -> UnitChange:
    """A new name from a day on. Records keep the name of their day and are found under both.

    Raises Refused, StaleState (somebody changed the unit meanwhile), ValidationError (days; the name is taken or the
    same).
    """
    change, (unit,) = _begin([unit], actor=actor, kind=Kind.RENAME, order=order)
    name = name.strip()
    if name == unit.name:
        raise ValidationError({"name": "与现在的名称相同。"})
    if Unit.objects.filter(locality=unit.locality_id, name=name, valid_to=None).exclude(pk=unit.pk).exists():
        raise ValidationError({"name": "本地方已有同名的责任单元。"})
    line = UnitSuccession.of(change, unit, unit, successor_name=name)
    words = Effect("责任单元", unit.name, f"自 {order.effective:%Y-%m-%d} 起称“{name}”，此前的记录保留原名")
    return _finish(order, [line], Passing(change, [unit], [unit], actor, order.choices), [words])


@transaction.atomic
def merge_units(unit: Unit, *, actor: User, order: Order, others: Sequence[Unit], into: Unit | NewUnit) -> UnitChange:
    """`unit` and `others` become one: a new unit, or one of them, which then goes on with the streets of all.

    Raises Refused, StaleState, ValidationError (fewer than two, another locality's, days, the new name is taken).
    """
    if not others or any(other.pk == unit.pk for other in others):
        raise ValidationError({"others": "请选择要与之合并的其他责任单元。"})
    if any(other.locality_id != unit.locality_id for other in others):
        raise ValidationError({"others": "只能合并同一地方的责任单元；跨地方的请先办理划转。"})
    change, units = _begin([unit, *others], actor=actor, kind=Kind.MERGE, order=order)
    if isinstance(into, Unit) and all(into.pk != each.pk for each in units):
        raise ValidationError({"into": "合并后的单元应为所选单元之一，或新设。"})
    ending = [each for each in units if not (isinstance(into, Unit) and each.pk == into.pk)]
    effects = [_end(each, order) for each in ending]
    if isinstance(into, Unit):
        target = next(each for each in units if each.pk == into.pk)
        effects.append(Effect("责任单元", target.name, f"自 {order.effective:%Y-%m-%d} 起并入其范围，继续存在"))
    else:
        target = _found(unit.locality, replace(into, parts=into.parts or _parts_of(units)), order, like=units)
        effects.append(_founded(target))
    lines = [UnitSuccession.of(change, each, target) for each in ending]
    return _finish(order, lines, Passing(change, ending, [target], actor, order.choices), effects)


@transaction.atomic
def split_unit(unit: Unit, *, actor: User, order: Order, into: Sequence[NewUnit], keep: bool = False) -> UnitChange:
    """`unit` becomes several; with `keep` it goes on beside what is taken out of it.

    Raises Refused, StaleState, ValidationError (too few, doubled or taken names, days).
    """
    least = 1 if keep else 2
    if len(into) < least:
        raise ValidationError({"into": f"请至少填写 {least} 个新单元。"})
    names = [each.name.strip() for each in into]
    if len(set(names)) < len(names) or (keep and unit.name in names):
        raise ValidationError({"into": "各单元的名称不能相同。"})
    change, (unit,) = _begin([unit], actor=actor, kind=Kind.SPLIT, order=order)
    effects = [] if keep else [_end(unit, order)]
    if keep:
        effects.append(Effect("责任单元", unit.name, "继续存在，范围缩小"))
    made = [_found(unit.locality, each, order, like=[unit]) for each in into]
    effects += [_founded(each) for each in made]
    lines = [UnitSuccession.of(change, unit, each) for each in made]
    targets = [unit, *made] if keep else made
    return _finish(order, lines, Passing(change, [unit], targets, actor, order.choices), effects)


@transaction.atomic
def end_unit(unit: Unit, *, actor: User, order: Order) -> UnitChange:
    """Retire a unit for good: nothing comes after it. Raises Refused, StaleState, ValidationError."""
    change, (unit,) = _begin([unit], actor=actor, kind=Kind.RETIRE, order=order)
    effects = [_end(unit, order)]
    lines = [UnitSuccession.of(change, unit, None)]
    return _finish(order, lines, Passing(change, [unit], [], actor, order.choices), effects)


@transaction.atomic
def hand_over(unit: Unit, *, actor: User, order: Order, to: Locality, name: str = "") -> UnitChange:
    """To another locality: what was recorded stays with the old one under its policy; the new one starts afresh.

    Contracts, roles and contacts belong to a locality and are not taken along. Side effects: besides those of every
    change, the unit in the new locality (its bureau is told and completes it).
    Raises Refused, StaleState, ValidationError (the same locality, one that does not run the system, name taken).
    """
    if to.pk == unit.locality_id or not to.is_active:
        raise ValidationError({"to": "请选择另一个已启用的地方。"})
    change, (unit,) = _begin([unit], actor=actor, kind=Kind.HANDOVER, order=order)
    effects = [_end(unit, order)]
    made = _found(to, NewUnit(name.strip() or unit.name, unit.kind), order, like=[])
    effects.append(Effect("责任单元", f"{made}（{to}）", f"自 {order.effective:%Y-%m-%d} 起由{to}管理，适用{to}的制度"))
    lines = [UnitSuccession.of(change, unit, made)]
    change = _finish(order, lines, Passing(change, [unit], [], actor, order.choices), effects)
    text = f"“{unit}”自 {order.effective:%Y-%m-%d} 起由{unit.locality}划入，请补充范围、主管部门和派驻安排。"
    notify(_bureau_of(to), kind="unit", text=text, url=_url(made), key=f"unit-handover-{change.pk}")
    return change


def _begin(units: Sequence[Unit], *, actor: User, kind: UnitChange.Kind, order: Order) -> tuple[UnitChange, list[Unit]]:
    """The change, saved, and its units under lock in the order given. Refuses what is stale, not allowed or undated."""
    ids = [unit.pk for unit in units]
    rows = (
        Unit.objects.select_for_update(of=("self",)).filter(pk__in=ids).select_related("locality", "charge", "office")
    )
    locked = {unit.pk: unit for unit in rows.order_by("pk")}
    if order.seen is not None and newest_change(ids) > order.seen:
        raise StaleState("已被他人处理：其中的责任单元刚刚办理过变更，请查看最新情况后再办理。")
    for unit in locked.values():
        require(can_change_unit(actor, unit))
    _check_days(list(locked.values()), order)
    change = UnitChange(
        locality=units[0].locality, kind=kind, effective=order.effective, document_number=order.document_number.strip(),
        document_date=order.document_date, scan=order.scan, note=order.note.strip(), created_by=actor,
    )  # fmt: skip
    save_checked(change)
    return change, [locked[pk] for pk in ids]


def _check_days(units: Sequence[Unit], order: Order) -> None:
    today = timezone.localdate()
    if order.document_date > today:
        raise ValidationError({"document_date": "文件日期不能晚于今天。"})
    if order.effective > today + _FARTHEST:
        raise ValidationError({"effective": "生效日期最远填到一年之后。"})
    for unit in units:
        if unit.valid_from is not None and order.effective <= unit.valid_from:
            day = unit.valid_from.isoformat()
            raise ValidationError({"effective": f"“{unit}”于 {day} 设立，生效日期须晚于这一天。"})
    lines = Q(lines__predecessor__in=units) | Q(lines__successor__in=units)
    last = UnitChange.objects.filter(lines).aggregate(last=Max("effective"))["last"]
    if last is not None and order.effective < last:
        raise ValidationError({"effective": f"上一次变更于 {last.isoformat()} 生效，本次不能早于这一天。"})


def _end(unit: Unit, order: Order) -> Effect:
    last = order.effective - timedelta(days=1)
    # The lock says nobody is at it now; this says that nobody was, on a database without row locks too.
    if not Unit.objects.filter(pk=unit.pk, valid_to=None).update(valid_to=last):
        raise StaleState
    unit.valid_to = last
    return Effect("责任单元", unit.name, f"到 {last:%Y-%m-%d} 为止，此后不再记录；已有记录仍在其名下")


def _found(locality: Locality, given: NewUnit, order: Order, *, like: Sequence[Unit]) -> Unit:
    """The new unit, from the effective day; area type and office of those it comes of, where they agree."""
    areas, offices = {unit.area_type for unit in like}, {unit.office_id for unit in like}
    office = given.office or (like[0].office if len(offices) == 1 else None)
    try:
        return build_unit(
            locality, name=given.name, kind=given.kind, parts=given.parts, valid_from=order.effective, office=office,
            origin=Unit.Origin.DIVISION if given.parts else Unit.Origin.DOCUMENT,
            source=f"{order.document_number.strip()}", area_type=areas.pop() if len(areas) == 1 else "",
        )  # fmt: skip
    except ValidationError as error:
        raise ValidationError({"into": [f"“{given.name}”：{message}" for message in error.messages]}) from error


def _founded(unit: Unit) -> Effect:
    return Effect("责任单元", unit.name, f"自 {unit.valid_from:%Y-%m-%d} 起设立")


def _parts_of(units: Iterable[Unit]) -> tuple[PartGiven, ...]:
    """The streets of all; one that several held parts of is held whole only where one of them held it whole."""
    found: dict[str, PartGiven] = {}
    for part in UnitPart.objects.filter(unit__in=list(units)).select_related("division").order_by("division", "pk"):
        known = found.get(part.division_id)
        whole = known is not None and (not known.portion or not part.portion)
        portion = "" if whole else part.portion if known is None else f"{known.portion}、{part.portion}"[:200]
        found[part.division_id] = PartGiven(part.division, portion)
    return tuple(found.values())


def _finish(order: Order, lines: Sequence[UnitSuccession], passing: Passing, effects: Sequence[Effect]) -> UnitChange:
    """Everything that goes with the units, in one order: people, what the apps above keep, history, notices.

    Raises ValidationError for what stands in the way.
    """
    change = passing.change
    UnitSuccession.objects.bulk_create(lines)
    Unit.objects.filter(pk__in=[x.successor_id for x in lines if x.successor and not x.is_rename]).update(has_past=True)
    found = [*effects, *pass_memberships(passing)]
    answers: list[tuple[Any, Any]] = unit_changed.send(sender=UnitChange, passing=passing)
    for _, rows in answers:
        found += rows or ()
    found += contacts_to_pass(passing)
    stops = [f"{effect.what}，{effect.becomes}" for effect in found if effect.tone == STOP]
    if stops and not order.tentative:
        raise ValidationError({"effective": stops})
    change.effects = [effect.as_json() for effect in found]
    change.save(update_fields=["effects"])
    change.rehearsal = found  # type: ignore[attr-defined]
    detail = {
        "kind": change.get_kind_display(), "effective": change.effective.isoformat(), "units": [str(x) for x in lines],
        "document": change.document_number, "reason": f"{change.document_number}，{'；'.join(str(x) for x in lines)}",
    }  # fmt: skip
    for unit in {unit.pk: unit for line in lines for unit in (line.predecessor, line.successor) if unit}.values():
        audit.record("unit.change", actor=passing.actor, obj=unit, locality=unit.locality, detail=detail)
    text = f"责任单元{change.get_kind_display()}：{'；'.join(str(line) for line in lines)}，{change.effective:%Y-%m-%d} 起生效。"
    others = [user for user in _bureau_of(change.locality) if user.pk != passing.actor.pk]
    notify(others, kind="unit", text=text, url=change.get_absolute_url(), key=f"unit-change-{change.pk}")
    if change.effective <= timezone.localdate():
        settle(change)
    return change


def _bureau_of(locality: Locality) -> list[User]:
    rows = Membership.objects.valid_on(timezone.localdate()).filter(role=Role.BUREAU, locality=locality)
    return list(User.objects.filter(pk__in=rows.values("user_id"), is_active=True))


def _url(unit: Unit) -> str:
    return reverse("districts:unit", args=[unit.pk])


@transaction.atomic
def settle(change: UnitChange) -> bool:
    """On the effective day: the new name, the streets, the contacts; whoever ended takes nothing new. Once.

    Raises ValidationError when a new name has been taken meanwhile.
    """
    if not UnitChange.objects.filter(pk=change.pk, settled=None).update(settled=timezone.now()):
        return False
    rows = change.lines.select_related("predecessor__charge", "predecessor__locality", "successor")
    lines = list(rows)
    for line in lines:
        if line.is_rename:
            _rename(line.predecessor, line.successor_name)
    ended = {line.predecessor_id: line.predecessor for line in lines if line.predecessor.valid_to is not None}
    Charge.objects.filter(unit__in=ended).update(is_active=False)
    if change.kind in (Kind.MERGE, Kind.SPLIT):
        pass_contacts(ended.values(), {line.successor_id: line.successor for line in lines if line.successor}.values())
        _pass_parts(lines, ended)
    audit.record("unit.settle", actor=None, obj=change, locality=change.locality)
    return True


def _rename(unit: Unit, name: str) -> None:
    unit.name = name
    save_checked(unit)
    Charge.objects.filter(pk=unit.charge_id).update(name=name)


def _pass_parts(lines: Sequence[UnitSuccession], ended: Mapping[int, Unit]) -> None:
    """A unit that others were merged into covers their streets too; one that goes on smaller gives up whole streets."""
    for line in lines:
        if line.successor is None:
            continue
        theirs = set(line.successor.parts.values_list("division_id", flat=True))
        if line.predecessor_id in ended:
            missing = line.predecessor.parts.exclude(division_id__in=theirs)
            if line.change.kind == Kind.MERGE:
                UnitPart.objects.bulk_create(
                    [UnitPart(unit=line.successor, division_id=p.division_id, portion=p.portion) for p in missing]
                )
        else:
            whole = line.successor.parts.filter(portion="").values("division_id")
            line.predecessor.parts.filter(division_id__in=whole).delete()


def settle_due(*, on: date | None = None) -> int:
    """Settle every change whose day has come; the number settled. One that cannot be settled is told its officer."""
    day, done = on or timezone.localdate(), 0
    for change in UnitChange.objects.filter(settled=None, effective__lte=day).select_related("locality").order_by("pk"):
        try:
            done += settle(change)
        except ValidationError as error:
            text = f"责任单元变更“{change}”未能落实：{'；'.join(error.messages)}"
            notify(
                change.created_by, kind="unit", text=text, url=change.get_absolute_url(), key=f"unsettled-{change.pk}"
            )
    return done
