"""整改 from the finding to the day it is settled (京核心区 四(二)): asked for, answered, looked at again.

Every change of state goes through `projects.transitions`. Whatever opens one locks the project's row first, as
recording an acceptance does, so that none slips in behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import audit
from core.files import store_photo
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from planners.models import Planner
from projects import permissions_rectifications as may
from projects.models import (
    PartyLink,
    Project,
    ProjectParty,
    Rectification,
    RectificationPhoto,
    RectificationReply,
)
from projects.querysets import RectificationQuerySet
from projects.stage_policy import binding_policy, clause_json, current_stage, day_after_days
from projects.transitions import RECTIFICATION

from .audience import bureau_of, followers_of, leaders_of, logins_with_leads, offices_of_project
from .numbers import RECTIFICATION as SERIAL
from .numbers import take_number

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions({"rectification.open": "提出整改意见"})
MAX_PHOTOS = 9
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A photo of what is wrong; with `plan_id` pinned to a drawing, at per mille of its width and height."""

    file_id: int
    caption: str = ""
    plan_id: int | None = None
    x: int | None = None
    y: int | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo that comes with an answer; `answers` is the original that it stands beside."""

    file: Any
    answers: RectificationPhoto | None = None


def open_rectifications(project: Project) -> RectificationQuerySet:
    """What follows the project into acceptance and blocks it: neither settled nor waived."""
    return Rectification.objects.filter(project=project).unsettled()


def term_days(project: Project) -> int | None:
    """The days that the policy gives for mending (review.rectification); None where it gives none."""
    policy = binding_policy(current_stage(project), project)
    rule = policy.value("review.rectification") if policy is not None else None
    days = rule.get("days") if rule is not None else None
    return None if days is None else int(days)


# --- asked for --------------------------------------------------------------------------------------------------


@transaction.atomic
def open_rectification(
    project: Project, *, actor: User, planner: Planner, subject: str, text: str, contractor: ProjectParty,
    basis: str = "", due_on: date | None = None, raised_on: date | None = None, source_log: int | None = None,
    photos: Iterable[FoundPhoto] = (),
) -> Rectification:  # fmt: skip
    """Ask a party to mend something; `due_on` is the planner's own, else the policy's term, else there is none.

    Side effects: number, audit entry, notices to the offices next to the project. Raises: Refused (not the planner, in
    conflict, no such rule here), ValidationError by field.
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    require(may.can_open(actor, project, planner))
    stage = current_stage(project)
    if stage is None:
        raise ValidationError("该项目没有进行中的阶段，不能提出整改意见。")
    raised_on = raised_on or timezone.localdate()
    _check_party(project, contractor)
    if due_on is not None and due_on < raised_on:
        raise ValidationError({"due_on": "整改期限不能早于提出日期。"})
    days = term_days(project)
    if due_on is None and days is not None:
        due_on = day_after_days(raised_on, days)
    rectification = Rectification(
        locality=project.locality, project=project, stage=stage, raised_by=planner, raised_on=raised_on,
        number=take_number(SERIAL, project.locality, raised_on.year), source_log=source_log, subject=subject,
        text=text.strip(), basis=basis.strip(), contractor=contractor, due_on=due_on,
        clause=clause_json(binding_policy(stage, project), "review.rectification"),
    )  # fmt: skip
    save_checked(rectification)
    _keep_found(rectification, photos)
    audit.record(
        "rectification.open", actor=actor, obj=rectification,
        detail={"project": project.name, "party": contractor.name, "due_on": str(due_on or "")},
    )  # fmt: skip
    notify(
        offices_of_project(project), kind="rectification.open",
        text=f"“{project.name}”有新的整改意见 {rectification.number}，请督促{contractor.name}整改",
        url=rectification.get_absolute_url(), key=f"rectification.open:{rectification.pk}",
    )  # fmt: skip
    return rectification


def _check_party(project: Project, party: ProjectParty) -> None:
    if party.project_id != project.pk or not party.is_active:
        raise ValidationError({"contractor": "请从本项目的参建单位中选择。"})


def _keep_found(rectification: Rectification, photos: Iterable[FoundPhoto]) -> None:
    for photo in photos:
        save_checked(
            RectificationPhoto(
                rectification=rectification, file_id=photo.file_id, caption=photo.caption, plan_id=photo.plan_id,
                x=photo.x, y=photo.y,
            )
        )  # fmt: skip


# --- answered ---------------------------------------------------------------------------------------------------


