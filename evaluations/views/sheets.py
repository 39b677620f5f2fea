"""Filling in: one's own sheets, one form that saves itself field by field, submitting, taking back, comparing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.errors import StaleState
from core.formtools import attempt
from core.http import PersonRequest
from core.permissions import Decision, get_for, require
from districts.policy.keys import SIDES
from evaluations.forms_rounds import WhyForm
from evaluations.forms_sheets import SheetForm, shown
from evaluations.models import Form, Round, Sheet
from evaluations.permissions.sheets import (
    can_decline,
    can_fill,
    can_read_answers,
    can_take_back,
    can_withdraw_sheet,
    is_reopened,
)
from evaluations.services.answers import (
    Given,
    Progress,
    abstain_sheet,
    answers_for,
    decline_sheet,
    field_name,
    handed_in_already,
    own_answers,
    progress_of,
    save_answers,
    side_by_side,
    submit_sheet,
    take_back_sheet,
    withdraw_sheet,
)
from evaluations.services.counts import ask, counted, linked, query_of
from evaluations.services.round_pages import evidence_by_code
from evaluations.views.arrangements import TONES
from evaluations.views.rounds import ROWS

SHEETS = Sheet.objects.select_related(
    "round__locality", "step", "form", "subject__planner", "subject__team", "subject__group", "subject__contract",
    "subject__round", "planner", "unit", "author",
).prefetch_related("form__indicators", "subject__service__charge")  # fmt: skip
MOST = 300


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("首页", "/home/"), ("我的评估表", reverse("evaluations:sheet-list")), *more]


@dataclass
class OwnSheet:
    """One line of one's own list."""

    sheet: Sheet
    progress: Progress
    tone: str

    @property
    def action(self) -> str:
        if self.sheet.step.state != "open" and not is_reopened(self.sheet):
            return "查看"
        return {"waiting": "开始填写", "draft": "继续填写"}.get(self.sheet.state, "查看")


@require_GET
@login_required
def sheet_list(request: PersonRequest) -> HttpResponse:
    """Every form that is one's own to fill in, round by round, with how far one is: nothing of anybody else's."""
    rows = Sheet.objects.owed_by(request.user).exclude(state="replaced").exclude(round__state="cancelled")
    rows = rows.select_related("round__locality", "step", "subject", "form")
    sheets = list(
        rows.order_by("-round__start", "round_id", "step__number", "form_id", "subject__sort_key", "pk")[:MOST]
    )
    progress = progress_of(sheets, author=request.user)
    groups: dict[tuple[int, int], dict[str, Any]] = {}
    for sheet in sheets:
        key = (sheet.step_id, sheet.form_id)
        group = groups.setdefault(key, {"round": sheet.round, "step": sheet.step, "form": sheet.form, "rows": []})
        group["rows"].append(OwnSheet(sheet, progress[sheet.pk], TONES[sheet.state]))
    for group in groups.values():
        states = [row.sheet.state for row in group["rows"] if row.sheet.state != "excused"]
        mine = (row.sheet for row in group["rows"] if row.sheet.author_id == request.user.pk)
        group["report"] = next((sheet.pk for sheet in mine if sheet.state == Sheet.State.SUBMITTED), None)
        group["done"] = sum(state in ("submitted", "abstained") for state in states)
        group["total"] = len(states)
    context = {
        "groups": list(groups.values()),
        "today": timezone.localdate(),
        "crumbs": [*_crumbs()[:1], ("我的评估表", "")],
    }
    return render(request, "evaluations/sheet_list.html", context)


def _late(sheet: Sheet, today: date) -> bool:
    due = sheet.reopened_until if is_reopened(sheet) else sheet.step.due_on
    return due is not None and due < today


@login_required
def sheet_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """The form while it may be written; else what one wrote, or, once the step has closed, what others did for whoever
    collates. Until then nobody else gets more than the reason why not."""
    sheet = get_for(request.user, Sheet, pk, queryset=SHEETS)
    today = timezone.localdate()
    fills = can_fill(request.user, sheet)
    if fills and _late(sheet, today):
        fills = Decision.no("已过截止日期，不能再填写。如需延期，请联系组织单位")
    if request.method == "POST":
        if sheet.author_id == request.user.pk and sheet.state == Sheet.State.SUBMITTED:
            messages.error(request, handed_in_already(sheet))
            return redirect("evaluations:sheet", pk)
        require(fills)
        return _sent(request, sheet, today)
    if not fills:
        return _read(request, sheet, fills)
    form = _form(sheet, own_answers(sheet, author=request.user))
    return _fill_page(request, sheet, form)


