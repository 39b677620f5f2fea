"""The locality's summary of a round, and its figures: for the filing, the working group and the archive."""

from __future__ import annotations

from collections import Counter
from typing import Any

from accounts.models import User
from core.models import IssuedDocument
from core.templatetags.portal import prose_date
from evaluations.models import DepartmentResponse, DutyReport, Objection, Publication, Round, Sheet, Subject
from evaluations.services.letters import _basis, effective_on, period_words, signer_of
from evaluations.services.objections import CUTOFFS, DECIDED, results_of
from evaluations.services.papers import Grid, Paper, Section, issue_paper
from evaluations.services.rules import RoundRules, rules_of
from evaluations.services.shown import Shown, figure, shown_results

SUMMARY = "round_summary"
NAMES = {Subject.Direction.PLANNER: "责任规划师", Subject.Direction.DEPARTMENT: "主管单位"}


def summary_paper(round_: Round) -> Paper:
    """年度总结 of one round: how it was run, what came of it, objections, responses. No rater is named."""
    rules = rules_of(round_)
    shown = shown_results(round_, results_of(round_), rules)
    sections = [Section("组织情况", _course(round_), _participation(round_))]
    for direction in round_.directions:
        rows = [row for row in shown if row.result.subject.direction == direction]
        sections.append(
            Section(f"{NAMES[Subject.Direction(direction)]}评估结果", [_grades(rows, rules, direction)], _table(rows))
        )
    sections.append(Section("异议与复核", [_objections(round_)]))
    if Subject.Direction.DEPARTMENT in round_.directions:
        sections.append(Section("单位回应与改进", [_responses(round_)]))
    sections.append(Section("公示公布", [_publications(round_)]))
    title = f"{round_.locality.name}{round_.title}总结"
    return Paper(
        kind=SUMMARY, serial="ZJ", title=title, public_title=title, sections=sections, signer=signer_of(round_),
        signed_on=effective_on(round_),
        basis=_basis(
            rules, "evaluation.direction", "evaluation.organiser", "evaluation.approval", "evaluation.publication",
            "evaluation.filing",
        ),
        public_summary=[("文书", "评估总结"), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip


def issue_summary(round_id: int, *, actor: User | None) -> IssuedDocument:
    """The summary of a round that has taken effect, once for the same content. Raises ValueError before."""
    round_ = Round.objects.select_related("locality").get(pk=round_id)
    if round_.state not in ("published", "filed"):
        raise ValueError("summed up when the results have taken effect")
    return issue_paper(
        summary_paper(round_), actor=actor, locality_code=round_.locality.code, subject=f"round-{round_.pk}"
    )


def _course(round_: Round) -> list[str]:
    opened = prose_date(round_.opened_at) if round_.opened_at else ""
    meetings = [f"{row.body}于{prose_date(row.held_on)}审议" for row in round_.deliberations.order_by("held_on", "pk")]
    said = [f"{round_.title}（{period_words(round_)}）于{opened}启动，{'；'.join(meetings) or '审议情况未登记'}。"]
    reports = DutyReport.objects.filter(
        cycle__locality_id=round_.locality_id, cycle__start__lte=round_.end, cycle__end__gte=round_.start,
        superseded_by=None,
    )  # fmt: skip
    owed = reports.count()
    if owed:
        said.append(f"期间应有述职文书 {owed} 份，已定稿 {reports.filter(state='frozen').count()} 份。")
    return said


def _participation(round_: Round) -> Grid:
    counts = Counter(
        Sheet.objects.counting().filter(round=round_).values_list("step__number", "step__title", "state").order_by()
    )
    steps = sorted({(number, title) for number, title, _ in counts})
    rows = [
        (
            title,
            str(sum(n for key, n in counts.items() if key[:2] == (number, title))),
            str(counts[number, title, "submitted"]),
            str(counts[number, title, "abstained"]),
        )
        for number, title in steps
    ]
    return Grid(("步骤", "应评（份）", "已提交", "弃权"), rows, ("", "w-value", "w-value", "w-value"), (1, 2, 3))


def _grades(rows: list[Shown], rules: RoundRules, direction: str) -> str:
    if not rows:
        return "没有受评对象。"
    hidden = sum(bool(row.hidden) for row in rows)
    counts = Counter(row.grade for row in rows if row.grade)
    order = [row["grade"] for row in rules.value(CUTOFFS[direction]) or ()]
    names = [*[name for name in order if counts[name]], *[name for name in counts if name not in order]]
    said = f"参评 {len(rows)} 个" + (
        "，其中" + "、".join(f"{name} {counts[name]} 个" for name in names) if names else ""
    )
    return said + (f"；{hidden} 个因参评人数较少不显示结果。" if hidden else "。")


def _table(rows: list[Shown]) -> Grid:
    cells = [
        (
            str(number), row.result.subject.label,
            "—" if row.hidden else figure(row.score), row.grade or ("不显示" if row.hidden else "—"),
        )
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip
    return Grid(("序号", "受评对象", "得分", "等级"), cells, ("w-slot", "", "w-value", "w-value"), (0, 2))


def _objections(round_: Round) -> str:
    rows = Objection.objects.filter(result__subject__round=round_)
    total = rows.exclude(state="withdrawn").count()
    if not total:
        return "期间没有收到异议。" if round_.objections_until else "未进入异议期。"
    decided = Counter(rows.filter(state__in=DECIDED).values_list("state", flat=True).order_by())
    return f"收到异议 {total} 件，异议成立并更正结果 {decided['upheld']} 件，维持原结果 {decided['rejected']} 件。"


def _responses(round_: Round) -> str:
    counts = Counter(
        DepartmentResponse.objects.filter(result__subject__round=round_).values_list("state", flat=True).order_by()
    )
    total = sum(counts.values())
    if not total:
        return "尚未请受评单位回应。"
    answered = total - counts["asked"]
    return (
        f"{total} 个单位应回应，{answered} 个已回应，"
        f"其中已报告改进 {counts['done'] + counts['confirmed']} 个，已确认改进 {counts['confirmed']} 个。"
    )


def _publications(round_: Round) -> str:
    rows = Publication.objects.filter(round=round_).exclude(state="draft").order_by("start", "pk")
    said = [
        f"{row.get_kind_display()}：{prose_date(row.start)}发布" + ("（已撤下）" if row.state == "withdrawn" else "")
        for row in rows
    ]
    return "；".join(said) + "。" if said else "未公示公布。"


def result_rows(round_: Round) -> list[list[Any]]:
    """The table of the filing: every result as it may leave the locality."""
    rules = rules_of(round_)
    rows = []
    for number, shown in enumerate(shown_results(round_, results_of(round_), rules), 1):
        subject = shown.result.subject
        rows.append(
            [
                number, subject.get_direction_display(), subject.label,
                subject.contract.number if subject.contract else "", subject.served_days or None,
                shown.score, shown.grade, shown.hidden, shown.result.version,
            ]
        )  # fmt: skip
    return rows
