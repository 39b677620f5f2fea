"""Pages of stages: the gate, back, over, up again; votes; the 征询凭证; the timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.errors import Refused
from core.exports import export_response
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for, require
from core.spreadsheets import ExportColumn
from core.text import parse_date
from projects import permissions_stages as may
from projects.forms import ReasonForm
from projects.forms_stages import DecideForm, GoBackForm, VoteForm
from projects.gate import gate_of
from projects.models import Project, ProjectStage, StageDecision, Vote
from projects.rounds import policy_of_stage
from projects.services import proofs, stages
from projects.services.rectifications import open_rectifications
from projects.timeline import KINDS, happenings, rows_for_sheet

_ROUNDS = ProjectStage.objects.select_related("project__locality", "project__owner", "policy_version")
RECENT = 15
_SHEET = [
    ExportColumn("时间", kind="datetime"), ExportColumn("类别"), ExportColumn("事项", width=30),
    ExportColumn("说明", width=60), ExportColumn("办理人", width=16),
]  # fmt: skip
audit.register_actions({"stagedecision.pdf": "下载征询凭证", "project.timeline_export": "导出项目办理记录"})


def _round(request: PersonRequest, pk: int, *predicates: Any) -> ProjectStage:
    return get_for(request.user, ProjectStage, pk, *predicates, queryset=_ROUNDS)


@login_required
def stage_decide(request: PersonRequest, pk: int) -> HttpResponse:
    """Record that a stage was passed; what is asked depends on what there is to show for it on the day."""
    stage = _round(request, pk, may.can_decide_stage)
    gate = gate_of(stage, on=_posted_day(request))
    waive = may.can_waive_consultation(request.user, stage)
    form = DecideForm(
        request.POST or None, gate=gate, may_waive=waive, may_move=may.can_move_stage(request.user, stage)
    )
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: stages.decide_stage(stage, actor=request.user, **data))
        if made is not None:
            words = "已登记，以红色显示并告知规划主管部门。" if made.is_red else "已登记通过。"
            messages.success(request, f"{stage}：{words}")
            return redirect("projects:project", stage.project_id)
    blocking = list(open_rectifications(stage.project)) if stage.stage == Project.Stage.ACCEPTANCE else []
    return render(request, "projects/stage_decide.html", {
        "form": form, "stage": stage, "project": stage.project, "gate": gate, "may_waive": waive, "blocking": blocking,
    })  # fmt: skip


def _posted_day(request: PersonRequest) -> Any:
    """The day that was typed, as far as it is one and not to come."""
    today = timezone.localdate()
    try:
        day = parse_date(request.POST.get("decided_on", "")) if request.method == "POST" else today
    except ValueError:
        return today
    return min(day, today)


def _with_reason(
    request: PersonRequest, stage: ProjectStage, form: Any, do: Callable[[dict[str, Any]], Any], *, title: str,
    intro: str, done: str,
) -> HttpResponse:  # fmt: skip
    """A page that asks for a reason and then does something with the round."""
    if request.method == "POST" and form.is_valid() and attempt(form, lambda: do(form.cleaned_data)) is not None:
        messages.success(request, done)
        return redirect("projects:project", stage.project_id)
    context = {"form": form, "stage": stage, "project": stage.project, "title": title, "intro": intro, "submit": title}
    return render(request, "projects/stage_leave.html", context)


@login_required
def stage_send_back(request: PersonRequest, pk: int) -> HttpResponse:
    stage = _round(request, pk, may.can_move_stage)
    intro = "本轮结束，同一阶段开始新一轮；本轮的意见和结论保留。尚未答复的征询随之撤回。"
    return _with_reason(
        request, stage, ReasonForm(request.POST or None),
        lambda data: stages.send_back(stage, actor=request.user, **data), title="退回修改", intro=intro,
        done="已退回修改，新一轮已开始。",
    )  # fmt: skip


@login_required
def stage_skip(request: PersonRequest, pk: int) -> HttpResponse:
    stage = _round(request, pk, may.can_move_stage)
    return _with_reason(
        request, stage, ReasonForm(request.POST or None),
        lambda data: stages.skip_stage(stage, actor=request.user, **data), title="跳过本阶段",
        intro="跳过的阶段和原因一直显示在项目页面。尚未答复的征询随之撤回。", done="已跳过。",
    )  # fmt: skip


@login_required
def stage_go_back(request: PersonRequest, pk: int) -> HttpResponse:
    stage = _round(request, pk, may.can_move_stage)
    earlier = stages.earlier_than(stage.stage)
    if not earlier:
        raise Http404("没有更早的阶段。")
    return _with_reason(
        request, stage, GoBackForm(request.POST or None, stages=earlier),
        lambda data: stages.go_back(stage, actor=request.user, **data), title="返回前面的阶段",
        intro="用于方案重大调整等情形；所选阶段开始新一轮，已有的意见和结论保留。", done="已返回，新一轮已开始。",
    )  # fmt: skip


@login_required
def project_reopen(request: PersonRequest, pk: int) -> HttpResponse:
    """Take up a finished project once more."""
    rows = Project.objects.select_related("locality", "owner")
    project = get_for(request.user, Project, pk, may.can_reopen_project, queryset=rows)
    form = GoBackForm(request.POST or None, stages=stages.earlier_than(Project.Stage.DONE))
    if request.method == "POST" and form.is_valid():
        done = attempt(form, lambda: stages.reopen_project(project, actor=request.user, **form.cleaned_data))
        if done is not None:
            messages.success(request, "项目已重新启动。")
            return redirect("projects:project", pk)
    context = {"form": form, "project": project, "title": "重新启动项目", "submit": "重新启动", "intro": ""}
    return render(request, "projects/stage_leave.html", context)


@login_required
def vote_create(request: PersonRequest, pk: int) -> HttpResponse:
    stage = _round(request, pk, may.can_record_vote)
    form = VoteForm(request.POST or None, request.FILES or None, policy=policy_of_stage(stage))
    if request.method == "POST" and form.is_valid():
        made = attempt_once(form, request.user, lambda data: stages.record_vote(stage, actor=request.user, **data))
        if made is not None:
            messages.success(request, "已登记。")
            return redirect("projects:project", stage.project_id)
    context = {"form": form, "stage": stage, "project": stage.project, "title": "登记会审与表决"}
    return render(request, "projects/project_part.html", context)


@require_GET
@login_required
def vote_scan(request: PersonRequest, pk: int) -> FileResponse:
    """The scan of a vote: whoever may read what the stage was passed on."""
    vote = Vote.objects.select_related("stage__project__locality", "scan").filter(pk=pk).first()
    if vote is None:
        raise Http404("没有这份扫描件。")
    project = get_for(request.user, Project, vote.stage.project_id)
    require(may.can_read_proof(request.user, StageDecision(stage=vote.stage)))
    if vote.scan is None:
        raise Http404(f"项目“{project.name}”的这项记录没有扫描件。")
    return stream(vote.scan, inline=True)


# --- the 征询凭证 -------------------------------------------------------------------------------------------------


def _decision(request: PersonRequest, pk: int) -> StageDecision:
    decision = proofs.ROWS.filter(pk=pk).first()
    if decision is None:
        raise Http404("没有这项结论。")
    get_for(request.user, Project, decision.stage.project_id)
    require(may.can_read_proof(request.user, decision))
    return decision


@require_GET
@login_required
def decision_proof(request: PersonRequest, pk: int) -> HttpResponse:
    """What a stage was passed on: who was asked, what they said, what was lacking."""
    decision = _decision(request, pk)
    return render(request, "projects/stage_proof.html", {
        "decision": decision, "stage": decision.stage, "project": decision.stage.project,
        "certified": decision.ground in proofs.CERTIFIED,
    })  # fmt: skip


@require_POST
@login_required
def decision_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    decision = _decision(request, pk)
    if decision.ground not in proofs.CERTIFIED:
        raise Refused("这项结论没有可以出具的凭证")
    if decision.document is not None:
        return redirect("projects:decision-download", pk)
    return redirect("core:job", proofs.request_pdf(decision, actor=request.user).pk)


@require_GET
@login_required
def decision_download(request: PersonRequest, pk: int) -> FileResponse:
    decision = _decision(request, pk)
    if decision.document is None or decision.document.file is None:
        raise Http404("还没有生成凭证。")
    audit.record("stagedecision.pdf", actor=request.user, obj=decision, locality=decision.stage.project.locality)
    return stream(decision.document.file, as_name=proofs.file_name(decision))


# --- the timeline -------------------------------------------------------------------------------------------------


def _asked_kind(request: PersonRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in KINDS else ""


@require_GET
@login_required
def project_timeline(request: PersonRequest, pk: int) -> HttpResponse:
    """Everything that happened, each with who and when."""
    project = get_for(request.user, Project, pk, queryset=Project.objects.select_related("locality"))
    if "recent" in request.GET:
        # The last of it, asked for by the project's own page once that is there.
        events = happenings(project, request.user, limit=RECENT)
        return render(request, "partials/timeline.html", {"events": events})
    kind = _asked_kind(request)
    context = {"project": project, "events": happenings(project, request.user, kind=kind), "kind": kind, "kinds": KINDS}
    return render(request, "projects/project_timeline.html", context)


@require_GET
@login_required
def timeline_export(request: PersonRequest, pk: int) -> FileResponse:
    project = get_for(request.user, Project, pk, queryset=Project.objects.select_related("locality"))
    found = happenings(project, request.user, kind=_asked_kind(request))
    audit.record("project.timeline_export", actor=request.user, obj=project, locality=project.locality)
    title = f"{project.name}办理记录"
    return export_response(_SHEET, rows_for_sheet(found), name=title.replace("/", "-"), title="办理记录")
