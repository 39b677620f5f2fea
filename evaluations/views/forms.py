"""How a form asks: edited while the round is prepared, seen as each rater will see it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for, require
from districts.policy.keys import SIDES
from evaluations.forms_rounds import CopyForm, EditQuestionForm, FormForm, LineForm, QuestionForm
from evaluations.forms_sheets import SheetForm
from evaluations.models import Form, Indicator, Round, Sheet
from evaluations.permissions.sheets import can_edit_form, can_see_arrangements
from evaluations.services import form_editing
from evaluations.services.answers import plain
from evaluations.services.counts import ask, counted, query_of, subjects_of
from evaluations.services.round_pages import evidence_by_code, evidence_choices, weights_of
from evaluations.services.rules import rules_of
from evaluations.views.rounds import ROWS, _crumb, crumbs


def _form(request: PersonRequest, pk: int, number: int, direction: str, *, edit: bool = False) -> Form:
    """The form of a step and direction, for the organisers; `edit`: for changing it."""
    round_ = get_for(request.user, Round, pk, can_see_arrangements, queryset=ROWS)
    rows = Form.objects.select_related("step", "copied_from__step__round").prefetch_related("indicators")
    form = get_object_or_404(rows, step__round=round_, step__number=number, direction=direction)
    form.step.round = round_
    if edit:
        require(can_edit_form(request.user, form))
    return form


def _url(form: Form, name: str = "form", **more: Any) -> str:
    kwargs = {"pk": form.step.round_id, "number": form.step.number, "direction": form.direction, **more}
    return reverse(f"evaluations:{name}", kwargs=kwargs)


@require_GET
@login_required
def form_detail(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    """Its lines with scale, weight and where the weight comes from."""
    form = _form(request, pk, number, direction)
    rows, weights = weights_of(form, rules_of(form.step.round))
    context = {
        "form_": form, "round": form.step.round, "rows": rows, "weights": weights,
        "may_edit": can_edit_form(request.user, form), "sides": _sides(form), "history": audit.timeline(form, limit=20),
        "total": sum((row.weight for row in rows if row.weight is not None), 0),
        "crumbs": crumbs(_crumb(form.step.round), (form.title, "")),
    }  # fmt: skip
    return render(request, "evaluations/form_detail.html", context)


def _sides(form: Form) -> list[tuple[str, str]]:
    return [(side, SIDES.get(side, side)) for side in form.step.sides(form.direction)]


@require_GET
@login_required
def form_preview(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    """As the rater of a side will see it, about the first of those they will rate."""
    form = _form(request, pk, number, direction)
    sides = _sides(form)
    side = request.GET.get("side", "")
    if side not in dict(sides):
        side = sides[0][0] if sides else ""
    rows = Sheet.objects.filter(form=form, side=side).counting().select_related("unit", "planner", "subject__contract")
    sheet = rows.order_by("subject__sort_key", "pk").first()
    subject = subjects_of(form.step.round).filter(pk=sheet.subject_id if sheet else None).first()
    lines = list(form.indicators.all())
    found, _ = ask(query_of(subject, sheet=sheet)) if subject is not None else ([], "")
    given = SheetForm(lines=lines, given={}, allows_na=_allows_na(form.step.round))
    context = {
        "form_": form, "round": form.step.round, "side": side, "sides": sides, "sheet": sheet, "subject": subject,
        "lines": list(given.rows(evidence_by_code(found), counted(lines, found))),
        "crumbs": crumbs(_crumb(form.step.round), (form.title, _url(form)), ("预览", "")),
    }  # fmt: skip
    return render(request, "evaluations/form_preview.html", context)


def _allows_na(round_: Round) -> bool:
    return rules_of(round_).value("evaluation.not_applicable") != "refused"


def _page(request: PersonRequest, form: Form, shown: Any, title: str, **more: Any) -> HttpResponse:
    context = {
        "form": shown, "title": title, "subtitle": f"{form.step.round.title} · {form.title}", "back": _url(form),
        "crumbs": crumbs(_crumb(form.step.round), (form.title, _url(form)), (title, "")), **more,
    }  # fmt: skip
    return render(request, "evaluations/round_form.html", context)


@login_required
def form_edit(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    form = _form(request, pk, number, direction, edit=True)
    shown = FormForm(
        request.POST or None, initial={"title": form.title, "note": form.note, "revision": form.revision}
    )  # fmt: skip
    if request.method == "POST" and shown.is_valid():
        data = shown.cleaned_data
        if attempt(shown, lambda: form_editing.edit_form(form, actor=request.user, **data)) is not None:
            messages.success(request, "已保存。")
            return redirect(_url(form))
    return _page(request, form, shown, "名称和填写说明")


def _line(form: Form, code: str) -> Indicator:
    line = next((line for line in form.indicators.all() if line.code == code), None)
    if line is None:
        raise Http404("表中没有这一项。")
    line.form = form
    return line


@login_required
def line_edit(request: PersonRequest, pk: int, number: int, direction: str, code: str) -> HttpResponse:
    """How one line is answered; its title and weight are the policy's."""
    form = _form(request, pk, number, direction, edit=True)
    line = _line(form, code)
    shown = _line_form(request, form, line)
    if request.method == "POST" and shown.is_valid():
        values = dict(shown.cleaned_data)
        revision = values.pop("revision")
        done = attempt(
            shown, lambda: form_editing.edit_line(line, actor=request.user, values=values, revision=revision)
        )
        if done is not None:
            messages.success(request, f"“{line.title}”已保存。")
            return redirect(_url(form))
    return _page(request, form, shown, line.title)


