"""From a monthly report to paper: the locked one is issued (number, hash, QR), any other is only printed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import User
from core.files import store_generated
from core.jobs import enqueue
from core.models import IssuedDocument, Job, StoredFile
from core.pdf import canonical_hash, issue_document, render_pdf
from core.templatetags.portal import prose_date
from worklogs.models import MonthlyReport

from .monthly import ROWS, SECTIONS
from .monthly_facts import facts_of

TEMPLATE = "pdf/monthly_report.html"
PDF_KIND = "worklogs.monthly_pdf"
DOCUMENT_KIND = "monthly_report"
SERIAL = "YB"
_NUMERALS = ("三", "四", "五")


def title_of(report: MonthlyReport) -> str:
    return f"{report}（{report.author.name}）"


def file_name(report: MonthlyReport) -> str:
    version = f"第{report.version}版" if report.version > 1 else ""
    draft = "" if report.document_id else "草稿"
    return f"{title_of(report)}{version}{draft}.pdf".replace("/", "-")


def request_pdf(report: MonthlyReport, *, actor: User) -> Job:
    """Ask a worker for the PDF; asked twice it is made once."""
    return enqueue(
        PDF_KIND, actor=actor, arguments={"report": report.pk}, key=f"monthly-pdf-{report.pk}-{report.revision}",
        locality=report.locality, label=f"生成{title_of(report)}",
    )  # fmt: skip


def issue_report(report_id: int, *, actor: User | None) -> IssuedDocument:
    """The issued document of a locked report: exactly one, whoever asks and however often (docs/decisions).

    Raises ValueError for a report that is not locked.
    """
    report = ROWS.get(pk=report_id)
    if report.state != MonthlyReport.State.LOCKED:
        raise ValueError("only a locked report is issued")
    if report.document is not None:
        return report.document
    frozen = {
        "report": report.pk, "version": report.version, "title": str(report), "texts": report.texts,
        "facts": report.facts, "locked_at": report.locked_at,
    }  # fmt: skip
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=str(report), template=TEMPLATE,
        context=_context(report, report.facts), frozen=frozen, actor=actor, author=report.author.name,
        locality_code=report.locality.code,
        public_summary=[
            ("文书", str(report)), ("地方", report.locality.name), ("版次", f"第 {report.version} 版"),
        ],
        supersedes=report.supersedes.document if report.supersedes else None, file_name=file_name(report),
    )  # fmt: skip
    MonthlyReport.objects.filter(pk=report.pk, document=None).update(document=document)
    return document


def draft_pdf(report_id: int, *, actor: User | None) -> StoredFile:
    """A print of the report as it stands, marked as a draft: no number, no hash."""
    report = ROWS.get(pk=report_id)
    result = render_pdf(
        TEMPLATE, _context(report, facts_of(report)), title=f"{title_of(report)}（草稿）", author=report.author.name
    )
    return store_generated(
        result.content, name=file_name(report), mime="application/pdf", actor=actor, purpose="monthly_report_draft",
        locality_code=report.locality.code,
    )  # fmt: skip


def _context(report: MonthlyReport, facts: dict[str, Any]) -> dict[str, Any]:
    signed = timezone.localtime(report.submitted_at).date() if report.submitted_at else timezone.localdate()
    return {
        "report": report,
        "facts": facts,
        "sections": [
            {
                "numeral": numeral,
                "title": section.title,
                "paragraphs": [
                    line.strip() for line in report.texts.get(section.code, "").splitlines() if line.strip()
                ],
            }
            for numeral, section in zip(_NUMERALS, SECTIONS, strict=True)
        ],
        "drawn_words": prose_date(date.fromisoformat(facts["drawn_on"])),
        "signed_words": prose_date(signed),
    }
