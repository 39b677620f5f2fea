"""The acts of the working group."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for
from evaluations.forms_results import ChangeForm, DeliberationForm, RewardForm, WhyForm
from evaluations.models import Deliberation, Result, Round
from evaluations.permissions.outcomes import can_adjust, can_settle_result
from evaluations.permissions.results import (
    can_correct_result,
    can_grant,
    can_record_deliberation,
    can_see_workings,
    can_settle_round,
)
from evaluations.services.adjusting import grades_of
from evaluations.services.checklist import checklist
from evaluations.services.consequences import give_reward, key_of, recipients_of
from evaluations.services.deliberation import (
    adjust_result,
    record_deliberation,
    settle_result,
    settle_round,
    start_minutes,
    unsettle_result,
)
from evaluations.services.results import correct_result
from evaluations.services.rules import frozen_rules
from evaluations.views.results import ROUNDS, ROWS, crumbs


@login_required
def deliberation(request: PersonRequest, pk: int) -> HttpResponse:
    """Meetings with their minutes, what stands in the way of announcing, and the form for the next meeting."""
    round_ = get_for(request.user, Round, pk, can_see_workings, queryset=ROUNDS)
    may = can_record_deliberation(request.user, round_)
    approval = frozen_rules(round_).get("evaluation.approval")
    today = timezone.localdate()
    form = None
    if may:
        initial = {"body": str(approval.value or "")[:80], "held_on": today}
        form = DeliberationForm(request.POST or None, initial=initial)
    if request.method == "POST":
        get_for(request.user, Round, pk, can_record_deliberation)
        if form is not None and form.is_valid():
            made = attempt_once(
                form, request.user,
                lambda data: record_deliberation(round_, actor=request.user, today=today, **data),
            )  # fmt: skip
            if made is not None:
                messages.success(request, "审议已登记。")
                return redirect("evaluations:deliberation", pk)
    meetings = Deliberation.objects.visible_to(request.user).filter(round=round_)
    return render(
        request, "evaluations/deliberation.html",
        {
            "round": round_, "form": form, "may": may, "approval": approval,
            "meetings": meetings.select_related("document", "recorded_by").order_by("-held_on", "-pk"),
            "obstacles": checklist(round_, "announce", today=today) if round_.state == "deliberation" else [],
            "crumbs": crumbs(round_, ("审议", "")),
        },
    )  # fmt: skip


@require_POST
@login_required
def results_settle(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_settle_round, queryset=ROUNDS)
    done = settle_round(round_, actor=request.user)
    if done.moved:
        messages.success(request, f"已审定 {len(done.moved)} 个结果。")
    for reason in list(done.refused.values())[:10]:
        messages.error(request, reason)
    if not done.moved and not done.refused:
        messages.info(request, "没有待审定的结果。")
    return redirect("evaluations:results", pk)


@login_required
def result_adjust(request: PersonRequest, pk: int) -> HttpResponse:
    result = get_for(request.user, Result, pk, can_adjust, queryset=ROWS)
    last = result.adjustments.order_by("-pk").values_list("pk", flat=True).first() or 0
    form = _change_form(request, result, last)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        done = attempt(
            form,
            lambda: adjust_result(
                result, actor=request.user, to_score=data["to_score"], to_grade=data.get("to_grade", ""),
                reason=data["reason"], seen=data["seen"] or 0,
            ),
        )  # fmt: skip
        if done is not None:
            messages.success(request, "结果已调整，理由记入审议纪要。")
            return redirect("evaluations:result", pk)
    return _form_page(request, result, form, "调整结果", "测算结果保留，审定得分和等级以调整后为准。")


@login_required
def result_correct(request: PersonRequest, pk: int) -> HttpResponse:
    """After it has taken effect: a new version."""
    result = get_for(request.user, Result, pk, can_correct_result, queryset=ROWS)
    form = _change_form(request, result, 0)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt(
            form,
            lambda: correct_result(
                result, actor=request.user, to_score=data["to_score"], to_grade=data.get("to_grade", ""),
                reason=data["reason"], today=timezone.localdate(),
            ),
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"已另出第 {made.version} 版，原版次保留可查。")
            return redirect("evaluations:result", made.pk)
    return _form_page(request, result, form, "更正结果", "已生效的结果不能修改；更正另出新版，并同步到合同的评估结果。")


def _change_form(request: PersonRequest, result: Result, seen: int) -> ChangeForm:
    initial = {"to_score": result.final_score, "to_grade": result.final_grade, "seen": seen}
    return ChangeForm(request.POST or None, initial=initial, grades=grades_of(result))


def _form_page(request: PersonRequest, result: Result, form: Any, title: str, intro: str) -> HttpResponse:
    url = reverse("evaluations:result", args=[result.pk])
    round_ = result.subject.round
    return render(
        request, "evaluations/result_form.html",
        {
            "form": form, "result": result, "title": title, "intro": intro, "back": url,
            "crumbs": crumbs(round_, (result.subject.label, url), (title, "")),
        },
    )  # fmt: skip


@require_POST
@login_required
def result_settle(request: PersonRequest, pk: int) -> HttpResponse:
    result = get_for(request.user, Result, pk, can_settle_result, queryset=ROWS)
    try:
        settle_result(result, actor=request.user)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "结果已审定。")
    return redirect("evaluations:result", pk)


@login_required
def result_unsettle(request: PersonRequest, pk: int) -> HttpResponse:
    result = get_for(request.user, Result, pk, can_settle_result, queryset=ROWS)
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(form, lambda: unsettle_result(result, actor=request.user, reason=reason)) is not None:
            messages.success(request, "已撤回审定。")
            return redirect("evaluations:result", pk)
    return _form_page(request, result, form, "撤回审定", "撤回后可以调整，并须重新审定。")


@login_required
def result_reward(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    """Note the honour that the rules name for this result."""
    result = get_for(request.user, Result, pk, can_grant, queryset=ROWS)
    rules = frozen_rules(result.subject.round)
    rows = list(rules.value("consequences.rewards") or ())
    if number >= len(rows):
        raise Http404("制度没有这项奖励。")
    people = [(key_of(who), str(who)) for who in recipients_of(result, rows[number]["to"])]
    today = timezone.localdate()
    initial = {"title": rows[number]["reward"], "given_on": today}
    form = RewardForm(request.POST or None, recipients=people, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: give_reward(result, actor=request.user, number=number, today=today, rules=rules, **data),
        )  # fmt: skip
        if made is not None:
            messages.success(request, "奖励已登记。")
            return redirect("evaluations:result", pk)
    condition = rows[number].get("when") or ""
    return _form_page(request, result, form, "登记奖励", f"制度规定的条件：{condition}。" if condition else "")


@require_POST
@login_required
def minutes_make(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Deliberation, pk, queryset=Deliberation.objects.select_related("round__locality"))
    job = start_minutes(row, actor=request.user)
    return redirect("core:job", job.pk) if job is not None else redirect("evaluations:deliberation", row.round_id)


@require_GET
@login_required
def minutes(request: PersonRequest, pk: int) -> FileResponse:
    rows = Deliberation.objects.select_related("round__locality", "document__file")
    row = get_for(request.user, Deliberation, pk, queryset=rows)
    if row.document is None or row.document.file is None:
        raise Http404("审议纪要还没有生成。")
    audit.record("deliberation.minutes", actor=request.user, obj=row, locality=row.round.locality, label="下载审议纪要")
    return stream(row.document.file, as_name=f"{row.document.title}.pdf")
