"""Files of a project: versions, levels, the 保密协议, and an attachment of two hundred pages."""

from __future__ import annotations

import io
import tracemalloc
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused
from core.idempotency import new_key
from core.models import AuditEntry
from factories_review import make_party
from projects.models import ProjectFile, ProjectFileVersion
from projects.services.files import MAX_BYTES, add_file, add_version

ROLES = (
    "bureau", "department", "unit_officer", "planner", "leader", "city", "finance", "sysadmin", "other_unit_officer",
    "other_bureau", "anonymous",
)  # fmt: skip


def pdf(pages: int = 1, filler: int = 0) -> bytes:
    """A plain PDF of so many pages, each with `filler` bytes of drawing."""
    out, offsets = io.BytesIO(), []

    def put(body: bytes) -> None:
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n" % len(offsets) + body + b"\nendobj\n")

    out.write(b"%PDF-1.4\n")
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(pages))
    put(b"<</Type/Catalog/Pages 2 0 R>>")
    put(b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % pages)
    for n in range(pages):
        put(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>" % (4 + 2 * n))
        drawn = b"0 0 m 595 842 l S " * (1 + filler // 18)
        put(b"<</Length %d>>\nstream\n" % len(drawn) + drawn + b"\nendstream")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % at for at in offsets))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start))
    return out.getvalue()