def _form(sheet: Sheet, given: Any, data: Any = None) -> SheetForm:
    allows = sheet.round.rules.get("evaluation.not_applicable", {}).get("value") != "refused"
    return SheetForm(data, lines=list(sheet.form.indicators.all()), given=given, allows_na=allows)


def _sent(request: PersonRequest, sheet: Sheet, today: date) -> HttpResponse:
    """Saved, or handed in: all that the page held, in one go."""
    form = _form(sheet, own_answers(sheet, author=request.user), request.POST)
    if not form.is_valid():
        return _fill_page(request, sheet, form)
    given, seen = form.sent()
    try:
        if "submit" in request.POST:
            submit_sheet(sheet, actor=request.user, given=given, seen=seen, today=today)
        else:
            save_answers(sheet, actor=request.user, given=given, seen=seen, today=today)
    except StaleState as stale:
        messages.error(request, stale.reason)
        return redirect("evaluations:sheet", sheet.pk)
    except ValidationError as error:
        form.refuse(error, own_answers(sheet, author=request.user))
        return _fill_page(request, sheet, form)
    if "submit" not in request.POST:
        messages.success(request, "已保存，尚未提交。")
        return redirect("evaluations:sheet", sheet.pk)
    messages.success(request, f"对{sheet.subject}的评估表已提交；截止前可以撤回修改。")
    following = _next(request, sheet)
    return (
        redirect("evaluations:sheet", following.pk) if "next" in request.POST and following else redirect(_list_url())
    )


def _list_url() -> str:
    return reverse("evaluations:sheet-list")


def _next(request: PersonRequest, sheet: Sheet) -> Sheet | None:
    """The next form of the same step that one has not handed in."""
    rows = Sheet.objects.owed_by(request.user).unanswered().filter(step=sheet.step_id).exclude(pk=sheet.pk)
    return rows.exclude(state="declined").order_by("subject__sort_key", "pk").first()


def _evidence(sheet: Sheet) -> tuple[dict[str, list[Any]], Any, str]:
    lines = list(sheet.form.indicators.all())
    codes = {code for line in lines for code in line.evidence} | {line.source for line in lines if line.source}
    if not codes:
        return {}, {}, ""
    own, problem = ask(query_of(sheet.subject, sheet=sheet), only=sorted(codes))
    scored = [line for line in lines if line.source]
    # What is scored is the subject's whole figure, the same for every rater.
    whole, _ = ask(query_of(sheet.subject), only=[line.source for line in scored]) if scored else ([], "")
    return evidence_by_code(linked(own, sheet.subject)), counted(scored, whole), problem


def _fill_page(request: PersonRequest, sheet: Sheet, form: SheetForm) -> HttpResponse:
    evidence, counts, problem = _evidence(sheet)
    mine = Sheet.objects.owed_by(request.user).filter(step=sheet.step_id, form=sheet.form_id)
    context = {
        "sheet": sheet, "problem": problem, "form": form, "lines": list(form.rows(evidence, counts)),
        "progress": progress_of([sheet], author=request.user)[sheet.pk],
        "side": SIDES.get(sheet.side, sheet.side),
        "due": sheet.reopened_until if is_reopened(sheet) else sheet.step.due_on,
        "next": _next(request, sheet), "several": mine.count() > 1,
        "may_decline": can_decline(request.user, sheet),
        "crumbs": _crumbs((str(sheet.subject), "")),
    }  # fmt: skip
    return render(request, "evaluations/sheet_fill.html", context)


def _read(request: PersonRequest, sheet: Sheet, fills: Decision) -> HttpResponse:
    """Read only. The rater sees why not to write; who may not read sees the reason of the seal, whatever it says."""
    owes = Sheet.objects.owed_by(request.user).filter(pk=sheet.pk).exists()
    reads = can_read_answers(request.user, sheet)
    if not owes:
        require(reads)
    given = answers_for(sheet, reader=request.user) if reads else {}
    lines = list(sheet.form.indicators.all())
    rows = [(line, shown(line, given.get(line.pk, Given())), given.get(line.pk)) for line in lines]
    is_own = sheet.author_id == request.user.pk
    context = {
        "sheet": sheet, "rows": rows if reads else [], "why": fills.reason if owes else "", "is_own": is_own,
        "tone": TONES[sheet.state], "side": SIDES.get(sheet.side, sheet.side),
        "may_withdraw": can_withdraw_sheet(request.user, sheet)
        and sheet.state in ("submitted", "abstained")
        and not _late(sheet, timezone.localdate()),
        "may_take_back": can_take_back(request.user, sheet), "may_decline": owes and can_decline(request.user, sheet),
        "crumbs": _crumbs((str(sheet.subject), "")),
    }  # fmt: skip
    return render(request, "evaluations/sheet_read.html", context)


