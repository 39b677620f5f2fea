"""What came of a round: the ranking, each result with its workings and evidence, sheets far off, Excel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import IntegerField, Prefetch, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from core import audit
from core.exports import export_response
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for
from core.templatetags.ui import Column, status_html
from core.transitions import available_moves
from districts.access import access_of
from evaluations.filters_results import OwnResultFilter, ResultFilter
from evaluations.models import Result, Round
from evaluations.permissions.outcomes import can_adjust
from evaluations.permissions.results import (
    can_compute_results,
    can_correct_result,
    can_grant,
    can_record_deliberation,
    can_see_workings,
    can_settle_round,
)
from evaluations.services.consequences import REWARD, consequences_of, recipients_of, side_label
from evaluations.services.result_pages import (
    evidence_of,
    export_columns,
    export_notes,
    export_rows,
    outlier_rows,
    reports_of,
    shown_parts,
    workings,
)
from evaluations.services.results import results_of, start_computation
from evaluations.services.rules import frozen_rules
from evaluations.services.scores import recount
from evaluations.services.shown import shown_result, shown_results
from evaluations.transitions.outcomes import RESULT
from planners.models import Contract

ROUNDS = Round.objects.select_related("locality", "policy_version")
CONTRACT = Prefetch(
    "subject__contract", Contract.objects.select_related("policy_version", "locality", "team", "institution")
)
# Whom a result is about is one of five: read by itself, where a join of all takes longer to plan than to read.
ROWS = Result.objects.select_related("subject__round__locality", "supersedes").prefetch_related(
    CONTRACT, "subject__planner__institution", "subject__team", "subject__group__team", "subject__institution",
    "subject__unit",
)  # fmt: skip
TONES = {"computed": "info", "settled": "waiting", "published": "good"}
LAST = 1_000_000


def crumbs(round_: Round, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("首页", "/home/"), (round_.title, reverse("evaluations:results", args=[round_.pk])), *more]


class ResultList(FilteredListView):
    """The ranking for who collates and deliberates; the results alone for the city; for a subject its own."""

    template_name = "evaluations/result_list.html"
    caption = "评估结果"

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if request.user.is_authenticated:
            self.round = get_for(request.user, Round, kwargs["pk"], queryset=ROUNDS)
            self.workings = can_see_workings(request.user, self.round)
            self.all = bool(self.workings) or access_of(request.user).is_role(Role.CITY)
            self.rules = frozen_rules(self.round)

    @property
    def filter_class(self) -> Any:  # type: ignore[override]
        return ResultFilter if self.all else OwnResultFilter

    def scoped(self) -> Any:
        rows = Result.objects.visible_to(self.request.user).current().filter(
            subject__round=self.round, subject__left_out_reason=""
        )  # fmt: skip
        place = Coalesce("rank", Value(LAST), output_field=IntegerField())
        rows = rows.select_related("subject", "subject__contract").annotate(place=place)
        # What explains each score is long, and of it the list shows one number.
        return rows.defer("figures").annotate(far=KT("figures__outliers")) if self.all else rows

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        if not self.workings:
            return (
                Column("受评对象", "subject", "main"), Column("方向"), Column("得分", kind="num"), Column("等级", kind="short"),
                Column("状态", kind="status"),
            )  # fmt: skip
        return (
            Column("名次", "rank", "num"), Column("受评对象", "subject", "main"), Column("方向", kind="short"),
            Column("测算得分", kind="num"), Column("测算等级", kind="short"), Column("审定得分", kind="num"),
            Column("审定等级", kind="short"), Column("离群", kind="num"), Column("状态", kind="status"),
        )  # fmt: skip

    def prepare(self, page: Sequence[Result]) -> None:
        ids = [row.pk for row in page]
        self.adjusted = set(Result.objects.filter(pk__in=ids, adjustments__isnull=False).values_list("pk", flat=True))
        for row in page:
            row.subject.round = self.round
        told = [] if self.workings else shown_results(self.round, page, self.rules)
        self.told = {shown.result.pk: shown for shown in told}

    def row(self, row: Result) -> Sequence[Any]:
        link = format_html('<a href="{}">{}</a>', reverse("evaluations:result", args=[row.pk]), row.subject.label)
        state = status_html(row.get_state_display(), TONES[row.state])
        if not self.workings:
            told = self.told[row.pk]
            words = told.hidden or told.grade or "—"
            return link, row.subject.get_direction_display(), _or_dash(told.score), words, state
        final = (_or_dash(row.final_score), row.final_grade or "—")
        far = len(json.loads(row.far)) if row.far else 0
        mark = "（调整）" if row.pk in self.adjusted else ""
        note = format_html('<br><small class="text-muted">{}</small>', row.note) if row.note else ""
        return (
            _or_dash(row.rank), format_html("{}{}", link, note), row.subject.get_direction_display(),
            _or_dash(row.score), row.grade or "—", final[0], format_html("{}{}", final[1], mark), far or "—", state,
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user = self.request.user
        return {
            **context, "round": self.round, "workings": self.workings, "all": self.all,
            "may_compute": can_compute_results(user, self.round), "may_settle": can_settle_round(user, self.round),
            "crumbs": [("首页", "/home/"), (self.round.title, "")],
        }  # fmt: skip


def _or_dash(value: Any) -> str:
    return "—" if value is None else str(value)


@require_POST
@login_required
def results_compute(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_compute_results, queryset=ROUNDS)
    return redirect("core:job", start_computation(round_, actor=request.user).pk)


@require_GET
@login_required
def results_outliers(request: PersonRequest, pk: int) -> HttpResponse:
    """Sheets far from the others about the same subject: to be looked at, nothing follows from it by itself."""
    round_ = get_for(request.user, Round, pk, can_see_workings, queryset=ROUNDS)
    return render(
        request, "evaluations/result_outliers.html",
        {"round": round_, "rows": outlier_rows(round_), "crumbs": crumbs(round_, ("离群报告", ""))},
    )  # fmt: skip


@require_GET
@login_required
def results_export(request: PersonRequest, pk: int) -> HttpResponse:
    """Every result of the round, with the rules that it stands on."""
    round_ = get_for(request.user, Round, pk, can_see_workings, queryset=ROUNDS)
    visible = Result.objects.visible_to(request.user).values("pk")
    rows = results_of(round_).filter(pk__in=visible)
    audit.record("result.export", actor=request.user, obj=round_, detail={"rows": rows.count()})
    return export_response(
        export_columns(round_), export_rows(round_, rows), name=f"{round_.title}结果", title="评估结果",
        notes=("计算依据", export_notes(round_)),
    )  # fmt: skip


@require_GET
@login_required
def result_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """One result: everything for who deliberates, the result alone for the city and for the subject."""
    result = get_for(request.user, Result, pk, queryset=ROWS)
    if can_see_workings(request.user, result.subject.round):
        return render(request, "evaluations/result_detail.html", _full(request, result))
    if Result.objects.filter(supersedes=result).exists():
        raise Http404("没有找到，或您无权查看。")
    return render(request, "evaluations/result_own.html", _own(request, result))


def _full(request: PersonRequest, result: Result) -> dict[str, Any]:
    user, subject, round_ = request.user, result.subject, result.subject.round
    rules = frozen_rules(round_)
    follows = consequences_of(result, rules=rules, on=timezone.localdate())
    may_grant = can_grant(user, result)
    evidence, problem = evidence_of(subject)
    return {
        "result": result, "subject": subject, "round": round_, "tone": TONES[result.state],
        "total": {**result.figures["total"], "parts": shown_parts(result.figures["total"])},
        "grading": result.figures["grading"], "steps": workings(result, reader=user),
        "wrong": recount(result.figures),
        "evidence": evidence, "problem": problem, "reports": reports_of(subject, reader=user),
        "adjustments": result.adjustments.select_related("made_by"),
        "versions": Result.objects.filter(subject=subject).order_by("-version"),
        "newer": Result.objects.filter(supersedes=result).first(),
        "follows": [(item, side_label(item.to), bool(may_grant) and item.kind == REWARD
                     and bool(recipients_of(result, item.to))) for item in follows],
        "may_adjust": can_adjust(user, result), "may_correct": can_correct_result(user, result),
        "moves": {move.name: decision for move, decision in available_moves(RESULT, result, user)},
        "may_record": can_record_deliberation(user, round_),
        "history": audit.timeline(result),
        "crumbs": crumbs(round_, (subject.label, "")),
    }  # fmt: skip


def _own(request: PersonRequest, result: Result) -> dict[str, Any]:
    is_city = access_of(request.user).is_role(Role.CITY)
    told = shown_result(result)
    return {
        "result": result, "subject": result.subject, "round": result.subject.round, "tone": TONES[result.state],
        "told": told, "is_city": is_city, "adjustments": [] if told.hidden else result.adjustments.all(),
        "crumbs": crumbs(result.subject.round, (result.subject.label, "")),
    }  # fmt: skip
