"""The stages of a project: opened one at a time, each round kept; passed through the gate, sent back, skipped, left.

A project may enter at any stage, skip one with a reason, and go back for a revised scheme; then a further round opens
and what was said in the former one stays with it. Every act holds the project's row, so of two officers one is told.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, store_file
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from districts.services.policies import version_in_force
from projects.gate import Gate, gate_of, proof_of
from projects.models import Consultee, Project, ProjectStage, StageDecision, Vote
from projects.permissions_stages import (
    can_decide_stage,
    can_move_stage,
    can_record_vote,
    can_reopen_project,
    can_waive_consultation,
)
from projects.review import VOTE_KEYS
from projects.rounds import policy_of_stage
from projects.services.audience import around, bureau_of, logins_of
from projects.services.rectifications import open_rectifications
from projects.services.seats import close_requests
from projects.transitions import ORDER, PROJECT, STAGE

audit.register_actions(
    {
        "projectstage.open": "开始阶段",
        "stagedecision.create": "登记阶段结论",
        "stagedecision.unconsulted": "登记未经征询即通过",
        "project.reopen": "重新启动已办结的项目",
        "vote.create": "登记会审与表决",
    }
)
Ground = StageDecision.Ground
_ROWS = ProjectStage.objects.select_related("project__locality", "project__owner", "policy_version")


def open_stage(project: Project, stage: str, *, actor: User | None, on: date) -> ProjectStage:
    """Open the next round of `stage`, under the policy version in force on `on`; `Project.stage` follows.

    To be called inside a transaction that holds the project's row. The database refuses a second open stage.
    """
    last = ProjectStage.objects.filter(project=project, stage=stage).aggregate(last=Max("round"))["last"] or 0
    opened = ProjectStage.objects.create(
        project=project, stage=stage, round=last + 1, opened_on=on, opened_by=actor,
        policy_version=version_in_force(project.locality, on),
    )  # fmt: skip
    opened.project = project
    audit.record("projectstage.open", actor=actor, obj=opened, locality=project.locality)
    if project.stage != stage:
        apply_move(project, PROJECT, f"enter_{stage}", actor=actor, detail={"round": opened.round})
    return opened


def next_of(stage: str) -> str:
    """The stage after this one; "done" after the last."""
    place = ORDER.index(Project.Stage(stage)) + 1
    return ORDER[place] if place < len(ORDER) else Project.Stage.DONE


def earlier_than(stage: str) -> list[str]:
    """The stages that one may go back to."""
    return [str(each) for each in ORDER] if stage == Project.Stage.DONE else [
        str(each) for each in ORDER[: ORDER.index(Project.Stage(stage))]
    ]  # fmt: skip


def _held(stage: ProjectStage) -> ProjectStage:
    """The round as it is now, with its project locked: the door through which one officer at a time passes."""
    project = Project.objects.select_for_update(of=("self",)).select_related("locality", "owner").get(
        pk=stage.project_id
    )  # fmt: skip
    row = _ROWS.get(pk=stage.pk)
    row.project = project
    if row.state != ProjectStage.State.OPEN:
        raise StaleState(f"已被他人处理，该阶段当前状态为“{row.get_state_display()}”，请刷新后查看。")
    return row


def _follow(project: Project, stage: str, *, actor: User, on: date) -> None:
    """On to `stage`, or the project is finished."""
    if stage == Project.Stage.DONE:
        apply_move(project, PROJECT, "finish", actor=actor)
    else:
        open_stage(project, stage, actor=actor, on=on)


# --- the gate ---------------------------------------------------------------------------------------------------


@transaction.atomic
def decide_stage(
    stage: ProjectStage,
    *,
    actor: User,
    decided_on: date,
    approval_number: str = "",
    note: str = "",
    waiver: str = "",
    unconsulted: bool = False,
) -> StageDecision:
    """Record that the stage was passed (approved, accepted) and on what ground; the next stage opens.

    The ground follows from what there is (`projects.gate`). Where the pack requires consultation and there is no
    proof, `waiver` is the reason of somebody entitled (review.waiver_by), or `unconsulted` says knowingly that it was
    approved all the same: that is recorded in red, counted, and told to the bureau.

    Requests that are still running go on: what is said late is still answered for.
    Side effects: decision with its proof, audit entries, notices to the planners who were asked (and to the bureau).
    Raises Refused, StaleState (somebody was first), ValidationError (by field).
    """
    row = _held(stage)
    require(can_decide_stage(actor, row))
    _check_day(row, decided_on)
    if row.stage == Project.Stage.ACCEPTANCE:
        _check_rectifications(row.project)
    gate = gate_of(row, on=decided_on)
    ground, reason = _ground(row, gate, actor=actor, waiver=waiver.strip(), unconsulted=unconsulted)
    if ground != Ground.WAIVED:
        require(can_move_stage(actor, row))
    apply_move(row, STAGE, "pass", actor=actor, changes={"closed_on": decided_on}, detail={"ground": ground})
    decision = StageDecision(
        stage=row, ground=ground, decided_on=decided_on, approval_number=approval_number.strip(), reason=reason,
        note=note.strip(), proof=_proof(gate, row), clause=asdict(gate.rule.clause), recorded_by=actor,
    )  # fmt: skip
    save_checked(decision)
    action = "stagedecision.unconsulted" if decision.is_red else "stagedecision.create"
    detail = {"ground": decision.get_ground_display(), "approval": decision.approval_number, "reason": reason}
    audit.record(action, actor=actor, obj=decision, locality=row.project.locality, detail=detail)
    _tell(decision, actor=actor)
    _follow(row.project, next_of(row.stage), actor=actor, on=timezone.localdate())
    return decision


def _check_day(row: ProjectStage, day: date) -> None:
    if day > timezone.localdate():
        raise ValidationError({"decided_on": "日期不能晚于今天。"})
    before = ProjectStage.objects.filter(project_id=row.project_id, pk__lt=row.pk, closed_on__isnull=False)
    last = before.exclude(state=ProjectStage.State.SKIPPED).aggregate(last=Max("closed_on"))["last"]
    if last is not None and day < last:
        raise ValidationError({"decided_on": f"日期不能早于前一轮（阶段）的结束日期 {last:%Y-%m-%d}。"})


def _check_rectifications(project: Project) -> None:
    """Open items follow into acceptance and block it, unless each was waived with a reason (京核心区 四(二))."""
    rows = list(open_rectifications(project)[:6])
    if rows:
        named = "、".join(row.number for row in rows[:5]) + ("等" if len(rows) > 5 else "")
        raise ValidationError(
            f"还有整改没有销项：{named}。请先复查销项；不再整改的，由有权者写明原因批准后再登记验收。"
        )


def _ground(row: ProjectStage, gate: Gate, *, actor: User, waiver: str, unconsulted: bool) -> tuple[str, str]:
    if gate.ground:
        if waiver:
            raise ValidationError({"waiver": f"无须免予征询：{gate.ground_words}。"})
        return gate.ground, ""
    if waiver:
        decision = can_waive_consultation(actor, row)
        if not decision:
            raise ValidationError({"waiver": f"{decision.reason}。"})
        return Ground.WAIVED, waiver
    if unconsulted:
        return Ground.UNCONSULTED, ""
    raise ValidationError(
        {
            "unconsulted": "制度要求先征询责任规划师，到审批日期还没有意见书，也没有专家会邀请的记录。请先征询；"
            "有权者可以写明原因免予征询；确已审批的，勾选此项如实登记。"
        }
    )


def _proof(gate: Gate, row: ProjectStage) -> dict[str, Any]:
    proof = proof_of(gate)
    waived = row.project.rectifications.filter(state="waived").order_by("pk")
    proof["waived_rectifications"] = [{"number": each.number, "reason": each.reason} for each in waived]
    return proof


def _tell(decision: StageDecision, *, actor: User) -> None:
    """The planners who were asked learn what became of it; what was passed without asking, the bureau learns."""
    row = decision.stage
    project = row.project
    asked = Consultee.objects.filter(consultation__stage=row).exclude(state__in=["recused", "replaced", "released"])
    text = f"项目“{project.name}”{row}已通过（{decision.get_ground_display()}）。"
    planners = logins_of(set(asked.values_list("planner_id", flat=True)))
    notify(
        [pk for pk in planners if pk != actor.pk], kind="stage", text=text, url=project.get_absolute_url(),
        key=f"stage-passed-{row.pk}",
    )  # fmt: skip
    if decision.is_red:
        text = f"未经征询即通过：项目“{project.name}”{row}，{decision.decided_on:%Y-%m-%d}，登记人{actor}。"
        notify(
            [pk for pk in bureau_of(project.locality) if pk != actor.pk], kind="unconsulted", text=text,
            url=project.get_absolute_url(), key=f"unconsulted-{decision.pk}",
        )  # fmt: skip


# --- back, over, and up again -----------------------------------------------------------------------------------


def _leave(stage: ProjectStage, move: str, *, actor: User, reason: str) -> ProjectStage:
    """Close the open round by `move`, and what was asked about it and not answered; in the caller's transaction."""
    row = _held(stage)
    require(can_move_stage(actor, row))
    changes = {"closed_on": timezone.localdate(), "reason": reason.strip()[:300]}
    apply_move(row, STAGE, move, actor=actor, reason=reason, changes=changes, notify=lambda moved: _left(moved, actor))
    close_requests(row, actor=actor, reason=f"{row}{row.get_state_display()}：{row.reason}")
    return row


