"""Pages of asking: the list, one request, and what the desk does with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from core import audit
from core.files import store_file, stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from core.workdays import CalendarGap
from districts.policy.values import PolicyValue
from projects import permissions_consultations as may
from projects.filters_consultations import ConsultationFilter
from projects.forms_consultations import (
    MINUTES_TYPES,
    AddForm,
    AskForm,
    ExtensionAnswerForm,
    ExtensionForm,
    MeetingForm,
    MoveMeetingForm,
    NothingForm,
    ReasonForm,
)
from projects.models import Consultation, Extension, Project
from projects.reads_consultations import consultation_context, lights_of, state_tone, waiting_names
from projects.services import consultations as asking
from projects.services import course, extensions, meetings
from projects.services.consultation_exports import export_consultations
from projects.services.course import ROWS
from projects.services.due import calendar_from

_COLUMNS = (
    Column("征询编号"), Column("项目", kind="main"), Column("阶段"), Column("征询单位"), Column("答复期限", kind="status"),
    Column("待答复"), Column("状态", kind="status"),
)  # fmt: skip


class ConsultationList(FilteredListView):
    template_name = "projects/consultation_list.html"
    filter_class = ConsultationFilter
    caption = "征询"
    columns = _COLUMNS

    def scoped(self) -> Any:
        return Consultation.objects.visible_to(self.request.user).select_related("project", "stage", "asker")

    def prepare(self, page: Sequence[Consultation]) -> None:
        self.waiting = waiting_names(page)
        self.lights = lights_of(page, timezone.localdate())

    def row(self, row: Consultation) -> Sequence[Any]:
        link = format_html('<a href="{}">{}</a>', row.get_absolute_url(), row.project.name)
        words, tone = self.lights[row.pk]
        return (
            row.number, link, str(row.stage), row.asker.name, status_html(words, tone) if words else "",
            "、".join(self.waiting.get(row.pk, [])), status_html(row.get_state_display(), state_tone(row)),
        )  # fmt: skip


@require_GET
@login_required
def consultation_export(request: PersonRequest) -> FileResponse:
    """What the list shows under the same filters, every page of it."""
    rows = ConsultationFilter(request.GET, Consultation.objects.visible_to(request.user), user=request.user).qs
    audit.record("consultation.export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_consultations(rows)


@require_GET
@login_required
def consultation(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, queryset=ROWS)
    return render(request, "projects/consultation.html", consultation_context(row, request.user))


# --- asking -----------------------------------------------------------------------------------------------------


@login_required
def consultation_create(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Project.objects.select_related("locality", "owner")
    project = get_for(request.user, Project, pk, may.can_ask, queryset=rows)
    return _ask(request, project)


@login_required
def consultation_again(request: PersonRequest, pk: int) -> HttpResponse:
    """Anew, on a later version of the scheme."""
    before = get_for(request.user, Consultation, pk, may.can_ask_anew, queryset=ROWS)
    return _ask(request, before.project, before=before)


_RULES = {
    "stages": "review.stages", "tiers": "review.tiers", "term": asking.OPINION_DAYS, "feedback": asking.FEEDBACK_DAYS
}  # fmt: skip


def _rule(setting: asking.Setting, key: str) -> PolicyValue:
    return setting.policy.get(key) if setting.policy is not None else PolicyValue(key)


def _ask(request: PersonRequest, project: Project, *, before: Consultation | None = None) -> HttpResponse:
    try:
        setting = asking.setting_of(project)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("projects:project", project.pk)
    initial = {} if before is None else {"subject": before.subject, "question": before.question, "way": before.way}
    form = AskForm(sent(request), project=project, setting=setting, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = attempt_once(
            form, request.user,
            lambda data: asking.ask(project, actor=request.user, request=form.request(data), supersedes=before),
        )  # fmt: skip
        if made is not None:
            messages.success(request, f"已发出征询 {made.number}，被征询人已收到通知。")
            return redirect(made)
    running = Consultation.objects.visible_to(request.user).filter(project=project).running()
    return render(request, "projects/consultation_form.html", {
        "form": form, "project": project, "setting": setting, "before": before, "running": running,
        "rules": {name: _rule(setting, key) for name, key in _RULES.items()},
    })  # fmt: skip


# --- acts: one page each, with what it needs to know ------------------------------------------------------------


def sent(request: PersonRequest) -> QueryDict | None:
    """What was posted, if anything was: a form of no fields is bound by the act of sending."""
    return request.POST if request.method == "POST" else None


def act_page(
    request: PersonRequest, form: Any, do: Callable[[dict[str, Any]], Any], *, title: str, note: str, back: str,
    done: str, once: bool = False, **extra: Any,
) -> HttpResponse:  # fmt: skip
    """A page of one form: done, the person is back where they came from and told so."""
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, do) if once else attempt(form, lambda: do(form.cleaned_data) or True)
        if made is not None:
            messages.success(request, done)
            return redirect(back)
    return render(
        request, "projects/act.html", {"form": form, "title": title, "note": note, "back": back, **extra}
    )  # fmt: skip


def _note(row: Consultation) -> str:
    return f"{row.number}，{row.project.name}"


def _act(request: PersonRequest, row: Consultation, form: Any, do: Any, **words: Any) -> HttpResponse:
    return act_page(request, form, do, note=_note(row), back=row.get_absolute_url(), **words)


@login_required
def consultation_suspend(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_suspend, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: course.suspend(row, actor=request.user, reason=data["reason"]),
        title="中止征询", done="已中止，恢复后期限按中止的工作日顺延。", submit="中止",
        intro="中止期间期限不走，恢复时按实际工作日顺延。",
    )  # fmt: skip


@login_required
def consultation_resume(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_resume, queryset=ROWS)
    return _act(
        request, row, NothingForm(sent(request)), lambda data: course.resume(row, actor=request.user),
        title="恢复征询", done="已恢复，期限已顺延。", submit="恢复", intro="从今天起期限继续计算。",
    )  # fmt: skip


@login_required
def consultation_withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_withdraw, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: course.withdraw(row, actor=request.user, reason=data["reason"]),
        title="撤回征询", done="已撤回，被征询人已收到通知。", submit="撤回",
        warning="撤回后被征询人不再需要答复，已写的草稿不能再提交。",
    )  # fmt: skip


@login_required
def consultation_add(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_add, queryset=ROWS)
    return _act(
        request, row, AddForm(sent(request), user=request.user),
        lambda data: asking.add_consultee(row, actor=request.user, planner=data["planner"], reason=data["reason"]),
        title="增补被征询人", done="已增补，并已通知。", once=True,
    )  # fmt: skip


@login_required
def consultation_move(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_record_meeting, queryset=ROWS)
    initial = {"meeting_at": row.meeting_at, "meeting_place": row.meeting_place}
    return _act(
        request, row, MoveMeetingForm(sent(request), initial=initial),
        lambda data: meetings.move_meeting(row, actor=request.user, **data),
        title="会议改期", done="已改期，被邀请人已收到通知。",
    )  # fmt: skip


@login_required
def consultation_meeting(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_record_meeting, queryset=ROWS)

    def record(data: dict[str, Any]) -> Consultation:
        minutes = None
        if data["minutes"]:
            try:
                minutes = store_file(
                    data["minutes"], actor=request.user, purpose="meeting_minutes", allowed=MINUTES_TYPES,
                    locality_code=row.locality.code,
                )  # fmt: skip
            except ValidationError as error:
                raise ValidationError({"minutes": error.messages}) from error
        present = [consultee.pk for consultee in data["present"]]
        return meetings.record_meeting(row, actor=request.user, present=present, minutes=minutes)

    form = MeetingForm(sent(request), request.FILES or None, consultation=row)
    return _act(request, row, form, record, title="登记到会情况", done="已登记到会情况。")


@require_GET
@login_required
def consultation_minutes(request: PersonRequest, pk: int) -> FileResponse:
    row = get_for(request.user, Consultation, pk, queryset=ROWS)
    if row.minutes is None:
        raise Http404("没有会议纪要。")
    return stream(row.minutes, inline=True)


# --- more time ----------------------------------------------------------------------------------------------------


@login_required
def consultation_extend(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Consultation, pk, may.can_ask_extension, queryset=ROWS)
    return _act(
        request, row, ExtensionForm(sent(request)),
        lambda data: extensions.ask_extension(row, actor=request.user, days=data["days"], reason=data["reason"]),
        title="申请延期", done="已提出延期申请，等待征询单位答复。", once=True,
        intro=f"目前的答复期限为 {row.due_on}。",
    )  # fmt: skip


@login_required
def extension_answer(request: PersonRequest, pk: int) -> HttpResponse:
    seen = Consultation.objects.visible_to(request.user)
    found = get_object_or_404(
        Extension.objects.filter(consultation__in=seen).select_related("asked_by", "consultation"), pk=pk
    )  # fmt: skip
    row = get_for(request.user, Consultation, found.consultation_id, queryset=ROWS)
    found.consultation = row
    require(may.can_answer_extension(request.user, found))
    return _act(
        request, row, ExtensionAnswerForm(sent(request)),
        lambda data: extensions.answer_extension(
            found, actor=request.user, granted=data["decision"] == "grant", answer=data["answer"]
        ),
        title="答复延期申请", done="已答复延期申请。",
        intro=f"{found.asked_by}申请延期 {found.days} 个工作日：{found.reason}{_would_be(row, found)}",
    )  # fmt: skip


def _would_be(row: Consultation, extension: Extension) -> str:
    """The day that it would become: 同意后期限为 2026-06-18."""
    if row.due_on is None:
        return ""
    try:
        day: date = calendar_from(row.due_on - timedelta(days=1)).add_workdays(row.due_on, extension.days)
    except CalendarGap:
        return ""
    return f"。目前期限 {row.due_on}，同意后为 {day}。"
