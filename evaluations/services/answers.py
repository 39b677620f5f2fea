"""Writing one's own sheet, and reading it again: the only place beside scoring where answers are opened.

Whatever is written is written under its step (`lock_open_step`), so that nothing goes in after the seal was lifted.
Errors name the field and never what somebody else wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import Refused, StaleState
from core.permissions import require
from core.text import clean_text
from core.transitions import apply_move
from evaluations.models import Answer, Indicator, Round, RoundStep, Sheet, Subject
from evaluations.permissions.sheets import can_fill, can_read_answers, is_reopened
from evaluations.scoring.scales import points_of_count, points_of_score, points_of_yes
from evaluations.services.counts import counts_of
from evaluations.services.steps import hold_step, lock_open_step
from evaluations.transitions.sheets import SHEET

MAX_TEXT, MAX_COMMENT = 2000, 1000
Kind = Indicator.Kind


@dataclass(frozen=True, slots=True)
class Given:
    """What a rater entered for one indicator."""

    value: Decimal | None = None
    not_applicable: bool = False
    text: str = ""
    comment: str = ""

    @property
    def mark(self) -> str:
        """By this a page knows what it was built from, and the portal whether it has changed since."""
        value = "" if self.value is None else format(self.value.normalize(), "f")
        body = "\x1f".join([value, str(int(self.not_applicable)), self.text, self.comment])
        return hashlib.sha256(body.encode()).hexdigest()[:16]

    @property
    def is_empty(self) -> bool:
        return self == Given()


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a sheet is filled in; shown to its author alone."""

    filled: int
    total: int

    @property
    def is_complete(self) -> bool:
        return self.filled >= self.total


@dataclass(frozen=True)
class Saved:
    """What became of a save: the mark of each line as it now stands."""

    sheet: Sheet
    marks: Mapping[int, str] = field(default_factory=dict)
    progress: Progress = Progress(0, 0)


def field_name(indicator_id: int, part: str) -> str:
    """The name of a field of the form: `i12-value`, `-na`, `-text`, `-comment`, `-seen`."""
    return f"i{indicator_id}-{part}"


# --- reading one's own -----------------------------------------------------------------------------------------


def answers_for(sheet: Sheet, *, reader: User) -> dict[int, Given]:
    """{indicator: what it says}, for its author, or once the step has closed for whoever collates. Raises: Refused."""
    require(can_read_answers(reader, sheet))
    rows = Answer.objects.filter(sheet=sheet).readable_by(reader)
    return {row.indicator_id: _given(row) for row in rows}


def own_answers(sheet: Sheet, *, author: User) -> dict[int, Given]:
    """{indicator: what its author has entered so far}; nothing for anybody else, and for a sheet not yet begun."""
    return {row.indicator_id: _given(row) for row in Answer.objects.filter(sheet=sheet, sheet__author=author)}


def side_by_side(sheets: Sequence[Sheet], *, author: User) -> dict[int, dict[int, Given]]:
    """{sheet: {indicator: what one has entered oneself}}, for comparing one's own forms; one query."""
    found: dict[int, dict[int, Given]] = {sheet.pk: {} for sheet in sheets}
    for row in Answer.objects.filter(sheet__in=[sheet.pk for sheet in sheets], sheet__author=author):
        found[row.sheet_id][row.indicator_id] = _given(row)
    return found


def progress_of(sheets: Iterable[Sheet], *, author: User) -> dict[int, Progress]:
    """{sheet: how far one is}, of one's own sheets; two queries however many there are."""
    rows = list(sheets)
    asked = Indicator.objects.filter(form__in={sheet.form_id for sheet in rows}, is_required=True).exclude(
        kind=Kind.COUNT
    )
    totals = dict(asked.values_list("form").annotate(n=Count("pk")).order_by())
    said = ~Q(value=None) | Q(not_applicable=True) | ~Q(text="")
    mine = Answer.objects.filter(
        said, sheet__in=[sheet.pk for sheet in rows], sheet__author=author, indicator__in=asked
    )  # fmt: skip
    filled = dict(mine.values_list("sheet").annotate(n=Count("pk")).order_by())
    return {sheet.pk: Progress(filled.get(sheet.pk, 0), totals.get(sheet.form_id, 0)) for sheet in rows}


