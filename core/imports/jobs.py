"""Long imports."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse

from core.jobs import JobFailed, JobRun, job
from core.models import ImportBatch

from .batches import JOB, importer_of, run_batch, table_of


@job(JOB, label="导入数据", lease_seconds=600, max_attempts=3)
def import_rows(run: JobRun) -> dict[str, Any]:
    """Import a checked file; the batch is written and marked in one transaction, so a second worker adds nothing."""
    batch = ImportBatch.objects.filter(pk=run.arguments["batch"]).first()
    if batch is None:
        raise JobFailed("导入文件已不存在。")
    total = int(batch.report.get("rows", 0))
    run.progress(0, total, "正在读取表格")
    try:
        table = table_of(batch)
        run.progress(total // 3, total, "正在核对并写入")
        partial = bool(run.arguments["partial"])
        report = run.step("write", lambda: _brief(run_batch(batch.pk, actor=run.actor, partial=partial, table=table)))
    except ValidationError as exc:
        raise JobFailed("；".join(exc.messages)) from exc
    run.progress(total, total)
    return {
        "text": report["stale"] or _told(report, importer_of(batch).counter),
        "links": [{"label": "查看结果", "url": reverse("core:import", args=[batch.pk])}],
    }


def _brief(report: dict[str, Any]) -> dict[str, Any]:
    return {"stale": report.get("stale", ""), **{n: report[n] for n in ("rows", "created", "changed", "refused")}}


def _told(report: dict[str, Any], counter: str) -> str:
    changed = f"，修改 {report['changed']} {counter}" if report["changed"] else ""
    return f"共 {report['rows']} 行，新增 {report['created']} {counter}{changed}，未导入 {report['refused']} 行"
