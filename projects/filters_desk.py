"""What the worklist can be asked: whose, of which kind, how pressing."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from accounts.roles import Role
from core.listing import ListFilter
from districts.access import access_of, persons_behind
from projects.matters import CHOICES, MatterSet

ME, OFFICE, ALL = "me", "office", "all"


class DeskFilter(ListFilter):
    """`today`, `soon`: up to which day a matter counts as due soon. Without `whose` the list holds what waits for the
    person: their own, and of their office's what is theirs or nobody's in particular."""

    sorts = {
        "due": ("m_day", "m_kind", "m_ref"), "since": ("m_since", "m_kind", "m_ref"),
        "project": ("m_name", "m_kind", "m_ref"),
    }  # fmt: skip

    q = django_filters.CharFilter(label="项目或内容", max_length=60, method="with_words")
    whose = django_filters.ChoiceFilter(
        label="范围", choices=[(OFFICE, "本单位的"), (ALL, "我能看到的全部")], empty_label="我的", method="theirs"
    )
    kind = django_filters.ChoiceFilter(label="事项", field_name="m_kind", choices=CHOICES, empty_label="全部")
    due = django_filters.ChoiceFilter(
        label="时限",
        choices=[("late", "已逾期"), ("soon", "即将到期"), ("later", "期限未到"), ("none", "没有期限"), ("blocked", "受阻")],
        empty_label="全部", method="pressing",
    )  # fmt: skip

    def __init__(self, data: Any, queryset: MatterSet, *, user: Any, today: date, soon: date) -> None:
        self.today, self.soon = today, soon
        super().__init__(data, queryset, user=user)  # type: ignore[arg-type]

    def fit(self, form: forms.Form) -> None:
        offices = access_of(self.user).is_role(Role.BUREAU, Role.UNIT, Role.DEPARTMENT)
        if not offices:
            options: Any = form.fields["whose"]
            options.choices = [(key, text) for key, text in options.choices if key != OFFICE]

    def filter_queryset(self, queryset: Any) -> Any:
        if not self.form.cleaned_data.get("whose"):
            queryset = self.own(queryset)
        return super().filter_queryset(queryset)

    def own(self, rows: Any) -> Any:
        people = persons_behind(self.user)
        return rows.filter(Q(m_handler=None) | Q(m_handler__in=people), m_mine=True)

    def theirs(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(m_mine=True) if value == OFFICE else rows

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:5]:
            rows = rows.filter(Q(m_name__icontains=word) | Q(m_text__icontains=word) | Q(m_who__icontains=word))
        return rows

    def pressing(self, rows: Any, name: str, value: str) -> Any:
        wanted = {
            "late": Q(m_due__lt=self.today), "soon": Q(m_due__gte=self.today, m_due__lte=self.soon),
            "later": Q(m_due__gt=self.soon), "none": Q(m_due=None), "blocked": ~Q(m_blocked=""),
        }  # fmt: skip
        return rows.filter(wanted[value])
