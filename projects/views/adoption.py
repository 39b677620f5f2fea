"""Adoption: answering a request item by item, changing an answer, proving it, taking back what was answered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from core import audit
from core.explain import Clause
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.permissions import get_for, require
from projects import permissions_adoption as may
from projects.forms_adoption import AnswersForm, ChangeForm, ProofForm, WithdrawForm
from projects.models import Consultation, ItemAnswer, ItemProof, OpinionDispatch, OpinionItem
from projects.permissions_followup import can_dispatch
from projects.services import adoption as services
from projects.services.adoption_pages import Watch, lines_of, shown_items
from projects.services.dispatches import route_of
from projects.services.due import days_between

_ANSWERS = ItemAnswer.objects.select_related(
    "locality", "item__opinion__author", "item__opinion__consultee__consultation__asker",
    "item__opinion__consultee__consultation__project",
)  # fmt: skip
_SIMPLE = "projects/adoption_act.html"


def _page(request: PersonRequest, consultation: Consultation, form: AnswersForm | None) -> HttpResponse:
    today = timezone.localdate()
    due_on = consultation.feedback_due_on if consultation.state == "answered" else None
    lines = lines_of(shown_items(services.items_of(consultation)), user=request.user, today=today)
    owed = {item.pk: fields for item, fields in form.lines} if form is not None else {}
    first = next((line.answer for line in lines if line.answer), None)
    return render(request, "projects/adoption_answer.html", {
        "consultation": consultation, "project": consultation.project, "form": form,
        "lines": [(line, owed.get(line.item.pk)) for line in lines],
        "owed": sum(line.answer is None for line in lines),
        "may_answer": may.can_answer_items(request.user, consultation),
        "may_change": first is not None and may.can_change_answer(request.user, first),
        "dispatch": OpinionDispatch.objects.visible_to(request.user).filter(consultation=consultation).first(),
        "may_dispatch": can_dispatch(request.user, consultation) and _is_sent_on(consultation),
        "may_withdraw": may.can_withdraw_answered(request.user, consultation),
        "due": Watch.among(today, [due_on]).day(due_on),
        "term": _term(consultation), "history": audit.timeline(consultation, limit=30),
    })  # fmt: skip


def _is_sent_on(consultation: Consultation) -> bool:
    """Has the pack a route for letters?"""
    route = route_of(consultation)
    return route is not None and route.is_set


def _numbered(consultation: Consultation) -> list[tuple[int, OpinionItem]]:
    """What is still to be answered, each with its number on the page."""
    owed = {item.pk: item for item in services.unanswered_of(consultation)}
    every = services.items_of(consultation).values_list("pk", flat=True)
    return [(number, owed[pk]) for number, pk in enumerate(every, start=1) if pk in owed]


def _term(consultation: Consultation) -> Clause | None:
    """Where the term of the answers comes from; None for one that the request set itself."""
    kept = consultation.feedback_clause or {}
    if kept.get("origin") == "request" or (consultation.feedback_days and not kept):
        return None
    return Clause(**kept) if kept.get("key") else Clause("review.feedback_days", "unset")


@login_required
@require_http_methods(["GET", "POST"])
def adoption_answer(request: PersonRequest, pk: int) -> HttpResponse:
    """The items of a request with what became of each; for who asked, the form that answers them."""
    consultation = get_for(request.user, Consultation, pk, queryset=services.ROWS)
    decision = may.can_answer_items(request.user, consultation)
    if request.method == "POST":
        if made_with(request.user, request.POST.get(FIELD, "")) == consultation:
            # A double click: the first one did it.
            return redirect("projects:adoption-answer", pk)
        require(decision)
    if not decision:
        return _page(request, consultation, None)
    form = AnswersForm(request.POST or None, items=_numbered(consultation))
    if request.method == "POST" and form.is_valid():
        done = attempt_once(
            form, request.user,
            lambda _: services.answer_items(consultation, actor=request.user, answers=form.answers()),
        )  # fmt: skip
        if done is not None:
            left = services.unanswered_of(done).count()
            messages.success(request, f"已反馈，还有 {left} 条待反馈。" if left else "已反馈，各条意见均有了答复。")
            _warn_of_rest_days(request, form)
            return redirect("projects:adoption-answer", pk)
    return _page(request, consultation, form)


def _warn_of_rest_days(request: PersonRequest, form: AnswersForm) -> None:
    """A day that nobody works on is taken as it was given, and said so."""
    days = sorted({given.due_on for given in form.answers().values() if given.due_on})
    worked = days_between(days[0], days[-1]).days if days else {}
    rest = [f"{day:%Y-%m-%d}" for day in days if worked.get(day) is False]
    if rest:
        messages.warning(request, f"落实期限 {'、'.join(rest)} 是休息日，逾期从之后的工作日起算。")


@login_required
@require_http_methods(["GET", "POST"])
def answer_change(request: PersonRequest, pk: int) -> HttpResponse:
    answer = get_for(request.user, ItemAnswer, pk, queryset=_ANSWERS)
    consultation = answer.item.opinion.consultee.consultation
    if request.method == "POST" and made_with(request.user, request.POST.get(FIELD, "")):
        return redirect("projects:adoption-answer", consultation.pk)
    require(may.can_change_answer(request.user, answer))
    now = {name: getattr(answer, name) for name in ("decision", "reason", "owner", "due_on")}
    form = ChangeForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: services.change_answer(
                answer, actor=request.user, given=form.given(), change_reason=data["change_reason"]
            ),
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"已变更为“{made.get_decision_display()}”，原反馈保留可查。")
            return redirect("projects:adoption-answer", consultation.pk)
    return render(request, _SIMPLE, {"form": form, **_about(answer, "变更采纳反馈")})


@login_required
@require_http_methods(["GET", "POST"])
def answer_proof(request: PersonRequest, pk: int) -> HttpResponse:
    answer = get_for(request.user, ItemAnswer, pk, may.can_prove, queryset=_ANSWERS)
    form = ProofForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: services.record_proof(
                answer, actor=request.user, done_on=data["done_on"], text=data["text"], upload=data["upload"]
            ),
        )  # fmt: skip
        if made is not None:
            messages.success(request, "已登记落实情况。")
            return redirect("projects:adoption-answer", answer.item.opinion.consultee.consultation_id)
    return render(request, _SIMPLE, {"form": form, **_about(answer, "登记落实情况")})


def _about(answer: ItemAnswer, title: str) -> dict[str, Any]:
    consultation = answer.item.opinion.consultee.consultation
    return {"title": title, "answer": answer, "consultation": consultation, "project": consultation.project}


@login_required
@require_GET
def proof_file(request: PersonRequest, pk: int) -> HttpResponseBase:
    """The evidence, for whoever sees the answer."""
    proof = ItemProof.objects.select_related("file").filter(pk=pk).first()
    if proof is None or proof.file is None:
        raise Http404("没有找到，或您无权查看。")
    answer = get_for(request.user, ItemAnswer, proof.answer_id, queryset=_ANSWERS)
    audit.record("itemanswer.file", actor=request.user, obj=answer, detail={"file": proof.file.original_name})
    return stream(proof.file, inline=True)


@login_required
@require_http_methods(["GET", "POST"])
def consultation_withdraw_answered(request: PersonRequest, pk: int) -> HttpResponse:
    consultation = get_for(request.user, Consultation, pk, queryset=services.ROWS)
    require(may.can_withdraw_answered(request.user, consultation))
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        done = attempt(form, lambda: services.withdraw_answered(consultation, actor=request.user, reason=reason))
        if done is not None:
            messages.success(request, "已撤回，并已告知答复的规划师和征询单位。")
            return redirect("projects:adoption-answer", pk)
    left = services.unanswered_of(consultation).count()
    return render(request, _SIMPLE, {
        "form": form, "title": "撤回已答复的征询", "consultation": consultation, "project": consultation.project,
        "warning": f"规划师已经答复。撤回后意见书保留可查，尚未反馈的 {left} 条意见不再要求反馈，并在采纳情况中单独计数。",
    })  # fmt: skip
