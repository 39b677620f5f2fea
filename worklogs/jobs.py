"""Long work of the work logs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from core.jobs import JobFailed, JobRun, job
from worklogs.models import MonthlyReport, PolicyTrial
from worklogs.services.monthly_documents import PDF_KIND, draft_pdf, issue_report
from worklogs.services.trials import CHUNK, count_contracts, finish


@job("worklogs.policy_trial", label="制度试算", lease_seconds=300)
def try_policy(run: JobRun) -> dict[str, Any]:
    """Count the contracts of a dry run portion by portion; each portion once, whoever continues the work."""
    trial = PolicyTrial.objects.select_related("decision__base__pack", "decision__locality").filter(
        pk=run.arguments["trial"]
    ).first()  # fmt: skip
    if trial is None:
        raise JobFailed("这次试算已被新的试算代替。")
    ids = run.arguments["contracts"]
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        run.progress(start, len(ids), "正在按新值重新计算")
        run.step(f"from-{start}", lambda some=some: count_contracts(trial, some))
    run.step("finish", lambda: finish(trial))
    run.progress(len(ids), len(ids))
    return {"text": "试算完成", "links": [{"label": "查看结果", "url": trial.get_absolute_url()}]}


@job(PDF_KIND, label="生成工作月报 PDF", lease_seconds=120)
def make_monthly_pdf(run: JobRun) -> dict[str, Any]:
    """One monthly report on paper: issued when it is locked, else a marked draft."""
    report = MonthlyReport.objects.filter(pk=run.arguments["report"]).first()
    if report is None:
        raise JobFailed("这份月报已不存在。")
    run.progress(0, 1, "正在排版")
    if report.state == MonthlyReport.State.LOCKED:
        document = issue_report(report.pk, actor=run.actor)
        run.progress(1, 1, "已生成")
        url = reverse("worklogs:monthly-download", args=[report.pk])
        text = f"{document.title}已生成，编号 {document.number}。"
        return {"text": text, "links": [{"label": "下载 PDF", "url": url}]}
    stored = draft_pdf(report.pk, actor=run.actor)
    run.progress(1, 1, "已生成")
    return {"text": "草稿已生成，仅供核对。", "file": stored.pk}
