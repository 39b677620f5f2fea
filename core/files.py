"""Uploads: what may come in, how it is kept, how it goes out.

The type of a file is what its content is, never what its name claims. Content lies under MEDIA_ROOT by its SHA-256; no
address serves it: the app that owns a file authorises, then calls `stream`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404

from core.crypto import decrypt, encrypt
from core.filetypes import DOCUMENTS, IMAGES, SPREADSHEETS, describe, detect, inspect_content
from core.models import StoredFile
from core.models.files import CHUNK, content_path
from core.photos import PhotoFacts, picture_distance, prepare_photo
from core.text import one_line

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "CONFIDENTIALITY_NOTICE", "DOCUMENTS", "IMAGES", "SPREADSHEETS", "PhotoFacts", "clean_name", "picture_distance",
    "read_content", "store_file", "store_generated", "store_photo", "store_sealed", "stream", "worded_size",
]  # fmt: skip

CONFIDENTIALITY_NOTICE = "涉密信息不得上传"
MB = 1024 * 1024
MAX_DOCUMENT_BYTES = 20 * MB
MAX_PHOTO_BYTES = 25 * MB
NAME_LENGTH = 200
# The type of content that the portal keeps encrypted: nobody is ever sent it.
SEALED = "application/x-sealed"

# A file that runs, hidden before a harmless ending (合同.exe.pdf); version numbers and dates in names are fine.
_RUNS = frozenset({
    "exe", "com", "bat", "cmd", "scr", "pif", "msi", "dll", "js", "jse", "vbs", "vbe", "wsf", "wsh", "ps1", "psm1",
    "hta", "jar", "sh", "bash", "py", "pl", "rb", "php", "php3", "php5", "phtml", "asp", "aspx", "jsp", "cgi", "lnk",
    "reg", "html", "htm", "xhtml", "svg", "swf", "apk", "app", "dmg", "iso",
})  # fmt: skip
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "application/pdf"})


def store_file(
    upload: Any,
    *,
    actor: User | None,
    purpose: str,
    allowed: Iterable[str],
    max_bytes: int = MAX_DOCUMENT_BYTES,
    confidentiality: str = StoredFile.Confidentiality.INTERNAL,
    locality_code: str = "",
) -> StoredFile:
    """Keep an upload after looking at its name, size and content.

    `allowed`: keys of `core.filetypes.TYPES` (or the groups IMAGES, DOCUMENTS, SPREADSHEETS). `upload`: an
    UploadedFile, or an open binary file with a name. Side effects: one row, and the content on disk (written whole or
    not at all). Raises ValidationError in words for the person who uploads: unsafe name, empty, too big, not of an
    allowed type, a name that claims another type, two types in one file, protected by a password, with macros or
    scripts.
    """
    name = clean_name(getattr(upload, "name", "") or "")
    size = getattr(upload, "size", None)
    if size is not None:
        _check_size(name, size, max_bytes)
    with _received(upload, name, max_bytes) as (path, digest, received):
        kind = detect(path, name=name)
        inspect_content(path, kind, name=name, allowed=frozenset(allowed))
        _keep(path, digest)
    return StoredFile.objects.create(
        sha256=digest, size=received, mime=kind.mime, original_name=name, purpose=purpose,
        confidentiality=confidentiality, locality_code=locality_code, uploaded_by=actor,
    )  # fmt: skip


def store_photo(
    upload: Any,
    *,
    actor: User | None,
    max_side: int = 2048,
    max_bytes: int = MAX_PHOTO_BYTES,
    purpose: str = "photo",
    confidentiality: str = StoredFile.Confidentiality.INTERNAL,
    locality_code: str = "",
) -> tuple[StoredFile, PhotoFacts]:
    """Keep a photo re-encoded as JPEG, upright, at most `max_side` pixels a side and without any metadata.

    Returns the file and its private facts (when and where it was taken, its fingerprint), which must not be shown with
    the picture. Raises ValidationError in words: too big, no picture, HEIC, damaged, too many pixels.
    """
    name = clean_name(getattr(upload, "name", "") or "")
    size = getattr(upload, "size", None)
    if size is not None:
        _check_size(name, size, max_bytes)
    with _received(upload, name, max_bytes) as (path, _, _size):
        kind = detect(path, name=name)
        data, facts = prepare_photo(path, kind, name=name, max_side=max_side)
    stored = store_generated(
        data, name=f"{Path(name).stem}.jpg", mime="image/jpeg", actor=actor, purpose=purpose,
        confidentiality=confidentiality, locality_code=locality_code,
    )  # fmt: skip
    return stored, facts


def store_generated(
    content: bytes | Path | IO[bytes],
    *,
    name: str,
    mime: str,
    actor: User | None,
    purpose: str,
    confidentiality: str = StoredFile.Confidentiality.INTERNAL,
    locality_code: str = "",
) -> StoredFile:
    """Keep what the portal itself made (a PDF, an archive, a report of refused rows)."""
    if isinstance(content, Path):
        with content.open("rb") as handle:
            return store_generated(
                handle, name=name, mime=mime, actor=actor, purpose=purpose, confidentiality=confidentiality,
                locality_code=locality_code,
            )  # fmt: skip
    chunks = iter([content]) if isinstance(content, bytes) else _chunks(content)
    path, digest, size = _write_temporary(chunks)
    try:
        _keep(path, digest)
    finally:
        path.unlink(missing_ok=True)
    return StoredFile.objects.create(
        sha256=digest, size=size, mime=mime, original_name=one_line(name)[:NAME_LENGTH], purpose=purpose,
        confidentiality=confidentiality, locality_code=locality_code, uploaded_by=actor,
    )  # fmt: skip


def store_sealed(
    upload: Any, *, actor: User | None, purpose: str, allowed: Iterable[str], locality_code: str = ""
) -> StoredFile:
    """Like `store_file`, for content full of identity numbers or phones: kept encrypted, read with `read_content`."""
    name = clean_name(getattr(upload, "name", "") or "")
    with _received(upload, name, MAX_DOCUMENT_BYTES) as (path, _, _size):
        inspect_content(path, detect(path, name=name), name=name, allowed=frozenset(allowed))
        sealed = encrypt(base64.b64encode(path.read_bytes()).decode()).encode()
    return store_generated(
        sealed, name=name, mime=SEALED, actor=actor, purpose=purpose,
        confidentiality=StoredFile.Confidentiality.SENSITIVE, locality_code=locality_code,
    )  # fmt: skip


def read_content(stored: StoredFile) -> bytes:
    """The whole content as it was uploaded, opened when it was sealed. Raises FileNotFoundError and Undecipherable."""
    data = stored.read()
    return base64.b64decode(decrypt(data.decode())) if stored.mime == SEALED else data


def stream(stored: StoredFile, *, as_name: str = "", inline: bool = False) -> FileResponse:
    """Send a file that the caller has authorised: never cached, never guessed at, under a proper Chinese name.

    `inline` shows pictures and PDFs in the page; every other type is always a download. Raises Http404 when the content
    is gone from the store.
    """
    try:
        handle = stored.open()
    except FileNotFoundError as exc:
        raise Http404("文件内容已丢失，请联系系统管理员。") from exc
    shown = inline and stored.mime in _SHOWN_INLINE
    response = FileResponse(
        handle, as_attachment=not shown, filename=as_name or stored.original_name, content_type=stored.mime
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    # Whatever the file holds, it runs nothing and loads nothing in the portal's name.
    response.headers["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; object-src 'self'"
    return response


def clean_name(name: str) -> str:
    """The name for keeping and showing. Raises ValidationError for names that try to be something else."""
    if not name.strip():
        raise ValidationError("文件没有文件名。", code="name")
    if _UNSAFE_IN_NAME.search(name) or "/" in name or "\\" in name or name.strip(". ") == "":
        raise ValidationError("文件名中有不允许的字符，请改名后再上传。", code="name")
    text = one_line(name)
    parts = [part.strip().lower() for part in text.split(".")]
    for part in parts[1:-1]:
        if part in _RUNS:
            raise ValidationError(f"文件名“{_short(text)}”有双重扩展名（.{part}），请改名后再上传。", code="name")
    if len(text) > NAME_LENGTH:
        stem, dot, ending = text.rpartition(".")
        room = NAME_LENGTH - len(ending) - 1
        text = f"{stem[:room]}{dot}{ending}" if dot and len(ending) < 10 else text[:NAME_LENGTH]
    return text


def worded_size(number: int) -> str:
    """`3.4 MB`, `120 KB` or `12 字节`."""
    if number >= MB:
        return f"{number / MB:.1f} MB"
    return f"{number / 1024:.0f} KB" if number >= 1024 else f"{number} 字节"


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-12:]}"


def _check_size(name: str, size: int, max_bytes: int) -> None:
    if size == 0:
        raise ValidationError(f"文件“{_short(name)}”是空的。", code="empty")
    if size > max_bytes:
        raise ValidationError(
            f"文件“{_short(name)}”有 {worded_size(size)}，超过上限 {worded_size(max_bytes)}，请压缩后再上传。",
            code="too_big",
        )


class _received:
    """The upload in a temporary file beside its final place: (path, sha256, size); removed at the end."""

    def __init__(self, upload: Any, name: str, max_bytes: int) -> None:
        self.upload, self.name, self.max_bytes = upload, name, max_bytes
        self.path: Path | None = None

    def __enter__(self) -> tuple[Path, str, int]:
        self.path, digest, size = _write_temporary(self._limited())
        if size == 0:
            self.__exit__()
            _check_size(self.name, 0, self.max_bytes)
        return self.path, digest, size

    def __exit__(self, *exc: object) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _limited(self) -> Iterator[bytes]:
        # The size that the request claims is not believed: what arrives is counted.
        total = 0
        for chunk in _chunks(self.upload):
            total += len(chunk)
            if total > self.max_bytes:
                _check_size(self.name, total, self.max_bytes)
            yield chunk


def _chunks(source: Any) -> Iterator[bytes]:
    if hasattr(source, "chunks"):
        yield from source.chunks(CHUNK)
        return
    source.seek(0)
    while chunk := source.read(CHUNK):
        yield chunk


def _write_temporary(chunks: Iterable[bytes]) -> tuple[Path, str, int]:
    root = content_path("0" * 64).parents[2]
    incoming = root / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=incoming)
    path, digest, size = Path(name), hashlib.sha256(), 0
    try:
        with os.fdopen(fd, "wb") as handle:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                handle.write(chunk)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest(), size


def _keep(path: Path, digest: str) -> None:
    """Move the content to its place; the same content twice is one file."""
    target = content_path(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.replace(path, target)


def allowed_words(allowed: Iterable[str]) -> str:
    """`PDF、JPEG 图片` for the hint beside an upload."""
    return describe(allowed)
