"""Who rates whom, changed one by one or many at once, each time with a reason; never what anybody wrote.

A new rater gets a new sheet and never reads the old one. What a person has begun stays theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS
from core import audit
from core.errors import Refused, StaleState
from core.permissions import require
from core.text import clean_text
from core.transitions import BulkResult, apply_move
from districts.models import Membership, Organisation, Unit
from evaluations.models import Form, Round, RoundStep, Sheet, Subject
from evaluations.permissions.sheets import can_arrange, can_assign, can_reopen_sheet, is_subject_of
from evaluations.services.reminders import tell_rater
from evaluations.services.steps import hold_step
from evaluations.transitions.sheets import SHEET

# Why somebody does not rate after all; the word stands before the reason.
EXCUSES = {
    "recusal": "回避",
    "conflict": "利益冲突",
    "declined": "推辞",
    "not_applicable": "不适用（未实际对接）",
    "left": "离任",
}
MAX_REASON = 300


# --- one sheet ---------------------------------------------------------------------------------------------------


def name_rater(sheet: Sheet, *, actor: User, person: User, today: date, reason: str = "") -> Sheet:
    """Say which person fills in a sheet that nobody has begun. In preparation without a reason, afterwards with one.

    Side effects: audit entry, notice to the person once the step is open.
    Raises: Refused, StaleState (begun meanwhile), ValidationError by field.
    """
    with transaction.atomic():
        row = _held(sheet, actor)
        reason = clean_text(reason)[:MAX_REASON]
        if row.round.state != Round.State.PREPARATION and not reason:
            raise ValidationError({"reason": "请填写原因。"})
        _check_person(row.round, row.subject, person, today)
        if row.state != Sheet.State.WAITING:
            raise StaleState(f"评估表{row.get_state_display()}，要换评估人请办理改派。")
        row.assignee, row.reason = person, reason or row.reason
        row.save(update_fields=["assignee", "reason"])
        detail = {"person": person.username, "reason": reason}
        audit.record("sheet.name", actor=actor, obj=row, locality=row.round.locality, detail=detail)
        _ask(row, today)
        return row


def replace_rater(sheet: Sheet, *, actor: User, reason: str, today: date, person: User | None = None) -> Sheet:
    """Have a sheet written anew: by `person`, or by whoever acts for the same office now. Returns the new sheet.

    What the former rater wrote is counted no more and stays theirs alone. Side effects: audit entries, notices.
    Raises: Refused, StaleState, ValidationError by field.
    """
    with transaction.atomic():
        row = _held(sheet, actor)
        is_office = row.unit_id is not None or row.organisation_id is not None
        if person is None and not is_office:
            raise ValidationError({"person": "请指定新的评估人。"})
        if person is not None:
            _check_person(row.round, row.subject, person, today)
            if row.author_id == person.pk or (row.author_id is None and row.assignee_id == person.pk):
                raise ValidationError({"person": "新的评估人与原评估人相同。"})
        former = Sheet.objects.get(pk=row.pk)
        moved = apply_move(
            row, SHEET, "replace", actor=actor, reason=reason, changes={"reason": clean_text(reason)[:MAX_REASON]}
        )
        tell_rater(
            former, f"{moved.step}：您的一份评估表已改派，无须再填写。", key=f"sheet.replaced:{row.pk}", today=today
        )
        return _successor(moved, actor, person, today)


def _successor(former: Sheet, actor: User, person: User | None, today: date) -> Sheet:
    """The new sheet in the same seat. Of a planner it is the person's own from now on; an office stays the office."""
    is_office = former.unit_id is not None or former.organisation_id is not None
    made = Sheet(
        round=former.round, step=former.step, form_id=former.form_id, subject=former.subject, side=former.side,
        rater_key=former.rater_key, rater=former.rater, unit_id=former.unit_id,
        organisation_id=former.organisation_id, assignee=person, share=former.share, supersedes=former,
        reason=former.reason,
    )  # fmt: skip
    if not is_office and person is not None:
        made.rater_key, made.rater = f"person:{person.pk}", person.name
        _check_free(made)
    made.save()
    detail = {"instead_of": former.pk, "person": person.username if person else "", "reason": former.reason}
    audit.record("sheet.create", actor=actor, obj=made, locality=made.round.locality, detail=detail)
    _ask(made, today)
    return made


def excuse_rater(sheet: Sheet, *, actor: User, kind: str, reason: str) -> Sheet:
    """Leave a rater out of this one judgement; the others of the side share its part.

    `kind`: a key of EXCUSES. Raises: Refused, StaleState, ValidationError by field.
    """
    if kind not in EXCUSES:
        raise ValidationError({"kind": "请选择情形。"})
    reason = clean_text(reason)
    if not reason:
        raise ValidationError({"reason": "请填写原因。"})
    with transaction.atomic():
        row = _held(sheet, actor)
        words = f"{EXCUSES[kind]}：{reason}"[:MAX_REASON]
        return apply_move(row, SHEET, "excuse", actor=actor, reason=words, changes={"reason": words})


