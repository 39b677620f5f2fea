"""Making PDFs in the background: one at a time on request, or a whole round as a ZIP."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.urls import reverse

from core.files import store_generated
from core.jobs import JobFailed, JobRun, job
from core.models import StoredFile
from evaluations.models import Cycle, DutyReport, ReportBatch
from evaluations.services.batches import BATCH_KIND
from evaluations.services.documents import PDF_KIND, draft_pdf, issue_report
from evaluations.services.index import final_reports, index_rows, write_index


@job(PDF_KIND, label="生成述职文书 PDF", lease_seconds=120)
def make_pdf(run: JobRun) -> Mapping[str, Any]:
    """One document: issued when the report is frozen, else a marked draft."""
    report = DutyReport.objects.filter(pk=run.arguments["report"]).first()
    if report is None:
        raise JobFailed("这份文书已不存在。")
    run.progress(0, 1, "正在排版")
    if report.state == DutyReport.State.FROZEN:
        document = issue_report(report.pk, actor=run.actor)
        run.progress(1, 1, "已生成")
        url = reverse("evaluations:report-download", args=[report.pk])
        return {
            "text": f"{document.title}已生成，编号 {document.number}。",
            "links": [{"label": "下载 PDF", "url": url}],
        }
    stored = draft_pdf(report.pk, actor=run.actor)
    run.progress(1, 1, "已生成")
    return {"text": "草稿已生成，仅供核对。", "file": stored.pk}


@job(BATCH_KIND, label="导出述职文书", lease_seconds=120, max_attempts=20)
def make_batch(run: JobRun) -> Mapping[str, Any]:
    """Every frozen document of a round: each issued once however often the worker is stopped, then one ZIP."""
    cycle = Cycle.objects.select_related("locality").get(pk=run.arguments["cycle"])
    reports = list(final_reports(cycle))
    total = len(reports) + 1
    for done, report in enumerate(reports):
        run.progress(done, total, f"正在生成 {report.author.name}")
        run.step(f"report-{report.pk}", lambda made: made, prepare=partial(_issue, report.pk, run))
    run.progress(len(reports), total, "正在打包")
    archive_id = run.step("archive", lambda made: made, prepare=lambda: _archive(cycle, run).pk)
    ReportBatch.objects.filter(job=run.job).update(archive_id=archive_id)
    run.progress(total, total, "已完成")
    batch = ReportBatch.objects.get(job=run.job)
    url = reverse("evaluations:batch-download", args=[batch.pk])
    return {"text": f"共 {len(reports)} 份文书，附目录。", "links": [{"label": "下载 ZIP", "url": url}]}


def _issue(report_id: int, run: JobRun) -> int:
    return issue_report(report_id, actor=run.actor).pk


def _archive(cycle: Cycle, run: JobRun) -> StoredFile:
    """The ZIP of all issued PDFs with their index, stored as a private file."""
    rows = index_rows(cycle)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batch.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for row in rows:
                if row.document is not None and row.document.file is not None:
                    archive.write(row.document.file.path, row.file_name)
            index = Path(folder) / "目录.xlsx"
            write_index(cycle, rows, index)
            archive.write(index, index.name)
        return store_generated(
            path,
            name=f"{cycle.title}汇编.zip",
            mime="application/zip",
            actor=run.actor,
            purpose="report_batch",
            locality_code=cycle.locality.code,
        )
