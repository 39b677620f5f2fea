"""What the list of monthly reports can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone

from core.listing import ListFilter, offer_places
from districts.access import places_reached

from .filters import MonthFilter
from .models import MonthlyReport
from .querysets_monthly import MonthlyReportQuerySet


class MonthlyFilter(ListFilter):
    """Without `history` the newest version of each report alone."""

    sorts = {
        "month": ("-month", "-pk"),
        "charge": ("charge__name", "-month", "pk"),
        "author": ("author__sort_key", "-month", "pk"),
    }

    q = django_filters.CharFilter(label="责任单元（项目）或撰写人", max_length=60, method="find")
    month = MonthFilter(label="月份", field_name="month")
    state = django_filters.ChoiceFilter(label="状态", choices=MonthlyReport.State.choices, empty_label="全部")
    late = django_filters.ChoiceFilter(
        label="报送期限", choices=[("1", "已过期限未提交")], empty_label="全部", method="is_late"
    )
    locality = django_filters.ChoiceFilter(label="地方", field_name="locality__code", empty_label="全部")
    history = django_filters.ChoiceFilter(
        label="更正前的版次", choices=[("1", "一并显示")], empty_label="不显示", method="with_history"
    )

    def fit(self, form: forms.Form) -> None:
        offer_places(form, places_reached(self.user))

    def filter_queryset(self, queryset: MonthlyReportQuerySet) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("history") else rows.filter(superseded_by=None)

    def find(self, rows: MonthlyReportQuerySet, name: str, value: str) -> MonthlyReportQuerySet:
        for word in value.split():
            rows = rows.filter(Q(charge__name__icontains=word) | Q(author__name__icontains=word))
        return rows

    def is_late(self, rows: MonthlyReportQuerySet, name: str, value: str) -> MonthlyReportQuerySet:
        return rows.late(timezone.localdate())

    def with_history(self, rows: MonthlyReportQuerySet, name: str, value: str) -> MonthlyReportQuerySet:
        return rows
