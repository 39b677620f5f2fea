"""Pages of a long list by key, not by offset: page 40,000 costs what page 1 costs.

The address carries `?after=` or `?before=` with the ordering values of the row at the edge; so a page stays where it is
while rows are added in front of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest

COUNT_CAP = 10_000


class BadCursor(ValueError):
    """A cursor that this list did not make; the list starts at its beginning instead."""


class KeysetPage:
    """One page of `queryset` in `order`.

    `order`: field names, each with a leading minus for descending, ending in a unique one ("pk"); the fields must not
    be null. `queryset` may give objects, `values()` or `values_list()`: in the latter two the ordering fields must be
    among the values. Any filter may stand on it; an ordering it has is replaced.

    `rows`: the rows of the page. `next_url`, `previous_url`: query strings that keep the filters, empty at the ends.
    `note`: the number of matching rows in words (counted to 10,000 at most, and only when asked for).
    `counting`: the same rows without the joins, when counting them needs none; `counted` False leaves the note empty,
    for a filter that would have to look at every row.
    """

    def __init__(
        self,
        queryset: QuerySet[Any],
        *,
        request: HttpRequest,
        order: Sequence[str] = ("-date", "-pk"),
        size: int = 50,
        counting: QuerySet[Any] | None = None,
        counted: bool = True,
    ) -> None:
        self._query = request.GET
        self._all = queryset
        self._counting = queryset if counting is None else counting
        self._counted = counted
        self._names = [name.removeprefix("-") for name in order]
        self._descending = [name.startswith("-") for name in order]
        self._fields = [_field(queryset.model, name) for name in self._names]
        self.size = size
        backwards, key = self._position()
        rows = self._window(key, backwards=backwards)
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        self.rows: list[Any] = rows
        self.has_next = bool(rows) and (more if not backwards else True)
        self.has_previous = bool(rows) and (more if backwards else key is not None)

    @property
    def next_url(self) -> str:
        return self._url(after=self._cursor(self.rows[-1])) if self.has_next else ""

    @property
    def previous_url(self) -> str:
        return self._url(before=self._cursor(self.rows[0])) if self.has_previous else ""

    @cached_property
    def count(self) -> int:
        """Number of matching rows, at most COUNT_CAP + 1: counting two millions costs more than the page."""
        return self._counting.order_by().values("pk")[: COUNT_CAP + 1].count()

    @property
    def note(self) -> str:
        if not self._counted:
            return ""
        return f"共 {COUNT_CAP:,} 条以上" if self.count > COUNT_CAP else f"共 {self.count:,} 条"

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _url(self, **position: str) -> str:
        from core.templatetags.ui import query_with

        return query_with(self._query, **position)

    def _position(self) -> tuple[bool, list[Any] | None]:
        for name, backwards in (("after", False), ("before", True)):
            if text := self._query.get(name, ""):
                try:
                    return backwards, self._values(text)
                except BadCursor:
                    return False, None
        return False, None

    def _window(self, key: list[Any] | None, *, backwards: bool) -> list[Any]:
        rows = self._all
        if key is not None:
            rows = rows.filter(self._beyond(key, backwards=backwards))
        order = [
            f"{'-' if descending != backwards else ''}{name}"
            for name, descending in zip(self._names, self._descending, strict=True)
        ]
        return list(rows.order_by(*order)[: self.size + 1])

    def _beyond(self, key: list[Any], *, backwards: bool) -> Q:
        """Rows after (before) the key: first ≤ a AND (first < a OR second < b …), so that an index range is used."""
        condition = Q()
        for name, descending, value in reversed(list(zip(self._names, self._descending, key, strict=True))):
            way = "lt" if descending != backwards else "gt"
            strictly = Q(**{f"{name}__{way}": value})
            condition = strictly if not condition else Q(**{f"{name}__{way}e": value}) & (strictly | condition)
        return condition

    def _cursor(self, row: Any) -> str:
        values = [_plain(self._value(row, name)) for name in self._names]
        return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")

    def _value(self, row: Any, name: str) -> Any:
        if isinstance(row, models.Model):
            for part in name.split("__"):
                row = getattr(row, part)
            return row
        if isinstance(row, dict):
            return row[name if name in row else "id"]
        at = self._columns.index(name) if name in self._columns else self._columns.index("id")
        return row[at]

    @cached_property
    def _columns(self) -> list[str]:
        names = [*self._all.query.extra_select, *self._all.query.values_select, *self._all.query.annotation_select]
        chosen = getattr(self._all, "_fields", None)
        return [str(name) for name in chosen] if chosen else names

    def _values(self, text: str) -> list[Any]:
        try:
            found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValueError, RecursionError) as exc:
            raise BadCursor from exc
        if not isinstance(found, list) or len(found) != len(self._names):
            raise BadCursor
        return [_restored(value, field) for value, field in zip(found, self._fields, strict=True)]


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any] | None:
    field: Any = None
    for part in name.split("__"):
        if part == "pk":
            field = model._meta.pk
        else:
            try:
                field = model._meta.get_field(part)
            except FieldDoesNotExist:
                # An annotation: its values are kept as JSON has them.
                return None
        model = field.related_model or model
    return field


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _restored(value: Any, field: models.Field[Any, Any] | None) -> Any:
    """The value as the field has it. Raises BadCursor for what such a field cannot hold."""
    if not isinstance(value, (str, int, float)) or (isinstance(value, str) and "\0" in value):
        raise BadCursor
    if isinstance(value, (int, float)) and not -(2**63) <= value < 2**63:
        raise BadCursor
    if field is None:
        return value
    try:
        return field.to_python(value)
    except (ValidationError, ValueError, TypeError, OverflowError, InvalidOperation) as exc:
        raise BadCursor from exc
