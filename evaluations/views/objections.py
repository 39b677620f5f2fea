"""One's own results with letter and reply; objections and their review; an office's response."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from evaluations import forms_outcomes as forms
from evaluations.filters_outcomes import ObjectionFilter
from evaluations.models import DepartmentResponse, Objection, Result
from evaluations.permissions import outcomes as may
from evaluations.permissions import oversight
from evaluations.querysets.outcomes import TOLD
from evaluations.querysets.rounds import is_subject
from evaluations.services import letters, responses
from evaluations.services import objections as service
from evaluations.services.rules import rules_of
from evaluations.services.shown import shown_result, shown_results

RESULTS = Result.objects.select_related("subject__round__locality").prefetch_related(
    "subject__planner", "subject__unit", "subject__organisation", "letter__file"
)
HOME = ("首页", "/home/")
TONES = {"raised": "waiting", "reviewing": "info", "upheld": "good", "rejected": "neutral", "withdrawn": "neutral"}
RESPONSE_TONES = {"asked": "waiting", "answered": "info", "done": "waiting", "confirmed": "good"}


def told(request: PersonRequest, pk: int) -> Result:
    """A result that its subject has been told; the organisers look at the page as the subject sees it."""
    result = get_for(request.user, Result, pk, queryset=RESULTS)
    if result.subject.round.state not in TOLD:
        raise Http404("结果尚未告知。")
    return result


@require_GET
@login_required
def own_result_list(request: PersonRequest) -> HttpResponse:
    """What one's own evaluations came to, newest first."""
    from evaluations.models import Subject

    mine = Subject.objects.filter(is_subject(request.user))
    found = RESULTS.visible_to(request.user).current().filter(subject__in=mine, subject__round__state__in=TOLD)
    rows = list(found.order_by("-subject__round__end", "-pk")[:100])
    lines = [
        shown for round_ in {row.subject.round for row in rows}
        for shown in shown_results(round_, [row for row in rows if row.subject.round_id == round_.pk])
    ]  # fmt: skip
    lines.sort(key=lambda line: (line.result.subject.round.end, line.result.pk), reverse=True)
    owed = DepartmentResponse.objects.visible_to(request.user).filter(result__subject__in=mine)
    return render(
        request,
        "evaluations/own_result_list.html",
        {
            "lines": lines, "responses": owed.select_related("result__subject__round")[:50],
            "tones": RESPONSE_TONES, "crumbs": [HOME, ("我的评估结果", "")],
        },
    )  # fmt: skip


@require_GET
@login_required
def own_result(request: PersonRequest, pk: int) -> HttpResponse:
    return render(request, "evaluations/own_result.html", _page(request, told(request, pk)))


def _page(request: PersonRequest, result: Result, **more: Any) -> dict[str, Any]:
    round_ = result.subject.round
    shown = shown_result(result)
    objections = Objection.objects.visible_to(request.user).filter(result__subject_id=result.subject_id)
    return {
        "open_objection": any(row.state in service.OPEN for row in objections),
        "result": result, "shown": shown, "round": round_, "charges": result.subject.service.select_related("charge"),
        "adjustments": [] if shown.hidden else result.adjustments.all(),
        "objections": objections,
        "tones": TONES, "may_object": may.can_object(request.user, result),
        "may_reply": oversight.can_reply(request.user, result), "reply_form": forms.ReplyForm(),
        "reply": getattr(result, "reply", None), "newer": Result.objects.filter(supersedes=result).first(),
        "uses": rules_of(round_).get("evaluation.uses"),
        "response": DepartmentResponse.objects.visible_to(request.user).filter(result=result).first(),
        "crumbs": [HOME, ("我的评估结果", reverse("evaluations:own-result-list")), (round_.title, "")], **more,
    }  # fmt: skip


@require_POST
@login_required
def result_reply(request: PersonRequest, pk: int) -> HttpResponse:
    result = told(request, pk)
    form = forms.ReplyForm(request.POST)
    if not form.is_valid():
        return render(request, "evaluations/own_result.html", _page(request, result, reply_form=form))
    letters.reply_to_result(result, actor=request.user, text=form.cleaned_data["text"])
    messages.success(request, "已回复。")
    return redirect("evaluations:own-result", pk)


