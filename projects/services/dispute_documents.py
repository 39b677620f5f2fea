"""The dossier (卷宗) of a dispute as a PDF: issued once it is ruled (number, hash, QR), a marked draft before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from accounts.models import User
from core import audit
from core.files import store_generated, worded_size
from core.jobs import enqueue
from core.models import IssuedDocument, Job, StoredFile
from core.pdf import canonical_hash, issue_document, render_pdf
from core.templatetags.portal import prose_date
from projects.models import Dispute, ItemAnswer, OpinionItem, Rectification, RectificationPhoto
from projects.shown import clause_words

TEMPLATE = "pdf/dispute_dossier.html"
PDF_KIND = "projects.dispute_pdf"
DOCUMENT_KIND = "dispute_dossier"
SERIAL = "JZ"
# Evidence of these kinds is shown in the dossier; every other kind is listed with its hash.
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
_ITEM = Prefetch(
    "item", OpinionItem.objects.select_related("opinion__author", "opinion__consultee__consultation__asker")
)
_RECTIFICATION = Prefetch("rectification", Rectification.objects.select_related("contractor", "raised_by", "project"))
# PostgreSQL plans a join of seventeen tables longer than it reads them one by one.
ROWS = Dispute.objects.select_related("project__locality", "project__owner", "locality", "stage").prefetch_related(
    _ITEM, _RECTIFICATION, "raised_by", "ruled_by", "document"
)


def title_of(dispute: Dispute) -> str:
    return f"分歧协调卷宗（{dispute.number}）"


def file_name(dispute: Dispute) -> str:
    draft = "" if dispute.document_id else "草稿"
    return f"{title_of(dispute)}{draft}.pdf".replace("/", "-")


def request_pdf(dispute: Dispute, *, actor: User) -> Job:
    """Ask a worker for the dossier; asked twice it is made once."""
    seen = dispute.statements.count()
    return enqueue(
        PDF_KIND, actor=actor, arguments={"dispute": dispute.pk}, locality=dispute.locality,
        key=f"dispute-pdf-{dispute.pk}-{dispute.state}-{seen}", label=f"生成{title_of(dispute)}",
    )  # fmt: skip


def issue_dossier(dispute_id: int, *, actor: User | None) -> IssuedDocument:
    """The issued dossier of a ruled dispute: exactly one, whoever asks and however often.

    Raises ValueError for a dispute that is not ruled.
    """
    dispute = ROWS.get(pk=dispute_id)
    if dispute.state != Dispute.State.RULED:
        raise ValueError("only a ruled dispute has an issued dossier")
    if dispute.document is not None:
        return dispute.document
    facts = facts_of(dispute)
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(facts), file__isnull=False, revoked_at=None
    ).first()
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=title_of(dispute), template=TEMPLATE, context=_context(dispute, facts),
        frozen=facts, actor=actor, locality_code=dispute.locality.code, assets=_assets(facts),
        public_summary=[
            ("文书", "分歧协调卷宗"), ("地方", dispute.locality.name), ("分歧编号", dispute.number),
            ("裁定日期", str(dispute.ruled_on)),
        ],
        file_name=file_name(dispute).replace("草稿", ""),
    )  # fmt: skip
    Dispute.objects.filter(pk=dispute.pk, document=None).update(document=document)
    return document


def draft_pdf(dispute_id: int, *, actor: User | None) -> StoredFile:
    """A print of the matter as it stands, marked as a draft: no number, no hash."""
    dispute = ROWS.get(pk=dispute_id)
    facts = facts_of(dispute)
    result = render_pdf(
        TEMPLATE, _context(dispute, facts), title=f"{title_of(dispute)}（草稿）", author=dispute.route,
        assets=_assets(facts),
    )  # fmt: skip
    return store_generated(
        result.content, name=file_name(dispute), mime="application/pdf", actor=actor, purpose="dispute_dossier_draft",
        locality_code=dispute.locality.code,
    )  # fmt: skip


# --- what it says -----------------------------------------------------------------------------------------------


def facts_of(dispute: Dispute) -> dict[str, Any]:
    """Everything the dossier says, ready for JSON: what the content hash is taken of."""
    return {
        "number": dispute.number,
        "title": dispute.title,
        "project": f"{dispute.project.name}（{dispute.project.number}）",
        "stage": str(dispute.stage),
        "route": dispute.route,
        "clause": clause_words(dispute.clause),
        "raised_for": dispute.raised_for,
        "raised_side": dispute.get_raised_side_display(),
        "filed_on": str(dispute.filed_on),
        "statement_due_on": str(dispute.statement_due_on or ""),
        "ruling_due_on": str(dispute.ruling_due_on or ""),
        "matter": _matter(dispute),
        "statements": [_statement(row) for row in statements_of(dispute)],
        "ruling": _ruling(dispute),
        "events": [
            {"when": f"{timezone.localtime(event.when):%Y-%m-%d %H:%M}", "who": event.who, "what": event.what,
             "note": event.note}
            for event in reversed(audit.timeline(dispute))
            if not event.what.startswith(("下载", "查看"))
        ],
    }  # fmt: skip


def statements_of(dispute: Dispute) -> Any:
    """What both sides said, in order, with who said it and the evidence."""
    return dispute.statements.select_related("by").prefetch_related("files__file")


def _matter(dispute: Dispute) -> dict[str, Any]:
    if dispute.item is not None:
        opinion = dispute.item.opinion
        consultation = opinion.consultee.consultation
        answers = ItemAnswer.objects.filter(item=dispute.item).order_by("version")
        return {
            "kind": "意见条目",
            "rows": [
                ["征询", f"{consultation.subject}（{consultation.number}），{consultation.asker.name}"],
                ["意见书", f"{opinion.author.name}，第 {opinion.version} 版，{opinion.submitted_at:%Y-%m-%d} 提交"],
                ["意见", f"{dispute.item}（{dispute.item.get_severity_display()}）：{dispute.item.text}"],
                ["依据", dispute.item.basis or "未写明"],
                *[
                    [f"采纳反馈第 {answer.version} 版", _answer_words(answer)]
                    for answer in answers
                ],
            ],
            "photos": [],
        }  # fmt: skip
    if dispute.rectification is not None:
        return _rectification(dispute.rectification)
    return {"kind": "项目", "rows": [["项目", dispute.project.name], ["阶段", str(dispute.stage)]], "photos": []}


def _answer_words(answer: ItemAnswer) -> str:
    return f"{answer.get_decision_display()}。{answer.reason}" if answer.reason else answer.get_decision_display()


def _rectification(row: Rectification) -> dict[str, Any]:
    replies = row.replies.select_related("by", "link__party").order_by("pk")
    photos = RectificationPhoto.objects.filter(rectification=row).select_related("file").order_by("pk")
    return {
        "kind": "整改意见",
        "rows": [
            ["整改编号", row.number],
            ["提出", f"{row.raised_by.name}，{row.raised_on}，{row.get_subject_display()}"],
            ["整改意见", row.text],
            ["依据", row.basis or "未写明"],
            ["整改单位", row.contractor.name],
            ["期限", str(row.due_on or "未定")],
            *[[reply.get_kind_display(), f"{timezone.localtime(reply.created):%Y-%m-%d}，{_writer(reply)}：{reply.text}"]
              for reply in replies],
        ],
        "photos": [{"file": photo.file_id, "caption": caption} for photo, caption in _captioned(list(photos))],
    }  # fmt: skip


def _captioned(photos: list[RectificationPhoto]) -> list[tuple[RectificationPhoto, str]]:
    """Each original with what stands beside it; then the rest."""
    found: list[tuple[RectificationPhoto, str]] = []
    for number, before in enumerate((p for p in photos if p.reply_id is None), 1):
        found.append((before, f"整改前 {number}"))
        found += [(after, f"整改后 {number}") for after in photos if after.answers_id == before.pk]
    rest = [photo for photo in photos if photo.reply_id is not None and photo.answers_id is None]
    return found + [(photo, f"其他照片 {number}") for number, photo in enumerate(rest, 1)]


def _writer(reply: Any) -> str:
    if reply.link is not None:
        return f"{reply.link.party.name} {reply.signed_as}"
    return reply.signed_as or reply.by.name


def _statement(row: Any) -> dict[str, Any]:
    return {
        "side": row.get_side_display(),
        "by": row.by.name,
        "on": f"{timezone.localtime(row.created):%Y-%m-%d %H:%M}",
        "text": row.text,
        "files": [
            {"file": kept.file_id, "name": kept.file.original_name, "size": worded_size(kept.file.size),
             "sha256": kept.file.sha256, "shown": kept.file.mime in _PICTURES}
            for kept in row.files.all()
        ],
    }  # fmt: skip


def _ruling(dispute: Dispute) -> dict[str, str] | None:
    if dispute.state != Dispute.State.RULED:
        return None
    return {
        "outcome": dispute.get_outcome_display(), "text": dispute.ruling, "principle": dispute.principle,
        "by": dispute.ruled_by.name if dispute.ruled_by else "", "on": str(dispute.ruled_on),
    }  # fmt: skip


def _context(dispute: Dispute, facts: dict[str, Any]) -> dict[str, Any]:
    evidence = [kept for statement in facts["statements"] for kept in statement["files"]]
    pictures = [
        *facts["matter"]["photos"],
        *[{"file": k["file"], "caption": k["name"]} for k in evidence if k["shown"]],
    ]
    return {
        "dispute": dispute,
        "facts": facts,
        "evidence": [
            {**kept, "number": number, "side": side}
            for number, (side, kept) in enumerate(
                ((s["side"], kept) for s in facts["statements"] for kept in s["files"]), 1
            )
        ],
        "statements": [{**s, "paragraphs": _paragraphs(s["text"])} for s in facts["statements"]],
        "silent": [side for side in Dispute.Side.labels if side not in {s["side"] for s in facts["statements"]}],
        "ruling_paragraphs": _paragraphs(facts["ruling"]["text"]) if facts["ruling"] else [],
        "pictures": [{"url": f"asset:picture-{p['file']}", "caption": p["caption"]} for p in pictures],
        "filed_words": prose_date(dispute.filed_on),
        "ruled_words": prose_date(dispute.ruled_on) if dispute.ruled_on else "",
    }  # fmt: skip


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _picture_ids(facts: dict[str, Any]) -> Iterable[int]:
    for photo in facts["matter"]["photos"]:
        yield photo["file"]
    for statement in facts["statements"]:
        yield from (kept["file"] for kept in statement["files"] if kept["shown"])


def _assets(facts: dict[str, Any]) -> dict[str, bytes]:
    files = StoredFile.objects.in_bulk(list(_picture_ids(facts)))
    return {f"picture-{pk}": stored.read() for pk, stored in files.items()}