def restore_rater(sheet: Sheet, *, actor: User, reason: str, today: date) -> Sheet:
    """Have somebody rate after all who was left out; what they had written is there again for them."""
    return _back(sheet, "restore", actor=actor, reason=reason, today=today)


def insist_on_rater(sheet: Sheet, *, actor: User, reason: str, today: date) -> Sheet:
    """Do not let off somebody who asked for it. Raises like `restore_rater`: Refused, StaleState, ValidationError."""
    return _back(sheet, "insist", actor=actor, reason=reason, today=today)


def _back(sheet: Sheet, move: str, *, actor: User, reason: str, today: date) -> Sheet:
    with transaction.atomic():
        row = _held(sheet, actor)
        changes = {"reason": clean_text(reason)[:MAX_REASON]}
        moved = apply_move(row, SHEET, move, actor=actor, reason=reason, changes=changes)
        _ask(moved, today, words=f"须由您填写，原因：{clean_text(reason)}")
        return moved


def set_share(sheet: Sheet, *, actor: User, share: Decimal, reason: str) -> Sheet:
    """Let a rater count for more or less among those of the same side. Raises: Refused, ValidationError by field."""
    reason = clean_text(reason)[:MAX_REASON]
    if share <= 0:
        raise ValidationError({"share": "份额须大于零；不计入的请办理回避。"})
    if not reason:
        raise ValidationError({"reason": "请填写原因。"})
    with transaction.atomic():
        row = _held(sheet, actor)
        if row.state in {Sheet.State.EXCUSED, Sheet.State.REPLACED}:
            raise StaleState(f"评估表{row.get_state_display()}，不能调整份额。")
        before, row.share, row.reason = row.share, share, reason
        row.save(update_fields=["share", "reason"])
        detail = {"from": str(before), "to": str(share), "reason": reason}
        audit.record("sheet.share", actor=actor, obj=row, locality=row.round.locality, detail=detail)
        return row


def reopen_sheet(sheet: Sheet, *, actor: User, reason: str, until: date, today: date) -> Sheet:
    """Give one form back to its author after the step has closed, until a day.

    Not to a side that by now may read the others. Side effects: audit entry, notice to the author.
    Raises: Refused, StaleState, ValidationError by field.
    """
    if until < today:
        raise ValidationError({"until": "日期不能早于今天。"})
    with transaction.atomic():
        hold_step(sheet.step_id)
        row = _locked(sheet)
        require(can_reopen_sheet(actor, row))
        changes = {"reopened_until": until, "submitted_at": None, "reason": clean_text(reason)[:MAX_REASON]}
        moved = apply_move(row, SHEET, "reopen", actor=actor, reason=reason, changes=changes)
        text = f"{moved.step}：您对{moved.subject}的评估表已重新开放，请于 {until:%Y-%m-%d} 前修改并提交。"
        tell_rater(moved, text, key=f"sheet.reopened:{moved.pk}:{moved.revision}", today=today)
        return moved


# --- subjects and further raters --------------------------------------------------------------------------------


@transaction.atomic
def add_rater(
    step: RoundStep, subject: Subject, *, actor: User, side: str, reason: str, today: date,
    person: User | None = None, unit: Unit | None = None, organisation: Organisation | None = None,
    share: Decimal = Decimal(1),
) -> Sheet:  # fmt: skip
    """One more rater of a side: a person, a unit's office or an organisation, exactly one of them.

    Raises: Refused, StaleState (step closed), ValidationError by field.
    """
    step = hold_step(step)
    require(can_arrange(actor, step.round))
    if step.state == RoundStep.State.CLOSED:
        raise StaleState("本步骤已截止，不能再增加评估人。")
    if side not in step.sides(subject.direction):
        raise ValidationError({"side": "本步骤中没有这一评估主体。"})
    if not clean_text(reason):
        raise ValidationError({"reason": "请填写原因。"})
    if share <= 0:
        raise ValidationError({"share": "份额须大于零。"})
    named = [found for found in (person, unit, organisation) if found is not None]
    if len(named) != 1:
        raise ValidationError({"person": "请选定一名人员、一个责任单元主管部门或一个单位，只选其一。"})
    made = Sheet(
        round=step.round, step=step, form=Form.objects.get(step=step, direction=subject.direction), subject=subject,
        side=side, share=share, reason=clean_text(reason)[:MAX_REASON], unit=unit, organisation=organisation,
        assignee=person,
    )  # fmt: skip
    if person is not None:
        _check_person(step.round, subject, person, today)
        made.rater_key, made.rater = f"person:{person.pk}", person.name
    elif unit is not None:
        made.rater_key, made.rater = f"unit:{unit.pk}", unit.office.name if unit.office else unit.name
    elif organisation is not None:
        made.rater_key, made.rater = f"organisation:{organisation.pk}", organisation.name
    _check_office(made)
    _check_free(made)
    made.save()
    audit.record(
        "sheet.create", actor=actor, obj=made, locality=step.round.locality, detail={"side": side, "reason": reason}
    )
    _ask(made, today)
    return made


