"""What a file is, by looking at its content; and what of it is not let in."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import magic
from django.conf import settings
from django.core.exceptions import ValidationError


@dataclass(frozen=True, slots=True)
class FileType:
    """A type that the portal knows: its key, its words, its MIME type and the endings that fit it."""

    key: str
    label: str
    mime: str
    endings: tuple[str, ...]


TYPES: dict[str, FileType] = {
    t.key: t
    for t in (
        FileType("jpeg", "JPEG 图片", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif")),
        FileType("png", "PNG 图片", "image/png", ("png",)),
        FileType("webp", "WebP 图片", "image/webp", ("webp",)),
        FileType("pdf", "PDF", "application/pdf", ("pdf",)),
        FileType(
            "xlsx", "Excel 工作簿（.xlsx）", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ("xlsx",),
        ),
        FileType(
            "docx", "Word 文档（.docx）", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ("docx",),
        ),
        FileType("csv", "CSV 表格", "text/csv", ("csv", "txt")),
        FileType("zip", "ZIP 压缩包", "application/zip", ("zip",)),
    )
}  # fmt: skip
IMAGES = frozenset({"jpeg", "png", "webp"})
DOCUMENTS = frozenset({"pdf", "jpeg", "png", "docx"})
SPREADSHEETS = frozenset({"xlsx", "csv"})

HEIC = FileType("heic", "HEIC 图片", "image/heic", ("heic", "heif"))
OLE = FileType("ole", "旧版 Office 文件", "application/x-ole-storage", ("xls", "doc"))
LOCKED = FileType("locked", "有密码保护的 Office 文件", "application/x-ole-storage", ("xlsx", "docx"))
UNKNOWN = FileType("unknown", "无法识别的文件", "application/octet-stream", ())

# The standard test pattern of virus scanners, in two halves so that scanners leave this file alone.
_EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_MARKUP = re.compile(rb"<\s*(?:script|html|iframe|svg|!doctype)\b|<\?(?:php|=)", re.IGNORECASE)
_PDF_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|RichMedia|XFA)\b[^a-zA-Z]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_TEXT = ("application/x-", "text/html", "text/xml", "text/x-", "image/", "video/", "audio/")
# What libmagic makes of tables with certain words in them.
_TEXT_AFTER_ALL = (
    "application/x-wine-extension-ini", "text/x-c", "text/x-c++", "text/x-objective-c", "text/x-Algol68",
)  # fmt: skip
_HEAD, _TAIL = 8192, 66_000
_MAX_UNPACKED = 500 * 1024 * 1024
_MAX_ENTRIES = 5000


def describe(keys: Iterable[str]) -> str:
    """The labels of these types in a fixed order, as `PDF、JPEG 图片`."""
    wanted = set(keys)
    return "、".join(t.label for t in TYPES.values() if t.key in wanted)


def detect(path: Path, *, name: str = "") -> FileType:
    """The type of the content; the name is only looked at to tell CSV from other plain text."""
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    if head.startswith(b"\xff\xd8\xff"):
        return TYPES["jpeg"]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return TYPES["png"]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return TYPES["webp"]
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"heis", b"avif"):
        return HEIC
    if head.startswith(b"%PDF-"):
        return TYPES["pdf"]
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(path)
    if head.startswith(b"PK\x03\x04"):
        return _packed(path)
    return _text_or_unknown(path, head, name)


def _ole(path: Path) -> FileType:
    # Encrypted .xlsx and .docx are packed into the old container under this stream name.
    return LOCKED if "EncryptedPackage".encode("utf-16-le") in path.read_bytes() else OLE


def _packed(path: Path) -> FileType:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return UNKNOWN
    if "[Content_Types].xml" in names:
        if any(name.startswith("xl/") for name in names):
            return TYPES["xlsx"]
        if any(name.startswith("word/") for name in names):
            return TYPES["docx"]
    return TYPES["zip"]


def _text_or_unknown(path: Path, head: bytes, name: str) -> FileType:
    mime = _magic(head)
    unknown = FileType(UNKNOWN.key, UNKNOWN.label, mime, ())
    if name.lower().rpartition(".")[2] not in TYPES["csv"].endings:
        return unknown
    if b"\0" in head and not head.startswith(_UTF16):
        return unknown
    # libmagic takes GB18030 for other things; what matters is that it is text and no page or program.
    if mime.startswith(_NOT_TEXT) and mime not in _TEXT_AFTER_ALL:
        return unknown
    return unknown if head.startswith((b"MZ", b"\x7fELF", b"#!")) else TYPES["csv"]


def _magic(head: bytes) -> str:
    return str(magic.from_buffer(head, mime=True))


def inspect_content(path: Path, kind: FileType, *, name: str, allowed: frozenset[str]) -> None:
    """Refuse what is not allowed, not what its name says, or holds more than its type. Raises ValidationError."""
    unknown = allowed - TYPES.keys()
    if unknown:
        raise TypeError(f"unknown file types: {sorted(unknown)}")
    ending = name.lower().rpartition(".")[2] if "." in name else ""
    if kind.key not in allowed:
        raise ValidationError(_not_allowed(kind, ending, allowed), code="type")
    if ending not in kind.endings:
        raise ValidationError(
            f"文件内容是{kind.label}，但扩展名是“.{ending}”，请核对后再上传。"
            if ending
            else f"文件没有扩展名，内容是{kind.label}，请补上后再上传。",
            code="type",
        )
    with path.open("rb") as handle:
        data = handle.read()
    if _EICAR in data:
        raise ValidationError("文件含有病毒特征，已拒绝。", code="malicious")
    if not _CHECKS[kind.key](data, path):
        raise ValidationError(
            "文件内容异常（夹带了其他类型的内容、脚本或宏），已拒绝。请另存为新文件后再上传。", code="malicious"
        )
    _scan(path)


def _not_allowed(kind: FileType, ending: str, allowed: frozenset[str]) -> str:
    words = describe(allowed)
    if kind is HEIC:
        return f"暂不支持 HEIC 照片。请在手机“设置—相机—格式”中选“兼容性最佳”后重拍，或转换为 JPEG 后上传（可上传：{words}）。"
    if kind is LOCKED:
        return "文件有密码保护，请取消密码后再上传。"
    if kind is OLE:
        return f"不支持旧版 Office 文件（.xls、.doc），请另存为新版格式后再上传（可上传：{words}）。"
    claims = next((t for t in TYPES.values() if ending in t.endings), None)
    if claims is not None and claims.key in allowed:
        return f"文件扩展名是“.{ending}”，但内容不是{claims.label}，已拒绝。"
    return f"不能上传这种文件（{kind.label}），可上传：{words}。"


def _picture(data: bytes, path: Path) -> bool:
    return not (_MARKUP.search(data) or b"%PDF-" in data[:1024] or _ends_as_zip(data))


def _pdf(data: bytes, path: Path) -> bool:
    if b"%%EOF" not in data[-4096:]:
        return False
    return not (_PDF_ACTIVE.search(data) or _ends_as_zip(data) or _MARKUP.search(data[:1024]))


def _csv(data: bytes, path: Path) -> bool:
    return not _MARKUP.search(data)


def _zip(data: bytes, path: Path) -> bool:
    """Begins with its first entry, ends with its directory, unpacks to a sane size, holds no macros and no way out."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 + int.from_bytes(data[end + 20 : end + 22], "little") != len(data):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    if len(entries) > _MAX_ENTRIES or sum(e.file_size for e in entries) > _MAX_UNPACKED:
        raise ValidationError("压缩文件解开后过大，已拒绝。", code="bomb")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or parts[-1].lower() == "vbaproject.bin":
            return False
    return min((e.header_offset for e in entries), default=0) == 0


def _ends_as_zip(data: bytes) -> bool:
    """Would an unpacker take this file for an archive? (It looks for the directory at the end.)"""
    tail = data[-_TAIL:]
    at = tail.rfind(b"PK\x05\x06")
    return at >= 0 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail)


_CHECKS = {
    "jpeg": _picture, "png": _picture, "webp": _picture, "pdf": _pdf, "csv": _csv, "zip": _zip, "xlsx": _zip,
    "docx": _zip,
}  # fmt: skip


def _scan(path: Path) -> None:
    """Ask the scanner of FILE_SCAN_COMMAND (a list; the path is added): 0 clean, 1 infected, else it could not look."""
    command = getattr(settings, "FILE_SCAN_COMMAND", None)
    if not command:
        return
    try:
        done = subprocess.run([*command, str(path)], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ValidationError("病毒检查暂时无法使用，请稍后再上传。", code="scan") from exc
    if done.returncode == 1:
        raise ValidationError("文件未通过病毒检查，已拒绝。", code="malicious")
    if done.returncode != 0:
        raise ValidationError("病毒检查暂时无法使用，请稍后再上传。", code="scan")