@transaction.atomic
def enter_reply(
    rectification: Rectification, *, actor: User, text: str, signed_as: str, uploads: Sequence[Upload] = ()
) -> RectificationReply:
    """Enter what the party did, for a party that answered on paper or by telephone.

    Side effects: photos, audit, notice to the planner. Raises: Refused, StaleState, ValidationError by field.
    """
    require(may.can_reply(actor, rectification))
    return _answered(rectification, "reply", actor=actor, text=text, signed_as=signed_as, uploads=uploads)


@transaction.atomic
def answer_by_link(
    rectification: Rectification, link: PartyLink, *, text: str, signed_as: str, uploads: Sequence[Upload] = ()
) -> RectificationReply:
    """The party's own answer; `party_links.answer` has checked and spent the link. Raises as `enter_reply`."""
    return _answered(rectification, "answer", actor=None, text=text, signed_as=signed_as, uploads=uploads, link=link)


def _answered(
    rectification: Rectification, move: str, *, actor: User | None, text: str, signed_as: str,
    uploads: Sequence[Upload], link: PartyLink | None = None,
) -> RectificationReply:  # fmt: skip
    errors: dict[str, str] = {}
    if len(text.strip()) < 2:
        errors["text"] = "请写明整改情况。"
    if len(signed_as.strip()) < 2:
        errors["signed_as"] = "请写明填写人姓名或单位。"
    if errors:
        raise ValidationError(errors)
    reply = RectificationReply(
        rectification=rectification, kind=RectificationReply.Kind.REPLY, text=text.strip(), link=link, by=actor,
        signed_as=signed_as.strip(),
    )  # fmt: skip
    save_checked(reply)
    _keep_uploads(rectification, reply, uploads, actor=actor)
    party = link.party.name if link is not None else rectification.contractor.name
    apply_move(
        rectification, RECTIFICATION, move, actor=actor, notify=_notice_of_reply,
        detail={"party": party, "signed_as": reply.signed_as, "photos": len(uploads)},
    )  # fmt: skip
    return reply


def _notice_of_reply(rectification: Rectification) -> Notice:
    project = rectification.project
    people = [*followers_of(project, rectification.raised_by), *offices_of_project(project)]
    text = f"“{project.name}”整改 {rectification.number} 已回复，请复查"
    return Notice(people, "rectification.replied", text, rectification.get_absolute_url())


def _keep_uploads(
    rectification: Rectification, reply: RectificationReply, uploads: Sequence[Upload], *, actor: User | None
) -> None:
    """All of the photos, or none: the first that is no proper picture refuses the whole answer."""
    if len(uploads) > MAX_PHOTOS:
        raise ValidationError({"photos": f"一次最多上传 {MAX_PHOTOS} 张照片。"})
    for upload in uploads:
        original = upload.answers
        if original is not None and (original.rectification_id != rectification.pk or original.reply_id is not None):
            raise ValidationError({"photos": "对照的照片不属于这项整改。"})
        try:
            stored, _ = store_photo(
                upload.file, actor=actor, purpose="rectification", locality_code=rectification.locality.code
            )
        except ValidationError as problem:
            raise ValidationError({"photos": problem.messages}) from problem
        RectificationPhoto.objects.create(rectification=rectification, reply=reply, answers=original, file=stored)


# --- looked at again --------------------------------------------------------------------------------------------


@transaction.atomic
def reinspect(
    rectification: Rectification, *, actor: User, passed: bool, text: str, due_on: date | None = None,
    uploads: Sequence[Upload] = (),
) -> RectificationReply:  # fmt: skip
    """What re-inspection found: mended (it is closed), or not yet (it is open again, with a new day if given).

    Side effects: photos, audit, notices; links that are still out are taken back when it is closed.
    Raises: Refused, StaleState, ValidationError by field.
    """
    require((may.can_reinspect if passed else may.can_reject)(actor, rectification))
    today = timezone.localdate()
    if len(text.strip()) < 2:
        raise ValidationError({"text": "请写明复查情况。"})
    if due_on is not None and due_on < today:
        raise ValidationError({"due_on": "新的整改期限不能早于今天。"})
    reply = RectificationReply(
        rectification=rectification, kind=RectificationReply.Kind.REINSPECTION, text=text.strip(), by=actor,
        accepted=passed,
    )  # fmt: skip
    save_checked(reply)
    _keep_uploads(rectification, reply, uploads, actor=actor)
    if passed:
        apply_move(
            rectification, RECTIFICATION, "close", actor=actor, changes={"closed_on": today}, notify=_notice_of_end
        )
        _take_back_links(rectification)
    else:
        changes = {"due_on": due_on} if due_on is not None else {}
        apply_move(
            rectification, RECTIFICATION, "reject", actor=actor, changes=changes, notify=_notice_of_rejection,
            detail={"due_on": str(rectification.due_on if due_on is None else due_on)},
        )  # fmt: skip
    return reply


