"""What the pages of results say: how a score came about, down to the answers the reader may read; evidence; Excel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from core.spreadsheets import ExportColumn
from core.templatetags.portal import days
from districts.policy.keys import SIDES
from evaluations.evidence import Evidence
from evaluations.models import DutyReport, Result, Round, Subject
from evaluations.scoring.rules import ABSTENTIONS, MISSING_RATERS, NOT_APPLICABLE, WEIGHTS
from evaluations.services.counts import ask, linked, query_of
from evaluations.services.results import results_of
from evaluations.services.rules import frozen_rules
from evaluations.services.scores import AnswerLine, answers_for_result


@dataclass(frozen=True)
class SheetView:
    """One sheet under a score: its points, and its answers for who may read them."""

    pk: int
    rater: str
    side: str
    figure: dict[str, Any]
    lines: Sequence[AnswerLine] = ()
    off: str = ""


@dataclass(frozen=True)
class StepView:
    number: str
    title: str
    figure: dict[str, Any]
    sheets: Sequence[SheetView] = field(default=())


def shown_parts(figure: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a figure as people read them; a formula's name is its first line."""
    return [{**part, "label": _label(part), "shown": _shown(part)} for part in figure["parts"]]


def _label(part: dict[str, Any]) -> str:
    side = part["code"].removeprefix("side:")
    return f"主体权重（{SIDES.get(side, side)}）" if side != part["code"] else str(part["label"])


def _shown(part: dict[str, Any]) -> str:
    """Exactly the number, without zeros at its end; nothing for a formula's name, a dash for what did not come."""
    if part["code"].startswith("formula:"):
        return ""
    value = part["value"]
    if value is None:
        return "—"
    return days(value) or str(value)


def workings(result: Result, *, reader: User) -> list[StepView]:
    """Step by step, sheet by sheet. The answers come through the seal; the rest is what was kept with the result."""
    said = answers_for_result(result.subject, reader=reader)
    figures = result.figures
    far = {str(row["sheet"]): row["off"] for row in figures.get("outliers", ())}
    views = []
    for number, step in figures.get("steps", {}).items():
        mine = {
            p["code"].rpartition(":")[2] for p in step["parts"] if p["code"].partition(":")[0] in ("sheet", "missing")
        }
        views.append(
            StepView(
                number, step["title"], {**step, "parts": shown_parts(step)},
                [
                    SheetView(
                        int(pk), row["rater"], SIDES.get(row["side"], row["side"]), {**row, "parts": shown_parts(row)},
                        said.get(int(pk), ()), far.get(pk, ""),
                    )
                    for pk, row in figures.get("sheets", {}).items() if pk in mine
                ],
            )
        )  # fmt: skip
    return views


def evidence_of(subject: Subject) -> tuple[list[Evidence], str]:
    """What the portal itself knows about the subject in the period, and in words what it cannot say."""
    found, problem = ask(query_of(subject))
    return linked(found, subject), problem


def reports_of(subject: Subject, *, reader: User) -> list[DutyReport]:
    """The subject's own accounts of the period, as far as the reader sees them."""
    if subject.contract_id is None:
        return []
    rows = DutyReport.objects.visible_to(reader).filter(
        contract_id=subject.contract_id, superseded_by=None, cycle__start__lte=subject.round.end,
        cycle__end__gte=subject.round.start,
    )  # fmt: skip
    if subject.planner_id:
        rows = rows.filter(author_id=subject.planner_id)
    return list(rows.select_related("cycle", "author", "charge").order_by("cycle__start", "pk"))


def outlier_rows(round_: Round) -> list[dict[str, Any]]:
    """Sheets far from the middle, farthest first, with the result that each belongs to."""
    found = []
    for result in results_of(round_):
        for row in result.figures.get("outliers", ()):
            sheet = result.figures["sheets"][str(row["sheet"])]
            step = result.figures["steps"][str(row["step"])]
            found.append({
                **row, "result": result, "rater": sheet["rater"], "side": SIDES.get(sheet["side"], sheet["side"]),
                "step_title": step["title"],
            })  # fmt: skip
    return sorted(found, key=lambda row: -abs(float(row["off"])))


# --- Excel --------------------------------------------------------------------------------------------------------


def export_columns(round_: Round) -> list[ExportColumn]:
    steps = [ExportColumn(f"{step.title}得分", "number") for step in round_.steps.order_by("number")]
    return [
        ExportColumn("方向"), ExportColumn("受评对象", width=28), ExportColumn("合同"), ExportColumn("名次", "integer"),
        *steps, ExportColumn("测算得分", "number"), ExportColumn("测算等级"), ExportColumn("审定得分", "number"),
        ExportColumn("审定等级"), ExportColumn("已提交份数", "integer"), ExportColumn("未提交份数", "integer"),
        ExportColumn("弃权份数", "integer"), ExportColumn("离群份数", "integer"), ExportColumn("状态"),
        ExportColumn("版次", "integer"), ExportColumn("说明", width=30), ExportColumn("调整理由", width=40),
    ]  # fmt: skip


def export_rows(round_: Round, rows: Any) -> Iterator[list[Any]]:
    """`rows`: the results that the person may see and has filtered."""
    numbers = [str(step.number) for step in round_.steps.order_by("number")]
    found = rows.select_related("subject__contract").prefetch_related("adjustments")
    for row in found:
        figures = row.figures
        given = figures.get("given", {})
        steps = figures.get("steps", {})
        yield [
            row.subject.get_direction_display(), row.subject.label,
            row.subject.contract.number if row.subject.contract else "", row.rank,
            *(_number(steps[number]["value"]) if number in steps else None for number in numbers),
            row.score, row.grade, row.final_score, row.final_grade, given.get("submitted"), given.get("missing"),
            given.get("abstained"), len(figures.get("outliers", ())), row.get_state_display(), row.version, row.note,
            "；".join(change.reason for change in row.adjustments.all()),
        ]  # fmt: skip


def _number(value: str | None) -> float | None:
    return None if value is None else float(value)


def export_notes(round_: Round) -> list[list[str]]:
    """By which rules the figures came about: key, value, document, article."""
    rules = frozen_rules(round_)
    keys = [
        *(WEIGHTS[direction] for direction in round_.directions), "evaluation.evaluator_weights",
        "evaluation.stage_weights", MISSING_RATERS, ABSTENTIONS, NOT_APPLICABLE, "evaluation.cutoffs",
        "evaluation.department_cutoffs", "evaluation.ratio_limits", "evaluation.ties", "evaluation.approval",
    ]  # fmt: skip
    rows = [["事项", "规定", "依据"]]
    for key in keys:
        value = rules.get(key)
        rows.append([value.label, display(value) if value.is_set else "未设定", str(value.clause)])
    return rows


def display(value: Any) -> str:
    from districts.policy.catalogue import CATALOGUE

    return str(CATALOGUE[value.key].kind.display(value.value))
