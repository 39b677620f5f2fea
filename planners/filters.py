"""What the lists of the registry can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q
from django.utils import timezone

from core.listing import ListFilter
from districts.filters import PlacesFilter
from planners.models import Contract, Planner


def find_people(rows: Any, words: str) -> Any:
    """Planners whose name, pinyin, initials, institution or document tail holds every one of `words`."""
    for word in words.split():
        match = Q(name__contains=word) | Q(institution__name__contains=word)
        if word.isascii():
            match |= Q(search_text__contains=word.lower())
        rows = rows.filter(match)
    return rows


class PlannerFilter(PlacesFilter):
    sorts = {
        "name": ["sort_key", "pk"],
        "title": ["title", "sort_key", "pk"],
    }

    q = django_filters.CharFilter(label="姓名、拼音或设计单位", max_length=60, method="with_words")
    locality = django_filters.ChoiceFilter(label="登记地方", field_name="locality__code", empty_label="全部")
    title = django_filters.ChoiceFilter(label="职称", choices=Planner.Title.choices, empty_label="全部")
    profession = django_filters.CharFilter(label="专业", max_length=40, lookup_expr="contains")
    serving = django_filters.ChoiceFilter(
        label="派驻", choices=[("yes", "正在派驻"), ("no", "未派驻")], empty_label="全部", method="serving_so"
    )
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("left", "已离册"), ("all", "全部")], empty_label="在册", method="standing"
    )

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.filter(is_active=True)

    def standing(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(is_active=False) if value == "left" else rows

    def serving_so(self, rows: Any, name: str, value: str) -> Any:
        serving = Planner.objects.serving(timezone.localdate()).values("pk")
        return rows.filter(pk__in=serving) if value == "yes" else rows.exclude(pk__in=serving)

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return find_people(rows, value)


class ContractFilter(PlacesFilter):
    sorts = {"start": ["-start", "number", "pk"], "end": ["end", "pk"], "number": ["number", "pk"]}

    q = django_filters.CharFilter(label="合同编号、受聘方或聘用方", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[*Contract.State.choices, ("running", "履行中"), ("due", "90 天内到期"), ("over", "已期满未办理")],
        empty_label="全部",
        method="in_state",
    )
    party = django_filters.ChoiceFilter(
        label="受聘方类别", field_name="party_kind", choices=Contract.Party.choices, empty_label="全部"
    )

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        if value == "running":
            return rows.running(timezone.localdate())
        if value == "due":
            return rows.due_within(90, timezone.localdate())
        if value == "over":
            return rows.filter(state=Contract.State.SIGNED, end__lt=timezone.localdate())
        return rows.filter(state=value)

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            match = Q(number__contains=word) | Q(signer__name__contains=word) | Q(team__name__contains=word)
            match |= Q(institution__name__contains=word) | Q(planner__name__contains=word)
            if word.isascii():
                match |= Q(planner__search_text__contains=word.lower())
            rows = rows.filter(match)
        return rows


class TeamFilter(PlacesFilter):
    sorts = {"name": ["locality__code", "name", "pk"]}

    q = django_filters.CharFilter(label="团队、设计单位或领衔", max_length=60, method="with_words")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            match = Q(name__contains=word) | Q(institution__name__contains=word) | Q(lead__name__contains=word)
            if word.isascii():
                match |= Q(lead__search_text__contains=word.lower())
            rows = rows.filter(match)
        return rows


class InstitutionFilter(ListFilter):
    sorts = {"name": ["name", "pk"], "city": ["city", "name", "pk"]}

    q = django_filters.CharFilter(label="名称或城市", max_length=60, method="with_words")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            rows = rows.filter(Q(name__contains=word) | Q(city__contains=word))
        return rows
