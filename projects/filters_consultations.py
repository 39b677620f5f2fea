"""What the list of requests can be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils import timezone

from accounts.roles import Role
from districts.access import access_of
from districts.filters import PlacesFilter
from projects.filters import find_projects
from projects.models import Consultation, Consultee, Project, ProjectStage
from projects.querysets import own_planners

_SOON = timedelta(days=7)
# More projects than this of one name are looked for one by one instead of by their ids.
_MOST = 1000


class ConsultationFilter(PlacesFilter):
    sorts = {"recent": ["-asked_on", "-pk"]}

    q = django_filters.CharFilter(label="项目、编号或事项", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(label="状态", choices=Consultation.State.choices, empty_label="全部")
    mine = django_filters.ChoiceFilter(
        label="我的答复",
        choices=[("waiting", "待我答复"), ("answered", "我已答复")],
        empty_label="全部",
        method="of_mine",
    )
    due = django_filters.ChoiceFilter(
        label="期限", choices=[("over", "已逾期"), ("soon", "七天内到期"), ("none", "未设期限")], empty_label="全部",
        method="due_when",
    )  # fmt: skip
    stage = django_filters.ChoiceFilter(
        label="阶段", field_name="stage__stage", choices=ProjectStage.STAGES, empty_label="全部"
    )
    kind = django_filters.ChoiceFilter(
        label="项目类型", field_name="project__kind", choices=Project.Kind.choices, empty_label="全部"
    )
    way = django_filters.ChoiceFilter(label="方式", choices=Consultation.Way.choices, empty_label="全部")

    def fit(self, form: forms.Form) -> None:
        super().fit(form)
        if not access_of(self.user).is_role(Role.PLANNER, Role.LEAD):
            del form.fields["mine"]

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        # The rows are scoped already: which projects of the places match is nobody's secret here.
        places = Project.objects.filter(locality_id__in=access_of(self.user).locality_ids)
        found = list(find_projects(places, value).order_by().values_list("pk", flat=True)[: _MOST + 1])
        named = Q(project_id__in=found) if len(found) <= _MOST else Q(project__name__icontains=value)
        return rows.filter(named | Q(number__startswith=value) | Q(subject__icontains=value))

    def of_mine(self, rows: Any, name: str, value: str) -> Any:
        state = Consultee.State.ASKED if value == "waiting" else Consultee.State.ANSWERED
        own = Consultee.objects.filter(planner_id__in=own_planners(self.user), state=state)
        found = rows.filter(pk__in=own.values("consultation_id"))
        return found.running() if value == "waiting" else found

    def due_when(self, rows: Any, name: str, value: str) -> Any:
        today = timezone.localdate()
        running = rows.running()
        if value == "over":
            return running.filter(due_on__lt=today)
        if value == "soon":
            return running.filter(due_on__range=(today, today + _SOON))
        return running.filter(due_on=None)
