"""What the lists of rectifications, disputes and precedents can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q
from django.utils import timezone

from districts.filters import PlacesFilter
from projects.filters import find_projects
from projects.models import Dispute, Project, Rectification

_MOST_WORDS = 5
_MOST_PROJECTS = 1000


class _OfProjects(PlacesFilter):
    def projects_named(self, words: str) -> list[int]:
        """Ids first: the index of character pairs is asked by the table's own name, which a subquery would rename."""
        found = find_projects(Project.objects.visible_to(self.user), words).order_by("-pk")
        return list(found.values_list("pk", flat=True)[:_MOST_PROJECTS])


class RectificationFilter(_OfProjects):
    sorts = {"recent": ["-raised_on", "-pk"], "state": ["state", "-raised_on", "-pk"]}

    q = django_filters.CharFilter(label="项目名称、编号或整改单位", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("unsettled", "未办结"), *Rectification.State.choices], empty_label="全部",
        method="in_state",
    )  # fmt: skip
    late = django_filters.ChoiceFilter(label="期限", choices=[("1", "已过期限")], empty_label="全部", method="is_late")
    subject = django_filters.ChoiceFilter(label="类别", choices=Rectification.Subject.choices, empty_label="全部")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        named = self.projects_named(value)
        return rows.filter(
            Q(project_id__in=named) | Q(number__istartswith=value) | Q(contractor__name__icontains=value)
        )

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.unsettled() if value == "unsettled" else rows.filter(state=value)

    def is_late(self, rows: Any, name: str, value: str) -> Any:
        return rows.unsettled().filter(due_on__lt=timezone.localdate())


class DisputeFilter(_OfProjects):
    sorts = {"recent": ["-filed_on", "-pk"]}

    q = django_filters.CharFilter(label="争议事项、项目名称或编号", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("unsettled", "未裁定"), *Dispute.State.choices], empty_label="全部", method="in_state"
    )

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        named = self.projects_named(value)
        return rows.filter(Q(project_id__in=named) | Q(number__istartswith=value) | Q(title__icontains=value))

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.unsettled() if value == "unsettled" else rows.filter(state=value)


class PrecedentFilter(PlacesFilter):
    """Searched by what is shown alone: the principle, its keywords, the kind of project and the stage."""

    sorts = {"recent": ["-ruled_on", "-pk"]}

    q = django_filters.CharFilter(label="要旨或关键词", max_length=60, method="with_words")
    outcome = django_filters.ChoiceFilter(label="裁定", choices=Dispute.Outcome.choices, empty_label="全部")
    kind = django_filters.ChoiceFilter(
        label="项目类型", field_name="project__kind", choices=Project.Kind.choices, empty_label="全部"
    )
    stage = django_filters.ChoiceFilter(
        label="阶段", field_name="stage__stage", empty_label="全部",
        choices=[choice for choice in Project.Stage.choices if choice[0] != Project.Stage.DONE],
    )  # fmt: skip

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        for word in value.split()[:_MOST_WORDS]:
            rows = rows.filter(Q(principle__icontains=word) | Q(keywords__icontains=word))
        return rows