def _given(row: Answer) -> Given:
    return Given(row.value, row.not_applicable, row.text, row.comment)


# --- writing ----------------------------------------------------------------------------------------------------


def save_answers(
    sheet: Sheet, *, actor: User, given: Mapping[int, Given], seen: Mapping[int, str], today: date
) -> Saved:
    """Keep what the rater entered in some lines; the others stay as they are. The first save makes them its author.

    `seen`: the mark of each line that the page was built from; a line that says something else by now, and not what is
    given, was changed elsewhere and is refused by name.
    Raises: Refused, StaleState (step closed, deadline passed), ValidationError by field.
    """
    with transaction.atomic():
        row = _writable(sheet, actor, today)
        return _save(row, actor, given, seen)


def submit_sheet(
    sheet: Sheet, *, actor: User, today: date, given: Mapping[int, Given] | None = None, seen: Mapping[int, str] = {}
) -> Sheet:
    """Save what is given, see that nothing is missing, and hand the sheet in; all of it or nothing.

    From two devices at once: one is first, the other is told so. Audit says that it was submitted, never what it says.
    Raises: Refused, StaleState, ValidationError by field (what is missing).
    """
    with transaction.atomic():
        row = _writable(sheet, actor, today)
        if given:
            row = _save(row, actor, given, seen).sheet
        elif row.state == Sheet.State.WAITING:
            row = _begin(row, actor)
        lacking = missing_of(row.form.indicators.all(), own_answers(row, author=actor))
        if lacking:
            raise ValidationError({field_name(pk, part): text for (pk, part), text in lacking.items()})
        if row.step.state == RoundStep.State.CLOSED:
            settle_counts(row.step, sheet=row)
        return apply_move(row, SHEET, "submit", actor=actor, changes={"submitted_at": timezone.now()})


def withdraw_sheet(sheet: Sheet, *, actor: User, today: date) -> Sheet:
    """Take back what was handed in, until the step closes for everybody. Raises: Refused, StaleState."""
    with transaction.atomic():
        step = lock_open_step(sheet.step_id)
        _in_time(step.due_on, today)
        return apply_move(_locked(sheet), SHEET, "withdraw", actor=actor, changes={"submitted_at": None, "reason": ""})


def abstain_sheet(sheet: Sheet, *, actor: User, reason: str, today: date) -> Sheet:
    """Say that one does not want to judge; what was entered stays one's own. Raises: Refused, StaleState,
    ValidationError (no reason)."""
    with transaction.atomic():
        row = _writable(sheet, actor, today)
        changes = {"author": actor, "reason": clean_text(reason)[:300]}
        return apply_move(row, SHEET, "abstain", actor=actor, reason=reason, changes=changes)


def decline_sheet(sheet: Sheet, *, actor: User, reason: str) -> Sheet:
    """Ask not to have to judge (a conflict, no dealings); the organisers decide. Raises like `abstain_sheet`."""
    with transaction.atomic():
        hold_step(sheet.step_id)
        changes = {"reason": clean_text(reason)[:300]}
        return apply_move(_locked(sheet), SHEET, "decline", actor=actor, reason=reason, changes=changes)


def take_back_sheet(sheet: Sheet, *, actor: User) -> Sheet:
    """Judge after all, as long as nobody has decided. Raises: Refused, StaleState."""
    with transaction.atomic():
        hold_step(sheet.step_id)
        return apply_move(_locked(sheet), SHEET, "take_back", actor=actor, changes={"reason": ""})


def _locked(sheet: Sheet) -> Sheet:
    rows = Sheet.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("step", "round__locality", "form", "subject__planner", "planner").get(pk=sheet.pk)


def _writable(sheet: Sheet, actor: User, today: date) -> Sheet:
    """The sheet, held, under its step, held: either open and in time, or given back to its author."""
    step = hold_step(sheet.step_id)
    row = _locked(sheet)
    if row.author_id is not None and row.author_id != actor.pk:
        raise Refused("这份评估表已由本单位其他人开始填写，内容只有填写人本人可见。")
    if row.state == Sheet.State.SUBMITTED:
        raise StaleState(handed_in_already(row))
    if is_reopened(row):
        # The round must not be deliberated while somebody still writes under it.
        Round.objects.select_for_update(no_key=True).get(pk=row.round_id)
        _in_time(row.reopened_until, today)
    elif step.state == RoundStep.State.OPEN:
        _in_time(step.due_on, today)
    require(can_fill(actor, row))
    return row


