"""`manage.py evaluate --cycle ID --json`: scores, grades and tail ratios of a round, each with its parts.

ID is a round's. Always computed afresh from the answers and held against what is kept, so that it is a recount too.
Before every step has closed for everybody there is nothing to compute (`domain.md` rule 7).
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from evaluations.models import Result, Round, Subject
from evaluations.scoring import Graded, Score
from evaluations.services.consequences import Consequence, tail_of
from evaluations.services.results import results_of
from evaluations.services.scores import Evaluated, evaluate, figure_json


class Command(BaseCommand):
    help = "计算一次评估的得分、等级和尾款比例，逐项列出依据；与已保存的结果核对。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cycle", type=int, required=True, help="评估的编号")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出")

    def handle(self, *args: Any, **options: Any) -> None:
        round_ = Round.objects.select_related("locality").filter(pk=options["cycle"]).first()
        if round_ is None:
            known = "、".join(f"{r.pk} {r.title}" for r in Round.objects.order_by("-pk")[:10])
            raise CommandError(f"没有编号为 {options['cycle']} 的评估。最近的有：{known or '无'}")
        if round_.state == Round.State.CANCELLED:
            raise CommandError("评估已取消，不作测算。")
        try:
            found = evaluate(round_)
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from error
        rows = rows_of(round_, found, on=timezone.localdate())
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
            return
        for row in rows:
            kept = "" if row["agrees"] is None else "，与保存的结果一致" if row["agrees"] else "，与保存的结果不一致"
            self.stdout.write(
                f"{row['subject']}：{row['score'] or '未评出'} {row['grade'] or '等级未定'}{kept}"
                + (f"（{row['note']}）" if row["note"] else "")
            )


def rows_of(round_: Round, found: list[Evaluated], *, on: date) -> list[dict[str, Any]]:
    """One object for each subject, planners first and best first; numbers as decimal strings, null while unset."""
    kept = {row.subject_id: row for row in results_of(round_).select_related("subject__contract__policy_version")}
    subjects = Subject.objects.select_related("contract__policy_version", "contract__locality").in_bulk(
        [score.subject.record for one in found for score in one.scores]
    )
    rows = []
    for one in found:
        scores = {score.subject.record: score for score in one.scores}
        for graded in one.graded:
            subject = subjects[graded.record]
            rows.append(_row(one, scores[graded.record], graded, subject, kept.get(subject.pk), on))
    return rows


def _row(
    one: Evaluated, score: Score, graded: Graded, subject: Subject, kept: Result | None, on: date
) -> dict[str, Any]:
    result = kept or Result(subject=subject, final_grade=graded.grade or "")
    result.subject = subject
    tail = tail_of(result, on=on) if subject.contract is not None else None
    return {
        "subject": subject.label,
        "subject_id": subject.pk,
        "direction": one.direction,
        "planner": subject.planner_id,
        "contract": subject.contract.number if subject.contract else None,
        "score": _number(graded.score),
        "by_score": graded.by_score,
        "grade": graded.grade,
        "rank": graded.rank,
        "note": graded.note,
        "unset": sorted({*graded.unset, *score.figure.unset}),
        "final_score": _number(kept.final_score) if kept else None,
        "final_grade": kept.final_grade or None if kept else None,
        "state": kept.state if kept else None,
        "agrees": None if kept is None else (kept.score, kept.grade or None) == (graded.score, graded.grade),
        "grade_clause": None if graded.clause is None else str(graded.clause),
        "tail": _tail(tail),
        "parts": figure_json(score.figure)["parts"],
        "steps": [
            {"step": step.number, "title": step.title, **figure_json(score.steps[step.number])}
            for step in score.subject.steps
        ],
        "sheets": [
            {"sheet": pk, **figure_json(figure)} for pk, figure in sorted(score.sheets.items())
        ],
        "outliers": [
            {"sheet": row.sheet, "step": row.step, "value": str(row.value), "middle": str(row.middle),
             "off": str(row.off)}
            for row in one.outliers if row.subject == subject.pk
        ],
    }  # fmt: skip


def _tail(item: Consequence | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {
        "ratio": _number(item.ratio), "text": item.text, "clause": str(item.clause), "share": _number(item.share),
        "share_clause": None if item.share_clause is None else str(item.share_clause), "unset": list(item.unset),
    }  # fmt: skip


def _number(value: Any) -> str | None:
    return None if value is None else str(value)
