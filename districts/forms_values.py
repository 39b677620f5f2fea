"""Policy values as form fields: each kind of the catalogue as a field, what stands in it, and what was typed.

Tables and structures are small grids (`GridField`); only the and/or trees of qualifications come by file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.formtools import DayField
from districts.policy.keys import Key
from districts.policy.keys_appointment import ANY_ROLE, RoleCode
from districts.policy.kinds import (
    Choice,
    Code,
    Day,
    Field,
    Flag,
    Items,
    Kind,
    Month,
    MonthDay,
    Number,
    Struct,
    Table,
    Text,
    tidy,
)

OPEN = "不作规定"
BLANK_ROWS = 3


def field_for(key: Key, names: Mapping[str, str] | None = None) -> forms.Field | None:
    """An optional form field for a key; None where a value can only come by file.

    `names`: what the codes are called that the key's rows refer to, so that they are chosen by name.
    """
    field = _field(key.kind, key.unit, names or {})
    if field is not None:
        field.required = False
        field.label = key.label
    return field


def _field(kind: Kind, unit: str, names: Mapping[str, str]) -> forms.Field | None:
    if isinstance(kind, Table):
        return _grid(kind.row, names, many=True)
    if isinstance(kind, Struct):
        return _grid(kind, names, many=False)
    if isinstance(kind, Items):
        return _items(kind, names)
    if isinstance(kind, Code) and names:
        return forms.ChoiceField(choices=[("", OPEN), *_codes(kind, names)])
    return _single(kind, unit)


def _codes(kind: Code, names: Mapping[str, str]) -> list[tuple[str, str]]:
    every = [(ANY_ROLE, kind.display(ANY_ROLE, names))] if isinstance(kind, RoleCode) else []
    return [*every, *names.items()]


def _items(kind: Items, names: Mapping[str, str]) -> forms.Field | None:
    if isinstance(kind.item, Choice):
        return forms.MultipleChoiceField(choices=kind.item.options.items(), widget=forms.CheckboxSelectMultiple)
    if isinstance(kind.item, Code) and names:
        return forms.MultipleChoiceField(choices=_codes(kind.item, names), widget=forms.CheckboxSelectMultiple)
    if isinstance(kind.item, (Text, MonthDay, Code)):
        hint = "每行一个，形如 12-20" if isinstance(kind.item, MonthDay) else "每行一项"
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text=hint)
    return None


def _single(kind: Kind, unit: str = "") -> forms.Field | None:
    if isinstance(kind, Number):
        return _number(kind, unit)
    if isinstance(kind, Flag):
        return forms.ChoiceField(choices=[("", OPEN), ("true", kind.yes), ("false", kind.no)])
    if isinstance(kind, Choice):
        return forms.ChoiceField(choices=[("", OPEN), *kind.options.items()])
    if isinstance(kind, Day):
        return DayField()
    if isinstance(kind, Text):
        long = kind.longest > 120
        return forms.CharField(max_length=kind.longest, widget=forms.Textarea(attrs={"rows": 3}) if long else None)
    if isinstance(kind, (Code, MonthDay, Month)):
        return forms.CharField(max_length=40, help_text=kind.allowed())
    return None


def _number(kind: Number, unit: str) -> forms.Field:
    hint = "填小数，例如 0.3 表示 30%" if kind.percent else f"单位：{unit}" if unit else ""
    if kind.whole:
        return forms.IntegerField(min_value=int(kind.minimum), max_value=int(kind.maximum), help_text=hint)
    return forms.DecimalField(min_value=kind.minimum, max_value=kind.maximum, decimal_places=4, help_text=hint)


def plain_of(kind: Kind, typed: Any) -> Any:
    """What was typed, as a policy file would hold it; None where nothing was."""
    if typed in (None, "", []):
        return None
    if isinstance(kind, Table):
        return [_plain_row(kind.row, row) for row in typed]
    if isinstance(kind, Struct):
        return _plain_row(kind, typed[0])
    if isinstance(kind, Items) and isinstance(typed, str):
        return [line.strip() for line in typed.splitlines() if line.strip()] or None
    if isinstance(kind, Flag):
        return typed == "true"
    if isinstance(kind, Number):
        return int(typed) if kind.whole else str(typed)
    return typed


def _plain_row(struct: Struct, row: Mapping[str, Any]) -> dict[str, Any]:
    cells = ((name, plain_of(field.kind, row.get(name))) for name, field in struct.fields.items())
    return {name: value for name, value in cells if value is not None}


def typed_of(kind: Kind, value: Any) -> Any:
    """The other way round: what a form shows for a value in its Python form; None for None."""
    if value is None:
        return None
    if isinstance(kind, Table):
        return [_typed_row(kind.row, row) for row in value]
    if isinstance(kind, Struct):
        return [_typed_row(kind, value)]
    if isinstance(kind, Items):
        plain = kind.plain(value)
        return plain if isinstance(kind.item, (Choice, Code)) else "\n".join(plain)
    if isinstance(kind, Flag):
        return "true" if value else "false"
    if isinstance(kind, Number):
        return value if kind.whole else tidy(value)
    return kind.plain(value)


def _typed_row(struct: Struct, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: typed_of(struct.fields[name].kind, value) for name, value in row.items()}


# --- grids -----------------------------------------------------------------------------------------------------


def _grid(struct: Struct, names: Mapping[str, str], *, many: bool) -> GridField | None:
    # A hidden code is the row's own; only the others refer to what has a name.
    fields = struct.fields.items()
    columns = {name: (spec, _field(spec.kind, "", {} if spec.hidden else names)) for name, spec in fields}
    if any(cell is None for _, cell in columns.values()):
        return None
    return GridField({name: (spec, cell) for name, (spec, cell) in columns.items() if cell is not None}, many=many)


class GridWidget(forms.Widget):
    """Rows of small controls named `<name>-<row>-<column>`; as many rows as there are, and some to add."""

    template_name = "districts/widgets/value_grid.html"

    def __init__(self, columns: Mapping[str, tuple[Field, forms.Field]], *, many: bool) -> None:
        super().__init__()
        self.columns, self.many = columns, many

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]] | None:
        if f"{name}-rows" not in data:
            return None
        count = str(data[f"{name}-rows"])
        rows = []
        for number in range(min(int(count), 200) if count.isascii() and count.isdecimal() else 0):
            cells = {
                column: cell.widget.value_from_datadict(data, files, f"{name}-{number}-{column}")
                for column, (_, cell) in self.columns.items()
            }
            rows.append(cells)
        return rows

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = list(value or [])
        filled = [row for row in rows if any(row.values())]
        rows = filled + [{}] * (BLANK_ROWS if self.many else 1 - len(filled))
        context |= {
            "count": len(rows),
            "headings": [spec.label for spec, _ in self.columns.values()],
            "rows": [self._cells(name, number, row) for number, row in enumerate(rows)],
        }
        return context

    def _cells(self, name: str, number: int, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        shown = []
        for column, (spec, cell) in self.columns.items():
            attrs = {
                "id": f"id_{name}-{number}-{column}",
                "class": "form-select" if isinstance(cell.widget, forms.Select) else "form-control",
                "aria-label": f"第 {number + 1} 行：{spec.label}",
            }
            shown.append((spec.label, cell.widget.render(f"{name}-{number}-{column}", row.get(column), attrs)))
        return shown

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return f"{id_}-0-{next(iter(self.columns))}"


class GridField(forms.Field):
    """A table (or with `many` False one structure) of policy values: a list of rows, empty rows left out."""

    def __init__(self, columns: Mapping[str, tuple[Field, forms.Field]], *, many: bool, **kwargs: Any) -> None:
        self.columns, self.many = columns, many
        for _, cell in columns.values():
            cell.required = False
            options: Any = getattr(cell, "choices", None)
            if isinstance(cell, forms.MultipleChoiceField):
                # Inside a cell a list takes less room than a box for each option.
                cell.widget = forms.SelectMultiple(choices=options, attrs={"size": 4})
            elif isinstance(cell, forms.ChoiceField):
                cell.choices = [("", "请选择"), *list(options)[1:]]
        super().__init__(widget=GridWidget(columns, many=many), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        wrong: list[str] = []
        for number, raw in enumerate(value or [], start=1):
            if not any(raw.values()):
                continue
            row = {}
            for column, (spec, cell) in self.columns.items():
                try:
                    row[column] = cell.clean(raw.get(column))
                except ValidationError as error:
                    wrong.append(f"第 {number} 行“{spec.label}”：{'；'.join(error.messages)}")
            rows.append(row)
        if wrong:
            raise ValidationError(wrong)
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(initial) or bool(data)