def upload(content: bytes | None = None, name: str = "方案.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf() if content is None else content, content_type="application/pdf")


def put(project: Any, cast: Any, **extra: Any) -> ProjectFile:
    extra.setdefault("kind", "scheme")
    extra.setdefault("title", "总平面方案")
    extra.setdefault("upload", upload())
    return add_file(project, actor=cast.bureau, **extra)


def test_a_further_version_stands_beside_the_former_and_says_what_changed(cast, project):
    document = put(project, cast)
    assert document.stage == project.stages.get()
    with pytest.raises(ValidationError, match="请说明改了什么"):
        add_version(document, actor=cast.department, upload=upload(), note=" ")
    made = add_version(document, actor=cast.department, upload=upload(pdf(2)), note="降低檐口")
    assert [v.number for v in document.versions.all()] == [2, 1]
    assert made.note == "降低檐口"
    with pytest.raises(Refused):
        add_version(document, actor=cast.planner, upload=upload(), note="试")


def test_a_further_version_keeps_the_level(cast, project):
    document = put(project, cast, level="public")
    assert add_version(document, actor=cast.bureau, upload=upload(pdf(2)), note="改").file.confidentiality == "public"


def expected_for(level: str) -> tuple[int, ...]:
    return {
        "public": (200, 200, 200, 200, 200, 200, 200, 200, 404, 404, 302),
        "internal": (200, 200, 200, 200, 200, 200, 403, 403, 404, 404, 302),
        "nda": (200, 200, 200, 403, 200, 200, 403, 403, 404, 404, 302),
    }[level]


@pytest.mark.parametrize("level", ["public", "internal", "nda"])
def test_who_may_open_a_file_of_each_level(cast, project, as_user, level):
    version = put(project, cast, level=level).versions.get()
    url = reverse("projects:file", args=[version.pk])
    found = {who: as_user(who).get(url).status_code for who in ROLES}
    assert found == dict(zip(ROLES, expected_for(level), strict=True))


def test_without_a_signed_agreement_a_planner_cannot_open_what_demands_it(cast, project, as_user):
    """通政办发〔2021〕10号 三(三)2 (R22)."""
    version = put(project, cast, level="nda").versions.get()
    url, page = reverse("projects:file", args=[version.pk]), reverse("projects:project", args=[project.pk])
    refused = as_user("planner").get(url)
    assert refused.status_code == 403
    assert "没有登记保密协议" in refused.content.decode()
    shown = as_user("planner").get(page).content.decode()
    assert "须签订保密协议后查阅" in shown
    assert url not in shown
    cast.contract.nda_signed_on = date(2025, 1, 2)
    cast.contract.save()
    assert as_user("planner").get(url).status_code == 200
    opened = AuditEntry.objects.filter(action="projectfile.open", actor=cast.planner)
    assert opened.count() == 1
    cast.contract.state, cast.contract.ended_on = "ended", date(2026, 1, 1)
    cast.contract.save()
    assert as_user("planner").get(url).status_code == 403


def test_an_agreement_signed_elsewhere_opens_nothing_here(cast, project, as_user):
    from factories import make_contract

    make_contract(cast.other_locality, planner=cast.own_planner, nda_signed_on=date(2025, 1, 2))
    version = put(project, cast, level="nda").versions.get()
    assert as_user("planner").get(reverse("projects:file", args=[version.pk])).status_code == 403


def test_an_agreement_signed_for_tomorrow_does_not_count_today(cast, project, as_user):
    cast.contract.nda_signed_on = timezone.localdate() + timezone.timedelta(days=1)
    cast.contract.save()
    version = put(project, cast, level="nda").versions.get()
    assert as_user("planner").get(reverse("projects:file", args=[version.pk])).status_code == 403


def test_whoever_keeps_out_opens_nothing_internal(cast, project, as_user):
    version = put(project, cast).versions.get()
    url = reverse("projects:file", args=[version.pk])
    assert as_user("planner").get(url).status_code == 200
    make_party(project, "contractor", institution=cast.institution)
    answer = as_user("planner").get(url)
    assert (answer.status_code, "您须回避本项目" in answer.content.decode()) == (403, True)


def test_another_department_opens_nothing_internal(cast, project, as_user):
    version = put(project, cast).versions.get()
    project.owner = cast.unit.office
    project.save()
    assert as_user("department").get(reverse("projects:file", args=[version.pk])).status_code == 403


@pytest.mark.parametrize("page", ["file-create", "file-version"])
def test_who_may_upload(cast, project, as_user, page):
    args = [project.pk] if page == "file-create" else [put(project, cast).pk]
    expected = (200, 200, 200, 403, 403, 403, 403, 403, 404, 404, 302)
    url = reverse(f"projects:{page}", args=args)
    assert {who: as_user(who).get(url).status_code for who in ROLES} == dict(zip(ROLES, expected, strict=True))


def test_an_attachment_of_two_hundred_pages_goes_in_and_comes_out_whole_without_filling_memory(cast, project, as_user):
    content = pdf(200, filler=150_000)
    assert len(content) > 25 * 1024 * 1024
    client = as_user("bureau")
    data = {
        "submission_key": new_key(),
        "kind": "scheme",
        "title": "全套方案",
        "level": "internal",
        "upload": upload(content),
    }
    assert client.post(reverse("projects:file-create", args=[project.pk]), data).status_code == 302
    version = ProjectFileVersion.objects.get()
    assert version.file.size == len(content)
    tracemalloc.start()
    size = sum(len(chunk) for chunk in client.get(reverse("projects:file", args=[version.pk])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == len(content)
    assert peak < 8 * 1024 * 1024


def test_what_is_too_big_or_no_document_is_refused_beside_the_field_and_keeps_nothing(
    cast, project, as_user, monkeypatch
):
    url = reverse("projects:file-create", args=[project.pk])
    data = {"kind": "scheme", "title": "坏", "level": "internal"}
    monkeypatch.setattr("projects.services.files.MAX_BYTES", 100)
    for name, content in (("大.pdf", pdf()), ("空.pdf", b""), ("假.pdf", b"MZ\x90\x00"), ("脚本.html", b"<script>")):
        page = as_user("bureau").post(url, {**data, "submission_key": new_key(), "upload": upload(content, name)})
        assert page.status_code == 200, name
        assert 'id="id_upload-error' in page.content.decode() or "field-error" in page.content.decode()
    assert not ProjectFile.objects.exists()
    assert MAX_BYTES == 100 * 1024 * 1024


def test_a_plan_to_pin_findings_on_has_to_be_a_picture(cast, project):
    with pytest.raises(ValidationError):
        put(project, cast, kind="map")
    assert not ProjectFile.objects.exists()


def test_a_double_click_makes_one_document(cast, project, as_user):
    url, key = reverse("projects:file-create", args=[project.pk]), new_key()
    for _ in range(2):
        data = {"submission_key": key, "kind": "data", "title": "现状图", "level": "internal", "upload": upload()}
        as_user("department").post(url, data)
    assert ProjectFile.objects.count() == 1
