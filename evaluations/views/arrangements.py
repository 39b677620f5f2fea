"""Who rates whom: seen by the organisers, changed by the bureau one by one or many at once, each time with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.lookups import lookup_response
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.access import access_of, place_of
from districts.lookups import typed
from districts.models import Locality
from districts.policy.keys import SIDES
from evaluations.filters import SheetFilter
from evaluations.forms_rounds import (
    AddRaterForm,
    BulkForm,
    ExcuseForm,
    NameForm,
    ReopenForm,
    ReplaceForm,
    ShareForm,
    WhyForm,
    people_in,
)
from evaluations.models import Round, Sheet, Subject
from evaluations.permissions.sheets import can_arrange, can_assign, can_reopen_sheet, can_see_arrangements
from evaluations.services import assigning
from evaluations.services.answers import plain
from evaluations.services.seats import people_of
from evaluations.views.rounds import ROWS, _crumb, crumbs

SHEETS = Sheet.objects.select_related(
    "round__locality__parent", "step", "form", "subject__planner", "subject__team", "subject__group", "planner",
    "assignee", "author", "unit__office", "organisation",
)  # fmt: skip
TONES = {
    "waiting": "neutral", "draft": "info", "submitted": "good", "abstained": "waiting", "declined": "bad",
    "excused": "neutral", "replaced": "neutral",
}  # fmt: skip
MOST_AT_ONCE = 200
NOBODY = mark_safe('<span class="unset">无人可填</span>')
LEFT_OUT = mark_safe(' <span class="text-muted">（不参评）</span>')


class SheetTable(FilteredListView):
    """Every sheet of a round with how far it is; never what it says."""

    template_name = "evaluations/round_sheets.html"
    filter_class = SheetFilter
    caption = "评估人安排"

    def scoped(self) -> Any:
        self.round = get_for(self.request.user, Round, self.kwargs["pk"], can_see_arrangements, queryset=ROWS)
        self.may = can_arrange(self.request.user, self.round)
        return Sheet.objects.filter(round=self.round).select_related(
            "step", "subject", "planner", "assignee", "author"
        )  # fmt: skip

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        tick = [Column("选择")] if self.may else []
        return (
            *tick, Column("受评对象", "subject", "main"), Column("评估主体"), Column("评估人", "rater"),
            Column("由谁填写"), Column("步骤"), Column("份额", kind="num"), Column("状态", kind="status"),
        )  # fmt: skip

    def prepare(self, page: Sequence[Sheet]) -> None:
        self.people = people_of(self.round, page, on=timezone.localdate())

    def row(self, row: Sheet) -> Sequence[Any]:
        tick = [
            format_html(
                '<input class="form-check-input" type="checkbox" form="bulk" '
                'name="sheet" value="{}" aria-label="选择{}">',
                row.pk, f"{row.rater}对{row.subject.label}",
            )
        ] if self.may else []  # fmt: skip
        link = format_html('<a href="{}">{}</a>', reverse("evaluations:sheet-manage", args=[row.pk]), row.subject.label)
        left_out = LEFT_OUT if row.subject.left_out_reason else ""
        return (
            *tick, format_html("{}{}", link, left_out), SIDES.get(row.side, row.side), row.rater, self._who(row),
            row.step.title, plain(row.share), status_html(row.get_state_display(), TONES[row.state]),
        )  # fmt: skip

    def _who(self, row: Sheet) -> Any:
        if row.state in ("excused", "replaced"):
            return row.reason
        names = [user.name for user in self.people.get(row.pk, [])]
        if not names and row.state in ("waiting", "draft", "declined"):
            return NOBODY
        return "、".join(names[:3]) + (f"等 {len(names)} 人" if len(names) > 3 else "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        bulk = BulkForm(locality=self.round.locality) if self.may else None
        return {
            **context, "round": self.round, "may": self.may, "bulk": bulk,
            "crumbs": crumbs(_crumb(self.round), ("评估人安排", "")),
        }  # fmt: skip


@require_POST
@login_required
def sheets_bulk(request: PersonRequest, pk: int) -> HttpResponse:
    """One act for the sheets that were ticked: what can be done is done, the rest says why."""
    round_ = get_for(request.user, Round, pk, can_arrange, queryset=ROWS)
    ids = [int(value) for value in request.POST.getlist("sheet")[:MOST_AT_ONCE] if value.isascii() and value.isdigit()]
    sheets = list(Sheet.objects.visible_to(request.user).filter(round=round_, pk__in=[i for i in ids if i < 2**63]))
    form = BulkForm(request.POST, locality=round_.locality)
    if not sheets:
        form.add_error(None, "请先勾选评估表。")
    if not form.is_valid():
        context = {
            "form": form, "round": round_, "title": "批量办理", "subtitle": round_.title,
            "sheets": sheets, "intro": f"已选 {len(sheets)} 份",
            "back": reverse("evaluations:round-sheets", args=[pk]), "crumbs": crumbs(_crumb(round_), ("批量办理", "")),
        }  # fmt: skip
        return render(request, "evaluations/round_bulk.html", context)
    done = assigning.in_bulk(sheets, _bulk_act(request, form.cleaned_data))
    if done.moved:
        messages.success(request, f"已办理 {len(done.moved)} 份。")
    names = {sheet.pk: str(sheet) for sheet in sheets}
    for key, why in list(done.refused.items())[:20]:
        messages.error(request, f"{names[key]}：{why}")
    return redirect("evaluations:round-sheets", pk)


def _bulk_act(request: PersonRequest, data: dict[str, Any]) -> Callable[[Sheet], Sheet]:
    actor, today, reason = request.user, timezone.localdate(), data["reason"]
    person = data["person"]
    acts: dict[str, Callable[[Sheet], Sheet]] = {
        "name": lambda s: assigning.name_rater(s, actor=actor, person=person, reason=reason, today=today),
        "replace": lambda s: assigning.replace_rater(s, actor=actor, person=person, reason=reason, today=today),
        "excuse": lambda s: assigning.excuse_rater(s, actor=actor, kind=data["kind"], reason=reason),
        "share": lambda s: assigning.set_share(s, actor=actor, share=data["share"], reason=reason),
    }
    return acts[data["act"]]


# --- one sheet -------------------------------------------------------------------------------------------------------


@login_required
def sheet_manage(request: PersonRequest, pk: int) -> HttpResponse:
    """Everything that may be done about who writes one sheet; what it says is not on this page."""
    sheet = get_for(request.user, Sheet, pk, queryset=SHEETS)
    require(can_see_arrangements(request.user, sheet.round))
    chosen = request.POST.get("act", "")
    acts = _acts(sheet, request.user, chosen, request.POST)
    if request.method == "POST":
        require(can_reopen_sheet(request.user, sheet) if chosen == "reopen" else can_assign(request.user, sheet))
        if chosen not in acts:
            messages.error(request, f"评估表{sheet.get_state_display()}，不能办理这一项。")
            return redirect("evaluations:sheet-manage", pk)
        form = acts[chosen][1]
        if form.is_valid():
            moved = attempt(form, lambda: _ACTS[chosen](sheet, request.user, form.cleaned_data))
            if moved is not None:
                messages.success(request, f"已办理：{acts[chosen][0]}。")
                return redirect("evaluations:sheet-manage", moved.pk)
    people = people_of(sheet.round, [sheet], on=timezone.localdate())[sheet.pk]
    context = {
        "sheet": sheet, "round": sheet.round, "tone": TONES[sheet.state], "side": SIDES.get(sheet.side, sheet.side),
        "people": people, "acts": [(name, label, form) for name, (label, form) in acts.items()], "chosen": chosen,
        "may": can_assign(request.user, sheet), "history": audit.timeline(sheet, limit=30),
        "later": Sheet.objects.filter(supersedes=sheet).first(),
        "crumbs": crumbs(
            _crumb(sheet.round), ("评估人安排", reverse("evaluations:round-sheets", args=[sheet.round_id])),
            (str(sheet.subject), ""),
        ),
    }  # fmt: skip
    return render(request, "evaluations/sheet_manage.html", context)


def _acts(sheet: Sheet, user: User, chosen: str, posted: Any) -> dict[str, tuple[str, Any]]:
    """{act: (words, form)} that fit the sheet's state; bound to what was posted for the one that was."""
    place, state = sheet.round.locality, sheet.state
    is_office = sheet.unit_id is not None or sheet.organisation_id is not None
    in_preparation = sheet.round.state == Round.State.PREPARATION
    made: dict[str, tuple[str, Callable[..., Any]]] = {}
    if can_assign(user, sheet):
        if state == "declined":
            made["insist"] = ("不同意回避", lambda data, act: WhyForm(data, auto_id=f"{act}_%s"))
        if state == "waiting":
            made["name"] = (
                "指定评估人", lambda data, act: NameForm(
                    data, auto_id=f"{act}_%s", locality=place, needs_reason=not in_preparation
                )
            )  # fmt: skip
        if state in ("waiting", "draft", "submitted", "abstained", "declined"):
            made["replace"] = (
                "改派",
                lambda data, act: ReplaceForm(data, auto_id=f"{act}_%s", locality=place, is_office=is_office),
            )
            made["excuse"] = ("办理回避（不评）", lambda data, act: ExcuseForm(data, auto_id=f"{act}_%s"))
            made["share"] = (
                "调整份额",
                lambda data, act: ShareForm(data, auto_id=f"{act}_%s", initial={"share": plain(sheet.share)}),
            )
        if state == "excused":
            made["restore"] = ("恢复评估", lambda data, act: WhyForm(data, auto_id=f"{act}_%s"))
    if can_reopen_sheet(user, sheet) and state in ("submitted", "abstained", "draft"):
        made["reopen"] = ("重新开放这一份", lambda data, act: ReopenForm(data, auto_id=f"{act}_%s"))
    return {name: (label, make(posted if name == chosen else None, name)) for name, (label, make) in made.items()}


