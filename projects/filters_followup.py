"""What the lists of letters and of hard questions can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from districts.filters import PlacesFilter
from projects.models import HardQuestion


class DispatchFilter(PlacesFilter):
    sorts = {"recent": ["-pk"]}

    q = django_filters.CharFilter(label="项目、编号或发文字号", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[("draft", "未发出"), ("running", "办理中"), ("over", "已办结")], empty_label="全部", method="standing",
    )  # fmt: skip

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:5]:
            rows = rows.filter(
                Q(number__icontains=word)
                | Q(office_number__icontains=word)
                | Q(consultation__project__name__icontains=word)
            )
        return rows

    def standing(self, rows: Any, name: str, value: str) -> Any:
        if value == "draft":
            return rows.filter(office_number="")
        running = rows.model.objects.filter(steps__done_on=None).values("pk")
        rows = rows.exclude(office_number="")
        return rows.filter(pk__in=running) if value == "running" else rows.exclude(pk__in=running)


class QuestionFilter(PlacesFilter):
    """Answers are searched along with questions, so that what was answered once is found again."""

    sorts = {"recent": ["-pk"]}

    q = django_filters.CharFilter(label="问题或解答", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(label="状态", choices=HardQuestion.State.choices, empty_label="全部")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:5]:
            rows = rows.filter(Q(title__icontains=word) | Q(text__icontains=word) | Q(answer__icontains=word))
        return rows
