"""What follows deliberation, round by round: letters, papers, publications, the way to the filing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.errors import Refused
from core.formtools import attempt
from core.http import PersonRequest
from core.permissions import Decision, get_for, require
from districts.access import access_of
from evaluations import forms_outcomes as forms
from evaluations.models import DepartmentResponse, FilingPackage, Objection, Publication, Result, Round
from evaluations.permissions import can_manage_round, can_put_out
from evaluations.permissions.outcomes import can_take_down
from evaluations.querysets.rounds import ORGANISERS
from evaluations.services import letters
from evaluations.services import publications as service
from evaluations.services.objections import results_of
from evaluations.services.paper_requests import request_paper
from evaluations.services.rules import rules_of
from evaluations.services.shown import shown_results

AFTER = ("notice", "published", "filed")
HOME = ("首页", "/home/")
TONES = {"draft": "waiting", "out": "good", "withdrawn": "neutral"}


def can_see_after(user: Any, round_: Round) -> Decision:
    """The organisers, also while the round is paused: what is refused then is acting."""
    access = access_of(user)
    allowed = access.is_role(*ORGANISERS) and access.covers(round_.locality_id)
    return Decision.of(allowed, otherwise="仅规划主管部门和区领导可以办理评估结果")


def _round(request: PersonRequest, pk: int, *predicates: Any) -> Round:
    rows = Round.objects.select_related("locality")
    round_ = get_for(request.user, Round, pk, can_see_after, *predicates, queryset=rows)
    if round_.state not in AFTER:
        raise Refused(f"评估处于{round_.get_state_display()}阶段，结果还没有告知")
    return round_


@require_GET
@login_required
def after_list(request: PersonRequest) -> HttpResponse:
    """Rounds whose results have been told, newest first, with what waits in each."""
    require(
        Decision.of(access_of(request.user).is_role(*ORGANISERS), otherwise="仅规划主管部门和区领导可以办理评估结果")
    )
    rows = Round.objects.visible_to(request.user).filter(state__in=AFTER).select_related("locality")
    rounds = rows.annotate(
        open_objections=Count(
            "subjects__results__objections", filter=Q(subjects__results__objections__state__in=["raised", "reviewing"]),
            distinct=True,
        ),
    ).order_by("-end", "-pk")  # fmt: skip
    crumbs = [HOME, ("结果与备案", "")]
    return render(request, "evaluations/after_list.html", {"rounds": rounds[:100], "crumbs": crumbs})


@require_GET
@login_required
def after(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = _round(request, pk)
    results = list(results_of(round_).select_related("reply", "letter"))
    rules = rules_of(round_)
    in_effect = round_.state != Round.State.NOTICE
    filings = list(FilingPackage.objects.filter(round=round_).order_by("-version"))
    responses = {row.result_id: row for row in DepartmentResponse.objects.filter(result__in=results)}
    objections = Objection.objects.filter(result__subject__round=round_).select_related("result__subject", "reviewer")
    context = {
        "round": round_, "in_effect": in_effect, "objections": objections,
        "open_objections": sum(row.state in ("raised", "reviewing") for row in objections),
        "lines": [
            {"shown": shown, "result": shown.result, "response": responses.get(shown.result.pk),
             "reply": getattr(shown.result, "reply", None)}
            for shown in shown_results(round_, results, rules)
        ],
        "without_letter": sum(row.letter_id is None for row in results),
        "publications": round_.publications.all(), "tones": TONES, "publishes": rules.get("evaluation.publication"),
        "filing_rule": rules.get("evaluation.filing"), "disclosure": rules.get("evaluation.disclosure"),
        "filings": filings,
        "may_file": round_.state == Round.State.PUBLISHED and (not filings or filings[0].state == "returned"),
        "may_manage": can_manage_round(request.user, round_),
        "crumbs": [HOME, ("结果与备案", reverse("evaluations:after-list")), (round_.title, "")],
    }  # fmt: skip
    return render(request, "evaluations/after.html", context)


@require_POST
@login_required
def after_letters(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = _round(request, pk, can_manage_round)
    return redirect("core:job", letters.request_letters(round_, actor=request.user).pk)


@require_POST
@login_required
def after_summary(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = _round(request, pk)
    _in_effect(round_)
    job = request_paper(
        "summary", round_, actor=request.user, locality=round_.locality, label=f"生成{round_.title}总结"
    )
    return redirect("core:job", job.pk)


@require_POST
@login_required
def result_paper(request: PersonRequest, pk: int) -> HttpResponse:
    """The evaluation sheet of a planner or the summary of an office, for the organisers."""
    result = get_for(request.user, Result, pk, queryset=Result.objects.select_related("subject__round__locality"))
    round_ = result.subject.round
    require(can_see_after(request.user, round_))
    _in_effect(round_)
    label = f"生成{result.subject.label}评估文书"
    return redirect(
        "core:job",
        request_paper("result", result, actor=request.user, locality=round_.locality, label=label).pk,
    )


def _in_effect(round_: Round) -> None:
    if round_.state not in ("published", "filed"):
        raise Refused("结果生效后才能生成")


# --- publications -------------------------------------------------------------------------------------------------


@login_required
def publication_create(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = _round(request, pk, can_manage_round)
    kinds = tuple(kind for kind, states in service.STATES.items() if round_.state in states)
    form = forms.PublicationForm(request.POST or None, directions=round_.directions, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        row = attempt(
            form,
            lambda: service.draft_publication(
                round_, actor=request.user, kind=data["kind"], fields=data["fields_"], directions=data["directions"]
            ),
        )
        if row is not None:
            return redirect("evaluations:publication", row.pk)
    crumbs = [HOME, (round_.title, reverse("evaluations:after", args=[pk])), ("拟定公示公布", "")]
    back = reverse("evaluations:after", args=[pk])
    context = {"form": form, "crumbs": crumbs, "heading": "拟定公示公布", "subtitle": round_.title, "back": back}
    return render(request, "evaluations/outcome_form.html", context)


def _publication(request: PersonRequest, pk: int) -> Publication:
    rows = Publication.objects.select_related("round__locality", "put_out_by")
    return get_for(request.user, Publication, pk, queryset=rows)


@require_GET
@login_required
def publication(request: PersonRequest, pk: int) -> HttpResponse:
    """Exactly what the public sees or would see."""
    row = _publication(request, pk)
    context = {
        "publication": row, "round": row.round, "tone": TONES[row.state], "heads": service.field_labels(row.fields),
        "cells": service.labelled(row.fields, row.rows),
        "may_put_out": can_put_out(request.user, row),
        "may_take_down": can_take_down(request.user, row), "reason_form": forms.ReasonForm(),
        "disclosure": rules_of(row.round).get("evaluation.disclosure"), "events": audit.timeline(row),
        "crumbs": [
            HOME, (row.round.title, reverse("evaluations:after", args=[row.round_id])), (row.get_kind_display(), ""),
        ],
    }  # fmt: skip
    return render(request, "evaluations/publication.html", context)


@require_POST
@login_required
def publication_put_out(request: PersonRequest, pk: int) -> HttpResponse:
    row = _publication(request, pk)
    form = forms.forms.Form({})
    form.full_clean()
    done = attempt(form, lambda: service.put_out(row, actor=request.user, today=timezone.localdate()))
    if done is not None:
        messages.success(request, "已发布，任何人都可以在公开页面看到。")
    for error in form.non_field_errors():
        messages.error(request, str(error))
    return redirect("evaluations:publication", pk)


@require_POST
@login_required
def publication_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    row, form = _publication(request, pk), forms.ReasonForm(request.POST)
    if form.is_valid():
        service.withdraw_publication(row, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, "已撤下。")
    else:
        messages.error(request, "请填写撤下的原因。")
    return redirect("evaluations:publication", pk)