def _left(row: ProjectStage, actor: User) -> Notice:
    asked = Consultee.objects.filter(consultation__stage=row, state="asked")
    users = {*logins_of(asked.values_list("planner_id", flat=True)), *around(row.project)} - {actor.pk}
    text = f"项目“{row.project.name}”{row}{row.get_state_display()}：{row.reason}"
    return Notice(sorted(users), "stage", text, row.project.get_absolute_url(), f"stage-{row.state}-{row.pk}")


@transaction.atomic
def send_back(stage: ProjectStage, *, actor: User, reason: str) -> ProjectStage:
    """The scheme is to be revised: this round is closed and the next round of the same stage opens. Returns it.

    Raises Refused, StaleState, ValidationError (no reason).
    """
    row = _leave(stage, "send_back", actor=actor, reason=reason)
    return open_stage(row.project, row.stage, actor=actor, on=timezone.localdate())


@transaction.atomic
def skip_stage(stage: ProjectStage, *, actor: User, reason: str) -> Project:
    """Leave the stage out, with the reason; the next one opens, or the project is finished.

    Acceptance is not skipped over what has to be mended. Raises Refused, StaleState, ValidationError.
    """
    if stage.stage == Project.Stage.ACCEPTANCE:
        _check_rectifications(stage.project)
    row = _leave(stage, "skip", actor=actor, reason=reason)
    _follow(row.project, next_of(row.stage), actor=actor, on=timezone.localdate())
    return row.project