def _line_form(request: PersonRequest, form: Form, line: Indicator) -> Any:
    data = request.POST or None
    kept = {"revision": form.revision, "note": line.note, "is_required": line.is_required}
    if line.kind == Indicator.Kind.TEXT:
        return EditQuestionForm(data, initial={**kept, "title": line.title, "order": line.order})
    for name in ("low", "high", "increment", "full_at", "comment_at_most", "comment_at_least"):
        value = getattr(line, name)
        kept[name] = None if value is None else plain(value)
    kept |= {"kind": line.kind, "source": line.source, "evidence": line.evidence}
    return LineForm(data, initial=kept, sources=evidence_choices(form.step.round, form.direction))


@login_required
def question_add(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    form = _form(request, pk, number, direction, edit=True)
    shown = QuestionForm(request.POST or None, initial={"revision": form.revision})
    if request.method == "POST" and shown.is_valid():
        made = attempt_once(
            shown, request.user, lambda data: form_editing.add_question(form, actor=request.user, **data)
        )
        if made is not None:
            messages.success(request, "已增加文字题。")
            return redirect(_url(form))
    return _page(request, form, shown, "增加文字题")


@require_POST
@login_required
def question_remove(request: PersonRequest, pk: int, number: int, direction: str, code: str) -> HttpResponse:
    form = _form(request, pk, number, direction, edit=True)
    line = _line(form, code)
    if line.kind != Indicator.Kind.TEXT:
        messages.error(request, "制度方案规定的指标不能删除。")
    else:
        form_editing.remove_question(line, actor=request.user, revision=form.revision)
        messages.success(request, f"已删除“{line.title}”。")
    return redirect(_url(form))


@login_required
def form_copy(request: PersonRequest, pk: int, number: int, direction: str) -> HttpResponse:
    """Take over how an earlier form asks; weights stay the policy's."""
    form = _form(request, pk, number, direction, edit=True)
    shown = CopyForm(request.POST or None, form=form, initial={"revision": form.revision})
    if request.method == "POST" and shown.is_valid():
        data = shown.cleaned_data
        done = attempt(
            shown,
            lambda: form_editing.copy_form(form, data["source"], actor=request.user, revision=data["revision"]),
        )
        if done is not None:
            messages.success(request, "已沿用所选表样，请核对。")
            return redirect(_url(form))
    return _page(
        request, form, shown, "沿用表样", intro="代码相同的指标沿用其方式、说明和旁列数据；文字题换成所选表样的。"
    )
