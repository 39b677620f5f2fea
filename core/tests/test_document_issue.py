"""Issued documents: number, hash and QR, verified by anybody who holds the paper or the file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from core.errors import StaleState
from core.models import AuditEntry, IssuedDocument, StoredFile
from core.pdf import canonical_hash, issue, issue_document, revoke_document, verify_bytes
from core.pdf.verify import claimed_code


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def make(actor: Any = None, *, frozen: Any = None, **extra: Any) -> IssuedDocument:
    return issue_document(
        kind="duty_report", serial="SZ", title=extra.pop("title", "2025年度述职报告"), template="pdf/base.html",
        context={}, frozen=frozen or {"days": 30}, actor=actor, locality_code="110101",
        public_summary=[("文书", "述职报告"), ("地方", "东城区")], **extra,
    )  # fmt: skip


def content_of(document: IssuedDocument) -> bytes:
    assert document.file is not None
    return document.file.read()


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("x.pdf", content, content_type="application/pdf")


def test_document_carries_its_number_code_and_hash(db, person, settings) -> None:
    settings.PUBLIC_URL = "https://guihua.example.cn/"
    document = make(person)
    assert re.fullmatch(r"SZ-20\d\d-00001", document.number)
    assert not re.search("[〔〕号]", document.number), "never looks like a 发文字号"
    assert document.content_hash == canonical_hash({"days": 30})
    assert document.file.sha256 == document.file_sha256
    import pypdf

    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content_of(document))).pages)
    flat = re.sub(r"\s", "", text)
    assert document.number in flat and document.code in flat and document.content_hash in flat
    assert f"https://guihua.example.cn/verify/{document.code}/" in flat
    assert AuditEntry.objects.filter(action="document.issue", object_id=str(document.pk)).count() == 1


def test_numbers_follow_one_another_and_codes_do_not(db) -> None:
    first, second = make(frozen={"n": 1}), make(frozen={"n": 2})
    assert (first.number[-5:], second.number[-5:]) == ("00001", "00002")
    assert first.code != second.code
    other = issue_document(
        kind="notice", serial="TZ", title="通知", template="pdf/base.html", context={}, frozen={}, actor=None
    )
    assert other.number.startswith("TZ-") and other.number.endswith("00001")


def test_hash_depends_on_content_alone() -> None:
    assert canonical_hash({"b": 1, "a": "甲"}) == canonical_hash({"a": "甲", "b": 1})
    assert canonical_hash({"a": 1}) != canonical_hash({"a": 2})


def test_stopped_attempt_leaves_its_number_to_the_next(db, monkeypatch) -> None:
    plain = issue.render_pdf

    def killed(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(issue, "render_pdf", killed)
    with pytest.raises(KeyboardInterrupt):
        make()
    reserved = IssuedDocument.objects.get()
    assert reserved.file is None
    monkeypatch.setattr(issue, "render_pdf", plain)
    finished = make()
    assert finished.pk == reserved.pk and finished.number.endswith("00001")
    assert IssuedDocument.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_workers_take_two_numbers(together) -> None:
    documents = together(lambda: make(frozen={"n": 1}), lambda: make(frozen={"n": 2}))
    assert sorted(document.number[-5:] for document in documents) == ["00001", "00002"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_workers_on_the_same_document_make_one(together) -> None:
    documents = together(make, make)
    assert len({document.pk for document in documents}) == 1
    assert StoredFile.objects.count() == 1
    assert AuditEntry.objects.filter(action="document.issue").count() == 1


def test_later_version_supersedes_once(db) -> None:
    first = make(frozen={"v": 1})
    second = make(frozen={"v": 2}, supersedes=first)
    first.refresh_from_db()
    assert (first.state, first.superseded_by, second.state) == ("superseded", second, "valid")
    with pytest.raises(StaleState):
        make(frozen={"v": 3}, supersedes=first)


def test_revoking_says_why_and_happens_once(db, person) -> None:
    document = make()
    with pytest.raises(ValidationError):
        revoke_document(document, actor=person, reason="  ")
    assert revoke_document(document, actor=person, reason="数据有误").state == "revoked"
    with pytest.raises(StaleState):
        revoke_document(document, actor=person, reason="再次")


# --- is it the file? -------------------------------------------------------------------------------


def test_issued_file_is_intact_and_an_edited_one_is_not(db) -> None:
    document = make()
    content = content_of(document)
    assert verify_bytes(content).intact
    edited = content + b"\n% one more line"
    verdict = verify_bytes(edited)
    assert not verdict.intact and verdict.document == document and "已被改动" in verdict.reason
    assert claimed_code(edited) == document.code


def test_file_that_was_saved_again_still_tells_what_it_claims(db) -> None:
    import pypdf

    document = make()
    out = io.BytesIO()
    pypdf.PdfWriter(clone_from=io.BytesIO(content_of(document))).write(out)
    verdict = verify_bytes(out.getvalue())
    assert (verdict.intact, verdict.document) == (False, document)


@pytest.mark.parametrize(
    ("content", "words"), [(b"%PDF-1.7\n%%EOF", "没有生成过"), (b"hello", "不是 PDF"), (b"", "不是 PDF")]
)
def test_foreign_file_is_told_so(db, content: bytes, words: str) -> None:
    verdict = verify_bytes(content)
    assert not verdict.intact and words in verdict.reason


def test_command_answers_by_its_exit_code(db, tmp_path: Path, capsys) -> None:
    document = make()
    file = tmp_path / "a.pdf"
    file.write_bytes(content_of(document))
    call_command("verify_pdf", str(file))
    assert document.number in capsys.readouterr().out
    file.write_bytes(content_of(document)[:-1])
    for bad in (file, tmp_path / "missing.pdf"):
        with pytest.raises(SystemExit) as caught:
            call_command("verify_pdf", str(bad))
        assert caught.value.code == 1
    file.write_bytes(content_of(document))
    document.file.path.write_bytes(b"%PDF- other")
    with pytest.raises(SystemExit):
        call_command("verify_pdf", str(file))
    assert "平台保存的" in capsys.readouterr().err


# --- the public page -------------------------------------------------------------------------------


def test_page_shows_what_the_document_is_and_nothing_else(client, person) -> None:
    document = make(person)
    page = client.get(f"/verify/{document.code}/")
    text = page.content.decode()
    assert page.status_code == 200
    for shown in (document.title, document.number, document.content_hash, "东城区", "现行有效"):
        assert shown in text
    assert person.name not in text and person.username not in text, "who issued it is not public"
    assert "no-store" in page["Cache-Control"]


def test_code_is_taken_as_people_type_it(client, db) -> None:
    document = make()
    typed = f" {document.code[:5].lower()}-{document.code[5:].lower()} "
    answer = client.post("/verify/", {"code": typed})
    assert answer.status_code == 302 and answer.url == f"/verify/{document.code}/"


@pytest.mark.parametrize("code", ["AAAAAAAAAA", "x", "龚䶮", "%00", "'; DROP TABLE", "A" * 500])
def test_unknown_code_is_a_plain_404(client, db, code: str) -> None:
    page = client.get(reverse("core:verify", args=["PLACEHOLD"]).replace("PLACEHOLD", code.replace("/", "")))
    assert page.status_code == 404


def test_unknown_code_typed_in_stays_in_the_form(client, db) -> None:
    page = client.post("/verify/", {"code": "AAAAAAAAAA"})
    assert page.status_code == 200 and "没有找到这个核验码" in page.content.decode()


def test_reserved_number_without_a_file_is_not_a_document(client, db) -> None:
    document = make()
    IssuedDocument.objects.update(file=None)
    assert client.get(f"/verify/{document.code}/").status_code == 404


def test_superseded_and_revoked_documents_say_so(client, person) -> None:
    first = make(frozen={"v": 1})
    second = make(frozen={"v": 2}, supersedes=first)
    text = client.get(f"/verify/{first.code}/").content.decode()
    assert "已被" in text and second.number in text and second.get_absolute_url() in text
    revoke_document(second, actor=person, reason="数据有误")
    text = client.get(f"/verify/{second.code}/").content.decode()
    assert "已经作废" in text and "数据有误" in text


def test_page_compares_a_file(client, db) -> None:
    document, other = make(frozen={"n": 1}), make(frozen={"n": 2}, title="另一份")
    url = f"/verify/{document.code}/"

    def said(content: bytes) -> str:
        return client.post(url, {"file": upload(content)}).content.decode()

    assert "文件完好" in said(content_of(document))
    assert "已被改动" in said(content_of(document) + b" ")
    assert "这是另一份文书" in said(content_of(other))
    assert "不是 PDF" in said(b"hello")
    assert "文件完好" in client.post("/verify/", {"file": upload(content_of(other))}).content.decode()
    stored = StoredFile.objects.count()
    assert stored == 2, "what is compared is not kept"


def test_empty_or_missing_file_is_told_beside_the_field(client, db) -> None:
    document = make()
    for data in ({"file": upload(b"")}, {}):
        page = client.post(f"/verify/{document.code}/", data)
        assert page.status_code == 200 and "field-error" in page.content.decode()
