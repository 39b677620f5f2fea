"""From an opinion to paper: the submitted one is issued (number, hash, QR), what is in hand is only printed."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from core.files import store_generated
from core.jobs import enqueue
from core.models import IssuedDocument, Job, StoredFile
from core.pdf import canonical_hash, issue_document, render_pdf
from core.templatetags.portal import prose_date
from projects.models import Opinion
from projects.services.opinions import ROWS

TEMPLATE = "pdf/opinion.html"
PDF_KIND = "projects.opinion_pdf"
DOCUMENT_KIND = "opinion"
SERIAL = "YJ"


def form_of(opinion: Opinion) -> str:
    """What the pack calls it: 审查意见, 咨询建议, 决策参考; where it has no word, 意见."""
    return opinion.consultee.opinion_form or "意见"


def title_of(opinion: Opinion) -> str:
    return f"{opinion.consultee.consultation.project.name}{form_of(opinion)}书"


def file_name(opinion: Opinion) -> str:
    version = f"第{opinion.version}版" if opinion.version > 1 else ""
    draft = "" if opinion.document_id else "草稿"
    return f"{title_of(opinion)}（{opinion.author.name}）{version}{draft}.pdf".replace("/", "-")


def request_pdf(opinion: Opinion, *, actor: User) -> Job:
    """Ask a worker for the PDF; asked twice it is made once."""
    return enqueue(
        PDF_KIND, actor=actor, arguments={"opinion": opinion.pk}, locality=opinion.locality,
        key=f"opinion-pdf-{opinion.pk}-{opinion.revision}", label=f"生成{title_of(opinion)}",
    )  # fmt: skip


def issue_opinion(opinion_id: int, *, actor: User | None) -> IssuedDocument:
    """The issued document of a submitted (or since superseded) opinion: exactly one, whoever asks and however often.

    Raises ValueError for one that is still in hand.
    """
    opinion = ROWS.get(pk=opinion_id)
    if opinion.submitted_at is None:
        raise ValueError("only a submitted opinion is issued")
    if opinion.document is not None:
        return opinion.document
    frozen = facts_of(opinion)
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    # The verification page answers whoever has the code: it names the document, no person and no project.
    public = f"{form_of(opinion)}书"
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=public, template=TEMPLATE, context=_context(opinion, frozen),
        frozen=frozen, actor=actor, author=opinion.author.name, locality_code=opinion.locality.code,
        public_summary=[
            ("文书", public), ("地方", opinion.locality.name), ("征询编号", frozen["consultation"]["number"]),
            ("版次", f"第 {opinion.version} 版"), ("意见条数", str(len(frozen["items"]))),
        ],
        supersedes=opinion.supersedes.document if opinion.supersedes else None, file_name=file_name(opinion),
    )  # fmt: skip
    Opinion.objects.filter(pk=opinion.pk, document=None).update(document=document)
    return document


def draft_pdf(opinion_id: int, *, actor: User | None) -> StoredFile:
    """A print of what is in hand, marked as a draft: no number, no hash."""
    opinion = ROWS.get(pk=opinion_id)
    result = render_pdf(
        TEMPLATE, _context(opinion, facts_of(opinion)), title=f"{title_of(opinion)}（草稿）", author=opinion.author.name
    )
    return store_generated(
        result.content, name=file_name(opinion), mime="application/pdf", actor=actor, purpose="opinion_draft",
        locality_code=opinion.locality.code,
    )  # fmt: skip


def facts_of(opinion: Opinion) -> dict[str, Any]:
    """Everything the document says, JSON-ready: what the content hash is taken of."""
    consultee, consultation = opinion.consultee, opinion.consultee.consultation
    project = consultation.project
    scheme = consultation.scheme
    return {
        "opinion": opinion.pk,
        "version": opinion.version,
        "form": form_of(opinion),
        "weight": consultee.weight,
        "clause": str(_clause(consultee.clause)),
        "project": {"number": project.number, "name": project.name, "kind": project.get_kind_display(),
                    "tier": project.tier, "place": project.place},
        "consultation": {
            "number": consultation.number, "subject": consultation.subject, "question": consultation.question,
            "stage": str(consultation.stage), "asker": consultation.asker.name, "asked_on": consultation.asked_on,
            "due_on": consultation.due_on, "scheme": str(scheme) if scheme else "",
            "scheme_sha256": scheme.file.sha256 if scheme else "",
        },
        "author": {
            "name": opinion.author.name,
            "institution": opinion.author.institution.name if opinion.author.institution else "",
            "role": _role(opinion), "team": _team(opinion),
            "with": [row.planner.name for row in opinion.co_authors.select_related("planner")],
        },
        "verdict": opinion.get_verdict_display(),
        "summary": opinion.summary,
        "items": [
            {"number": item.position, "section": item.section, "text": item.text,
             "severity": item.get_severity_display(), "basis": item.basis}
            for item in opinion.items.order_by("position", "pk")
        ],
        "on_paper": opinion.on_paper,
        "scan_sha256": opinion.scan.sha256 if opinion.scan else "",
        "supersede_reason": opinion.supersede_reason,
        "endorsed_by": opinion.endorsed_by.name if opinion.endorsed_by else "",
        "submitted_at": opinion.submitted_at,
    }  # fmt: skip


def _clause(data: dict[str, Any]) -> str:
    if not data or data.get("origin") == "unset":
        return ""
    return f"{data.get('document', '')} {data.get('article', '')}".strip()


def _role(opinion: Opinion) -> str:
    from projects.services.choosing import policy_of

    policy = policy_of(opinion.consultee.consultation)
    role = opinion.consultee.role_type
    return policy.role_title(role) if policy is not None and role else ""


def _team(opinion: Opinion) -> str:
    contract = opinion.consultee.contract
    return contract.team.name if contract is not None and contract.team is not None else ""


def _context(opinion: Opinion, facts: dict[str, Any]) -> dict[str, Any]:
    signed = timezone.localtime(opinion.submitted_at).date() if opinion.submitted_at else timezone.localdate()
    return {
        "opinion": opinion,
        "facts": facts,
        "summary_paragraphs": _lines(opinion.summary),
        "question_paragraphs": _lines(opinion.consultee.consultation.question),
        "items": [{**item, "lines": _lines(item["text"])} for item in facts["items"]],
        "signed_words": prose_date(signed),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
