"""A round of evaluation for its organisers: what stands in the way, phases, steps; for raters what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from core import audit
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.access import access_of, place_of
from districts.models import Locality
from districts.policy.keys import SIDES
from evaluations.filters import RoundFilter
from evaluations.forms_rounds import ExtendForm, OpenStepForm, PrepareForm, WhyForm
from evaluations.models import Form, Round, RoundStep, Sheet
from evaluations.permissions.rounds import can_manage_round, can_pause_round, can_prepare_round, can_resume_round
from evaluations.permissions.sheets import can_see_arrangements
from evaluations.querysets.rounds import ORGANISERS, is_subject
from evaluations.scoring.rules import INDICATORS
from evaluations.services.own_reports import reports_in
from evaluations.services.reminders import chase
from evaluations.services.round_pages import attention, next_moves, phases, round_links, step_views
from evaluations.services.rounds import (
    move_round,
    offered_rounds,
    open_round,
    pause_round,
    prepare_round,
    refresh_round,
    resume_round,
    round_plans,
)
from evaluations.services.rules import FROZEN, rules_of
from evaluations.services.steps import close_step, extend_step, open_step
from evaluations.transitions.rounds import ROUND

ROWS = Round.objects.select_related("locality__parent", "policy_version__pack", "prepared_by", "opened_by")
TONES = {
    "preparation": "neutral", "self_report": "info", "scoring": "info", "collation": "waiting",
    "deliberation": "waiting", "notice": "waiting", "published": "good", "filed": "good", "cancelled": "neutral",
}  # fmt: skip


def crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("首页", "/home/"), ("评估", reverse("evaluations:round-list")), *more]


class RoundList(FilteredListView):
    template_name = "evaluations/round_list.html"
    filter_class = RoundFilter
    caption = sheet = "评估"

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        last = [Column("已提交", kind="num")] if self.counts else []
        return (
            Column("名称", "title", "main"), Column("地方"), Column("期间", "start", "date"), Column("方向"), *last,
            Column("阶段", kind="status"),
        )  # fmt: skip

    @property
    def counts(self) -> bool:
        return access_of(self.request.user).is_role(*ORGANISERS)

    def scoped(self) -> Any:
        return Round.objects.visible_to(self.request.user).select_related("locality")

    def prepare(self, page: Sequence[Round]) -> None:
        self.numbers: dict[int, tuple[int, int]] = {}
        if self.counts:
            rows = Sheet.objects.counting().filter(round__in=[row.pk for row in page]).values_list("round")
            done = Count("pk", filter=Q(state="submitted"))
            self.numbers = {pk: (n, total) for pk, n, total in rows.annotate(n=done, total=Count("pk")).order_by()}

    def row(self, row: Round) -> Sequence[Any]:
        link = format_html('<a href="{}">{}</a>', reverse("evaluations:round", args=[row.pk]), row.title)
        done, total = self.numbers.get(row.pk, (0, 0))
        label = row.get_state_display() + ("（暂停）" if row.standing == "paused" else "")
        return (
            link, row.locality.name, f"{row.start:%Y-%m-%d} 至 {row.end:%Y-%m-%d}", row.get_scope_display(),
            *([f"{done} / {total}"] if self.counts else []), status_html(label, TONES[row.state]),
        )  # fmt: skip

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = place_of(self.request.user)
        may = place is not None and bool(can_prepare_round(self.request.user, place))
        return super().get_context_data(may_prepare=may, crumbs=[*crumbs()[:1], ("评估", "")], **kwargs)


@login_required
def round_prepare(request: PersonRequest) -> HttpResponse:
    """Which evaluation the pack asks for and no round has yet been made of."""
    locality = get_for(request.user, Locality, access_of(request.user).locality_id, can_prepare_round)
    today = timezone.localdate()
    known = made_with(request.user, request.POST.get(FIELD, ""))
    if isinstance(known, Round):
        # Sent twice: what it made is no longer offered, and the second click finds it.
        return redirect("evaluations:round", known.pk)
    plans = round_plans(locality, on=today)
    earlier = Round.objects.filter(locality=locality).living().order_by("-start", "pk")
    offered = offered_rounds(locality, today=today)
    form = PrepareForm(request.POST or None, offered=offered, plans=plans, earlier=earlier)
    if request.method == "POST" and form.is_valid():
        scope, start, end = form.chosen()

        def make(data: dict[str, Any]) -> Round:
            return prepare_round(
                locality,
                actor=request.user,
                scope=scope,
                start=start,
                end=end,
                today=today,
                copy_from=data["copy_from"],
            )

        made = attempt_once(form, request.user, make)
        if made is not None:
            messages.success(request, f"{made.title}已建立。请核对表样和评估人，清单中的事项都办妥后启动。")
            return redirect("evaluations:round", made.pk)
    context = {"form": form, "plans": plans, "locality": locality, "crumbs": crumbs(("建立评估", ""))}
    return render(request, "evaluations/round_prepare.html", context)


@require_GET
@login_required
def round_detail(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, queryset=ROWS)
    today, user = timezone.localdate(), request.user
    sees = bool(can_see_arrangements(user, round_))
    context: dict[str, Any] = {
        "round": round_, "phases": phases(round_), "tone": TONES[round_.state], "sees": sees, "today": today,
        "steps": step_views(round_, today=today, counted=sees), "crumbs": crumbs((round_.title, "")),
        "own": own_counts(request, round_), "is_rated": is_rated(request, round_), "links": round_links(round_, user),
    }  # fmt: skip
    if sees:
        context |= {
            "may_manage": can_manage_round(user, round_), "may_pause": can_pause_round(user, round_),
            "moves": next_moves(round_, user, today=today), "attention": attention(round_, today=today),
            "forms": Form.objects.filter(step__round=round_).select_related("step").annotate(lines=Count("indicators")),
            "subjects": subject_counts(round_),
            "reports": [(sheet, SIDES.get(sheet.side, sheet.side)) for sheet in reports_in(round_)],
            "history": audit.timeline(round_, limit=20),
        }  # fmt: skip
    return render(request, "evaluations/round_detail.html", context)


def own_counts(request: PersonRequest, round_: Round) -> dict[str, int]:
    """How many sheets of this round are one's own to fill in, and how many are done."""
    rows = Sheet.objects.owed_by(request.user).filter(round=round_).counting()
    done = Count("pk", filter=Q(state__in=["submitted", "abstained"]))
    return rows.aggregate(total=Count("pk"), done=done)


