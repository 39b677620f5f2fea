"""Uploads: what is let in, what is refused and with which words, how it is kept and sent."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core import filetypes
from core.files import (
    DOCUMENTS,
    IMAGES,
    SPREADSHEETS,
    clean_name,
    read_content,
    store_file,
    store_generated,
    store_sealed,
    stream,
)
from core.models import StoredFile
from core.tests.examples import few

EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 200
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, form)
    return out.getvalue()


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name.replace("__", "/"), content)
    return out.getvalue()


WORKBOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


def put(content: bytes, name: str, allowed: Any = DOCUMENTS, **extra: Any) -> StoredFile:
    return store_file(SimpleUploadedFile(name, content), actor=None, purpose="test", allowed=allowed, **extra)


def refusal(content: bytes, name: str, allowed: Any = DOCUMENTS, **extra: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        put(content, name, allowed, **extra)
    assert not StoredFile.objects.exists()
    return caught.value.messages[0]


@pytest.mark.parametrize(
    ("content", "name", "mime"),
    [
        (PDF, "合同（扫描件）.pdf", "application/pdf"), (picture(), "照片.JPG", "image/jpeg"),
        (picture("PNG"), "图.png", "image/png"),
        (archive(**WORKBOOK), "表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("日期,内容\n2024-03-05,走访\n".encode("gb18030"), "表.csv", "text/csv"),
        ("日期,内容\n2024-03-05,走访\n".encode("utf-8-sig"), "报表2024.03.05.csv", "text/csv"),
    ],
)  # fmt: skip
def test_proper_file_is_kept_by_its_content(db, store, content: bytes, name: str, mime: str) -> None:
    stored = put(content, name, DOCUMENTS | SPREADSHEETS)
    assert (stored.mime, stored.size, stored.original_name) == (mime, len(content), name)
    assert stored.read() == content
    assert stored.is_intact()
    assert stored.path.name == stored.sha256, "nothing of the name is on disk"
    assert list((store / "incoming").iterdir()) == []


def test_same_content_twice_is_one_file_on_disk(db, store) -> None:
    assert put(PDF, "甲.pdf").path == put(PDF, "乙.pdf").path
    assert StoredFile.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (EXE, "现场照片.jpg", "扩展名是“.jpg”，但内容不是JPEG 图片"),
        (EXE, "安装.exe", "不能上传这种文件"),
        (PDF, "照片.jpg", "扩展名是“.jpg”"),
        (b"", "空.pdf", "是空的"),
        (b"<html><script>alert(1)</script></html>", "页面.pdf", "但内容不是PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧.doc", "旧版 Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "锁.docx", "密码保护"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "IMG_0001.HEIC", "暂不支持 HEIC"),
        (PDF, "合同.exe.pdf", "双重扩展名"),
        (PDF, "合同", "没有扩展名"),
        (PDF + EICAR, "病毒.pdf", "病毒特征"),
    ],
)
def test_refusal_is_worded_for_the_person(db, content: bytes, name: str, words: str) -> None:
    assert words in refusal(content, name)


def test_too_big_names_the_size_and_the_limit(db, store) -> None:
    words = refusal(PDF + b" " * 3_000_000, "大.pdf", max_bytes=2 * 1024 * 1024)
    assert "2.9 MB" in words and "上限 2.0 MB" in words


def test_size_that_a_request_claims_is_not_believed(db, store) -> None:
    upload = SimpleUploadedFile("大.pdf", PDF + b" " * 5000)
    upload.size = 10
    with pytest.raises(ValidationError, match="超过上限"):
        store_file(upload, actor=None, purpose="test", allowed=DOCUMENTS, max_bytes=1000)
    assert list((store / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (picture() + archive(a=b"x"), "图片即压缩包.jpg"),
        (picture("PNG") + b"<script>alert(1)</script>", "图片即网页.png"),
        (PDF + archive(a=b"x"), "文档即压缩包.pdf"),
        (b"%PDF-1.7\n<</OpenAction<</S/JavaScript /JS (app.alert(1))>>>>\n%%EOF", "带脚本.pdf"),
        (b"%PDF-1.7\n<</S/Launch /F (cmd.exe)>>\n%%EOF", "带启动.pdf"),
    ],
)
def test_two_things_in_one_file_are_refused(db, content: bytes, name: str) -> None:
    assert "异常" in refusal(content, name)


@pytest.mark.parametrize(
    "content",
    [
        archive(**WORKBOOK, **{"xl/vbaProject.bin": b"macro"}), archive(**WORKBOOK, **{"../../etc/cron": b"x"}),
        b"PK\x03\x04" + b"\0" * 50, archive(**WORKBOOK) + b"trailing",
    ],
)  # fmt: skip
def test_workbook_with_more_than_a_workbook_is_refused(db, content: bytes) -> None:
    assert refusal(content, "表.xlsx", SPREADSHEETS)


def test_zip_bomb_is_refused_by_its_directory(db, monkeypatch) -> None:
    monkeypatch.setattr(filetypes, "_MAX_UNPACKED", 30_000_000)
    bomb = archive(**WORKBOOK, **{f"xl/media/{n}": b"\0" * 10_000_000 for n in range(4)})
    assert len(bomb) < 100_000
    assert "过大" in refusal(bomb, "表.xlsx", SPREADSHEETS)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "甲\x00.pdf", "甲\u202egpj.exe", "...", "  ", "a\nb.pdf"],
)
def test_name_that_plays_tricks_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        clean_name(name)


def test_ordinary_names_stay(db) -> None:
    for name in ("第1.2版 规划（2024.03.05）.pdf", "龚䶮𠮷.pdf", "v1.0.tar.pdf"):
        assert clean_name(name) == name
    assert len(clean_name("长" * 400 + ".pdf")) == 200
    assert clean_name("长" * 400 + ".pdf").endswith(".pdf")


@few
@given(st.binary(max_size=400), st.sampled_from(["a.pdf", "a.jpg", "a.xlsx", "a.csv", "a.png", "a.docx"]))
def test_any_bytes_are_kept_or_refused_in_words(db, content: bytes, name: str) -> None:
    try:
        stored = put(content, name, DOCUMENTS | IMAGES | SPREADSHEETS)
    except ValidationError as exc:
        assert exc.messages[0].endswith("。")
    else:
        assert stored.read() == content


def test_unknown_type_in_the_code_is_a_mistake_of_ours(db) -> None:
    with pytest.raises(TypeError):
        put(PDF, "a.pdf", {"pdff"})


def test_scanner_is_asked_and_its_silence_is_no_permission(db, settings) -> None:
    settings.FILE_SCAN_COMMAND = ["false"]
    assert "病毒检查" in refusal(PDF, "a.pdf")
    settings.FILE_SCAN_COMMAND = ["a-scanner-that-is-not-there"]
    assert "暂时无法使用" in refusal(PDF, "a.pdf")
    settings.FILE_SCAN_COMMAND = ["true"]
    assert put(PDF, "a.pdf").pk


def test_streamed_file_carries_its_chinese_name_and_no_cache(db) -> None:
    response = stream(put(PDF, "合同.pdf"), as_name="龚䶮的合同.pdf")
    assert b"".join(response.streaming_content) == PDF
    name = quote("龚䶮的合同.pdf")
    assert response["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Length"] == str(len(PDF))
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_only_pictures_and_pdfs_are_shown_in_the_page(db) -> None:
    assert stream(put(picture(), "a.jpg"), inline=True)["Content-Disposition"].startswith("inline")
    csv = put("日期,内容\n1,2\n".encode(), "a.csv", SPREADSHEETS)
    assert stream(csv, inline=True)["Content-Disposition"].startswith("attachment")


def test_lost_or_altered_content_is_noticed(db) -> None:
    stored = put(PDF, "a.pdf")
    stored.path.write_bytes(PDF.replace(b"Catalog", b"catalog"))
    assert not stored.is_intact()
    stored.path.unlink()
    assert not stored.is_intact()
    with pytest.raises(Http404):
        stream(stored)


def test_generated_file_from_bytes_path_or_handle(db, tmp_path: Path) -> None:
    made = tmp_path / "x.zip"
    made.write_bytes(b"abc")
    kept = [
        store_generated(source, name="甲.zip", mime="application/zip", actor=None, purpose="test")
        for source in (b"abc", made, io.BytesIO(b"abc"))
    ]
    assert {stored.sha256 for stored in kept} == {kept[0].sha256}
    assert all(stored.read() == b"abc" for stored in kept)
    assert made.exists()


def test_no_address_serves_files_by_number(client, db) -> None:
    stored = put(PDF, "a.pdf")
    for url in (f"/files/{stored.pk}", f"/media/{stored.sha256}", f"/static/{stored.sha256}"):
        assert client.get(url).status_code == 404


def test_sealed_content_lies_encrypted_and_is_read_whole(db: Any) -> None:
    data = "姓名,证件号码\n示例,110101199003070011\n".encode()
    kept = store_sealed(SimpleUploadedFile("名册.csv", data), actor=None, purpose="import_x", allowed=SPREADSHEETS)
    assert (kept.confidentiality, kept.is_intact(), read_content(kept)) == ("sensitive", True, data)
    assert b"110101199003070011" not in kept.read()
    plain = store_file(SimpleUploadedFile("名册.csv", data), actor=None, purpose="import_x", allowed=SPREADSHEETS)
    assert read_content(plain) == data
    with pytest.raises(ValidationError):
        store_sealed(SimpleUploadedFile("名册.csv", EXE), actor=None, purpose="import_x", allowed=SPREADSHEETS)
