"""The one place where a state changes: named moves applied by compare-and-swap.

Each app describes its machines in `<app>/transitions.py`; buttons (`available_moves`), services (`apply_move`),
audit and the diagrams in docs/states.md all read the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import DateField, DateTimeField, F, Model, QuerySet
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.notifications import Notice
from core.notifications import notify as send_notice
from core.permissions import Decision, Predicate, require

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Move:
    """A named step from any of `sources` to `target`.

    `predicate(user, obj)` says who may and why not. `needs_reason`: a reason must be given. `danger`: what the
    person is asked to confirm first (empty: nothing is asked).
    """

    name: str
    label: str
    sources: tuple[str, ...]
    target: str
    predicate: Predicate
    needs_reason: bool = False
    danger: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """The moves of one state field of one model ("app_label.Model").

    `version_field`: an integer field that every move raises by one, for models that guard more than their state.
    """

    model: str
    label: str
    moves: tuple[Move, ...]
    field: str = "state"
    version_field: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.model.lower())
        if len({move.name for move in self.moves}) < len(self.moves):
            raise ValueError(f"{self.name}: a move is named twice")

    def move(self, name: str) -> Move:
        """The move of that name; raises KeyError when there is none."""
        for move in self.moves:
            if move.name == name:
                return move
        raise KeyError(f"{self.name}: no move {name}")

    @property
    def model_class(self) -> type[Model]:
        return apps.get_model(self.model)

    def state_label(self, value: str) -> str:
        """The words of a state, from the field's choices."""
        choices: list[tuple[Any, Any]] = getattr(self.model_class._meta.get_field(self.field), "flatchoices", [])
        return str(dict(choices).get(value, value))


MACHINES: dict[str, Machine] = {}


def register(machine: Machine) -> Machine:
    """Make a machine known by name; raises ValueError when another one already has the name."""
    known = MACHINES.setdefault(machine.name, machine)
    if known is not machine:
        raise ValueError(f"two machines are named {machine.name}")
    return machine


def machine_for(machine: Machine | str) -> Machine:
    """The machine itself, or the registered one of that name ("app_label.model" in lower case)."""
    return machine if isinstance(machine, Machine) else MACHINES[machine.lower()]


def available_moves(machine: Machine | str, obj: Model, user: Any) -> list[tuple[Move, Decision]]:
    """The moves that start from the object's state, each with whether `user` may and, if not, why: for buttons."""
    machine = machine_for(machine)
    state = getattr(obj, machine.field)
    return [(move, move.predicate(user, obj)) for move in machine.moves if state in move.sources]


def apply_move(
    obj: M,
    machine: Machine | str,
    move_name: str,
    *,
    actor: Any,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    notify: Notice | Iterable[Notice] | Callable[[M], Notice | Iterable[Notice]] = (),
    detail: Mapping[str, Any] | None = None,
) -> M:
    """Move `obj` on, with `changes` to other fields, in one transaction; returns `obj` refreshed.

    Side effects: the UPDATE, one audit entry ("<model>.<move>"), the notices of `notify` (a function is called with
    the moved object).
    Raises: Refused (the predicate says no), ValidationError (reason missing), StaleState (somebody was first).
    """
    machine = machine_for(machine)
    move = machine.move(move_name)
    require(move.predicate(actor, obj))
    reason = _reason(move, reason)
    before = getattr(obj, machine.field)
    values = _values(machine, move, changes)
    with transaction.atomic():
        # The state that the predicate was asked about must still be the state: the loser of a race changes no row.
        rows = type(obj)._base_manager.filter(pk=obj.pk, **_guard(machine, before))
        if before not in move.sources or not rows.update(**values):
            raise _stale(machine, obj)
        obj.refresh_from_db(fields=list(values))
        audit.record(
            _action(obj, move),
            actor=actor,
            obj=obj,
            label=move.label,
            detail=_detail(machine, move, before, reason, detail),
        )
        for notice in _notices(notify, obj):
            send_notice(notice.users, kind=notice.kind, text=notice.text, url=notice.url, key=notice.key)
    return obj


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What one click did: `moved` keys in order; `refused` keys with the reason of each."""

    moved: list[Any]
    refused: dict[Any, str]


def bulk_apply_move(
    rows: QuerySet[M],
    machine: Machine | str,
    move_name: str,
    *,
    actor: Any,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> BulkResult:
    """Move every row of `rows` that may be moved, with one UPDATE; the others keep their state and say why.

    The rows are locked in key order while they are judged, so what is judged is what is moved. `rows` is scoped by
    the caller (`visible_to`). Side effects: one audit entry per moved row.
    Raises: ValidationError (reason missing).
    """
    machine = machine_for(machine)
    move = machine.move(move_name)
    reason = _reason(move, reason)
    values = _values(machine, move, changes)
    with transaction.atomic():
        moving: list[M] = []
        refused: dict[Any, str] = {}
        for obj in rows.order_by("pk").select_for_update(of=("self",)):
            if getattr(obj, machine.field) not in move.sources:
                refused[obj.pk] = _stale(machine, obj).reason
            elif not (decision := move.predicate(actor, obj)):
                refused[obj.pk] = decision.reason
            else:
                moving.append(obj)
        ids = [obj.pk for obj in moving]
        guard = {f"{machine.field}__in": move.sources}
        changed = rows.model._base_manager.filter(pk__in=ids, **guard).update(**values) if ids else 0
        if changed != len(ids):
            raise StaleState
        audit.record_many(
            audit.build(
                _action(obj, move),
                actor=actor,
                obj=obj,
                label=move.label,
                detail=_detail(machine, move, getattr(obj, machine.field), reason, detail),
            )
            for obj in moving
        )
    return BulkResult(ids, refused)


def _guard(machine: Machine, before: str) -> dict[str, str]:
    return {machine.field: before}


def _action(obj: Model, move: Move) -> str:
    return f"{obj._meta.model_name}.{move.name}"


def _reason(move: Move, reason: str) -> str:
    reason = reason.strip()
    if move.needs_reason and not reason:
        raise ValidationError({"reason": "请填写原因。"})
    return reason


def _values(machine: Machine, move: Move, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the UPDATE sets. It passes by `save`, so times that save would set are set here."""
    values: dict[str, Any] = {}
    for each in machine.model_class._meta.concrete_fields:
        if isinstance(each, DateField) and each.auto_now:
            values[each.name] = timezone.now() if isinstance(each, DateTimeField) else timezone.localdate()
    values.update(changes or {})
    if machine.field in values:
        raise ValueError("the state is set by the move alone")
    values[machine.field] = move.target
    if machine.version_field:
        values[machine.version_field] = F(machine.version_field) + 1
    return values


def _stale(machine: Machine, obj: Model) -> StaleState:
    now = type(obj)._base_manager.filter(pk=obj.pk).values_list(machine.field, flat=True).first()
    if now is None:
        return StaleState()
    return StaleState(f"已被他人处理，当前状态为“{machine.state_label(now)}”，请刷新后查看。")


def _detail(machine: Machine, move: Move, before: str, reason: str, detail: Mapping[str, Any] | None) -> dict[str, Any]:
    moved: dict[str, Any] = {
        "from": before,
        "to": move.target,
        "from_label": machine.state_label(before),
        "to_label": machine.state_label(move.target),
    }
    if reason:
        moved["reason"] = reason
    return {**(detail or {}), **moved}


def _notices(notify: Any, obj: Model) -> list[Notice]:
    found = notify(obj) if callable(notify) else notify
    return [found] if isinstance(found, Notice) else list(found or ())