def handed_in_already(row: Sheet) -> str:
    """What the second of two devices is told."""
    at = timezone.localtime(row.submitted_at).strftime("%H:%M:%S") if row.submitted_at else ""
    return f"这份评估表已在另一处提交（{at}），以已提交的内容为准。如需修改，请先撤回。"


def _in_time(due_on: date | None, today: date) -> None:
    if due_on is not None and today > due_on:
        raise StaleState(f"已过截止日期 {due_on:%Y-%m-%d}，不能再填写或撤回。如需延期，请联系组织单位。")


def _begin(row: Sheet, actor: User) -> Sheet:
    if row.state != Sheet.State.WAITING:
        return row
    return apply_move(row, SHEET, "begin", actor=actor, changes={"author": actor})


def _save(row: Sheet, actor: User, given: Mapping[int, Given], seen: Mapping[int, str]) -> Saved:
    lines = {line.pk: line for line in row.form.indicators.all()}
    if set(given) - set(lines):
        raise ValidationError("表中没有这一项。")
    stored = {answer.indicator_id: answer for answer in Answer.objects.filter(sheet=row)}
    errors: dict[str, str] = {}
    changed: list[Answer] = []
    allows = row.round.rules.get("evaluation.not_applicable", {}).get("value") != "refused"
    for pk, entered in given.items():
        line, known = lines[pk], stored.get(pk)
        now = _given(known) if known is not None else Given()
        wrong = len(errors)
        entered = _cleaned(line, entered, errors, allows_na=allows)
        if entered == now or len(errors) > wrong:
            continue
        if pk in seen and seen[pk] != now.mark:
            errors[field_name(pk, _part(line))] = "这一项已在别处保存为其他内容。确认以本页为准的，请再次提交。"
            continue
        changed.append(_answer(row, line, entered, known))
    if errors:
        raise ValidationError(errors)
    row = _begin(row, actor)
    _write(row, actor, changed)
    marks = {
        answer.indicator_id: _given(answer).mark for answer in Answer.objects.filter(sheet=row, indicator__in=given)
    }
    return Saved(row, {pk: marks.get(pk, Given().mark) for pk in given}, progress_of([row], author=actor)[row.pk])


def _write(row: Sheet, actor: User, changed: list[Answer]) -> None:
    if not changed:
        return
    fresh = [answer for answer in changed if answer.pk is None]
    Answer.objects.bulk_create(fresh)
    known = [answer for answer in changed if answer.pk is not None]
    Answer.objects.bulk_update(known, ["value", "points", "not_applicable", "text", "comment", "saved_at"])
    Sheet.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
    row.refresh_from_db(fields=["revision"])
    # How many lines, not which and not what: the log is read by others.
    audit.record("sheet.save", actor=actor, obj=row, locality=row.round.locality, detail={"lines": len(changed)})


def _part(line: Indicator) -> str:
    return "text" if line.kind == Kind.TEXT else "value"


def _cleaned(line: Indicator, entered: Given, errors: dict[str, str], *, allows_na: bool) -> Given:
    """What was entered, within the scale of the line; what does not fit goes to `errors`."""
    text, comment = clean_text(entered.text), clean_text(entered.comment)
    if len(text) > MAX_TEXT:
        errors[field_name(line.pk, "text")] = f"有 {len(text)} 字，最多 {MAX_TEXT} 字。"
    if len(comment) > MAX_COMMENT:
        errors[field_name(line.pk, "comment")] = f"有 {len(comment)} 字，最多 {MAX_COMMENT} 字。"
    if line.kind == Kind.TEXT:
        return Given(text=text, comment="")
    if line.kind == Kind.COUNT:
        # Nobody types a figure that the portal counts; a word about it may be said.
        return Given(comment=comment)
    if entered.not_applicable:
        if not allows_na:
            errors[field_name(line.pk, "na")] = "按制度规定，不能选择“不适用”。"
        return Given(not_applicable=True, comment=comment)
    if entered.value is not None and (problem := off_scale(line, entered.value)):
        errors[field_name(line.pk, "value")] = problem
    return Given(value=entered.value, comment=comment)


