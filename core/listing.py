"""Lists that are scoped first, then filtered by what stands in the address, then sorted and paged by key."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, ClassVar

import django_filters
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.views.generic import TemplateView

from core import audit
from core.exports import export_response
from core.formtools import DayField
from core.http import PersonRequest
from core.paging import KeysetPage
from core.spreadsheets import ExportColumn
from core.templatetags.ui import Column, Table, query_with

PAGE = 50
EXPORTED = 500
_WIDTHS = {"main": 30, "text": 24}
_BREAK = re.compile(r"<br ?/?>|</p>|</li>")
_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
audit.register_actions({"list.export": "导出列表"})


class DayFilter(django_filters.DateFilter):
    """A date in any form that people type."""

    field_class = DayField


class RowField(forms.IntegerField):
    """The id of a row, from a link; the chip above the list shows the row's name where the person may see it."""

    def __init__(self, *, model: Any, **kwargs: Any) -> None:
        self.model = model
        self.choices: list[tuple[int, str]] = []
        super().__init__(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput, **kwargs)

    def name(self, value: int, user: Any) -> None:
        row = self.model.objects.visible_to(user).filter(pk=value).first()
        self.choices = [(value, str(row) if row is not None else "（无权查看）")]


class RowFilter(django_filters.Filter):
    field_class = RowField


class ListFilter(django_filters.FilterSet):
    """What one list can be asked: a django-filter FilterSet over rows that are already scoped to `user`.

    Everything stands in the address. A value that makes no sense narrows nothing, and `problems` words it.
    `sorts`: value of ?sort= → fields to order by, none of them null, "pk" last (each also works with a leading minus);
    the first is the default.
    """

    sorts: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, data: Any, queryset: QuerySet[Any], *, user: Any) -> None:
        self.user = user
        super().__init__(data, queryset)

    def get_form_class(self) -> type[forms.Form]:
        return _form_class(type(self))  # type: ignore[arg-type]  # classes do hash

    @property
    def form(self) -> forms.Form:
        if not hasattr(self, "_form"):
            self.fit(super().form)
        form: forms.Form = super().form
        return form

    def fit(self, form: forms.Form) -> None:
        """Make the fields suit the person: fill in choices, remove what does not apply. Called once."""

    def filter_queryset(self, queryset: Any) -> Any:
        # A filter may still find its value wrong and take it out.
        for name, value in list(self.form.cleaned_data.items()):
            queryset = self.filters[name].filter(queryset, value)
        return queryset.order_by(*self.order()) if self.sorts else queryset

    def order(self) -> Sequence[str]:
        """The fields asked for by ?sort=, else the default."""
        wanted = self.data.get("sort", "")
        name = wanted.removeprefix("-")
        if name not in self.sorts:
            return next(iter(self.sorts.values()))
        fields = self.sorts[name]
        if not wanted.startswith("-"):
            return fields
        return [field.removeprefix("-") if field.startswith("-") else f"-{field}" for field in fields]

    @property
    def is_filtered(self) -> bool:
        """Is anything asked for?"""
        return any(self.data.get(name) for name in self.form.fields)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id of the field or "", sentence) for all that was asked for in vain."""
        fields = [bound for bound in self.form if bound.errors]
        found = [
            ("" if bound.is_hidden else bound.id_for_label, f"{bound.label}：{error}")
            for bound in fields
            for error in bound.errors
        ]
        wanted = self.data.get("sort", "")
        if wanted and wanted.removeprefix("-") not in self.sorts:
            found.append(("", f"排序：不能按“{wanted[:30]}”排列。"))
        return found


def offer_places(form: forms.Form, places: Mapping[Any, str]) -> None:
    """The field `locality` offers these places {value: name}; where there is but one, it is not asked about."""
    if len(places) > 1:
        form.fields["locality"].choices = list(places.items())  # type: ignore[attr-defined]
    else:
        del form.fields["locality"]


@cache
def _form_class(filterset: type[ListFilter]) -> type[forms.Form]:
    """The form of a list, made once: making its fields anew for each request costs more than reading the rows."""
    fields = {name: chosen.field for name, chosen in copy.deepcopy(filterset.base_filters).items()}
    return type(f"{filterset.__name__}Form", (forms.Form,), fields)


class FilteredListView(LoginRequiredMixin, TemplateView):
    """A list page: `scoped` says which rows there are, `filter_class` what can be asked, `row` how one is shown."""

    request: PersonRequest
    filter_class: type[ListFilter]
    columns: Sequence[Column] = ()
    caption = ""
    # The name of the sheet that `?export=xlsx` gives: the rows as the page shows them, all pages of them. Empty where a
    # list has an export of its own, with more than it shows.
    sheet = ""

    def get(  # type: ignore[override]  # a page, or the file
        self, request: PersonRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if not self.sheet or request.GET.get("export") != "xlsx":
            return super().get(request, *args, **kwargs)
        chosen = self.filter_class(request.GET, self.scoped(), user=request.user)
        audit.record("list.export", actor=request.user, detail={"list": self.sheet, "filter": request.GET.urlencode()})
        shown = [column for column in self.columns if column.kind != "actions"]
        heads = [ExportColumn(column.label, width=_WIDTHS.get(column.kind, 0)) for column in shown]
        return export_response(heads, self._sheet_rows(chosen.qs), name=self.sheet, title=self.sheet)

    def _sheet_rows(self, rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
        found = rows.iterator(chunk_size=EXPORTED)
        while chunk := list(islice(found, EXPORTED)):
            self.prepare(chunk)
            for obj in chunk:
                cells = zip(self.row(obj), self.columns, strict=True)
                yield [plain_cell(cell, column.kind) for cell, column in cells if column.kind != "actions"]

    def scoped(self) -> QuerySet[Any]:
        raise NotImplementedError

    def prepare(self, page: Sequence[Any]) -> None:
        """Read what the rows of this page show besides themselves, in one query rather than one a row."""

    def row(self, obj: Any) -> Sequence[Any]:
        """The cells of one row, in the order of `columns`."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = self.filter_class(self.request.GET, self.scoped(), user=self.request.user)
        page = KeysetPage(chosen.qs, request=self.request, order=chosen.order(), size=PAGE)
        self.prepare(page.rows)
        rows = [self.row(obj) for obj in page.rows]
        return super().get_context_data(
            table=Table(columns=self.columns, rows=rows, caption=self.caption),
            filter=chosen, has_rows=bool(rows), page=page,
            export_url=query_with(self.request.GET, export="xlsx") if self.sheet and rows else "", **kwargs,
        )  # fmt: skip


def plain_cell(cell: Any, kind: str) -> Any:
    """What a person reads in the cell of a list, as a sheet keeps it: text without markup, days and numbers as such."""
    if not isinstance(cell, str):
        return cell
    text = html.unescape(strip_tags(_BREAK.sub("\n", cell))).strip() if isinstance(cell, SafeString) else cell
    if kind == "num" and _NUMBER.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if kind == "date" and _DAY.fullmatch(text):
        return date.fromisoformat(text)
    return text