def leave_out(subject: Subject, *, actor: User, reason: str) -> Subject:
    """Take somebody out of the evaluation (served too little to be judged, on leave, gone abroad), with the reason.

    Raises: Refused, StaleState (left out already), ValidationError (no reason).
    """
    reason = clean_text(reason)[:MAX_REASON]
    if not reason:
        raise ValidationError({"reason": "请填写原因。"})
    return _set_left_out(subject, actor, reason, "subject.leave_out")


def take_in(subject: Subject, *, actor: User, reason: str) -> Subject:
    """Have somebody take part after all. Who served less than the policy asks for stays out: that is not the bureau's
    to waive. Raises like `leave_out`."""
    from evaluations.services.subjects import TOO_SHORT

    if not clean_text(reason):
        raise ValidationError({"reason": "请填写原因。"})
    if subject.left_out_reason.startswith(TOO_SHORT):
        raise Refused("按制度规定的最少服务天数不参评，不能单独恢复；服务记录有误的，请先更正派驻安排")
    return _set_left_out(subject, actor, "", "subject.take_in", why=clean_text(reason))


@transaction.atomic
def _set_left_out(subject: Subject, actor: User, reason: str, action: str, *, why: str = "") -> Subject:
    row = Subject.objects.select_for_update(of=("self",)).select_related("round__locality").get(pk=subject.pk)
    require(can_arrange(actor, row.round))
    if row.round.steps.filter(state="closed").exists():
        raise Refused("已有步骤截止，不能再调整参评对象")
    if bool(row.left_out_reason) == bool(reason):
        raise StaleState("已被他人处理，请刷新后查看。")
    row.left_out_reason = reason
    row.save(update_fields=["left_out_reason"])
    detail = {"subject": row.label, "reason": reason or why}
    audit.record(action, actor=actor, obj=row, locality=row.round.locality, detail=detail)
    return row


# --- many at once --------------------------------------------------------------------------------------------------


def in_bulk(sheets: Iterable[Sheet], act: Callable[[Sheet], Sheet]) -> BulkResult:
    """Do one act to many sheets; each that cannot be done says why, and the others are done."""
    moved: list[int] = []
    refused: dict[int, str] = {}
    for sheet in sheets:
        try:
            with transaction.atomic():
                act(sheet)
        except (Refused, StaleState) as no:
            refused[sheet.pk] = no.reason
        except ValidationError as error:
            refused[sheet.pk] = "；".join(error.messages)
        else:
            moved.append(sheet.pk)
    return BulkResult(moved, refused)


# --- shared --------------------------------------------------------------------------------------------------------


def _locked(sheet: Sheet) -> Sheet:
    rows = Sheet.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(
        "step__round", "round__locality", "form", "subject__planner", "subject__team", "subject__group", "planner"
    ).get(pk=sheet.pk)


def _held(sheet: Sheet, actor: User) -> Sheet:
    """The sheet, held, under its step, held, for a change of who rates. Raises: Refused."""
    hold_step(sheet.step_id)
    row = _locked(sheet)
    require(can_assign(actor, row))
    return row


def _check_person(round_: Round, subject: Subject, person: User, today: date) -> None:
    """Somebody who works here, and does not judge themselves or their own office."""
    places = [round_.locality_id, round_.locality.parent_id]
    rows = Membership.objects.valid_on(today).filter(user=person, locality_id__in=[p for p in places if p])
    rows = rows.exclude(role__in=THREE_ADMINISTRATORS)
    if not person.is_active or not rows.exists():
        raise ValidationError({"person": "该人员在本地方没有有效身份，不能作为评估人。"})
    own_office = (subject.unit_id is not None and rows.filter(unit=subject.unit_id).exists()) or (
        subject.organisation_id is not None and rows.filter(organisation=subject.organisation_id).exists()
    )
    if is_subject_of([person.pk], subject) or own_office:
        raise ValidationError({"person": "不能评估自己或本单位。"})


def _check_office(made: Sheet) -> None:
    subject = made.subject
    same_unit = made.unit_id is not None and made.unit_id == subject.unit_id
    same_office = made.organisation_id is not None and made.organisation_id == subject.organisation_id
    if same_unit or same_office:
        raise ValidationError({"organisation" if same_office else "unit": "单位不能评估自己。"})


def _check_free(made: Sheet) -> None:
    rows = Sheet.objects.filter(step=made.step, subject=made.subject, rater_key=made.rater_key)
    if rows.exclude(state=Sheet.State.REPLACED).exists():
        raise ValidationError({"person": "该评估人在本步骤中已评估这一对象。"})


def _ask(sheet: Sheet, today: date, *, words: str = "请填写") -> None:
    """Tell whoever is to write, if it is their turn."""
    if sheet.step.state != RoundStep.State.OPEN:
        return
    until = f"，{sheet.step.due_on:%Y-%m-%d} 截止" if sheet.step.due_on else ""
    text = f"{sheet.step}：对{sheet.subject}的评估表{words}{until}。"
    tell_rater(sheet, text, key=f"sheet.asked:{sheet.pk}:{sheet.revision}:{sheet.assignee_id or 0}", today=today)
