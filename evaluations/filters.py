"""What the lists of evaluation can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from core.listing import ListFilter
from districts.filters import PlacesFilter
from districts.policy.keys import SIDES
from evaluations.models import Form, Round, Sheet


class RoundFilter(PlacesFilter):
    sorts = {"start": ["-start", "locality__code", "pk"], "title": ["title", "pk"]}

    q = django_filters.CharFilter(label="名称", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(label="阶段", choices=Round.State.choices, empty_label="全部")
    scope = django_filters.ChoiceFilter(label="方向", choices=Round.Scope.choices, empty_label="全部")
    year = django_filters.NumberFilter(label="年份", method="of_year", min_value=2000, max_value=2200)

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            rows = rows.filter(Q(title__contains=word) | Q(locality__name__contains=word))
        return rows

    def of_year(self, rows: Any, name: str, value: Any) -> Any:
        return rows.filter(start__year__lte=int(value), end__year__gte=int(value))


class SheetFilter(ListFilter):
    """The sheets of one round, for its organisers: who owes what and how far it is."""

    sorts = {
        "subject": ["step__number", "subject__direction", "subject__sort_key", "side", "rater", "pk"],
        "rater": ["rater", "step__number", "pk"],
    }

    q = django_filters.CharFilter(label="评估人或受评对象", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("open", "未提交"), *Sheet.State.choices], empty_label="除已改派外", method="in_state"
    )
    direction = django_filters.ChoiceFilter(
        label="方向", field_name="subject__direction", choices=Form.Direction.choices, empty_label="全部"
    )
    side = django_filters.ChoiceFilter(label="评估主体", choices=list(SIDES.items()), empty_label="全部")
    step = django_filters.NumberFilter(label="步骤", field_name="step__number", min_value=1, max_value=9)

    def fit(self, form: forms.Form) -> None:
        sides = set(self.queryset.order_by().values_list("side", flat=True).distinct())
        field: Any = form.fields["side"]
        field.choices = [choice for choice in field.choices if choice[0] in {"", *sides}]

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.exclude(state=Sheet.State.REPLACED)

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.unanswered() if value == "open" else rows.filter(state=value)

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            rows = rows.filter(Q(rater__contains=word) | Q(subject__label__contains=word))
        return rows
