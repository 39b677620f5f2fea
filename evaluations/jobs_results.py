"""What takes long after the answers are in: computing a round, making the minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused, StaleState
from core.jobs import JobFailed, JobRun, job
from evaluations.models import Deliberation, Round
from evaluations.services.deliberation import MINUTES_KIND, issue_minutes
from evaluations.services.results import CHANGED, COMPUTE_KIND, write_results
from evaluations.services.scores import evaluate

TRIES = 3


@job(COMPUTE_KIND, label="测算评估结果", lease_seconds=120)
def compute(run: JobRun) -> Mapping[str, Any]:
    """Reads and scores outside of any transaction, writes in one; begins anew when a sheet changed in between."""
    round_ = Round.objects.select_related("locality").filter(pk=run.arguments["round"]).first()
    if round_ is None:
        raise JobFailed("这次评估已不存在。")
    made = None
    for _ in range(TRIES):
        try:
            found = evaluate(round_, progress=lambda done, total: run.progress(done, total + 1, "正在测算"))
            made = run.step("write", lambda: write_results(round_, found, actor=run.actor))  # noqa: B023
            break
        except StaleState:
            continue
        except Refused as refusal:
            raise JobFailed(f"测算结果没有写入：{refusal.reason}。") from refusal
        except ValidationError as error:
            raise JobFailed("；".join(error.messages)) from error
    if made is None:
        raise JobFailed(f"{CHANGED}，请稍后重新测算。")
    run.progress(1, 1, "已完成")
    total = sum(len(one.scores) for one in found)
    return {
        "text": f"已测算 {total} 个受评对象，其中 {made} 个有新结果。",
        "links": [{"label": "查看排名", "url": reverse("evaluations:results", args=[round_.pk])}],
    }


@job(MINUTES_KIND, label="生成审议纪要", lease_seconds=120)
def make_minutes(run: JobRun) -> Mapping[str, Any]:
    """From the content that was taken when it was asked for, whatever the round has come to since."""
    pk = run.arguments["deliberation"]
    if not Deliberation.objects.filter(pk=pk).exists():
        raise JobFailed("这次审议已不存在。")
    run.progress(0, 1, "正在排版")
    document = issue_minutes(pk, run.arguments["content"], actor=run.actor)
    run.progress(1, 1, "已生成")
    return {
        "text": f"{document.title}已生成，编号 {document.number}。",
        "links": [{"label": "下载 PDF", "url": reverse("evaluations:minutes", args=[pk])}],
    }
