"""Monthly reports from the first line to the locked account; a late correction is a new version.

The month is one flow: whoever confirms its logs receives its reports, and closing it locks both. What hands a report in
or receives it locks the row of its charge first, as logs do, so that none slips past a month that is closing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.notifications import Notice, notify
from core.permissions import require
from core.text import clean_text
from core.transitions import BulkResult, apply_move
from districts.models import Charge
from worklogs import permissions_monthly as may
from worklogs.models import MonthlyReport, WorkLog
from worklogs.querysets import month_of, next_month
from worklogs.transitions import MONTHLY

from .changes import confirmers_of
from .entries import is_closed
from .monthly_facts import facts_of, logs_of

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = 3000
ROWS = MonthlyReport.objects.select_related(
    "locality", "contract__team__lead", "contract__policy_version", "charge", "author__institution", "accepted_by",
    "document", "supersedes__document",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    code: str
    title: str
    help: str
    required: bool = True


SECTIONS = (
    Section("summary", "本月小结", "概括本月主要工作和成效。天数、次数和工作清单已由系统写入，不必重复填写。"),
    Section("problems", "问题与建议", "责任单元（项目）存在的问题，以及意见建议。没有的可以不填。", required=False),
    Section("plans", "下月计划", "下月要做的主要工作。"),
)


# --- written and handed in ----------------------------------------------------------------------------------


def save_texts(report: MonthlyReport, *, actor: User, texts: Mapping[str, str], revision: int) -> MonthlyReport:
    """Keep what the author wrote. `revision`: the one that their page was built from.

    Raises: Refused, StaleState (saved elsewhere since), ValidationError by section (too long).
    """
    require(may.can_write(actor, report))
    cleaned = {section.code: clean_text(texts.get(section.code, "")).strip() for section in SECTIONS}
    errors = {
        s.code: f"“{s.title}”有 {len(cleaned[s.code])} 字，最多 {LONGEST} 字。"
        for s in SECTIONS
        if len(cleaned[s.code]) > LONGEST
    }
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        rows = MonthlyReport.objects.filter(pk=report.pk, revision=revision, state=report.state)
        if not rows.update(texts=cleaned, revision=F("revision") + 1):
            raise StaleState("这份月报已在别处保存过。请先复制本页未保存的文字，再刷新页面。")
        audit.record("monthlyreport.save", actor=actor, obj=report)
    report.refresh_from_db()
    return report


@transaction.atomic
def submit_report(report: MonthlyReport, *, actor: User) -> MonthlyReport:
    """Hand the report in, with the figures of the day.

    Side effects: audit, notices to those who confirm the charge's logs.
    Raises: Refused, StaleState, ValidationError by section (empty), or when the month is not over.
    """
    require(may.can_write(actor, report))
    lacking = {s.code: f"请填写“{s.title}”。" for s in SECTIONS if s.required and not report.texts.get(s.code)}
    if lacking:
        raise ValidationError(lacking)
    if next_month(report.month) > timezone.localdate():
        raise ValidationError("该月尚未结束，月末之后才能提交；已写的内容可以先保存。")
    Charge.objects.select_for_update().get(pk=report.charge_id)
    values = {"facts": facts_of(report), "submitted_at": timezone.now(), "return_reason": ""}
    return apply_move(report, MONTHLY, "submit", actor=actor, changes=values, notify=_notice_of_waiting)


def withdraw_report(report: MonthlyReport, *, actor: User) -> MonthlyReport:
    """Take it back before it is accepted. Raises: Refused, StaleState."""
    return apply_move(report, MONTHLY, "withdraw", actor=actor, changes={"submitted_at": None})


# --- received, and locked with the month ------------------------------------------------------------------


def waiting_logs(report: MonthlyReport) -> int:
    """How many of the report's logs are still to be confirmed: as long as there are any it cannot be accepted."""
    return logs_of(report).filter(state="submitted").count()


@transaction.atomic
def accept_report(report: MonthlyReport, *, actor: User) -> MonthlyReport:
    """Accept a report; where its month is closed already it is locked at once.

    Side effects: audit, notice to the author. Raises: Refused, StaleState, ValidationError (its logs still wait to be
    confirmed: what it says would not be settled).
    """
    require(may.can_accept(actor, report))
    Charge.objects.select_for_update().get(pk=report.charge_id)
    if waiting := waiting_logs(report):
        raise ValidationError(
            f"{report.author.name}的月报：当月还有 {waiting} 条履职记录待确认，确认后数据才能确定，请先办理记录。"
        )
    values = {"facts": facts_of(report), "accepted_at": timezone.now(), "accepted_by": actor}
    moved = apply_move(report, MONTHLY, "accept", actor=actor, changes=values, notify=_notice_of_accepted)
    return lock_report(moved, actor=actor) if is_closed(moved.charge_id, moved.month) else moved


def lock_report(report: MonthlyReport, *, actor: User) -> MonthlyReport:
    """Keep the figures for good: the month is closed. Raises: Refused, StaleState."""
    values = {"facts": facts_of(report), "locked_at": timezone.now()}
    return apply_move(report, MONTHLY, "lock", actor=actor, changes=values)


