"""What those who were asked, their leads and the desk do about one answer: decline, keep out, replace, let off."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse

from core.http import PersonRequest
from core.permissions import get_for
from planners.models import Planner
from projects import permissions_consultations as may
from projects.conflicts import conflict_of
from projects.forms_consultations import ReasonForm, SubstituteForm, worded
from projects.models import Consultee
from projects.services import consultees as service
from projects.services.consultees import ROWS
from projects.services.successors import successors_for
from projects.views.consultations import act_page, sent


def _act(request: PersonRequest, row: Consultee, form: Any, do: Any, **words: Any) -> HttpResponse:
    consultation = row.consultation
    words.setdefault("back", consultation.get_absolute_url())
    note = f"{consultation.number}，{consultation.project.name}：{row.planner.name}"
    return act_page(request, form, do, note=note, **words)


@login_required
def consultee_decline(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultee, pk, may.can_decline, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: service.decline(row, actor=request.user, reason=data["reason"]),
        title="谢绝答复", done="已谢绝，征询单位已收到通知。", submit="谢绝",
        intro="谢绝的原因会告知征询单位。因利益关系不能发表意见的，请办理回避。",
    )  # fmt: skip


@login_required
def consultee_recuse(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultee, pk, may.can_recuse, queryset=ROWS)
    own = may.is_planner(request.user, row.planner)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: service.recuse(row, actor=request.user, reason=data["reason"]),
        title="办理回避", done="已登记回避。", submit="回避",
        warning="登记后不再参与该项目的征询、意见和统计，也不再看到有关内容。",
        # Whoever keeps out sees the request no longer.
        **({"back": reverse("projects:consultation-list")} if own else {}),
    )  # fmt: skip


@login_required
def consultee_release(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultee, pk, may.can_release, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: service.release(row, actor=request.user, reason=data["reason"]),
        title="无须答复", done="已通知该规划师无须再答复。", submit="确认无须答复",
    )  # fmt: skip


@login_required
def consultee_substitute(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultee, pk, may.can_substitute, queryset=ROWS)
    desk = may.is_desk(request.user, row.consultation)
    offered, words = _offered(row, desk)
    form = SubstituteForm(sent(request), offered=offered, words=words, user=request.user, desk=desk)
    return _act(
        request, row, form,
        lambda data: service.substitute(row, actor=request.user, planner=data["chosen"], reason=data["reason"]),
        title="安排替补", done="已安排替补，有关人员已收到通知。", once=True,
        intro="意见形式和效力不变，期限不变；需要更多时间的，替补人可以申请延期。",
    )  # fmt: skip


def _offered(row: Consultee, desk: bool) -> tuple[list[Planner], dict[int, str]]:
    """Those who could answer instead: for the desk by service and role, for the planner and the lead the team."""
    colleagues = service.colleagues_of(row.planner)
    candidates = successors_for(row)
    words = {one.planner.pk: worded(one) for one in candidates}
    if desk:
        people = [one.planner for one in candidates]
        known = {one.pk for one in people}
        people += [one for one in colleagues if one.pk not in known]
    else:
        people = colleagues
    taken = set(row.consultation.consultees.exclude(state__in=["replaced", "recused", "released"]).values_list(
        "planner_id", flat=True
    ))  # fmt: skip
    free = [one for one in people if one.pk not in taken and conflict_of(one, row.consultation.project) is None]
    return free, words
