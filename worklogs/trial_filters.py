"""What the rows of a dry run can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from core.listing import ListFilter

_OUTCOMES = {
    "newly": ("新增不达标", Q(short_after=True, short_before=False)),
    "better": ("不再不达标", Q(short_before=True, short_after=False)),
    "more": ("扣减增加", Q(change__gt=0)),
    "less": ("扣减减少", Q(change__lt=0)),
    "unset": ("扣减未设定", Q(deduction_after=None)),
    "differs": ("有任何变化", Q(differs=True)),
}


class TrialRowFilter(ListFilter):
    sorts = {"label": ["sort_key", "pk"], "change": ["-change", "sort_key", "pk"]}

    q = django_filters.CharFilter(label="规划师或责任单元", max_length=60, method="with_words")
    outcome = django_filters.ChoiceFilter(
        label="结果", choices=[(code, label) for code, (label, _) in _OUTCOMES.items()], empty_label="全部",
        method="outcome_so",
    )  # fmt: skip

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(search_text__contains=value.lower())

    def outcome_so(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(_OUTCOMES[value][1])