@require_POST
@login_required
def sheet_autosave(request: PersonRequest, pk: int) -> JsonResponse:
    """Keep the lines sent: {"seen", "filled", "total", "saved"}, or {"error", "errors"}: what was typed does not fit
    (nothing of the request is kept), or, with 409, nothing is written any more."""
    sheet = get_for(request.user, Sheet, pk, can_fill, queryset=SHEETS)
    form = _form(sheet, {}, request.POST)
    if not form.is_valid():
        return _refused(form)
    given, seen = form.sent()
    try:
        saved = save_answers(sheet, actor=request.user, given=given, seen=seen, today=timezone.localdate())
    except StaleState as stale:
        return JsonResponse({"error": stale.reason, "errors": {}}, status=409)
    except ValidationError as error:
        form.refuse(error, {})
        return _refused(form)
    marks = {field_name(key, "seen"): mark for key, mark in saved.marks.items()}
    at = timezone.localtime().strftime("%H:%M:%S")
    progress = saved.progress
    return JsonResponse({"seen": marks, "filled": progress.filled, "total": progress.total, "saved": at})


def _refused(form: SheetForm) -> JsonResponse:
    errors = {name: " ".join(found) for name, found in form.errors.items()}
    return JsonResponse({"error": "；".join(errors.values()), "errors": errors})


@require_POST
@login_required
def sheet_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    sheet = get_for(request.user, Sheet, pk, can_withdraw_sheet, queryset=SHEETS)
    withdraw_sheet(sheet, actor=request.user, today=timezone.localdate())
    messages.success(request, "已撤回，可以修改；请在截止前再次提交。")
    return redirect("evaluations:sheet", pk)


@login_required
def sheet_abstain(request: PersonRequest, pk: int) -> HttpResponse:
    """Abstain, with the reason: how it counts is the policy's to say."""
    sheet = get_for(request.user, Sheet, pk, can_fill, queryset=SHEETS)
    today = timezone.localdate()
    return _why(
        request, sheet, "弃权", "弃权后按制度规定处理，截止前可以撤回。",
        lambda reason: abstain_sheet(sheet, actor=request.user, reason=reason, today=today),
    )  # fmt: skip


@login_required
def sheet_decline(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask to be let off: the organisers decide."""
    sheet = get_for(request.user, Sheet, pk, can_decline, queryset=SHEETS)
    return _why(
        request, sheet, "申请回避", "有利害关系、没有实际对接等情形，请写明。由组织单位决定改派、回避或仍由您评估。",
        lambda reason: decline_sheet(sheet, actor=request.user, reason=reason),
    )  # fmt: skip


def _why(request: PersonRequest, sheet: Sheet, title: str, intro: str, act: Callable[[str], Sheet]) -> HttpResponse:
    form = WhyForm(request.POST or None)
    form.fields["reason"].help_text = "组织单位可以看到。"
    sent = request.method == "POST" and form.is_valid()
    if sent and attempt(form, lambda: act(form.cleaned_data["reason"])) is not None:
        messages.success(request, f"已{title}。")
        return redirect(_list_url())
    context = {
        "form": form, "title": f"{title}：{sheet.subject}", "subtitle": sheet.step, "intro": intro,
        "back": reverse("evaluations:sheet", args=[sheet.pk]), "crumbs": _crumbs((title, "")),
    }  # fmt: skip
    return render(request, "evaluations/round_form.html", context)


@require_POST
@login_required
def sheet_take_back(request: PersonRequest, pk: int) -> HttpResponse:
    sheet = get_for(request.user, Sheet, pk, can_take_back, queryset=SHEETS)
    take_back_sheet(sheet, actor=request.user)
    messages.success(request, "已撤回回避申请，可以填写。")
    return redirect("evaluations:sheet", pk)


@require_GET
@login_required
def sheet_compare(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    """One's own forms of a step side by side, to judge with the same measure; nobody else's."""
    round_ = get_for(request.user, Round, pk, queryset=ROWS)
    form = Form.objects.filter(step__round=round_, step__number=number, direction=direction).first()
    rows = Sheet.objects.owed_by(request.user).filter(form=form).exclude(state__in=["replaced", "excused"])
    sheets = list(rows.select_related("subject").order_by("subject__sort_key", "pk")[:40]) if form else []
    if form is None or not sheets:
        raise Http404("没有您填写的评估表。")
    given = side_by_side(sheets, author=request.user)
    lines = [
        (line, [(shown(line, given[s.pk].get(line.pk, Given())), given[s.pk].get(line.pk)) for s in sheets])
        for line in form.indicators.all()
    ]
    context = {"round": round_, "form_": form, "sheets": sheets, "lines": lines, "crumbs": _crumbs(("并列比较", ""))}
    return render(request, "evaluations/sheet_compare.html", context)