def _notice_of_end(rectification: Rectification) -> Notice:
    people = [*offices_of_project(rectification.project), *logins_with_leads([rectification.raised_by_id])]
    text = f"“{rectification.project.name}”整改 {rectification.number} {rectification.get_state_display()}"
    return Notice(people, "rectification.ended", text, rectification.get_absolute_url())


def _notice_of_rejection(rectification: Rectification) -> Notice:
    text = f"“{rectification.project.name}”整改 {rectification.number} 复查未通过，请督促继续整改"
    return Notice(
        offices_of_project(rectification.project), "rectification.rejected", text, rectification.get_absolute_url()
    )


def _take_back_links(rectification: Rectification) -> None:
    """Whoever still holds a link is told that the matter is over."""
    PartyLink.objects.filter(rectification=rectification, used_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )


# --- taken further, or let go -----------------------------------------------------------------------------------


@transaction.atomic
def escalate(rectification: Rectification, *, actor: User, reason: str) -> Rectification:
    """Report it upward with a reason: the bureau is told, and the district's leaders from the second time on.

    Raises: Refused, StaleState, ValidationError (reason missing).
    """
    return _escalated(rectification, "escalate", actor=actor, reason=reason)


@transaction.atomic
def fall_overdue(rectification: Rectification) -> Rectification:
    """The day has passed without an answer: the portal reports it. Raises: Refused, StaleState."""
    return _escalated(rectification, "overdue", actor=None, reason=f"逾期未整改（期限 {rectification.due_on}）")


def _escalated(rectification: Rectification, move: str, *, actor: User | None, reason: str) -> Rectification:
    changes = {"reason": _short(reason), "escalation": F("escalation") + 1}
    return apply_move(
        rectification, RECTIFICATION, move, actor=actor, reason=reason, changes=changes, notify=_notice_of_escalation
    )


def _notice_of_escalation(rectification: Rectification) -> Notice:
    project = rectification.project
    people = [
        *bureau_of(project.locality),
        *offices_of_project(project),
        *logins_with_leads([rectification.raised_by_id]),
    ]
    if rectification.escalation > 1:
        people += leaders_of(project.locality)
    text = f"“{project.name}”整改 {rectification.number} 已上报：{rectification.reason}"
    return Notice(people, "rectification.escalated", text, rectification.get_absolute_url())


@transaction.atomic
def waive(rectification: Rectification, *, actor: User, reason: str) -> Rectification:
    """Let it go with a reason, by whom the policy names (review.waiver_by): it no longer stands before acceptance.

    Raises: Refused, StaleState, ValidationError (reason missing).
    """
    return _let_go(rectification, "waive", actor=actor, reason=reason)


def tell_of_end(planners: Sequence[int], *, contract: int) -> int:
    """A contract of these planners has ended: what they raised and nobody settled is followed up by whoever serves the
    project now (京核心区 四(二) speaks of the planner of the block, not of a person). The offices are told; the number."""
    rows = (
        Rectification.objects.unsettled()
        .filter(raised_by_id__in=planners)
        .select_related("project__locality", "raised_by")
    )
    told = 0
    for row in rows.order_by("pk"):
        notify(
            {*offices_of_project(row.project), *bureau_of(row.project.locality)}, kind="rectification.inherited",
            text=f"“{row.project.name}”整改 {row.number} 由{row.raised_by.name}提出，其合同已终止，"
            "由现在服务该项目的责任规划师继续复查；没有的，请尽快安排",
            url=row.get_absolute_url(), key=f"rectification.inherited:{row.pk}:{contract}",
        )  # fmt: skip
        told += 1
    return told


def lift_by_ruling(rectification: Rectification, *, actor: User, number: str) -> Rectification:
    """Let it go because a dispute about it was ruled so; inside the ruling's transaction."""
    return _let_go(rectification, "lift", actor=actor, reason=f"分歧裁定 {number}：不再整改")


def _let_go(rectification: Rectification, move: str, *, actor: User, reason: str) -> Rectification:
    changes = {"reason": _short(reason)}
    moved = apply_move(
        rectification, RECTIFICATION, move, actor=actor, reason=reason, changes=changes, notify=_notice_of_end
    )
    _take_back_links(moved)
    return moved


def _short(reason: str) -> str:
    if len(reason.strip()) > 300:
        raise ValidationError({"reason": "原因不能超过 300 字。"})
    return reason.strip()
