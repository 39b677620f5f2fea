"""What lists of objections and inspections can be asked; everything stands in the address."""

from __future__ import annotations

import django_filters

from core.listing import ListFilter
from evaluations.models import Inspection, Objection


class ObjectionFilter(ListFilter):
    q = django_filters.CharFilter(field_name="result__subject__label", lookup_expr="icontains", label="受评对象")
    state = django_filters.ChoiceFilter(choices=Objection.State.choices, label="状态", empty_label="全部")

    sorts = {"new": ["-pk"]}


class InspectionFilter(ListFilter):
    q = django_filters.CharFilter(field_name="number", lookup_expr="icontains", label="编号")
    state = django_filters.ChoiceFilter(choices=Inspection.State.choices, label="状态", empty_label="全部")

    sorts = {"new": ["-held_on", "-pk"]}
