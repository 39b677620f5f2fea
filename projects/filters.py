"""What the list of projects can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import connections
from django.db.models import BooleanField, F, Func, Q, Value

from districts.filters import PlacesFilter
from districts.services.lineage import charges_behind
from projects.models import DataRequest, Project, StageDecision

_MOST_WORDS = 5


class _HoldsPairsOf(Func):
    """Does the first hold every pair of neighbouring characters of the second? As the index of migration 0002 asks."""

    template = "project_bigrams(%(expressions)s)"
    arg_joiner = ") @> project_bigrams("
    output_field = BooleanField()


class ProjectFilter(PlacesFilter):
    sorts = {"recent": ["-pk"]}

    q = django_filters.CharFilter(label="项目名称或编号", max_length=60, method="with_words")
    stage = django_filters.ChoiceFilter(label="阶段", choices=Project.Stage.choices, empty_label="全部")
    kind = django_filters.ChoiceFilter(label="类型", choices=Project.Kind.choices, empty_label="全部")
    tier = django_filters.CharFilter(label="等级", max_length=40)
    ground = django_filters.ChoiceFilter(
        label="征询情况", choices=[("unconsulted", "有未经征询即通过的阶段"), ("waived", "有经批准免予征询的阶段")],
        empty_label="全部", method="passed_on",
    )  # fmt: skip
    unit = django_filters.CharFilter(label="责任单元", max_length=60, method="in_units")
    charge = django_filters.ChoiceFilter(
        label="责任项目", choices=[("yes", "已认定"), ("no", "未认定")], empty_label="全部", method="recognised"
    )

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return find_projects(rows, value)

    def in_units(self, rows: Any, name: str, value: str) -> Any:
        named = Q(unit__name__contains=value) | Q(unit__charge_id__in=charges_behind(value))
        through = Project.units.through.objects.filter(named)
        return rows.filter(pk__in=through.values("project_id"))

    def passed_on(self, rows: Any, name: str, value: str) -> Any:
        decided = StageDecision.objects.filter(ground=value)
        return rows.filter(pk__in=decided.values("stage__project_id"))

    def recognised(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(charge__isnull=value == "no")


def find_projects(rows: Any, words: str) -> Any:
    """Projects whose name holds every one of `words`, or whose number begins with it.

    PostgreSQL narrows by indexed pairs of characters first (migration 0002), then compares; SQLite compares.
    """
    indexed = connections[rows.db].vendor == "postgresql"
    for word in words.split()[:_MOST_WORDS]:
        by_name = Project.objects.filter(name__icontains=word)
        if indexed and len(word) >= 2:
            by_name = by_name.filter(_HoldsPairsOf(F("name"), Value(word)))
        match = Q(pk__in=by_name.order_by().values("pk"))
        rows = rows.filter(match | Q(number__startswith=word) if word.isascii() else match)
    return rows


class BoardFilter(ProjectFilter):
    """The board is by stage itself."""

    stage = None


class DataRequestFilter(PlacesFilter):
    sorts = {"recent": ["-pk"]}

    q = django_filters.CharFilter(label="资料或用途", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(label="状态", choices=DataRequest.State.choices, empty_label="全部")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:_MOST_WORDS]:
            rows = rows.filter(Q(what__contains=word) | Q(purpose__contains=word) | Q(planner__name__contains=word))
        return rows