def off_scale(line: Indicator, value: Decimal) -> str:
    """Why this value cannot be chosen; empty when it can."""
    if line.kind == Kind.YES_NO:
        return "" if value in (0, 1) else "请选择“是”或“否”。"
    low, high = plain(line.low), plain(line.high)
    if not value.is_finite() or not line.low <= value <= line.high:
        return f"请填写 {low} 到 {high} 之间的分数。"
    if (value - line.low) % line.increment:
        return f"分数须从 {low} 起，每档 {plain(line.increment)} 分。"
    return ""


def plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def points_of(line: Indicator, given: Given) -> Decimal | None:
    """Points of 0 to 100; None where nothing was chosen, or it does not apply, or nothing is scored."""
    if given.value is None or given.not_applicable:
        return None
    if line.kind == Kind.SCORE:
        return points_of_score(given.value, line.low, line.high)
    return points_of_yes(given.value == 1) if line.kind == Kind.YES_NO else None


def _answer(row: Sheet, line: Indicator, given: Given, known: Answer | None) -> Answer:
    answer = known or Answer(sheet=row, indicator=line)
    answer.value, answer.not_applicable = given.value, given.not_applicable
    answer.text, answer.comment = given.text, given.comment
    answer.points = points_of(line, given)
    answer.saved_at = timezone.now()
    return answer


def comment_owed(line: Indicator, points: Decimal | None) -> bool:
    """A word is owed at or beyond the extremes that the form names."""
    if points is None:
        return False
    low, high = line.comment_at_most, line.comment_at_least
    return (low is not None and points <= low) or (high is not None and points >= high)


def missing_of(lines: Iterable[Indicator], given: Mapping[int, Given]) -> dict[tuple[int, str], str]:
    """{(indicator, field): what is still wanted}, in the order of the form."""
    found: dict[tuple[int, str], str] = {}
    for line in lines:
        entered = given.get(line.pk, Given())
        if line.kind == Kind.TEXT:
            if line.is_required and not entered.text:
                found[line.pk, "text"] = "请填写。"
        elif line.kind != Kind.COUNT:
            if line.is_required and entered.value is None and not entered.not_applicable:
                found[line.pk, "value"] = "请评分。"
            elif comment_owed(line, points_of(line, entered)) and not entered.comment:
                found[line.pk, "comment"] = "请写明这样评分的理由。"
    return found


# --- what the portal counts -------------------------------------------------------------------------------------


def settle_counts(step: RoundStep, *, sheet: Sheet | None = None) -> int:
    """Write what the portal counted into the submitted sheets of a step (or into the one); returns how many lines.

    The same figure for every rater of a subject, because it is written at one moment. Raises: ValidationError.
    """
    written = 0
    for form in step.forms.prefetch_related("indicators"):
        lines = [line for line in form.indicators.all() if line.kind == Kind.COUNT]
        if not lines:
            continue
        rows = [sheet] if sheet is not None else step.sheets.filter(form=form, state=Sheet.State.SUBMITTED)
        by_subject: dict[int, list[Sheet]] = {}
        for row in rows:
            if row.form_id == form.pk:
                by_subject.setdefault(row.subject_id, []).append(row)
        subjects = Subject.objects.select_related("contract", "round", "unit").prefetch_related("service")
        for subject in subjects.filter(pk__in=by_subject):
            written += _write_counts(subject, lines, by_subject[subject.pk])
    return written


def _write_counts(subject: Subject, lines: list[Indicator], sheets: list[Sheet]) -> int:
    figures = counts_of(subject, lines)
    comments = {
        (row.sheet_id, row.indicator_id): row.comment
        for row in Answer.objects.filter(sheet__in=sheets, indicator__in=lines)
    }
    rows = []
    for line in lines:
        figure = figures[line.pk]
        if figure is None or line.full_at is None:
            raise ValidationError(f"“{line.title}”由系统数据计分，但{subject.label}的该项数据未设定，不能计算。")
        points = points_of_count(figure, line.full_at)
        rows += [
            Answer(
                sheet=sheet, indicator=line, value=figure, points=points, comment=comments.get((sheet.pk, line.pk), "")
            )
            for sheet in sheets
        ]
    Answer.objects.filter(sheet__in=sheets, indicator__in=lines).delete()
    Answer.objects.bulk_create(rows, batch_size=500)
    return len(rows)
