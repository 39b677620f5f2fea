"""From a duty report to its PDF: the frozen one is issued (number, hash, QR), a draft is only printed."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import User
from core.files import store_generated
from core.jobs import enqueue
from core.models import IssuedDocument, Job, StoredFile
from core.pdf import bar_chart, canonical_hash, issue_document, render_pdf
from core.templatetags.portal import prose_date
from evaluations.facts import facts_of
from evaluations.models import DutyReport
from evaluations.sections import NUMERALS, SECTIONS

TEMPLATE = "pdf/duty_report.html"
PDF_KIND = "evaluations.report_pdf"
DOCUMENT_KIND = "duty_report"
SERIAL = "SZ"
OWN_TABLES = 4
ROWS = DutyReport.objects.select_related(
    "cycle__locality", "contract__policy_version", "contract__signer",
    "contract__team", "charge", "author__institution",
    "endorsed_by", "document", "supersedes__document",
)  # fmt: skip


def title_of(report: DutyReport) -> str:
    collation = "（团队汇总）" if report.is_collation else ""
    return f"{report.cycle.title}{collation}（{report.author.name}）"


def public_title(report: DutyReport) -> str:
    """What the verification page calls it: it answers everybody who has the code, so nobody is named."""
    return report.cycle.title + ("（团队汇总）" if report.is_collation else "")


def file_name(report: DutyReport) -> str:
    """Name for saving: what it is, whose, and which version where there are several."""
    version = f"第{report.version}版" if report.version > 1 else ""
    draft = "" if report.document_id else "草稿"
    return f"{title_of(report)}{version}{draft}.pdf".replace("/", "-")


def request_pdf(report: DutyReport, *, actor: User) -> Job:
    """Ask a worker for the PDF; asked twice it is made once."""
    return enqueue(
        PDF_KIND,
        actor=actor,
        arguments={"report": report.pk},
        key=f"report-pdf-{report.pk}-{report.revision}",
        locality=report.cycle.locality,
        label=f"生成{title_of(report)}",
    )


def issue_report(report_id: int, *, actor: User | None) -> IssuedDocument:
    """The issued document of a frozen report, made if need be: exactly one, whoever asks and however often.

    A worker may die between storing the PDF and noting it on the report; the next one finds it by its content.
    Raises ValueError for a report that is not frozen.
    """
    report = ROWS.get(pk=report_id)
    if report.state != DutyReport.State.FROZEN:
        raise ValueError("only a frozen report is issued")
    if report.document is not None:
        return report.document
    frozen = _frozen(report)
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=public_title(report),
        template=TEMPLATE, context=_context(report, report.facts),
        frozen=frozen, actor=actor, author=report.author.name, locality_code=report.cycle.locality.code,
        public_summary=[
            ("文书", report.cycle.title), ("地方", report.cycle.locality.name), ("版次", f"第 {report.version} 版"),
        ],
        assets=_assets(report.facts), supersedes=report.supersedes.document if report.supersedes else None,
        file_name=file_name(report),
    )  # fmt: skip
    DutyReport.objects.filter(pk=report.pk, document=None).update(document=document)
    return document


def draft_pdf(report_id: int, *, actor: User | None) -> StoredFile:
    """A print of the report as it stands, marked as a draft: no number, no hash."""
    report = ROWS.get(pk=report_id)
    facts = report.facts if report.state == DutyReport.State.SUBMITTED else facts_of(report)
    result = render_pdf(
        TEMPLATE,
        _context(report, facts),
        title=f"{title_of(report)}（草稿）",
        author=report.author.name,
        assets=_assets(facts),
    )
    return store_generated(
        result.content,
        name=file_name(report),
        mime="application/pdf",
        actor=actor,
        purpose="duty_report_draft",
        locality_code=report.cycle.locality.code,
    )


def latest_pdf(report: DutyReport) -> StoredFile | None:
    """The issued PDF, if there is one."""
    return report.document.file if report.document is not None else None


def _frozen(report: DutyReport) -> dict[str, Any]:
    """What the content hash is taken of: everything the document says."""
    return {
        "report": report.pk,
        "version": report.version,
        "cycle": report.cycle.title,
        "sections": report.sections,
        "facts": report.facts,
        "endorsed_by": report.endorsed_by.name if report.endorsed_by else "",
        "frozen_at": report.frozen_at,
    }


def _context(report: DutyReport, facts: dict[str, Any]) -> dict[str, Any]:
    frozen_on = timezone.localtime(report.frozen_at).date() if report.frozen_at else timezone.localdate()
    summary = summary_of(facts["subjects"])
    # Each member's own document carries its evidence: gathered again, that of twenty fills eighty pages.
    gathered = summary is not None and bool(facts["members"])
    return {
        "report": report,
        "facts": facts,
        "chart": _chart(facts),
        "summary": summary,
        "gathered": gathered,
        "sections": [
            {
                "numeral": NUMERALS[number],
                "title": section.title,
                "paragraphs": [
                    line.strip() for line in report.sections.get(section.code, "").splitlines() if line.strip()
                ],
            }
            for number, section in enumerate(SECTIONS, 3)
        ],
        "annex": []
        if gathered
        else [{"label": subject["label"], "rows": _annex(subject)} for subject in facts["subjects"]],
        "members_numeral": NUMERALS[len(SECTIONS) + 3],
        "photos": [{"url": f"asset:photo-{p['file']}", "caption": p["caption"]} for p in facts["photos"]],
        "period_words": f"{prose_date(report.cycle.start)}至{prose_date(report.cycle.end)}",
        "contract_words": f"{prose_date(facts['contract']['start'])}至{prose_date(facts['contract']['end'])}",
        "drawn_words": prose_date(date.fromisoformat(facts["drawn_on"])),
        "signed_words": prose_date(frozen_on),
    }


def summary_of(subjects: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of more than a few subjects (a team's collation has twenty) one table with a row for each, and beneath it what
    the figures stand on; None where each has a table of its own."""
    if len(subjects) <= OWN_TABLES:
        return None
    grounds: dict[str, list[str]] = {}
    units: dict[str, set[str]] = {}
    for figure in (figure for subject in subjects for figure in subject["figures"]):
        said = figure["clause"] or (f"制度未规定：{'、'.join(figure['unset'])}" if figure["unset"] else "")
        words = grounds.setdefault(figure["label"], [])
        words += [word for word in (said, figure["note"]) if word and word not in words]
        if figure["value"] is not None:
            units.setdefault(figure["label"], set()).add(figure["value"].partition(" ")[2])
    # "12.33 天" breaks in a narrow column: a unit that all share stands in the heading.
    shared = {label: next(iter(found)) for label, found in units.items() if len(found) == 1}

    def cell(subject: dict[str, Any], label: str) -> str:
        for figure in subject["figures"]:
            if figure["label"] == label:
                value = figure["value"]
                if value is None:
                    return "未设定"
                return value.partition(" ")[0] if label in shared else value
        return "—"

    return {
        "labels": [f"{label}（{shared[label]}）" if label in shared else label for label in grounds],
        "rows": [
            {"label": subject["label"], "values": [cell(subject, label) for label in grounds]} for subject in subjects
        ],
        "grounds": [{"label": label, "text": "；".join(words)} for label, words in grounds.items() if words],
    }


