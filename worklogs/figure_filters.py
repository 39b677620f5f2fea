"""The filters of the list of kept figures, kept in the address."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone

from districts.filters import PlacesFilter
from districts.services.lineage import charges_behind

STANDING = {
    "short": "未达到要求",
    "met": "已达到要求",
    "unset": "天数未设定",
    "deduction": "有扣减",
    "waiting": "有待确认记录",
}
FIRST_YEAR = 2018
CONDITIONS = {
    "short": Q(shortfall_days__gt=0) | Q(shortfall_visits__gt=0),
    "met": Q(shortfall_days=0) & (Q(shortfall_visits=0) | Q(shortfall_visits=None)),
    "unset": Q(days=None),
    "deduction": Q(deduction__gt=0),
    "waiting": Q(waiting__gt=0),
}


def years() -> list[int]:
    """Years that can be asked for, this one first."""
    return list(range(timezone.localdate().year, FIRST_YEAR - 1, -1))


class FigureFilter(PlacesFilter):
    """`year` always holds: this year where none (or none that makes sense) is asked for."""

    sorts = {"label": ("sort_key", "pk"), "logs": ("-logs", "-pk")}
    place_key = "pk"

    q = django_filters.CharFilter(label="规划师或责任单元", max_length=60, method="with_words")
    locality = django_filters.ChoiceFilter(label="地方", field_name="locality_id", empty_label="全部")
    year = django_filters.ChoiceFilter(label="年度", empty_label="本年度")
    standing = django_filters.ChoiceFilter(
        label="完成情况", choices=list(STANDING.items()), empty_label="全部", method="standing_so"
    )

    def fit(self, form: forms.Form) -> None:
        super().fit(form)
        form.fields["year"].choices = [(str(year), f"{year}年") for year in years()]  # type: ignore[attr-defined]

    @property
    def chosen_year(self) -> int:
        """The year asked for."""
        self.form.is_valid()
        return int(self.form.cleaned_data.get("year") or timezone.localdate().year)

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(queryset.filter(year=self.chosen_year))

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(Q(search_text__contains=value.lower()) | Q(charge_id__in=charges_behind(value)))

    def standing_so(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(CONDITIONS[value])
