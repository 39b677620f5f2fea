"""What the ranking of a round can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from core.listing import ListFilter
from evaluations.models import Form, Result


class ResultFilter(ListFilter):
    """`place` is the rank, with those that have none last (views.results annotates it)."""

    sorts = {
        "rank": ["-subject__direction", "place", "subject__sort_key", "pk"],
        "subject": ["subject__sort_key", "pk"],
    }

    q = django_filters.CharFilter(label="受评对象", max_length=60, method="with_words")
    direction = django_filters.ChoiceFilter(
        label="方向", field_name="subject__direction", choices=Form.Direction.choices, empty_label="全部"
    )
    state = django_filters.ChoiceFilter(label="状态", choices=Result.State.choices, empty_label="全部")
    changed = django_filters.ChoiceFilter(
        label="审议调整", choices=[("yes", "有调整"), ("no", "没有调整")], empty_label="全部", method="with_changes"
    )

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            rows = rows.filter(Q(subject__label__contains=word) | Q(subject__contract__number__contains=word))
        return rows

    def with_changes(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(adjustments__isnull=value == "no").distinct()


class OwnResultFilter(ListFilter):
    """A subject's own: nothing by which a figure that is not shown could be asked for."""

    sorts = {"subject": ["subject__sort_key", "pk"]}

    q = django_filters.CharFilter(label="受评对象", max_length=60, field_name="subject__label", lookup_expr="contains")

    def fit(self, form: forms.Form) -> None:
        """Nothing to fit."""
