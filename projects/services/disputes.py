"""A disagreement taken to the district (京核心区 四(二)): both sides are heard, a leader rules, the ruling is kept as a
precedent. It stops no clock: due days of opinions and rectifications run on while it is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import audit
from core.files import DOCUMENTS, IMAGES, store_file
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.text import one_line
from core.transitions import apply_move
from districts.models import PolicyVersion
from districts.policy.values import EffectivePolicy
from planners.models import Planner
from planners.services.assignments import service_periods
from projects import permissions_disputes as may
from projects.models import Consultee, Dispute, DisputeFile, DisputeStatement, Project
from projects.permissions_disputes import Matter
from projects.stage_policy import clause_json, due_by, latest_stage
from projects.transitions import DISPUTE

from .audience import bureau_of, leaders_of, logins_with_leads, offices_of_project
from .numbers import DISPUTE as SERIAL
from .numbers import take_number
from .rectifications import lift_by_ruling

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions(
    {
        "dispute.file": "提请分歧协调",
        "dispute.state": "补充陈述",
        "dispute.open_file": "查看分歧证据",
        "dispute.pdf": "下载分歧卷宗 PDF",
    }
)
MAX_FILES = 10
EVIDENCE = DOCUMENTS | IMAGES
LONGEST = 4000


# --- filed ------------------------------------------------------------------------------------------------------


@transaction.atomic
def file_dispute(
    matter: Matter, *, actor: User, title: str, text: str, raised_for: str, evidence: Sequence[Any] = ()
) -> Dispute:
    """Take a disagreement to whom the policy names, with one's own position and evidence.

    Side effects: number, due days by the policy's terms, audit, notices to the other side, the bureau and the leaders.
    Raises: Refused (no side in it, no route here, one is open already), ValidationError by field.
    """
    # The row of the project: of two who file the same at once the second finds the first one's.
    project = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=matter.project.pk)
    matter = Matter(project, matter.item, matter.rectification)
    require(may.can_file(actor, matter))
    policy, route = may.route_of(project)
    stage = latest_stage(project)
    if route is None or stage is None:
        raise ValidationError("该项目没有阶段记录，不能提请协调。")
    today = timezone.localdate()
    dispute = Dispute(
        locality=project.locality, project=project, stage=stage, item=matter.item, rectification=matter.rectification,
        number=take_number(SERIAL, project.locality, today.year), title=one_line(title), raised_by=actor,
        raised_side=may.side_of(actor, matter), raised_for=one_line(raised_for), filed_on=today, route=route["to"],
        policy_version=_version_row(policy), clause=clause_json(policy, "review.dispute"),
        statement_due_on=due_by(policy, "review.dispute_statement_days", today).day,
        ruling_due_on=due_by(policy, "review.dispute_ruling_days", today).day,
    )  # fmt: skip
    save_checked(dispute)
    _add_statement(dispute, actor=actor, side=dispute.raised_side, text=text, evidence=evidence)
    audit.record(
        "dispute.file", actor=actor, obj=dispute, detail={"project": project.name, "side": dispute.raised_side}
    )
    people = {*other_side(dispute), *bureau_of(project.locality), *leaders_of(project.locality)} - {actor.pk}
    notify(
        people, kind="dispute.filed", text=f"“{project.name}”有分歧提请{dispute.route}协调：{dispute.title}",
        url=dispute.get_absolute_url(), key=f"dispute.filed:{dispute.pk}",
    )  # fmt: skip
    return dispute


def _version_row(policy: EffectivePolicy | None) -> PolicyVersion | None:
    known = policy.version_id if policy is not None else None
    return None if known is None else PolicyVersion.objects.filter(pk=known).first()


def planner_side(dispute: Dispute) -> list[int]:
    """Logins of the planners' side: whose item or rectification it is, else who serves the project's charges now."""
    if dispute.item is not None:
        opinion = dispute.item.opinion
        return logins_with_leads([opinion.author_id, *opinion.co_authors.values_list("planner_id", flat=True)])
    if dispute.rectification is not None:
        return logins_with_leads([dispute.rectification.raised_by_id])
    return logins_with_leads(_asked_and_serving(dispute.project))


def _asked_and_serving(project: Project) -> Iterable[int]:
    today = timezone.localdate()
    charges = list(project.units.values_list("charge_id", flat=True))
    charges += [project.charge_id] if project.charge_id else []
    serving = {p.planner_id for p in service_periods(charges=charges, start=today, end=today)} if charges else set()
    asked = Consultee.objects.filter(consultation__project=project).exclude(state="recused")
    kept_out = set(project.recusals.filter(ended_at=None).values_list("planner_id", flat=True))
    firms = [pk for pk in project.parties.filter(is_active=True).values_list("institution_id", flat=True) if pk]
    kept_out |= set(Planner.objects.filter(institution_id__in=firms).values_list("pk", flat=True)) if firms else set()
    return (serving | set(asked.values_list("planner_id", flat=True))) - kept_out


def party_side(dispute: Dispute) -> list[int]:
    """Logins of the offices: next to the project, and the one that asked for the opinion."""
    also = [dispute.item.opinion.consultee.consultation.asker_id] if dispute.item is not None else []
    return offices_of_project(dispute.project, *also)


def other_side(dispute: Dispute) -> list[int]:
    return party_side(dispute) if dispute.raised_side == Dispute.Side.PLANNER else planner_side(dispute)


def both_sides(dispute: Dispute) -> list[int]:
    return [*planner_side(dispute), *party_side(dispute), dispute.raised_by_id]


# --- heard ------------------------------------------------------------------------------------------------------


@transaction.atomic
def state_position(dispute: Dispute, *, actor: User, text: str, evidence: Sequence[Any] = ()) -> DisputeStatement:
    """Give one's position; the other side's first makes the matter ready for a ruling. Nothing given is ever edited.

    Side effects: evidence, audit, notices. Raises: Refused, StaleState, ValidationError by field.
    """
    dispute = Dispute.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=dispute.pk)
    require(may.can_state(actor, dispute))
    side = may.side_of(actor, Matter.of(dispute))
    statement = _add_statement(dispute, actor=actor, side=side, text=text, evidence=evidence)
    if dispute.state == Dispute.State.FILED and side != dispute.raised_side:
        apply_move(dispute, DISPUTE, "hear", actor=actor, notify=lambda moved: _notice_of_statement(moved, actor))
        return statement
    audit.record("dispute.state", actor=actor, obj=dispute, detail={"side": side})
    notice = _notice_of_statement(dispute, actor)
    notify(notice.users, kind=notice.kind, text=notice.text, url=notice.url)
    return statement


def _notice_of_statement(dispute: Dispute, actor: User) -> Notice:
    people = {*both_sides(dispute), *leaders_of(dispute.project.locality)} - {actor.pk}
    waiting = "，请裁定" if dispute.state == Dispute.State.STATED else ""
    return Notice(people, "dispute.stated", f"分歧 {dispute.number} 有新的陈述{waiting}", dispute.get_absolute_url())


def _add_statement(dispute: Dispute, *, actor: User, side: str, text: str, evidence: Sequence[Any]) -> DisputeStatement:
    if len(text.strip()) < 2:
        raise ValidationError({"text": "请写明意见和理由。"})
    if len(evidence) > MAX_FILES:
        raise ValidationError({"evidence": f"一次最多上传 {MAX_FILES} 个文件。"})
    statement = DisputeStatement(dispute=dispute, side=side, text=text.strip(), by=actor)
    save_checked(statement)
    for upload in evidence:
        try:
            stored = store_file(
                upload, actor=actor, purpose="dispute", allowed=EVIDENCE, locality_code=dispute.locality.code
            )
        except ValidationError as problem:
            raise ValidationError({"evidence": problem.messages}) from problem
        DisputeFile.objects.create(statement=statement, file=stored)
    return statement


# --- ruled, or taken back ---------------------------------------------------------------------------------------


@transaction.atomic
def rule_dispute(
    dispute: Dispute, *, actor: User, outcome: str, ruling: str, principle: str = "", keywords: str = "",
    lift: bool = False,
) -> Dispute:  # fmt: skip
    """Rule. With `principle` the ruling is a precedent that others find; `lift` ends the rectification it is about.

    Side effects: audit, notices to both sides and the bureau. Raises: Refused, StaleState, ValidationError by field.
    """
    require(may.can_rule(actor, dispute))
    errors: dict[str, str] = {}
    if outcome not in Dispute.Outcome.values:
        errors["outcome"] = "请选择裁定结果。"
    if len(ruling.strip()) < 2:
        errors["ruling"] = "请写明裁定意见和理由。"
    elif len(ruling.strip()) > LONGEST:
        errors["ruling"] = f"裁定意见不能超过 {LONGEST} 字。"
    if lift and dispute.rectification is None:
        errors["lift"] = "这项分歧不是针对整改的。"
    if errors:
        raise ValidationError(errors)
    changes = {
        "outcome": outcome, "ruling": ruling.strip(), "principle": one_line(principle), "keywords": one_line(keywords),
        "ruled_by": actor, "ruled_on": timezone.localdate(),
    }  # fmt: skip
    _check_lengths(changes)
    ruled = apply_move(dispute, DISPUTE, "rule", actor=actor, changes=changes, notify=_notice_of_ruling)
    if lift and ruled.rectification is not None and ruled.rectification.state in may.UNSETTLED:
        lift_by_ruling(ruled.rectification, actor=actor, number=ruled.number)
    return ruled


def _check_lengths(changes: dict[str, Any]) -> None:
    for name, limit in (("principle", 300), ("keywords", 120)):
        if len(changes[name]) > limit:
            raise ValidationError({name: f"不能超过 {limit} 字。"})


def _notice_of_ruling(dispute: Dispute) -> Notice:
    people = {*both_sides(dispute), *bureau_of(dispute.project.locality)}
    text = f"分歧 {dispute.number} 已裁定：{dispute.get_outcome_display()}"
    return Notice(people, "dispute.ruled", text, dispute.get_absolute_url())


@transaction.atomic
def withdraw_dispute(dispute: Dispute, *, actor: User, reason: str) -> Dispute:
    """Take it back before it is ruled. Raises: Refused, StaleState, ValidationError (reason missing)."""
    if len(reason) > 300:
        raise ValidationError({"reason": "原因不能超过 300 字。"})
    return apply_move(
        dispute, DISPUTE, "withdraw", actor=actor, reason=reason, changes={"reason": reason.strip()},
        notify=_notice_of_withdrawal,
    )  # fmt: skip


def _notice_of_withdrawal(dispute: Dispute) -> Notice:
    people = {*both_sides(dispute), *bureau_of(dispute.project.locality), *leaders_of(dispute.project.locality)}
    text = f"分歧 {dispute.number} 已由提请人撤回：{dispute.reason}"
    return Notice(people, "dispute.withdrawn", text, dispute.get_absolute_url())


# --- shown on what depends on it --------------------------------------------------------------------------------


def open_disputes(project_id: int) -> list[Dispute]:
    """What is disputed about a project now, in one query."""
    return list(Dispute.objects.filter(project_id=project_id).unsettled().order_by("pk"))
