"""The filters of the list of logs, kept in the address; rows are scoped before they are filtered."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.db.models import Exists, OuterRef, Q

from core.listing import DayFilter, ListFilter, RowFilter
from core.models import ImportBatch
from core.text import parse_date
from districts.models import Charge
from districts.services.lineage import charges_named, charges_with_predecessors
from planners.models import Planner
from projects.models import Project

from .models import LogFinding, WorkLog
from .plausibility import CODES
from .querysets import WorkLogQuerySet, next_month
from .search import contains

# Names that match more rows than this say nothing; the person is asked for more.
_MOST_NAMES = 500


class MonthField(forms.Field):
    """`2026-03`, or a date in it."""

    widget = forms.DateInput(attrs={"type": "month"}, format="%Y-%m")

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        text = str(value).strip()
        for typed in (f"{text}-01", text):
            try:
                return parse_date(typed).replace(day=1)
            except ValueError:
                continue
        raise forms.ValidationError("请写成 2026-03 这样的月份。", code="invalid")


class MonthFilter(django_filters.Filter):
    """Rows dated in one month."""

    field_class = MonthField

    def filter(self, qs: Any, value: date | None) -> Any:
        if value is None:
            return qs
        return qs.filter(**{f"{self.field_name}__gte": value, f"{self.field_name}__lt": next_month(value)})


class LogFilter(ListFilter):
    q = django_filters.CharFilter(label="关键词", max_length=100, method="with_words")
    month = MonthFilter(label="月份", field_name="date")
    since = DayFilter(label="起始日期", field_name="date", lookup_expr="gte")
    until = DayFilter(label="截止日期", field_name="date", lookup_expr="lte")
    unit = django_filters.CharFilter(label="责任单元（项目）", max_length=100, method="at_places")
    name = django_filters.CharFilter(label="规划师", max_length=60, method="by_people")
    kind = django_filters.ChoiceFilter(label="工作类别", choices=WorkLog.Kind.choices, empty_label="全部")
    state = django_filters.ChoiceFilter(label="状态", choices=WorkLog.State.choices, empty_label="全部")
    number = django_filters.CharFilter(label="项目编号", max_length=40, method="on_project")
    met = django_filters.ChoiceFilter(
        label="会见主要负责人", choices=[("1", "是"), ("0", "否")], empty_label="全部", method="met_principal"
    )
    check = django_filters.ChoiceFilter(
        label="核对提示",
        choices=[("open", "有待核对的"), ("noted", "已核对的"), *CODES.items()],
        empty_label="全部",
        method="remarked_on",
    )
    # From links of other pages.
    charge = RowFilter(label="责任单元（项目）", model=Charge, method="at_charge")
    planner = RowFilter(label="规划师", model=Planner)
    batch = RowFilter(label="导入批次", model=ImportBatch)
    history = django_filters.ChoiceFilter(
        label="更正前的版本", choices=[("1", "一并显示")], empty_label="不显示", method="with_history"
    )

    @property
    def searches_words(self) -> bool:
        """Is a keyword asked for?"""
        return bool(str(self.data.get("q", "")).strip())

    def filter_queryset(self, queryset: WorkLogQuerySet) -> WorkLogQuerySet:
        asked = self.form.cleaned_data
        for name in ("charge", "planner", "batch"):
            if asked.get(name):
                self.form.fields[name].name(asked[name], self.user)  # type: ignore[attr-defined]
        rows = super().filter_queryset(queryset)
        return rows if asked.get("history") else rows.current()

    def with_words(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        return contains(rows, value)

    def met_principal(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        return rows.filter(met_principal=value == "1")

    def remarked_on(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        """`open`, `noted`, or the code of one kind of remark that still holds."""
        found = LogFinding.objects.standing().filter(log=OuterRef("pk"))
        found = found.filter(state=value) if value in LogFinding.State.values else found.filter(code=value)
        return rows.filter(Exists(found))

    def with_history(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        return rows

    def at_places(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        """By any name that a unit has or had; with what its predecessors recorded."""
        found = self._named(charges_named(value), name)
        return rows.filter(charge_id__in=charges_with_predecessors(found))

    def at_charge(self, rows: WorkLogQuerySet, name: str, value: int) -> WorkLogQuerySet:
        return rows.filter(charge_id__in=charges_with_predecessors([value]))

    def by_people(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        people = Planner.objects.filter(Q(name__icontains=value) | Q(sort_key__istartswith=value.lower()))
        return rows.filter(planner_id__in=self._named(people, name))

    def on_project(self, rows: WorkLogQuerySet, name: str, value: str) -> WorkLogQuerySet:
        return rows.filter(project_id__in=self._named(Project.objects.filter(number__iexact=value), name))

    def _named(self, found: models.QuerySet[Any], field: str) -> list[int]:
        """Ids first: the small tables are searched by name, the big one by its indexes."""
        ids = list(found.values_list("pk", flat=True)[: _MOST_NAMES + 1])
        if len(ids) > _MOST_NAMES:
            self.form.add_error(field, "相符的太多，请写得更具体。")
        return ids[:_MOST_NAMES]