@require_POST
@login_required
def result_letter_make(request: PersonRequest, pk: int) -> HttpResponse:
    """The letter as the result stands now; made by a worker."""
    result = told(request, pk)
    return redirect("core:job", letters.request_letters(result.subject.round, actor=request.user, result=result).pk)


@require_GET
@login_required
def result_letter(request: PersonRequest, pk: int) -> FileResponse:
    result = told(request, pk)
    if result.letter is None or result.letter.file is None:
        raise Http404("告知书还没有生成。")
    audit.record("letter.download", actor=request.user, obj=result, locality=result.subject.round.locality)
    return stream(result.letter.file, as_name=f"{result.subject.round.title}结果告知书.pdf")


# --- objections ---------------------------------------------------------------------------------------------------


class ObjectionList(FilteredListView):
    template_name = "evaluations/objection_list.html"
    filter_class = ObjectionFilter
    caption = sheet = "异议"
    columns = (
        Column("受评对象", kind="main"), Column("评估"), Column("提出日期", kind="date"), Column("复核人"),
        Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        rows = Objection.objects.visible_to(self.request.user)
        return rows.select_related("result__subject__round", "reviewer")

    def row(self, row: Any) -> Any:
        url = reverse("evaluations:objection", args=[row.pk])
        return (
            format_html('<a href="{}">{}</a>', url, row.result.subject.label), row.result.subject.round.title,
            f"{timezone.localtime(row.raised_at):%Y-%m-%d}", str(row.reviewer or ""),
            status_html(row.get_state_display(), TONES[row.state]),
        )  # fmt: skip


@login_required
def objection_create(request: PersonRequest, pk: int) -> HttpResponse:
    result = told(request, pk)
    form = forms.ObjectionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: service.raise_objection(
                result, actor=request.user, grounds=data["grounds"], upload=data["evidence"]
            ),
        )  # fmt: skip
        if made is not None:
            messages.success(request, "异议已提出，请等待受理。")
            return redirect("evaluations:objection", made.pk)
    elif request.method != "POST":
        require(may.can_object(request.user, result))
    crumbs = [HOME, ("我的评估结果", reverse("evaluations:own-result-list")), ("提出异议", "")]
    back = reverse("evaluations:own-result", args=[pk])
    context = {
        "form": form,
        "crumbs": crumbs,
        "heading": "提出异议",
        "subtitle": result.subject.round.title,
        "back": back,
    }
    return render(request, "evaluations/outcome_form.html", context)


def _objection(request: PersonRequest, pk: int) -> Objection:
    rows = Objection.objects.select_related("result__subject__round__locality", "reviewer", "evidence", "raised_by")
    return get_for(request.user, Objection, pk, queryset=rows)


@login_required
def objection(request: PersonRequest, pk: int) -> HttpResponse:
    """One objection; its reviewer decides here."""
    row = _objection(request, pk)
    subject = row.result.subject
    grades = service.grades_of(subject.round, subject.direction)
    form = forms.DecisionForm(request.POST or None, grades=grades)
    if request.method == "POST" and form.is_valid() and _decide(request, row, form):
        messages.success(request, f"已复核：{row.get_state_display()}。")
        return redirect("evaluations:objection", pk)
    deciding = may.can_decide_objection(request.user, row) if row.state == "reviewing" else None
    context = {
        "objection": row, "subject": subject, "round": subject.round, "form": form if deciding else None,
        "tone": TONES[row.state], "may_take": may.can_take_objection(request.user, row),
        "may_withdraw": may.can_withdraw_objection(request.user, row), "deciding": deciding,
        "sees_result": may.can_deliberate_round(request.user, subject.round)
        or may.can_withdraw_objection(request.user, row),
        "adjustment": row.adjustments.first(), "shown": shown_result(row.result), "events": audit.timeline(row),
        "crumbs": [HOME, ("异议", reverse("evaluations:objection-list")), (subject.label, "")],
    }  # fmt: skip
    return render(request, "evaluations/objection.html", context)