@transaction.atomic
def go_back(stage: ProjectStage, *, actor: User, to: str, reason: str) -> ProjectStage:
    """Back to an earlier stage, for a revised scheme: its next round opens. Returns it.

    Raises Refused, StaleState, ValidationError (no reason; `to` is not an earlier stage).
    """
    if to not in earlier_than(stage.stage):
        raise ValidationError({"to": "只能返回更早的阶段。"})
    row = _leave(stage, "go_back", actor=actor, reason=reason)
    return open_stage(row.project, to, actor=actor, on=timezone.localdate())


@transaction.atomic
def reopen_project(project: Project, *, actor: User, to: str, reason: str) -> ProjectStage:
    """Take up a finished project once more, at the stage named. Raises Refused, StaleState, ValidationError."""
    row = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    if row.stage != Project.Stage.DONE:
        raise StaleState(f"已被他人处理，项目当前处于“{row.get_stage_display()}”，请刷新后查看。")
    require(can_reopen_project(actor, row))
    if not reason.strip():
        raise ValidationError({"reason": "请填写原因。"})
    if to not in earlier_than(row.stage):
        raise ValidationError({"to": "请选择阶段。"})
    detail = {"reason": reason.strip()[:300]}
    audit.record("project.reopen", actor=actor, obj=row, locality=row.locality, detail=detail)
    return open_stage(row, to, actor=actor, on=timezone.localdate())


# --- votes and reviews at a higher level (R44) --------------------------------------------------------------------


@transaction.atomic
def record_vote(stage: ProjectStage, *, actor: User, kind: str, upload: Any = None, **values: Any) -> Vote:
    """Record a joint review or a vote, with its scan; only what the pack has. Raises Refused and ValidationError."""
    require(can_record_vote(actor, stage))
    policy = policy_of_stage(stage)
    if kind not in VOTE_KEYS or policy is None or not policy.get(VOTE_KEYS[kind]).is_set:
        raise ValidationError({"kind": "制度方案未设定这一项。"})
    if values.get("held_on") and values["held_on"] > timezone.localdate():
        raise ValidationError({"held_on": "日期不能晚于今天。"})
    scan = None
    if upload is not None:
        scan = store_file(
            upload, actor=actor, purpose="project_vote", allowed=DOCUMENTS | IMAGES,
            locality_code=stage.project.locality.code,
        )  # fmt: skip
    row = Vote(stage=stage, kind=kind, scan=scan, recorded_by=actor, **values)
    save_checked(row)
    detail = {"kind": row.get_kind_display(), "body": row.body, "outcome": row.outcome[:200]}
    audit.record("vote.create", actor=actor, obj=row, locality=stage.project.locality, detail=detail)
    return row
