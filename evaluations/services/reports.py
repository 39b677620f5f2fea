"""Writing, submitting, endorsing and freezing a duty report; a frozen one is only ever superseded."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.notifications import Notice
from core.permissions import require
from core.text import clean_text
from core.transitions import apply_move
from evaluations.facts import facts_of
from evaluations.models import DutyReport
from evaluations.permissions import can_supersede_report, can_write_report, endorser_of
from evaluations.sections import CODES, MAX_LENGTH, SECTIONS, missing
from evaluations.transitions import REPORT
from planners.models import Planner


def save_sections(report: DutyReport, *, actor: User, texts: Mapping[str, str], revision: int) -> DutyReport:
    """Keep what the author wrote in some sections; the others stay as they are.

    `revision` is the one the author's page was built from. Raises: Refused, StaleState (saved elsewhere since, the
    text of the caller is not kept), ValidationError (unknown section, too long).
    """
    require(can_write_report(actor, report))
    cleaned = _cleaned(texts)
    with transaction.atomic():
        row = DutyReport.objects.select_for_update().get(pk=report.pk)
        require(can_write_report(actor, row))
        if row.revision != revision:
            raise StaleState("这份文书已在别处保存过。请先复制本页未保存的文字，再刷新页面。")
        sections = {**row.sections, **cleaned}
        DutyReport.objects.filter(pk=row.pk).update(sections=sections, revision=F("revision") + 1)
        changed = sorted(code for code, text in cleaned.items() if row.sections.get(code, "") != text)
        if changed:
            audit.record(
                "dutyreport.save", actor=actor, obj=row, locality=row.cycle.locality, detail={"sections": changed}
            )
    report.refresh_from_db()
    return report


def _cleaned(texts: Mapping[str, str]) -> dict[str, str]:
    titles = {section.code: section.title for section in SECTIONS}
    errors: dict[str, str] = {}
    cleaned: dict[str, str] = {}
    for code, text in texts.items():
        if code not in CODES:
            raise ValidationError("没有这一部分。")
        cleaned[code] = clean_text(text)
        if len(cleaned[code]) > MAX_LENGTH:
            errors[code] = f"“{titles[code]}”有 {len(cleaned[code])} 字，最多 {MAX_LENGTH} 字。"
    if errors:
        raise ValidationError(errors)
    return cleaned


def submit_report(report: DutyReport, *, actor: User) -> DutyReport:
    """Hand in the document: to the lead, or settled at once where nobody leads the author.

    Side effects: the facts of today are kept with it; notice to the lead; audit entry.
    Raises: Refused, StaleState, ValidationError (sections still empty, by name).
    """
    require(can_write_report(actor, report))
    lacking = missing(report.sections)
    if lacking:
        raise ValidationError({section.code: f"请填写“{section.title}”。" for section in lacking})
    lead_id = endorser_of(report)
    now = timezone.now()
    changes = {"facts": facts_of(report), "submitted_at": now, "return_reason": ""}
    if lead_id is None:
        return apply_move(report, REPORT, "settle", actor=actor, changes={**changes, "frozen_at": now})
    lead = Planner.objects.get(pk=lead_id)
    return apply_move(
        report,
        REPORT,
        "submit",
        actor=actor,
        changes=changes,
        notify=lambda moved: Notice(
            [lead.user_id] if lead.user_id else [], "report_submitted", _asked(moved), _url(moved)
        ),
    )


def withdraw_report(report: DutyReport, *, actor: User) -> DutyReport:
    """Take the document back before it is endorsed. Raises: Refused, StaleState."""
    return apply_move(report, REPORT, "withdraw", actor=actor, changes={"submitted_at": None})


def return_report(report: DutyReport, *, actor: User, reason: str) -> DutyReport:
    """Send the document back to its author with the reason. Raises: Refused, StaleState, ValidationError."""
    return apply_move(
        report, REPORT, "return", actor=actor, reason=reason, changes={"return_reason": clean_text(reason)[:300]},
        notify=lambda moved: Notice(
            _author(moved), "report_returned", f"您的{moved.cycle.title}被退回：{moved.return_reason}"[:300], _url(moved)
        ),
    )  # fmt: skip


def endorse_report(report: DutyReport, *, actor: User) -> DutyReport:
    """The lead's endorsement: from now on the document is frozen. Raises: Refused, StaleState."""
    lead = Planner.objects.of_user(actor).first()
    return apply_move(
        report, REPORT, "endorse", actor=actor, changes={"frozen_at": timezone.now(), "endorsed_by": lead},
        notify=lambda moved: Notice(_author(moved), "report_frozen", f"您的{moved.cycle.title}已审核通过并定稿。", _url(moved)),
    )  # fmt: skip


@transaction.atomic
def supersede_report(report: DutyReport, *, actor: User, reason: str) -> DutyReport:
    """Start a new version of a frozen document, with the reason; the frozen one stays readable.

    Raises: Refused, StaleState (a new version exists already), ValidationError (no reason).
    """
    require(can_supersede_report(actor, report))
    reason = clean_text(reason)
    if not reason:
        raise ValidationError({"reason": "请填写更正原因。"})
    locked = DutyReport.objects.select_for_update().get(pk=report.pk)
    if DutyReport.objects.filter(supersedes=locked).exists():
        raise StaleState("已有更新的版次，请打开最新版次。")
    fresh = DutyReport.objects.create(
        cycle_id=locked.cycle_id,
        contract_id=locked.contract_id,
        charge_id=locked.charge_id,
        author_id=locked.author_id,
        is_collation=locked.is_collation,
        version=locked.version + 1,
        sections=locked.sections,
        supersedes=locked,
    )
    audit.record(
        "dutyreport.supersede",
        actor=actor,
        obj=fresh,
        locality=fresh.cycle.locality,
        detail={"reason": reason, "from_version": locked.version, "to_version": fresh.version},
    )
    return fresh


def _author(report: DutyReport) -> list[int]:
    return [report.author.user_id] if report.author.user_id else []


def _asked(report: DutyReport) -> str:
    return f"{report.author.name}提交了{report.cycle.title}，请审核。"


def _url(report: DutyReport) -> str:
    return f"/evaluations/reports/{report.pk}/"