def _decide(request: PersonRequest, row: Objection, form: forms.DecisionForm) -> bool:
    data = form.cleaned_data
    if data["outcome"] == "uphold":
        done = attempt(form, lambda: service.uphold_objection(
            row, actor=request.user, decision=data["decision"], to_score=data["to_score"],
            to_grade=data.get("to_grade", ""),
        ))  # fmt: skip
    else:
        done = attempt(form, lambda: service.reject_objection(row, actor=request.user, decision=data["decision"]))
    return done is not None


@require_POST
@login_required
def objection_take(request: PersonRequest, pk: int) -> HttpResponse:
    service.take_objection(_objection(request, pk), actor=request.user)
    messages.success(request, "已受理，请复核后作出决定。")
    return redirect("evaluations:objection", pk)


@require_POST
@login_required
def objection_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    service.withdraw_objection(_objection(request, pk), actor=request.user)
    messages.success(request, "异议已撤回。")
    return redirect("evaluations:objection", pk)


@require_GET
@login_required
def objection_evidence(request: PersonRequest, pk: int) -> FileResponse:
    row = _objection(request, pk)
    if row.evidence is None:
        raise Http404("没有附证明材料。")
    audit.record("objection.evidence", actor=request.user, obj=row, locality=row.result.subject.round.locality)
    return stream(row.evidence, as_name=row.evidence.original_name)


# --- an office's response -----------------------------------------------------------------------------------------


def _response(request: PersonRequest, pk: int) -> DepartmentResponse:
    rows = DepartmentResponse.objects.select_related(
        "result__subject__round__locality", "result__subject__unit", "result__subject__organisation"
    )  # fmt: skip
    return get_for(request.user, DepartmentResponse, pk, queryset=rows)


@login_required
def response(request: PersonRequest, pk: int) -> HttpResponse:
    """An office answers, then reports what was improved; the organisers confirm."""
    row = _response(request, pk)
    owns = may.can_answer_result(request.user, row)
    kinds = {"asked": forms.AnswerForm, "answered": forms.OutcomeForm}
    form = kinds[row.state](request.POST or None) if row.state in kinds and owns else None
    if request.method == "POST":
        require(owns)
        if form is not None and form.is_valid() and _respond(request, row, form):
            messages.success(request, "已提交。")
            return redirect("evaluations:response", pk)
    subject = row.result.subject
    context = {
        "response": row, "subject": subject, "round": subject.round, "shown": shown_result(row.result), "form": form,
        "tone": RESPONSE_TONES[row.state],
        "late": row.state == "answered" and row.due_on and row.due_on < timezone.localdate(),
        "may_confirm": may.can_confirm_response(request.user, row) if row.state == "done" else None,
        "again_form": forms.AgainForm(), "events": audit.timeline(row),
        "crumbs": [HOME, ("我的评估结果", reverse("evaluations:own-result-list")), ("回应与改进", "")],
    }  # fmt: skip
    return render(request, "evaluations/response.html", context)


def _respond(request: PersonRequest, row: DepartmentResponse, form: Any) -> bool:
    data, today = form.cleaned_data, timezone.localdate()
    if row.state == "asked":
        return attempt(form, lambda: responses.answer_result(row, actor=request.user, today=today, **data)) is not None
    return attempt(form, lambda: responses.report_improved(row, actor=request.user, **data)) is not None


@require_POST
@login_required
def response_confirm(request: PersonRequest, pk: int) -> HttpResponse:
    responses.confirm_improved(_response(request, pk), actor=request.user)
    messages.success(request, "已确认改进。")
    return redirect("evaluations:response", pk)


@require_POST
@login_required
def response_again(request: PersonRequest, pk: int) -> HttpResponse:
    row = _response(request, pk)
    form = forms.AgainForm(request.POST)
    if form.is_valid():
        attempt(
            form, lambda: responses.ask_again(row, actor=request.user, today=timezone.localdate(), **form.cleaned_data)
        )
    for errors in form.errors.values():
        messages.error(request, "；".join(str(error) for error in errors))
    return redirect("evaluations:response", pk)