_Act = Callable[[Sheet, User, dict[str, Any]], Sheet]
_ACTS: dict[str, _Act] = {
    "name": lambda s, u, d: assigning.name_rater(
        s, actor=u, person=d["person"], reason=d["reason"], today=timezone.localdate()
    ),
    "replace": lambda s, u, d: assigning.replace_rater(
        s, actor=u, person=d["person"], reason=d["reason"], today=timezone.localdate()
    ),
    "excuse": lambda s, u, d: assigning.excuse_rater(s, actor=u, kind=d["kind"], reason=d["reason"]),
    "insist": lambda s, u, d: assigning.insist_on_rater(s, actor=u, reason=d["reason"], today=timezone.localdate()),
    "restore": lambda s, u, d: assigning.restore_rater(s, actor=u, reason=d["reason"], today=timezone.localdate()),
    "share": lambda s, u, d: assigning.set_share(s, actor=u, share=d["share"], reason=d["reason"]),
    "reopen": lambda s, u, d: assigning.reopen_sheet(
        s, actor=u, reason=d["reason"], until=d["until"], today=timezone.localdate()
    ),
}


# --- who is rated ---------------------------------------------------------------------------------------------------


@require_GET
@login_required
def round_subjects(request: PersonRequest, pk: int) -> HttpResponse:
    """Who is evaluated, what they served and on how many days, and who has been left out with which reason."""
    round_ = get_for(request.user, Round, pk, can_see_arrangements, queryset=ROWS)
    rows = round_.subjects.order_by("-direction", "sort_key", "pk").prefetch_related("service__charge")
    context = {
        "round": round_, "subjects": rows, "may": can_arrange(request.user, round_),
        "crumbs": crumbs(_crumb(round_), ("受评对象", "")),
    }  # fmt: skip
    return render(request, "evaluations/round_subjects.html", context)


