"""Issuing: number and code first (they are printed), then the PDF, then its hash; and what came after."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import segno
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from core import audit
from core.errors import StaleState
from core.files import store_generated
from core.models import DocumentSerial, IssuedDocument
from core.pdf.render import PdfResult, render_pdf
from core.pdf.verify import ALPHABET, CODE_LENGTH, KEYWORD

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions({"document.issue": "生成正式文书", "document.revoke": "作废文书"})


@dataclass(frozen=True, slots=True)
class IssueMark:
    """What the document prints of itself (`issue` in the template's context)."""

    number: str
    code: str
    verify_url: str
    qr: SafeString
    content_hash: str
    issued_at: Any

    @property
    def short_hash(self) -> str:
        return self.content_hash[:16]


def canonical_hash(frozen: Any) -> str:
    """SHA-256 (64 hex digits) over the canonical JSON of `frozen`: keys sorted, no spaces, Chinese as it is."""
    text = json.dumps(frozen, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def qr_svg(text: str, *, size_mm: float = 24) -> SafeString:
    """A QR code as inline SVG of `size_mm` on each side."""
    code = segno.make(text, error="m", micro=False)
    picture = code.svg_inline(border=2, omitsize=True)
    label = f'<svg width="{size_mm}mm" height="{size_mm}mm" role="img" aria-label="核验二维码"'
    return mark_safe(picture.replace("<svg", label, 1))  # noqa: S308  drawn by segno, the text is not in it


def issue_document(
    *,
    kind: str,
    serial: str,
    title: str,
    template: str,
    context: Mapping[str, Any],
    frozen: Any,
    actor: User | None,
    author: str = "",
    locality_code: str = "",
    public_summary: Sequence[tuple[str, str]] = (),
    assets: Mapping[str, bytes] | None = None,
    supersedes: IssuedDocument | None = None,
    file_name: str = "",
) -> IssuedDocument:
    """Make a document final: number, code, PDF, hash.

    `serial`: the letters before the number (`SZ` gives SZ-2026-00012), the portal's own, never a 发文字号. `frozen`: the
    JSON-ready content that `content_hash` is taken of. `public_summary`: (label, text) pairs that anybody with the code
    may read; nothing else is public. The template gets `issue` (an IssueMark) and `document`.

    Side effects: a serial is used up, one stored file, one audit entry, the superseded document points here. The number
    is taken in a transaction of its own, so that two workers don't wait for each other's rendering; call this outside
    of a transaction where that matters. When rendering fails or the worker is killed, the reserved row is used by the
    next attempt for the same content. Raises PdfError, StaleState (already superseded).
    """
    document = _reserve(
        kind=kind, serial=serial, title=title, content_hash=canonical_hash(frozen), actor=actor,
        locality_code=locality_code, public_summary=public_summary,
    )  # fmt: skip
    result = render_pdf(
        template, {**context, "document": document, "issue": mark_of(document)}, title=title,
        author=author or settings.PORTAL_NAME, assets=assets, keywords=f"{KEYWORD}{document.code},{document.number}",
        created=timezone.localtime(document.issued_at).isoformat(timespec="seconds"),
    )  # fmt: skip
    return _complete(document, result, actor=actor, supersedes=supersedes, file_name=file_name or f"{title}.pdf")


def mark_of(document: IssuedDocument) -> IssueMark:
    """Number, code, address and QR of a document, as its pages print them."""
    url = settings.PUBLIC_URL.rstrip("/") + reverse("core:verify", args=[document.code])
    return IssueMark(document.number, document.code, url, qr_svg(url), document.content_hash, document.issued_at)


def revoke_document(document: IssuedDocument, *, actor: User, reason: str) -> IssuedDocument:
    """Declare a document void; the verification page says so, and why. Raises ValidationError, StaleState."""
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "请填写作废原因。"})
    with transaction.atomic():
        changed = IssuedDocument.objects.filter(pk=document.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_reason=reason[:300]
        )
        if not changed:
            raise StaleState("这份文书已经作废。")
        audit.record(
            "document.revoke", actor=actor, obj=document, locality=document.locality_code,
            detail={"reason": reason[:300]},
        )  # fmt: skip
    document.refresh_from_db()
    return document


@transaction.atomic
def _reserve(
    *, kind: str, serial: str, title: str, content_hash: str, actor: User | None, locality_code: str,
    public_summary: Sequence[tuple[str, str]],
) -> IssuedDocument:  # fmt: skip
    now = timezone.now()
    year = timezone.localtime(now).year
    counter = _locked_serial(serial, year)
    # Left behind by an attempt that was stopped: its number is used, not lost.
    left = IssuedDocument.objects.filter(kind=kind, title=title[:200], content_hash=content_hash, file=None).first()
    if left is not None:
        return left
    counter.last += 1
    counter.save(update_fields=["last"])
    return IssuedDocument.objects.create(
        code=_new_code(), number=f"{serial}-{year}-{counter.last:05d}", kind=kind, title=title[:200],
        content_hash=content_hash, issued_at=now, issued_by=actor, locality_code=locality_code,
        public_summary=[[str(label), str(text)] for label, text in public_summary],
    )  # fmt: skip


def next_serial(kind: str, year: int) -> int:
    """The next number of a kind in a year, given once: the counter stays locked until the transaction ends."""
    counter = _locked_serial(kind, year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def _locked_serial(kind: str, year: int) -> DocumentSerial:
    DocumentSerial.objects.bulk_create([DocumentSerial(kind=kind, year=year)], ignore_conflicts=True)
    return DocumentSerial.objects.select_for_update().get(kind=kind, year=year)


def _new_code() -> str:
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if not IssuedDocument.objects.filter(code=code).exists():
            return code


@transaction.atomic
def _complete(
    document: IssuedDocument, result: PdfResult, *, actor: User | None, supersedes: IssuedDocument | None,
    file_name: str,
) -> IssuedDocument:  # fmt: skip
    locked = IssuedDocument.objects.select_for_update().get(pk=document.pk)
    if locked.file_id is not None:
        # Another worker finished the same document meanwhile: one document, its file stands.
        return locked
    locked.file = store_generated(
        result.content, name=file_name, mime="application/pdf", actor=actor, purpose=locked.kind[:40],
        locality_code=locked.locality_code,
    )  # fmt: skip
    locked.file_sha256, locked.pages = result.sha256, result.pages
    locked.save(update_fields=["file", "file_sha256", "pages"])
    if supersedes is not None:
        moved = IssuedDocument.objects.filter(pk=supersedes.pk, superseded_by=None).update(superseded_by=locked)
        if not moved:
            raise StaleState("原文书已被更新的版次取代。")
    audit.record(
        "document.issue", actor=actor, obj=locked, locality=locked.locality_code,
        detail={"number": locked.number, "sha256": locked.file_sha256, "pages": locked.pages},
    )  # fmt: skip
    return locked
