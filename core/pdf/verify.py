"""Is this the file that was issued? By its hash; and when it is not, which document it claims to be."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass

from django.db.models import QuerySet

from core.models import IssuedDocument

# Codes: without letters and digits that are taken for one another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 10
# Stands before the code in the keywords of an issued file.
KEYWORD = "portal-verify:"
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.S)
_CODE = re.compile(rf"{re.escape(KEYWORD)}([0-9A-Z]{{{CODE_LENGTH}}})".encode())
_INFLATE_LIMIT = 4 * 1024 * 1024
_STREAMS = 5000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`intact`: byte for byte the issued file. `document`: the one it is, or claims to be. `reason`: for people."""

    intact: bool
    document: IssuedDocument | None
    reason: str


def issued() -> QuerySet[IssuedDocument]:
    """Documents that were finished; a reserved number without a file is not one."""
    return IssuedDocument.objects.exclude(file=None).select_related("superseded_by")


def find_document(code: str) -> IssuedDocument | None:
    """By the code as people type it: lower case, spaces and hyphens do not matter."""
    plain = re.sub(r"[\s-]", "", code).upper()
    if len(plain) != CODE_LENGTH:
        return None
    return issued().filter(code=plain).first()


def verify_bytes(content: bytes, *, expected: IssuedDocument | None = None) -> Verdict:
    """Compare a file with what was issued (with `expected` alone, when given)."""
    digest = hashlib.sha256(content).hexdigest()
    found = issued().filter(file_sha256=digest).first()
    if found is not None and expected is not None and found.pk != expected.pk:
        return Verdict(False, found, f"这是另一份文书：{found.title}（{found.number}）。")
    if found is not None:
        return Verdict(True, found, f"文件完好，与平台生成的一致。{standing(found)}")
    if not content.startswith(b"%PDF-"):
        return Verdict(False, expected, "这个文件不是 PDF。")
    claimed = expected or find_document(claimed_code(content))
    if claimed is None:
        return Verdict(False, None, "平台没有生成过这份文件。")
    return Verdict(False, claimed, f"文件已被改动，与平台生成的 {claimed.number} 不一致。")


def standing(document: IssuedDocument) -> str:
    """A sentence when the document no longer stands; empty when it does."""
    if document.state == "revoked":
        return f"但这份文书已经作废：{document.revoked_reason}"
    if document.superseded_by is not None:
        return f"但这份文书已被 {document.superseded_by.number} 取代。"
    return ""


def claimed_code(content: bytes) -> str:
    """The code in the file's metadata; empty when it holds none. Reads no more than a bounded amount."""
    if found := _CODE.search(content):
        return found.group(1).decode()
    for number, stream in enumerate(_STREAM.finditer(content)):
        if number >= _STREAMS:
            break
        try:
            text = zlib.decompressobj().decompress(stream.group(1), _INFLATE_LIMIT)
        except zlib.error:
            continue
        if found := _CODE.search(text):
            return found.group(1).decode()
    return ""
