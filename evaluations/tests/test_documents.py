"""From a frozen report to its PDF: exactly once, whoever asks, however often and wherever the worker stops."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from pypdf import PdfReader

from core.jobs import run_waiting
from core.models import IssuedDocument, Job
from evaluations.models import DutyReport
from evaluations.services import documents
from evaluations.services.batches import start_batch
from evaluations.services.cycles import close_cycle
from evaluations.services.documents import draft_pdf, file_name, issue_report, request_pdf, summary_of
from evaluations.services.reports import endorse_report, save_sections, submit_report, supersede_report
from factories import make_log

from .conftest import TEXTS


def _freeze(report: DutyReport, cast) -> DutyReport:
    author = report.author.user
    save_sections(report, actor=author, texts=TEXTS, revision=report.revision)
    submit_report(report, actor=author)
    if report.state == "submitted":
        endorse_report(report, actor=cast.lead)
    return report


@pytest.fixture
def frozen(cast, report) -> DutyReport:
    from datetime import date

    make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2025, 3, 3), state="confirmed")
    return _freeze(report, cast)


def _text(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace(" ", "")


def test_issued_pdf_carries_number_hash_and_what_was_written(frozen):
    document = issue_report(frozen.pk, actor=None)
    text = _text(document.file.read())
    assert document.number.startswith("SZ-") and document.number in text
    assert document.content_hash[:16] in text.replace("\n", "")
    assert "单小雨" in text and "龚䶮" in text and "工作总体情况：示例文字" in text
    assert "草稿" not in text


def test_asked_again_it_is_the_same_document(frozen):
    assert issue_report(frozen.pk, actor=None) == issue_report(frozen.pk, actor=None)
    assert IssuedDocument.objects.count() == 1


def test_worker_that_died_before_noting_the_document_leaves_one(frozen, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    kept = documents.issue_document
    monkeypatch.setattr(documents, "issue_document", lambda **kwargs: (kept(**kwargs), die()))
    with pytest.raises(Killed):
        issue_report(frozen.pk, actor=None)
    monkeypatch.setattr(documents, "issue_document", kept)
    frozen.refresh_from_db()
    assert frozen.document is None
    document = issue_report(frozen.pk, actor=None)
    assert list(IssuedDocument.objects.all()) == [document]


def test_only_a_frozen_report_is_issued(report):
    with pytest.raises(ValueError, match="frozen"):
        issue_report(report.pk, actor=None)


def test_draft_is_marked_and_has_no_number(report):
    text = _text(draft_pdf(report.pk, actor=None).read())
    assert "草稿，尚未定稿" in text and "核验码" not in text
    assert not IssuedDocument.objects.exists()


def test_new_version_supersedes_the_document_of_the_old(cast, frozen):
    first = issue_report(frozen.pk, actor=None)
    fresh = supersede_report(frozen, actor=cast.planner, reason="数字有误")
    second = issue_report(_freeze(fresh, cast).pk, actor=None)
    first.refresh_from_db()
    assert first.superseded_by == second and first.state == "superseded"


def test_batch_holds_each_final_document_once_and_an_index(cast, cycle, frozen):
    for other in cycle.reports.exclude(pk=frozen.pk):
        _freeze(other, cast)
    batch = start_batch(cycle, actor=cast.bureau)
    assert start_batch(cycle, actor=cast.bureau) == batch
    run_waiting()
    batch.refresh_from_db()
    names = zipfile.ZipFile(batch.archive.path).namelist()
    assert len([name for name in names if name.endswith(".pdf")]) == 3 and "目录.xlsx" in names
    assert IssuedDocument.objects.count() == 3
    assert Job.objects.get(pk=batch.job_id).state == "done"


def test_batch_taken_over_in_the_middle_makes_no_second_document(cast, cycle, frozen, monkeypatch):
    for other in cycle.reports.exclude(pk=frozen.pk):
        _freeze(other, cast)
    from evaluations import jobs

    batch = start_batch(cycle, actor=cast.bureau)
    done: list[int] = []
    kept = jobs.issue_report

    def stop_at_second(pk, *, actor):
        made = kept(pk, actor=actor)
        done.append(pk)
        if len(done) == 2:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(jobs, "issue_report", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run_waiting()
    run_waiting()
    batch.refresh_from_db()
    assert len(zipfile.ZipFile(batch.archive.path).namelist()) == 4
    assert IssuedDocument.objects.count() == 3


def test_export_command_writes_all_and_goes_on_where_it_stopped(cast, cycle, frozen, tmp_path: Path, capsys):
    call_command("export_reports", cycle=cycle.pk, out=tmp_path)
    [pdf] = tmp_path.glob("*.pdf")
    assert pdf.name == f"001 {file_name(DutyReport.objects.get(pk=frozen.pk))}"
    stamp = pdf.stat().st_mtime_ns
    call_command("export_reports", cycle=cycle.pk, out=tmp_path)
    assert pdf.stat().st_mtime_ns == stamp and "本次写入 0 份" in capsys.readouterr().out
    pdf.write_bytes(b"half")
    call_command("export_reports", cycle=cycle.pk, out=tmp_path)
    assert pdf.read_bytes().startswith(b"%PDF") and (tmp_path / "目录.xlsx").exists()


def test_export_command_names_a_round_that_is_not_there(db, tmp_path):
    with pytest.raises(CommandError, match="没有编号为 9999"):
        call_command("export_reports", cycle=9999, out=tmp_path)


def test_verification_page_names_nobody(client, frozen):
    document = issue_report(frozen.pk, actor=None)
    page = client.get(document.get_absolute_url()).content.decode()
    assert "2025年度述职报告" in page and document.number in page
    assert "单小雨" not in page


def test_many_subjects_stand_in_one_table_with_their_grounds_beneath():
    def subject(number, value, note=""):
        figure = {"code": "days", "label": "服务天数", "value": value, "unset": [] if value else ["计量单位"],
                  "note": note, "clause": "《办法》一(三)" if value else "", "parts": []}  # fmt: skip
        return {"label": f"第{number}组", "figures": [figure]}

    assert summary_of([subject(n, "1 天") for n in range(4)]) is None
    found = summary_of(
        [subject(1, "1 天", "截至2026-06-30"), *(subject(n, "2 天") for n in (2, 3, 4)), subject(5, None)]
    )
    assert found["labels"] == ["服务天数（天）"]
    assert [row["values"] for row in found["rows"]] == [["1"], ["2"], ["2"], ["2"], ["未设定"]]
    assert found["grounds"] == [{"label": "服务天数", "text": "《办法》一(三)；截至2026-06-30；制度未规定：计量单位"}]


def test_asked_for_before_the_round_closes_it_is_made_after_it(frozen, cast):
    """The worker comes to it when the round has closed meanwhile; what was frozen does not change by that."""
    job = request_pdf(frozen, actor=frozen.author.user)
    close_cycle(frozen.cycle, actor=cast.bureau)
    run_waiting()
    job.refresh_from_db()
    frozen.refresh_from_db()
    assert job.state == "done" and frozen.document is not None and "草稿" not in _text(frozen.document.file.read())


def test_a_collation_of_many_leaves_the_evidence_to_its_members_documents(frozen):
    """What each member's document carries is not gathered again; a document of one's own carries it all."""
    subject = frozen.facts["subjects"][0]
    many = {
        **frozen.facts,
        "subjects": [subject] * 9,
        "members": [{"author": "单小雨", "charge": "", "state": "已定稿"}],
    }
    pages = []
    for facts in (many, {**many, "members": []}):
        html = render_to_string(documents.TEMPLATE, {**documents._context(frozen, facts), "issue": None})
        pages.append((html.count("数据的计算过程"), html.count("履职记录</h2>"), "见各成员文书的附件" in html))
    assert pages == [(0, 0, True), (1, 1, False)]