def _annex(subject: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of each figure, months on one line: the same numbers in a tenth of the pages."""
    rows = []
    for figure in subject["figures"]:
        value = "未设定" if figure["value"] is None else figure["value"]
        rows.append({"head": True, "label": figure["label"], "text": value})
        terms = [part for part in figure["parts"] if part["code"] == "term"]
        months = [
            part
            for part in figure["parts"]
            if part["code"].partition(":")[0] in {"asked", "done"} and ":" in part["code"]
        ]
        for part in figure["parts"]:
            if part in terms or part in months:
                continue
            rows.append(
                {
                    "label": part["label"],
                    "text": part["value"],
                    "records": len(part["records"]),
                    "clause": part["clause"],
                }
            )
        for label, group in (("分项", terms), ("各月要求与计入", months)):
            if group:
                text = "，".join(
                    f"{part['label']} {part['value'] if part['value'] is not None else '未设定'}" for part in group
                )
                rows.append(
                    {"label": label, "text": text, "records": sum(len(p["records"]) for p in group), "wide": True}
                )
    return rows


def _chart(facts: dict[str, Any]) -> str:
    months = facts["months"]
    if not any(month["logs"] for month in months):
        return ""
    labels = [month["month"].partition("年")[2] for month in months]
    return bar_chart(labels, [month["logs"] for month in months], title="各月履职记录条数", unit="条")


def _assets(facts: dict[str, Any]) -> dict[str, bytes]:
    files = StoredFile.objects.in_bulk([photo["file"] for photo in facts["photos"]])
    return {f"photo-{pk}": stored.read() for pk, stored in files.items() if stored.is_intact()}
