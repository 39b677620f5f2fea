"""Hard questions: the list, asking, one question with its answer, taking back, putting it to somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods

from core import audit
from core.explain import Clause
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.access import place_of
from districts.services.policies import policy_in_force
from projects import permissions_followup as may
from projects.filters_followup import QuestionFilter
from projects.forms_followup import AnswerForm, QuestionForm, ReasonForm, ReassignForm
from projects.models import HardQuestion
from projects.services import questions as services

_TONES = {"asked": "waiting", "answered": "good", "withdrawn": "neutral"}


class QuestionList(FilteredListView):
    template_name = "projects/question_list.html"
    filter_class = QuestionFilter
    caption = sheet = "疑难问题咨询"
    columns = (
        Column("问题", kind="main"), Column("提出单位"), Column("规划师"), Column("责任单元（项目）"),
        Column("提出日期", kind="date"), Column("希望答复", kind="date"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return HardQuestion.objects.visible_to(self.request.user).select_related("asker", "planner", "charge")

    def row(self, obj: HardQuestion) -> Sequence[Any]:
        return (
            format_html('<a href="{}">{}</a>', obj.get_absolute_url(), obj.title), obj.asker.name, obj.planner.name,
            obj.charge.name if obj.charge else "", obj.asked_on, obj.due_on or "",
            status_html(obj.get_state_display(), _TONES[obj.state]),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = place_of(self.request.user)
        policy = policy_in_force(place) if place is not None else None
        value = policy.get(services.KEY) if policy is not None else None
        return super().get_context_data(may_ask=may.may_ask_questions(self.request.user, policy), rule=value, **kwargs)


@login_required
@require_http_methods(["GET", "POST"])
def question_create(request: PersonRequest) -> HttpResponse:
    place = place_of(request.user)
    policy = policy_in_force(place) if place is not None else None
    require(may.may_ask_questions(request.user, policy))
    if place is None:
        raise Http404("没有找到，或您无权查看。")
    form = QuestionForm(request.POST or None, locality=place, user=request.user)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user, lambda data: services.ask_question(place, actor=request.user, **data)
        )  # fmt: skip
        if made is not None:
            messages.success(request, "已提出，并已通知规划师。")
            return redirect(made)
    return render(request, "projects/question_act.html", {"form": form, "title": "提出疑难问题"})


@login_required
@require_GET
def question_detail(request: PersonRequest, pk: int) -> HttpResponse:
    question = get_for(request.user, HardQuestion, pk, queryset=services.ROWS)
    return render(request, "projects/question.html", {
        "question": question, "tone": _TONES[question.state],
        "may_answer": may.can_answer_question(request.user, question),
        "may_withdraw": may.can_withdraw_question(request.user, question),
        "clause": Clause(**question.clause) if question.clause else None,
        "history": audit.timeline(question, limit=30),
    })  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def question_answer(request: PersonRequest, pk: int) -> HttpResponse:
    question = get_for(request.user, HardQuestion, pk, may.can_answer_question, queryset=services.ROWS)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["answer"]
        done = attempt(form, lambda: services.answer_question(question, actor=request.user, answer=answer))
        if done is not None:
            messages.success(request, "已提交解答，并已通知提出单位。")
            return redirect(question)
    return render(request, "projects/question_act.html", {"form": form, "title": "解答疑难问题", "question": question})


@login_required
@require_http_methods(["GET", "POST"])
def question_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    question = get_for(request.user, HardQuestion, pk, may.can_withdraw_question, queryset=services.ROWS)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        done = attempt(form, lambda: services.withdraw_question(question, actor=request.user, reason=reason))
        if done is not None:
            messages.success(request, "已撤回，并已告知规划师。")
            return redirect(question)
    return render(request, "projects/question_act.html", {"form": form, "title": "撤回疑难问题", "question": question})


@login_required
@require_http_methods(["GET", "POST"])
def question_reassign(request: PersonRequest, pk: int) -> HttpResponse:
    question = get_for(request.user, HardQuestion, pk, may.can_withdraw_question, queryset=services.ROWS)
    form = ReassignForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        done = attempt(
            form,
            lambda: services.reassign_question(
                question, actor=request.user, planner=data["planner"], reason=data["reason"]
            ),
        )
        if done is not None:
            messages.success(request, f"已改由{done.planner.name}解答。")
            return redirect(question)
    return render(request, "projects/question_act.html", {"form": form, "title": "改由他人解答", "question": question})