def is_rated(request: PersonRequest, round_: Round) -> bool:
    if access_of(request.user).is_role(Role.CITY, Role.BUREAU):
        return False
    return round_.subjects.taking_part().filter(is_subject(request.user)).exists()


def subject_counts(round_: Round) -> list[dict[str, Any]]:
    rows = round_.subjects.values_list("direction")
    here = Count("pk", filter=Q(left_out_reason=""))
    words = dict(Form.Direction.choices)
    return [
        {"direction": words[direction], "here": n, "out": total - n}
        for direction, n, total in rows.annotate(n=here, total=Count("pk")).order_by("-direction")
    ]


@require_GET
@login_required
def round_rules(request: PersonRequest, pk: int) -> HttpResponse:
    """Every rule of the round, frozen or still as the policy has it, with its clause or who may set it."""
    round_ = get_for(request.user, Round, pk, queryset=ROWS)
    rules = rules_of(round_)
    names = {row["code"]: row["title"] for key in INDICATORS.values() for row in rules.value(key) or ()}
    shown = [rules.get(key) for key in FROZEN if not key.startswith("report.")]
    values = [(value, value.words(names), value.key in round_.rules) for value in shown]
    context = {"round": round_, "values": values, "crumbs": crumbs(_crumb(round_), ("适用规则", ""))}
    return render(request, "evaluations/round_rules.html", context)


def _crumb(round_: Round) -> tuple[str, str]:
    return round_.title, reverse("evaluations:round", args=[round_.pk])


# --- acts -----------------------------------------------------------------------------------------------------------


def _done(request: PersonRequest, round_: Round, act: Any, words: str) -> HttpResponse:
    """Do it and say so; what stands in the way is said on the page of the round."""
    try:
        act()
    except ValidationError as error:
        for message in error.messages[:20]:
            messages.error(request, message)
    else:
        messages.success(request, words)
    return redirect("evaluations:round", round_.pk)


@require_POST
@login_required
def round_refresh(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_manage_round, queryset=ROWS)
    today = timezone.localdate()
    return _done(
        request, round_, lambda: refresh_round(round_, actor=request.user, today=today), "已按现行制度和登记重新计算。"
    )


@require_POST
@login_required
def round_open(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_manage_round, queryset=ROWS)
    today = timezone.localdate()
    return _done(
        request, round_, lambda: open_round(round_, actor=request.user, today=today), "评估已启动，规则和表样已锁定。"
    )