def accept_reports(ids: Iterable[int], *, actor: User) -> BulkResult:
    """Accept many with one click; those that may not be accepted stay, each with its reason."""
    moved: list[int] = []
    refused: dict[int, str] = {}
    rows = ROWS.visible_to(actor).filter(pk__in=list(ids)).order_by("pk")
    for report in rows:
        decision = may.can_accept(actor, report)
        if not decision:
            refused[report.pk] = f"{report.author.name}的月报：{decision.reason}"
            continue
        try:
            accept_report(report, actor=actor)
            moved.append(report.pk)
        except ValidationError as problem:
            refused[report.pk] = "；".join(problem.messages)
        except StaleState as stale:
            refused[report.pk] = stale.reason
    return BulkResult(moved, refused)


def settle_month(charge: Charge, *, actor: User, month: date) -> int:
    """Part of closing a month, in its transaction: lock what is accepted; the number locked.

    Raises: ValidationError when a report still waits to be accepted.
    """
    reports = ROWS.filter(charge=charge, month=month)
    waiting = reports.filter(state="submitted").count()
    if waiting:
        raise ValidationError(f"该月还有 {waiting} 份工作月报待接受，请先接受或退回。")
    accepted = list(reports.filter(state="accepted"))
    for report in accepted:
        lock_report(report, actor=actor)
    return len(accepted)


@transaction.atomic
def return_report(report: MonthlyReport, *, actor: User, reason: str) -> MonthlyReport:
    """Give a report back with a reason. Raises: Refused, StaleState, ValidationError (`reason`)."""
    reason = clean_text(reason).strip()
    if len(reason) > 300:
        raise ValidationError({"reason": "退回原因不能超过 300 字。"})
    values = {"return_reason": reason, "accepted_at": None, "accepted_by": None}
    return apply_move(report, MONTHLY, "return", actor=actor, reason=reason, changes=values, notify=_notice_of_returned)


@transaction.atomic
def supersede_report(report: MonthlyReport, *, actor: User, reason: str) -> MonthlyReport:
    """Start a new version of a locked report, with the reason; the old one stays as it is.

    Raises: Refused, StaleState (there is one already), ValidationError (`reason`).
    """
    require(may.can_supersede(actor, report))
    reason = clean_text(reason).strip()
    if not reason or len(reason) > 300:
        raise ValidationError({"reason": "请写明更正原因（不超过 300 字）。"})
    locked = MonthlyReport.objects.select_for_update().get(pk=report.pk)
    if MonthlyReport.objects.filter(supersedes=locked).exists():
        raise StaleState("已有更新的版次，请打开最新版次。")
    fresh = MonthlyReport.objects.create(
        locality_id=locked.locality_id, contract_id=locked.contract_id, charge_id=locked.charge_id,
        author_id=locked.author_id, is_team=locked.is_team, month=locked.month, title=locked.title,
        version=locked.version + 1, texts=locked.texts, supersedes=locked, correction_reason=reason,
    )  # fmt: skip
    audit.record(
        "monthlyreport.supersede", actor=actor, obj=fresh, detail={"reason": reason, "from_version": locked.version}
    )
    return fresh


def tell_corrected(logs: Iterable[WorkLog]) -> None:
    """Corrections of a closed month have been confirmed: the authors of its locked reports are told, once each."""
    settled = [log for log in logs if log.correction_reason and log.state in ("confirmed", "void")]
    for log in settled:
        rows = MonthlyReport.objects.newest().filter(
            charge_id=log.charge_id, contract_id=log.contract_id, month=month_of(log.date), state="locked"
        )
        for report in rows.select_related("author", "charge"):
            if report.is_team or report.author_id == log.planner_id:
                text = f"{report}锁定后当月记录有更正，如需更正月报请发起新版次"
                notify(
                    _author(report), kind="monthly.outdated", text=text, url=report.get_absolute_url(),
                    key=f"monthly.outdated:{report.pk}",
                )  # fmt: skip


def reports_of_month(charge: Charge, month: date, *, user: User) -> list[MonthlyReport]:
    """The reports of a charge's month that `user` may know of, by author; the newest version of each."""
    rows = ROWS.listed_for(user).newest().filter(charge=charge, month=month)
    return list(rows.order_by("author__sort_key", "pk"))


def _author(report: MonthlyReport) -> list[int]:
    return [report.author.user_id] if report.author.user_id else []


def _notice_of_waiting(report: MonthlyReport) -> Notice:
    return Notice(
        confirmers_of(report.charge), "monthly.waiting", f"{report}待接受（{report.author.name}）",
        report.get_absolute_url(), f"monthly.waiting:{report.pk}:{report.revision}",
    )  # fmt: skip


def _notice_of_accepted(report: MonthlyReport) -> Notice:
    return Notice(_author(report), "monthly.accepted", f"{report}已接受", report.get_absolute_url())


def _notice_of_returned(report: MonthlyReport) -> Notice:
    text = f"{report}被退回：{report.return_reason}"[:300]
    return Notice(_author(report), "monthly.returned", text, report.get_absolute_url())
