"""What figures of adoption, and the list of items behind them, can be asked: one filter, so that both agree."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q
from django.utils import timezone

from core.listing import DayFilter, RowFilter
from districts.filters import PlacesFilter
from districts.models import Organisation, Unit
from planners.models import Planner
from projects.adoption import LATE, OWED, WORDS
from projects.models import OpinionItem, Project, ProjectStage
from projects.services.adoption_reads import handed_in, judged, written_by

_CONSULTATION = "opinion__consultee__consultation"
DONE_WORDS = {"done": "已落实", "overdue": "到期未登记落实", "running": "未到期"}


class ItemFilter(PlacesFilter):
    """Over items that are scoped to the person; `since` and `until`: the day on which the opinion was handed in."""

    sorts = {"recent": ["-pk"]}

    q = django_filters.CharFilter(label="项目或意见内容", max_length=60, method="with_words")
    since = DayFilter(label="意见提交起始日期", method="from_day")
    until = DayFilter(label="意见提交截止日期", method="to_day")
    kind = django_filters.ChoiceFilter(
        label="项目类型", field_name=f"{_CONSULTATION}__project__kind", choices=Project.Kind.choices,
        empty_label="全部",
    )  # fmt: skip
    stage = django_filters.ChoiceFilter(
        label="阶段", field_name=f"{_CONSULTATION}__stage__stage", choices=ProjectStage.STAGES, empty_label="全部"
    )
    severity = django_filters.ChoiceFilter(
        label="程度", choices=[*OpinionItem.Severity.choices, ("rest", "须修改以外")], empty_label="全部",
        method="so_grave",
    )  # fmt: skip
    outcome = django_filters.ChoiceFilter(
        label="采纳情况",
        choices=[*WORDS.items(), ("answered", "已反馈"), ("due", "应反馈"), ("open", "待反馈（含逾期）")],
        empty_label="全部", method="ended",
    )  # fmt: skip
    done = django_filters.ChoiceFilter(label="落实", choices=list(DONE_WORDS.items()), empty_label="全部")
    locality = django_filters.ChoiceFilter(
        label="地方", field_name=f"{_CONSULTATION}__locality__code", empty_label="全部"
    )
    # From links of the figures.
    department = RowFilter(label="征询单位", model=Organisation, field_name="body")
    unit = RowFilter(label="责任单元", model=Unit, method="in_unit")
    placed = django_filters.ChoiceFilter(
        label="责任单元", choices=[("no", "未填写责任单元")], empty_label="全部", method="nowhere"
    )
    planner = RowFilter(label="规划师", model=Planner, method="by_planner")

    def __init__(self, data: Any, queryset: Any, *, user: Any) -> None:
        super().__init__(data, judged(queryset, timezone.localdate()), user=user)

    def fit(self, form: Any) -> None:
        super().fit(form)
        # Asked by links alone: a choice with one answer is no choice.
        form.fields["placed"].widget = form.fields["placed"].hidden_widget()

    def filter_queryset(self, queryset: Any) -> Any:
        asked = self.form.cleaned_data
        for name in ("department", "unit", "planner"):
            if asked.get(name):
                self.form.fields[name].name(asked[name], self.user)  # type: ignore[attr-defined]
        return super().filter_queryset(queryset)

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:5]:
            rows = rows.filter(Q(text__icontains=word) | Q(**{f"{_CONSULTATION}__project__name__icontains": word}))
        return rows

    def from_day(self, rows: Any, name: str, value: Any) -> Any:
        return handed_in(rows, start=value)

    def to_day(self, rows: Any, name: str, value: Any) -> Any:
        return handed_in(rows, end=value)

    def so_grave(self, rows: Any, name: str, value: str) -> Any:
        return rows.exclude(severity="must") if value == "rest" else rows.filter(severity=value)

    def ended(self, rows: Any, name: str, value: str) -> Any:
        several = {"answered": ("adopted", "partly", "refused"), "open": (OWED, LATE)}
        several["due"] = (*several["answered"], *several["open"])
        return rows.filter(outcome__in=several.get(value, (value,)))

    def in_unit(self, rows: Any, name: str, value: int) -> Any:
        within = Project.units.through.objects.filter(unit_id=value)
        return rows.filter(**{f"{_CONSULTATION}__project__in": within.values("project_id")})

    def nowhere(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(**{f"{_CONSULTATION}__project__units": None})

    def by_planner(self, rows: Any, name: str, value: int) -> Any:
        return written_by(rows, [value])
