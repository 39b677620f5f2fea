"""What the list of units' changes can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from core.listing import DayFilter
from districts.filters import PlacesFilter
from districts.models import UnitChange, UnitSuccession


class UnitChangeFilter(PlacesFilter):
    sorts = {"effective": ["-effective", "-pk"]}

    q = django_filters.CharFilter(label="单元名称或文号", max_length=60, method="with_words")
    kind = django_filters.ChoiceFilter(label="变更方式", choices=UnitChange.Kind.choices, empty_label="全部")
    since = DayFilter(label="生效日期自", field_name="effective", lookup_expr="gte")
    until = DayFilter(label="生效日期至", field_name="effective", lookup_expr="lte")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            named = UnitSuccession.objects.filter(Q(predecessor_name__contains=word) | Q(successor_name__contains=word))
            rows = rows.filter(Q(document_number__contains=word) | Q(pk__in=named.values("change_id")))
        return rows
