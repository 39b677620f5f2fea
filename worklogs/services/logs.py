"""Work logs from the first line to the confirmed record, and its later corrections.

Every change of state goes through `worklogs.transitions`. Whatever hands a log in locks the row of its charge first,
as closing a month does, so that no log slips into a month while it closes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.permissions import require
from core.transitions import apply_move
from districts.models import Charge
from planners.models import Planner
from worklogs import permissions
from worklogs.models import LogPhoto, WorkLog
from worklogs.transitions import WORKLOG

from . import changes, inspection_matters, monthly, photos
from .entries import Entry, check_entry, is_closed, place, same_time_logs

if TYPE_CHECKING:
    from accounts.models import User

LATE_REASON = "该月已锁定。如确需补报或更正，请写明原因；由主管部门确认后计入。"


def record_log(
    planner: Planner,
    *,
    actor: User,
    entry: Entry,
    submission_key: UUID | None = None,
    submit: bool = False,
    reason: str = "",
    accept_same_time: bool = False,
) -> WorkLog:
    """Make one log of `entry`, as a draft or handed in at once; photos that wait under the key are attached.

    The same `submission_key` makes one record: a repeated call answers with the first one's.
    Side effects: audit entries; when handed in, notices to those who confirm, and the tally is told.
    Raises: Refused (not the planner), ValidationError by field (see `check_entry`; `accept_same_time` when another
    log exists for these hours and that was not accepted; `reason` when the month is closed and none is given).
    """
    require(permissions.can_record(actor, planner))
    entry = place(planner, entry)
    try:
        with transaction.atomic():
            lock_charge(entry.charge.pk)
            known = _already_made(actor, submission_key)
            if known is not None:
                return _repeated(known, actor=actor, entry=entry, submit=submit, reason=reason)
            period = check_entry(planner, entry)
            _ask_about_same_time(planner, entry, accept_same_time)
            log = WorkLog.objects.create(
                planner=planner,
                contract_id=period.contract_id,
                created_by=actor,
                submission_key=submission_key,
                **entry.as_fields(),
            )
            audit.record("worklog.record", actor=actor, obj=log, label="填写履职记录")
            photos.attach_pending(log, actor=actor, submission_key=submission_key)
            return submit_log(log, actor=actor, reason=reason) if submit else log
    except IntegrityError:
        # The other one of two simultaneous requests was first, under another charge's lock.
        known = _already_made(actor, submission_key)
        if known is None:
            raise
        return known


def _already_made(actor: User, key: UUID | None) -> WorkLog | None:
    return None if key is None else WorkLog.objects.filter(submission_key=key, created_by=actor).first()


def _repeated(log: WorkLog, *, actor: User, entry: Entry, submit: bool, reason: str) -> WorkLog:
    """A second click changes nothing, unless the first only saved the draft and the second hands it in."""
    if submit and log.state == WorkLog.State.DRAFT:
        return edit_log(log, actor=actor, entry=entry, submit=True, reason=reason, accept_same_time=True)
    return log


def lock_charge(pk: int) -> Charge:
    return Charge.objects.select_for_update().get(pk=pk)


def _ask_about_same_time(planner: Planner, entry: Entry, accepted: bool, besides: int | None = None) -> None:
    if accepted:
        return
    others = same_time_logs(planner, entry, besides=besides)
    if others:
        first = others[0]
        raise ValidationError(
            {
                "accept_same_time": f"{first.date} {first.get_slot_display()}在“{first.charge_name}”已有一条记录"
                f"（{first.get_kind_display()}：{first.content[:20]}）。确需再记一条的，请勾选“仍要保存”。"
            }
        )


@transaction.atomic
def edit_log(
    log: WorkLog,
    *,
    actor: User,
    entry: Entry,
    submission_key: UUID | None = None,
    submit: bool = False,
    reason: str = "",
    accept_same_time: bool = False,
    drop_photos: Iterable[int] = (),
) -> WorkLog:
    """Change a log that is in its planner's hands (draft, returned, withdrawn), and hand it in if asked.

    Raises: Refused, ValidationError by field, StaleState (it left their hands meanwhile).
    """
    require(permissions.can_edit(actor, log))
    if log.supersedes_id is not None:
        entry = replace(entry, charge=log.charge, charge_name=log.charge_name)
    else:
        entry = place(log.planner, entry)
    lock_charge(entry.charge.pk)
    inspection_matters.check_kept(log, entry)
    period = check_entry(log.planner, entry)
    _ask_about_same_time(log.planner, entry, accept_same_time or log.supersedes_id is not None, besides=log.pk)
    fields = {**entry.as_fields(), "contract_id": period.contract_id}
    if not WorkLog.objects.filter(pk=log.pk, state=log.state).update(**fields):
        raise StaleState
    log.refresh_from_db()
    audit.record("worklog.edit", actor=actor, obj=log, label="修改履职记录")
    photos.remove_photos(log, drop_photos, actor=actor)
    photos.attach_pending(log, actor=actor, submission_key=submission_key)
    return submit_log(log, actor=actor, reason=reason) if submit else log


@transaction.atomic
def submit_log(log: WorkLog, *, actor: User, reason: str = "") -> WorkLog:
    """Hand a log in; in a closed month (and for corrections) as a proposal with its reason.

    Side effects: audit, notices to those who confirm, the tally is told; what an inspection wants mended is asked for.
    Raises: Refused, StaleState, ValidationError (`reason` missing; no longer in term).
    """
    require(permissions.can_submit(actor, log))
    lock_charge(log.charge_id)
    check_entry(log.planner, Entry.of(log))
    values: dict[str, object] = {"submitted_at": timezone.now(), "return_reason": ""}
    move = "submit"
    if log.supersedes_id is not None or is_closed(log.charge_id, log.date):
        reason = reason.strip() or log.correction_reason
        if not reason:
            raise ValidationError({"reason": LATE_REASON})
        move = "propose"
        values["correction_reason"] = reason
    try:
        with transaction.atomic():
            moved = apply_move(
                log, WORKLOG, move, actor=actor, reason=reason, changes=values, notify=changes.notice_of_waiting
            )
    except IntegrityError as exc:
        raise StaleState("这条记录已有一份更正在办理中。") from exc
    inspection_matters.open_from(moved, actor=actor)
    changes.tell([moved])
    return moved


@transaction.atomic
def withdraw_log(log: WorkLog, *, actor: User) -> WorkLog:
    """Take back what nobody has confirmed yet. Raises: Refused, StaleState."""
    moved = apply_move(log, WORKLOG, "withdraw", actor=actor)
    changes.tell([moved])
    return moved


@transaction.atomic
def confirm_log(log: WorkLog, *, actor: User) -> WorkLog:
    """Confirm a log; a confirmed correction takes the place of what it corrects, in the same transaction.

    Side effects: audit, notice to the planner, the tally is told.
    Raises: Refused (not entitled, or one's own), StaleState.
    """
    move = "confirm_void" if log.voids else "confirm"
    values = {"confirmed_at": timezone.now(), "confirmed_by": actor}
    moved = apply_move(log, WORKLOG, move, actor=actor, changes=values, notify=changes.notice_of_confirmed)
    told = [moved]
    if moved.supersedes_id is not None:
        replaced = WorkLog.objects.filter(pk=moved.supersedes_id, superseded_by=None)
        if not replaced.update(superseded_by=moved):
            raise StaleState("原记录已被另一份更正取代，请刷新后查看。")
        told.append(WorkLog.objects.get(pk=moved.supersedes_id))
    changes.tell(told)
    monthly.tell_corrected([moved])
    return moved


@transaction.atomic
def return_log(log: WorkLog, *, actor: User, reason: str) -> WorkLog:
    """Give a log back with a reason. Raises: Refused, StaleState, ValidationError (`reason` missing or too long)."""
    if len(reason) > 300:
        raise ValidationError({"reason": "退回原因不能超过 300 字。"})
    moved = apply_move(
        log,
        WORKLOG,
        "return",
        actor=actor,
        reason=reason,
        changes={"return_reason": reason.strip()},
        notify=changes.notice_of_returned,
    )
    changes.tell([moved])
    return moved


@transaction.atomic
def correct_log(
    log: WorkLog,
    *,
    actor: User,
    entry: Entry,
    reason: str,
    void: bool = False,
    submission_key: UUID | None = None,
    drop_photos: Iterable[int] = (),
) -> WorkLog:
    """Propose a new version of a confirmed log, or (`void`) that it be struck out.

    The old version stays as it is and goes on counting until the proposal is confirmed by somebody else.
    Side effects: audit on both, photos carried over, notices to those who confirm.
    Raises: Refused, ValidationError by field, StaleState (another correction was first).
    """
    lock_charge(log.charge_id)
    known = _already_made(actor, submission_key)
    if known is not None:
        return known
    log = WorkLog.objects.select_for_update(of=("self",)).select_related("planner", "charge").get(pk=log.pk)
    require(permissions.can_correct(actor, log))
    if not reason.strip():
        raise ValidationError({"reason": "请写明更正原因。"})
    entry = Entry.of(log) if void else replace(entry, charge=log.charge, charge_name=log.charge_name)
    inspection_matters.check_kept(log, entry)
    period = check_entry(log.planner, entry)
    version = WorkLog.objects.create(
        planner=log.planner,
        contract_id=period.contract_id,
        created_by=actor,
        supersedes=log,
        voids=void,
        correction_reason=reason.strip(),
        submission_key=submission_key,
        **entry.as_fields(),
    )
    _carry_photos(log, version, besides=set(drop_photos))
    audit.record(
        "worklog.correct",
        actor=actor,
        obj=log,
        label="提出作废" if void else "提出更正",
        detail={"version": version.pk, "reason": reason.strip()},
    )
    photos.attach_pending(version, actor=actor, submission_key=submission_key)
    return submit_log(version, actor=actor, reason=reason)


def _carry_photos(log: WorkLog, version: WorkLog, besides: set[int]) -> None:
    carried = LogPhoto.objects.bulk_create(
        [
            LogPhoto(
                log=version,
                file_id=p.file_id,
                taken_at=p.taken_at,
                latitude=p.latitude,
                longitude=p.longitude,
                picture_hash=p.picture_hash,
            )
            for p in log.photos.exclude(pk__in=besides)
        ]
    )
    photos.mark_photos(carried)


@transaction.atomic
def delete_draft(log: WorkLog, *, actor: User) -> None:
    """Throw a draft away, with its photos' places. Raises: Refused, StaleState."""
    require(permissions.can_delete(actor, log))
    audit.record("worklog.delete_draft", actor=actor, obj=log, label="删除草稿")
    deleted, _ = WorkLog.objects.filter(pk=log.pk, state=WorkLog.State.DRAFT).delete()
    if not deleted:
        raise StaleState


def versions_of(log: WorkLog) -> list[WorkLog]:
    """Every version of the log, the first one first, proposals that came to nothing included."""
    first = log
    while first.supersedes is not None:
        first = first.supersedes
    found, level = [first], [first.pk]
    while level:
        rows = list(
            WorkLog.objects.filter(supersedes_id__in=level).select_related("created_by", "confirmed_by").order_by("pk")
        )
        found += rows
        level = [row.pk for row in rows]
    return found


def last_of(planner: Planner) -> WorkLog | None:
    """The planner's newest entry, to copy from."""
    return WorkLog.objects.filter(planner=planner).order_by("-created", "-pk").first()
