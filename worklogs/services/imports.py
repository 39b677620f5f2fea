"""Work logs as a kind of import (`core.imports`): matched, written in bulk, taken back while nobody has confirmed any.

Everything that rows are matched with is loaded beforehand, the rows are written in one transaction, and the tally is
told once. The same 来源编号, or without one the very same record, is not made a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core.bulk import insert_rows
from core.imports.kinds import EXAMPLE_MARK, ImportColumn, Importer, register
from core.imports.outcomes import NEW, REFUSED, REPEATED, UNCHANGED, Outcome, Report
from core.models import ImportBatch
from core.notifications import notify
from core.permissions import Decision
from core.spreadsheets import Row
from core.spreadsheets.reader import cell_text
from core.text import DATE_FORMS
from districts.models import Charge, Locality, Membership
from worklogs import permissions
from worklogs.models import MonthClosing, WorkLog

from . import changes
from .import_lookups import chunks, identity_of, known_numbers, known_records, load_lookups
from .import_rows import (
    CONTENT,
    DATE,
    KIND,
    MET,
    PLACE,
    PLANNER,
    PROJECT,
    REQUIRED,
    SLOT,
    SOURCE,
    TAIL,
    UNIT,
    RowReader,
)


def _column(heading: str, example: str, help: str = "", aliases: tuple[str, ...] = ()) -> ImportColumn:
    # The date as the sheet has it, so that a refused one can be shown and given back.
    kind: Any = "any" if heading == DATE else "text"
    return ImportColumn(heading, aliases=aliases, required=heading in REQUIRED, kind=kind, help=help, example=example)


class LogImporter(Importer):
    name = "worklogs"
    label = "履职记录"
    list_url = "worklogs:list"
    done_note = "导入的记录为“待确认”，由各责任单元主管部门确认。"
    hints = ("同一“来源编号”只生成一条记录；同名的规划师请填写证件号后四位。",)
    at_once = 2000
    # Of a year's logs nobody reads each line; what is refused is shown in full.
    lines_kept = 500
    columns = (
        _column(DATE, f"{EXAMPLE_MARK}2026-03-05", f"工作当天，可写成 {DATE_FORMS}。"),
        _column(PLANNER, "张示例", "登记的姓名。"),
        _column(TAIL, "123X", "有同名的规划师时填写。"),
        _column(UNIT, "示例街道", "责任单元或责任项目的名称，“街道”等字可省略。"),
        _column(SLOT, "全天", f"{'、'.join(WorkLog.Slot.labels)}。"),
        _column(KIND, "调研走访", f"{'、'.join(WorkLog.Kind.labels)}。"),
        _column(CONTENT, "走访社区，核对公共空间使用情况。", "做了什么，不超过 2000 字。"),
        _column(MET, "是", "是否会见责任单元负责人：是、否。"),
        _column(PLACE, "示例胡同"),
        _column(PROJECT, "", "与登记的项目有关时填写。"),
        _column(SOURCE, "SL-0001", "原台账中的编号；同一编号只生成一条记录。"),
    )

    def may(self, user: Any) -> Decision:
        return permissions.may_import(user)

    def can(self, user: Any, place: str) -> Decision:
        locality = Locality.objects.filter(code=place).first()
        return permissions.can_import(user, locality) if locality else Decision.no("没有这个地方。")

    def lock(self, place: str) -> None:
        """No month may close between the check and the writing (see `worklogs.services.logs.lock_charge`)."""
        charges = Charge.objects.order_by("pk")
        if place:
            charges = charges.filter(Q(locality__code=place) | Q(locality__parent__code=place))
        list(charges.select_for_update(of=("self",)).values_list("pk"))

    def judge(self, rows: Sequence[Row], place: str) -> list[Outcome]:
        locality = Locality.objects.get(code=place) if place else None
        reader = RowReader(load_lookups(locality, rows))
        outcomes = [reader.read(row) for row in rows]
        _mark_known([outcome for outcome in outcomes if outcome.action != REFUSED])
        good = 0
        for row, outcome in zip(rows, outcomes, strict=True):
            # Of the good rows the page lists the first alone.
            if outcome.action == REFUSED or good < self.lines_kept:
                outcome.label = _label(row, outcome)
            good += outcome.action != REFUSED
        return outcomes

    def home(self, outcomes: Sequence[Outcome]) -> str:
        return Locality.objects.get(pk=outcomes[0].fields["locality_id"]).code

    def write(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        good = report.of(NEW)
        same = {
            "batch_id": batch.pk,
            "state": WorkLog.State.SUBMITTED,
            "submitted_at": timezone.now(),
            "created_by_id": actor.pk if actor is not None else None,
        }
        insert_rows(WorkLog, [outcome.fields for outcome in good], same=same)
        changes.tell_imported(batch)
        _tell_confirmers(batch, {outcome.fields["charge_id"] for outcome in good})

    def obstacles(self, batch: ImportBatch) -> list[str]:
        logs = batch.logs.all()
        found = []
        for state, words in logs.exclude(state=WorkLog.State.SUBMITTED).values_list("state", "charge_name")[:10]:
            found.append(f"“{words}”的记录{WorkLog.State(state).label}。")
        closed = MonthClosing.objects.filter(charge_id__in=logs.values("charge_id")).values_list("charge_id", "month")
        months = {(charge, day.replace(day=1)) for charge, day in logs.values_list("charge_id", "date")}
        if locked := months & set(closed):
            found.append(f"有 {len(locked)} 个责任单元（项目）的月份已锁定。")
        if photos := logs.filter(photos__isnull=False).distinct().count():
            found.append(f"有 {photos} 条记录已补充照片。")
        return found

    def revert(self, batch: ImportBatch, *, actor: Any) -> int:
        # Told while the logs still say whose figures they are in.
        changes.tell_imported(batch)
        return batch.logs.all().delete()[0]

    def filtered_list(self, batch: ImportBatch) -> str:
        return f"?batch={batch.pk}"


def _label(row: Row, outcome: Outcome) -> str:
    """Tells a person which row it is: when, who, where; of a refused one as it was typed."""
    when, where = outcome.fields.get("date"), outcome.fields.get("charge_name")
    words = (when or cell_text(row.cells[DATE]), row.cells[PLANNER], where or row.cells[UNIT])
    return " ".join(str(word)[:40] for word in words if word)


def _mark_known(good: Sequence[Outcome]) -> None:
    """Say of each row whether its record is there already, or said twice in the file."""
    numbered = known_numbers((o.fields["locality_id"], o.fields["source_number"]) for o in good if _number(o))
    recorded = known_records(identity_of(o.fields) for o in good if not _number(o))
    seen: set[Any] = set()
    for outcome in good:
        key: Any = identity_of(outcome.fields)
        known = key in recorded
        if _number(outcome):
            key = (outcome.fields["locality_id"], outcome.fields["source_number"])
            known = key in numbered
        if known:
            outcome.action = UNCHANGED
        elif key in seen:
            outcome.action = REPEATED
        else:
            seen.add(key)


def _number(outcome: Outcome) -> str:
    return str(outcome.fields["source_number"])


def _tell_confirmers(batch: ImportBatch, charges: Iterable[int]) -> None:
    officers: set[int] = set()
    valid = Membership.objects.valid_on(timezone.localdate()).filter(user__is_active=True, role=Role.UNIT)
    for some in chunks(charges):
        officers.update(valid.filter(unit__charge_id__in=some).values_list("user_id", flat=True))
    notify(
        officers,
        kind="worklog.waiting",
        text="有一批导入的履职记录待确认",
        url=reverse("worklogs:waiting"),
        key=f"worklog.import:{batch.pk}",
    )


LOGS = register(LogImporter())
