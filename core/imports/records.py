"""Imports into a register: rows that are new, that change what is registered, or that say what it says already.

An empty cell never empties a field. What each row did is kept (`ImportedRow`), so that the whole can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from core import audit
from core.models import ImportBatch, ImportedRow
from core.spreadsheets import Row

from .kinds import Importer
from .outcomes import CHANGED, NEW, REPEATED, UNCHANGED, Change, Outcome, Report

_SHOWN = 10


class RecordImporter(Importer):
    """A kind whose rows are records of one model. Subclasses read rows; this compares, writes and takes back."""

    model: ClassVar[type[models.Model]]
    # field → heading, for the fields that a row may set; errors of the model's own checks stand at their column.
    headings: ClassVar[dict[str, str]]

    # --- what a subclass says ---

    def load(self, rows: Sequence[Row], place: str) -> Any:
        """Everything that rows are matched with, in as many queries for one row as for all."""
        raise NotImplementedError

    def read(self, row: Row, known: Any) -> Outcome:
        """`fields` (what the row sets), `target` (the record it is about, or None), `label`; or the problems."""
        raise NotImplementedError

    def key(self, outcome: Outcome) -> Hashable:
        """What makes two rows of a file the same record."""
        raise NotImplementedError

    def check(self, outcome: Outcome, known: Any) -> None:
        """Rules between fields, asked of `outcome.target` (or a new record) with the fields set; may refuse."""

    def words(self, field: str, value: Any) -> str:
        """A value as the page shows it."""
        return "" if value in (None, "") else str(value)

    def value_of(self, obj: Any, field: str) -> Any:
        """What `obj` has now, in the form that `fields` has it."""
        return getattr(obj, field)

    def build(self, outcome: Outcome, batch: ImportBatch) -> models.Model:
        """The new record, not yet saved."""
        raise NotImplementedError

    def save(self, obj: Any, outcome: Outcome) -> None:
        """Save a record, new or changed, with what hangs on it."""
        obj.save()

    def prepare(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        """Called once before the rows are written (what several of them need)."""

    def whole(self, obj: Any) -> list[models.Model]:
        """The rows that make up a record, in the order in which they can be deleted."""
        return [obj]

    # --- judging ---

    def judge(self, rows: Sequence[Row], place: str) -> list[Outcome]:
        known = self.load(rows, place)
        outcomes = [self.read(row, known) for row in rows]
        first: dict[Hashable, Outcome] = {}
        for row, outcome in zip(rows, outcomes, strict=True):
            for column, reason in row.errors.items():
                outcome.refuse(column, "", reason)
            if outcome.problems:
                continue
            same = first.setdefault(self.key(outcome), outcome)
            if same is not outcome:
                self._repeated(outcome, same)
                continue
            self._compare(outcome)
            self.check(outcome, known)
        return outcomes

    def _repeated(self, outcome: Outcome, same: Outcome) -> None:
        heading = self.columns[0].heading
        if outcome.fields == same.fields:
            outcome.action = REPEATED
            outcome.note = f"与第 {same.number} 行相同"
            return
        reason = f"与第 {same.number} 行是同一{self.label}，但内容不同；请只保留一行。"
        outcome.refuse(heading, outcome.label, reason)

    def _compare(self, outcome: Outcome) -> None:
        if outcome.target is None:
            return
        for name, after in outcome.fields.items():
            before = self.value_of(outcome.target, name)
            if before != after:
                words = Change(self.headings.get(name, name), self.words(name, before), self.words(name, after))
                outcome.changes.append(words)
        outcome.action = CHANGED if outcome.changes else UNCHANGED

    def validate(self, outcome: Outcome) -> None:
        """The model's own checks of single fields; related rows are not asked for, since they were looked up."""
        obj = self.model()
        checked = set()
        for each in obj._meta.concrete_fields:
            if not each.is_relation and outcome.fields.get(each.name) not in (None, ""):
                setattr(obj, each.name, outcome.fields[each.name])
                checked.add(each.name)
        try:
            obj.clean_fields(exclude={each.name for each in obj._meta.concrete_fields} - checked)
        except ValidationError as exc:
            self.refuse_fields(outcome, exc)

    def refuse_fields(self, outcome: Outcome, error: ValidationError) -> None:
        """A service's errors by field, each at the column that the field comes from."""
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, messages in by_field.items():
            shown = self.words(name, outcome.fields.get(name)) if name in self.headings else ""
            outcome.refuse(self.headings.get(name, ""), shown, "；".join(messages))

    # --- writing ---

    def write(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        self.prepare(report, batch, actor=actor)
        rows: list[ImportedRow] = []
        entries = []
        for outcome in report.of(NEW, CHANGED):
            new = outcome.action == NEW
            obj = self.build(outcome, batch) if new else outcome.target
            before = None if new else self._snapshot(obj, outcome.fields)
            if not new:
                self.assign(obj, outcome)
            self.save(obj, outcome)
            rows.append(remember(batch, outcome.number, obj, before, self._snapshot(obj, outcome.fields)))
            detail: dict[str, Any] = {"import": batch.pk, "row": outcome.number}
            if outcome.changes:
                detail["changed"] = {change.column: [change.before, change.after] for change in outcome.changes}
            word = "导入登记" if new else "导入修改"
            action = f"{self.model._meta.model_name}.import"
            entries.append(audit.build(action, actor=actor, obj=obj, label=word, detail=detail))
        ImportedRow.objects.bulk_create(rows, batch_size=500)
        audit.record_many(entries)

    def assign(self, obj: Any, outcome: Outcome) -> None:
        """Set what the row says on a registered record."""
        for name, value in outcome.fields.items():
            setattr(obj, name, value)

    def _snapshot(self, obj: Any, fields: Iterable[str]) -> dict[str, Any]:
        return {name: _plain(self.value_of(obj, name)) for name in fields}

    # --- taking back ---

    def obstacles(self, batch: ImportBatch) -> list[str]:
        rows = list(batch.rows.all())
        made = _made(rows)
        found: list[str] = []
        for row in rows:
            obj = _object(row)
            if obj is None:
                found.append(f"第 {row.number} 行：记录已不存在。")
                continue
            if _changed_since(self, row, obj):
                found.append(f"{obj}：导入之后又被修改。")
            if row.action == ImportedRow.Action.NEW:
                found.extend(f"{obj}：{words}" for words in dependents(self._whole_of(obj), made))
        return _first(found)

    def _whole_of(self, obj: models.Model) -> list[models.Model]:
        return self.whole(obj) if isinstance(obj, self.model) else [obj]

    def revert(self, batch: ImportBatch, *, actor: Any) -> int:
        rows = list(batch.rows.order_by("-pk"))
        for row in rows:
            obj: Any = _object(row)
            if row.action == ImportedRow.Action.NEW:
                for part in self._whole_of(obj):
                    part.delete()
                continue
            self.restore(obj, {name: _python(obj, name, value) for name, value in json.loads(row.before).items()})
            audit.record(
                f"{self.model._meta.model_name}.import_undo", actor=actor, obj=obj, label="撤销导入的修改",
                detail={"import": batch.pk, "row": row.number},
            )  # fmt: skip
        return len(rows)

    def restore(self, obj: Any, fields: dict[str, Any]) -> None:
        """Give a changed record its former values."""
        outcome = Outcome(0, fields)
        self.assign(obj, outcome)
        self.save(obj, outcome)


def remember(
    batch: ImportBatch, number: int, obj: models.Model, before: dict[str, Any] | None, after: dict[str, Any]
) -> ImportedRow:
    """The unsaved note of what a row did to `obj`; `before` None: it was made."""
    return ImportedRow(
        batch=batch,
        number=number,
        action=ImportedRow.Action.NEW if before is None else ImportedRow.Action.CHANGED,
        object_type=obj._meta.label_lower,
        object_id=obj.pk,
        before="" if before is None else json.dumps(before, cls=DjangoJSONEncoder),
        after=json.dumps(after, cls=DjangoJSONEncoder),
    )


def dependents(objects: Sequence[models.Model], made: set[tuple[str, int]]) -> list[str]:
    """What points to these rows and is neither one of them nor made by the same import: `已有 3 条履职记录`."""
    own = made | {(obj._meta.label_lower, int(obj.pk)) for obj in objects}
    found = []
    for obj in objects:
        for relation in obj._meta.related_objects:
            # What is deleted with its owner is a part of it (the streets of a unit).
            if relation.on_delete is models.CASCADE and not relation.many_to_many:
                continue
            label = relation.related_model._meta.label_lower
            rows = relation.related_model._base_manager.filter(**{relation.field.name: obj})
            count = sum((label, pk) not in own for pk in rows.values_list("pk", flat=True)[:1000])
            if count:
                found.append(f"已有 {count} 条{relation.related_model._meta.verbose_name}。")
    return found


def _made(rows: Iterable[ImportedRow]) -> set[tuple[str, int]]:
    return {(row.object_type, row.object_id) for row in rows if row.action == ImportedRow.Action.NEW}


def _object(row: ImportedRow) -> models.Model | None:
    return apps.get_model(row.object_type)._base_manager.filter(pk=row.object_id).first()


def _changed_since(importer: RecordImporter, row: ImportedRow, obj: models.Model) -> bool:
    if not isinstance(obj, importer.model):
        return False
    after = json.loads(row.after)
    return bool(importer._snapshot(obj, after) != after)


def _plain(value: Any) -> Any:
    """The JSON form of a field's value: a related row by its key."""
    if isinstance(value, models.Model):
        return value.pk
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _python(obj: models.Model, name: str, value: Any) -> Any:
    """A field's value out of its JSON form."""
    try:
        field: Any = obj._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    if not field.is_relation or name == field.attname:
        return field.to_python(value)
    return None if value is None else field.related_model._base_manager.get(pk=value)


def _first(found: list[str]) -> list[str]:
    more = len(found) - _SHOWN
    return found if more <= 0 else [*found[:_SHOWN], f"另有 {more} 处。"]