@login_required
def round_move(request: PersonRequest, pk: int, move: str) -> HttpResponse:
    """Any other phase. A move that needs a reason asks for it on a page of its own."""
    round_ = get_for(request.user, Round, pk, queryset=ROWS)
    found = {m.name: m for m in ROUND.moves if m.name not in ("open", "open_directly")}.get(move)
    if found is None:
        raise Http404("没有这一步。")
    require(found.predicate(request.user, round_))
    today = timezone.localdate()
    if not found.needs_reason:
        if request.method != "POST":
            return redirect("evaluations:round", pk)
        return _done(
            request, round_, lambda: move_round(round_, move, actor=request.user, today=today), f"已{found.label}。"
        )

    def act(reason: str) -> Round:
        return move_round(round_, move, actor=request.user, today=today, reason=reason)

    return _with_reason(request, round_, found.label, act, warning=found.danger)


def _with_reason(request: PersonRequest, round_: Round, title: str, act: Any, *, warning: str = "") -> HttpResponse:
    form = WhyForm(request.POST or None)
    sent = request.method == "POST" and form.is_valid()
    if sent and attempt(form, lambda: act(form.cleaned_data["reason"])) is not None:
        messages.success(request, f"已{title}。")
        return redirect("evaluations:round", round_.pk)
    return _form_page(request, round_, form, title, warning=warning)


def _form_page(request: PersonRequest, round_: Round, form: Any, title: str, **more: Any) -> HttpResponse:
    context = {
        "form": form, "title": title, "subtitle": round_.title, "back": reverse("evaluations:round", args=[round_.pk]),
        "crumbs": crumbs(_crumb(round_), (title, "")), **more,
    }  # fmt: skip
    return render(request, "evaluations/round_form.html", context)


@login_required
def round_pause(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_pause_round, queryset=ROWS)
    return _with_reason(
        request, round_, "暂停评估", lambda reason: pause_round(round_, actor=request.user, reason=reason),
        warning="暂停期间不能填写、提交或办理，阶段和已填内容保留。",
    )  # fmt: skip


@require_POST
@login_required
def round_resume(request: PersonRequest, pk: int) -> HttpResponse:
    round_ = get_for(request.user, Round, pk, can_resume_round, queryset=ROWS)
    return _done(request, round_, lambda: resume_round(round_, actor=request.user), "评估已恢复。")


# --- steps ----------------------------------------------------------------------------------------------------------


def _step(request: PersonRequest, pk: int, number: int) -> tuple[Round, RoundStep]:
    round_ = get_for(request.user, Round, pk, can_manage_round, queryset=ROWS)
    step = get_object_or_404(round_.steps, number=number)
    step.round = round_
    return round_, step


@login_required
def step_open(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    """A further step begins, with the deadline that the policy gives unless another day is chosen."""
    round_, step = _step(request, pk, number)
    days = rules_of(round_).value("evaluation.fill_days")
    today = timezone.localdate()
    initial = {"due_on": today + timedelta(days=int(days))} if days is not None else {}
    form = OpenStepForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        due = form.cleaned_data["due_on"]
        if due < today:
            form.add_error("due_on", "截止日期不能早于今天。")
        elif attempt(form, lambda: open_step(step, actor=request.user, due_on=due)) is not None:
            messages.success(request, f"“{step.title}”已开始，已通知评估人。")
            return redirect("evaluations:round", pk)
    return _form_page(request, round_, form, f"开始“{step.title}”")


@require_POST
@login_required
def step_close(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    round_, step = _step(request, pk, number)
    return _done(request, round_, lambda: close_step(step, actor=request.user), f"“{step.title}”已对所有评估人截止。")


@login_required
def step_extend(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    round_, step = _step(request, pk, number)
    form = ExtendForm(request.POST or None, initial={"due_on": step.due_on})
    if request.method == "POST" and form.is_valid():
        data, today = form.cleaned_data, timezone.localdate()
        moved = attempt(form, lambda: extend_step(step, actor=request.user, today=today, **data))
        if moved is not None:
            messages.success(request, f"截止日期已调整为 {moved.due_on:%Y-%m-%d}，已通知未提交的评估人。")
            return redirect("evaluations:round", pk)
    return _form_page(request, round_, form, f"调整“{step.title}”的截止日期")


@require_POST
@login_required
def step_chase(request: PersonRequest, pk: int, number: int) -> HttpResponse:
    _, step = _step(request, pk, number)
    told = chase(step, actor=request.user, today=timezone.localdate())
    messages.success(request, f"已提醒 {told} 人；同一天内不重复提醒。" if told else "没有需要提醒的评估人。")
    return redirect("evaluations:round", pk)
