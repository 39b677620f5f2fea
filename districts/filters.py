"""What the lists of units and organisations can be asked; and the choice of places that most lists have."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone

from core.listing import ListFilter, offer_places
from districts.access import access_of
from districts.models import Locality, Organisation, Unit, UnitSuccession
from districts.policy.keys_appointment import AREA_TYPES


class PlacesFilter(ListFilter):
    """A list over several places: `locality` offers those a role reaches; it goes where there is but one."""

    # Column of a locality that stands in the address.
    place_key = "code"

    locality = django_filters.ChoiceFilter(label="地方", field_name="locality__code", empty_label="全部")

    def fit(self, form: forms.Form) -> None:
        several = len(access_of(self.user).locality_ids) > 1
        places = Locality.objects.visible_to(self.user).values_list(self.place_key, "name") if several else ()
        offer_places(form, dict(places))


class UnitFilter(PlacesFilter):
    sorts = {"name": ["locality__code", "sort_key", "pk"], "kind": ["kind", "sort_key", "pk"]}

    q = django_filters.CharFilter(label="名称、街道或拼音", max_length=60, method="with_words")
    kind = django_filters.ChoiceFilter(label="类别", choices=Unit.Kind.choices, empty_label="全部")
    area = django_filters.ChoiceFilter(
        label="片区类型", field_name="area_type", choices=list(AREA_TYPES.items()), empty_label="全部"
    )
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("retired", "已撤销"), ("all", "全部")], empty_label="现行", method="standing"
    )

    served = django_filters.ChoiceFilter(
        label="派驻", choices=[("yes", "目前有人派驻"), ("no", "目前无人派驻")], empty_label="全部", method="served_so"
    )

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.current(timezone.localdate())

    def served_so(self, rows: Any, name: str, value: str) -> Any:
        """By today's assignments; the days of gaps and doubles stand on the page of coverage."""
        today = timezone.localdate()
        running = Unit.objects.filter(
            Q(charge__assignments__end=None) | Q(charge__assignments__end__gte=today),
            charge__assignments__start__lte=today, charge__assignments__contract__state__in=["signed", "ended"],
        ).values("pk")  # fmt: skip
        return rows.filter(pk__in=running) if value == "yes" else rows.exclude(pk__in=running)

    def standing(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(valid_to__lt=timezone.localdate()) if value == "retired" else rows

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return find_units(rows, value)


def find_units(rows: Any, words: str) -> Any:
    """Units whose name, pinyin, former name, predecessor or one of whose streets holds every one of `words`."""
    for word in words.split():
        streets = Unit.objects.filter(parts__division__name__contains=word).values("pk")
        former = Q(predecessor_name__contains=word)
        match = Q(name__contains=word) | Q(pk__in=streets)
        if word.isascii():
            match |= Q(search_text__contains=word.lower())
            former |= Q(search_text__contains=word.lower())
        before = UnitSuccession.objects.filter(former, successor__isnull=False)
        match |= Q(pk__in=before.values("successor_id"))
        rows = rows.filter(match)
    return rows


class OrganisationFilter(ListFilter):
    sorts = {"kind": ["kind", "name", "pk"], "name": ["name", "pk"]}

    q = django_filters.CharFilter(label="名称", max_length=60, method="with_words")
    kind = django_filters.ChoiceFilter(label="类别", choices=Organisation.Kind.choices, empty_label="全部")
    state = django_filters.ChoiceFilter(label="状态", choices=[("all", "全部")], empty_label="在用", method="standing")

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.filter(is_active=True)

    def standing(self, rows: Any, name: str, value: str) -> Any:
        return rows

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split():
            rows = rows.filter(name__contains=word)
        return rows
