"""Filters of the portal's own lists."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from core.listing import DayFilter, ListFilter
from core.models import AuditEntry
from districts.filters import PlacesFilter


class AuditFilter(ListFilter):
    sorts = {"at": ("-pk",)}

    q = django_filters.CharFilter(label="对象或人员", max_length=60, method="search")
    result = django_filters.ChoiceFilter(label="结果", choices=AuditEntry.Result.choices, empty_label="全部")
    action = django_filters.CharFilter(label="操作代码", max_length=60, lookup_expr="startswith")
    since = DayFilter(label="起始日期", field_name="at", lookup_expr="date__gte")
    until = DayFilter(label="截止日期", field_name="at", lookup_expr="date__lte")

    def search(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(Q(object_label__icontains=value) | Q(actor_label__icontains=value))


class MeasureFilter(PlacesFilter):
    """The period, by the day of a log, and the place."""

    since = DayFilter(label="起始日期", field_name="date", lookup_expr="gte")
    until = DayFilter(label="截止日期", field_name="date", lookup_expr="lte")