def _subject(request: PersonRequest, pk: int) -> Subject:
    rows = Subject.objects.select_related("round__locality__parent", "planner", "team", "group", "unit", "organisation")
    subject = get_for(request.user, Subject, pk, queryset=rows)
    require(can_arrange(request.user, subject.round))
    return subject


@login_required
def subject_leave_out(request: PersonRequest, pk: int) -> HttpResponse:
    """Leave somebody out, or take them in again."""
    subject = _subject(request, pk)
    out = bool(subject.left_out_reason)
    title = f"{'恢复参评' if out else '不参评'}：{subject.label}"
    act = assigning.take_in if out else assigning.leave_out
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(form, lambda: act(subject, actor=request.user, reason=reason)) is not None:
            messages.success(request, f"已办理：{title}。")
            return redirect("evaluations:round-subjects", subject.round_id)
    intro = f"不参评的原因：{subject.left_out_reason}" if out else "不参评的，已填写的评估表不计入，也不对任何人开放。"
    return _subject_page(request, subject, form, title, intro)


@login_required
def rater_add(request: PersonRequest, pk: int) -> HttpResponse:
    subject = _subject(request, pk)
    form = AddRaterForm(request.POST or None, subject=subject, user=request.user)
    if request.method == "POST" and form.is_valid():

        def add(data: dict[str, Any]) -> Sheet:
            step = data.pop("step")
            return assigning.add_rater(step, subject, actor=request.user, today=timezone.localdate(), **data)

        made = attempt_once(form, request.user, add)
        if made is not None:
            messages.success(request, f"已增加评估人：{made.rater}。")
            return redirect("evaluations:sheet-manage", made.pk)
    return _subject_page(request, subject, form, f"增加评估人：{subject.label}", "")


def _subject_page(request: PersonRequest, subject: Subject, form: Any, title: str, intro: str) -> HttpResponse:
    url = reverse("evaluations:round-subjects", args=[subject.round_id])
    context = {
        "form": form, "title": title, "subtitle": subject.round.title, "intro": intro, "back": url,
        "crumbs": crumbs(_crumb(subject.round), ("受评对象", url), (title, "")),
    }  # fmt: skip
    return render(request, "evaluations/round_form.html", context)


@require_GET
@login_required
def rater_lookup(request: PersonRequest) -> JsonResponse:
    """Persons whom the bureau may name a rater, with their roles; nobody else is told who works here."""
    place = place_of(request.user)
    rows = User.objects.none()
    if place is not None and access_of(request.user).is_role(Role.BUREAU):
        rows = people_in(get_object_or_404(Locality.objects.select_related("parent"), pk=place.pk))
        for word in typed(request).split():
            rows = rows.filter(name__contains=word)
        rows = rows.prefetch_related("memberships").order_by("name", "pk")
    return lookup_response(rows, text=lambda person: person.name, note=_roles)


def _roles(person: User) -> str:
    labels = dict.fromkeys(str(row.get_role_display()) for row in person.memberships.all())
    return " · ".join([person.username, *labels])
