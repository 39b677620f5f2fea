"""绩效评价报告 and 履职评估报告: all that one rater handed in, as one report (京核心区 五(二): planners submit theirs).

It says what single answers say, so the seal decides who reads it: its author, and, once the step has closed, whoever
collates. As a document it is issued after that alone, when nothing of it can be taken back any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from core.models import IssuedDocument
from core.templatetags.portal import prose_date
from districts.policy.keys import SIDES
from evaluations.models import Indicator, Round, RoundStep, Sheet
from evaluations.permissions.sheets import can_read_answers
from evaluations.services.answers import Given, answers_for, plain
from evaluations.services.letters import period_words, signer_of
from evaluations.services.papers import Grid, Paper, Section, issue_paper

REPORT = "rater_report"
NAMES = {"department": "绩效评价报告", "planner": "履职评估报告"}
OPEN = "还有步骤没有对所有人截止；截止后内容不能再撤回，才能出具文书"


@dataclass(frozen=True)
class OwnReport:
    """One rater's forms of a round, each with what it says."""

    round: Round
    author: User
    direction: str
    sheets: Sequence[Sheet]
    given: Mapping[int, Mapping[int, Given]]

    @property
    def name(self) -> str:
        return NAMES[self.direction]

    @property
    def is_closed(self) -> bool:
        return all(sheet.step.state == RoundStep.State.CLOSED for sheet in self.sheets)

    @property
    def rater(self) -> str:
        return self.sheets[0].rater


def report_of(sheet: Sheet, *, reader: User) -> OwnReport | None:
    """The report that a form handed in is a part of; None where the seal gives the reader nothing of it."""
    if sheet.state != Sheet.State.SUBMITTED or sheet.author is None:
        return None
    rows = Sheet.objects.filter(
        round=sheet.round_id, author=sheet.author_id, form__direction=sheet.form.direction, state=Sheet.State.SUBMITTED,
    ).select_related("step", "form", "subject", "round__locality")  # fmt: skip
    rows = rows.prefetch_related("form__indicators").order_by("step__number", "subject__sort_key", "pk")
    sheets = [row for row in rows if can_read_answers(reader, row)]
    if not sheets:
        return None
    given = {row.pk: answers_for(row, reader=reader) for row in sheets}
    return OwnReport(sheets[0].round, sheet.author, sheet.form.direction, sheets, given)


def reports_in(round_: Round) -> list[Sheet]:
    """One form for each rater and direction by which their report is found; of steps that have closed alone."""
    rows = Sheet.objects.filter(round=round_, state=Sheet.State.SUBMITTED, step__state=RoundStep.State.CLOSED)
    found: dict[tuple[int | None, str], Sheet] = {}
    for sheet in rows.select_related("form").order_by("rater", "pk"):
        found.setdefault((sheet.author_id, sheet.form.direction), sheet)
    return sorted(found.values(), key=lambda sheet: (sheet.form.direction, sheet.rater, sheet.pk))


def said(line: Indicator, given: Given) -> str:
    """What was entered for one line, in words."""
    if given.not_applicable:
        return "不适用"
    if given.value is None:
        return "—"
    if line.kind == Indicator.Kind.YES_NO:
        return "是" if given.value == 1 else "否"
    return plain(given.value)


def report_paper(report: OwnReport) -> Paper:
    """All of it in 公文 form. The public page of the document names neither rater nor rated."""
    round_ = report.round
    rated = "、".join(dict.fromkeys(sheet.subject.label for sheet in report.sheets))
    last = max(sheet.submitted_at for sheet in report.sheets if sheet.submitted_at)
    title = f"{round_.title}{report.name}"
    opening = [
        f"根据{round_.title}（{period_words(round_)}）安排，现将评估情况报告如下。共评估 {len(report.sheets)} 份："
        f"{rated}。"
    ]
    return Paper(
        kind=REPORT, serial="PB", title=f"{title}（{report.rater}）", public_title=title, heading=title,
        byline=report.rater, addressee=signer_of(round_), opening=opening,
        sections=[_section(report, sheet) for sheet in report.sheets],
        signer=report.rater, signed_on=timezone.localtime(last).date(),
        public_summary=[("文书", report.name), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip


def _section(report: OwnReport, sheet: Sheet) -> Section:
    given = report.given[sheet.pk]
    rows, words = [], []
    for line in sheet.form.indicators.all():
        entered = given.get(line.pk, Given())
        if line.kind == Indicator.Kind.TEXT:
            words.append(f"{line.title}：{entered.text or '（未填写）'}")
        else:
            weight = plain(line.weight) if line.weight is not None else "—"
            rows.append((line.title, weight, said(line, entered), entered.comment or "—"))
    grid = Grid(("指标", "权重", "所评", "说明"), rows, ("", "w-kind", "w-kind", "w-text"), (1, 2))
    on = prose_date(timezone.localtime(sheet.submitted_at)) if sheet.submitted_at else ""
    several = len({row.step_id for row in report.sheets}) > 1
    side = SIDES.get(sheet.side, sheet.side)
    head = f"{sheet.subject.label}（{sheet.step.title}）" if several else sheet.subject.label
    return Section(head, [f"评估主体：{side}。{on}提交。", *words], grid)


def issue_report(sheet_id: int, *, actor: User | None) -> IssuedDocument:
    """The document, once for the same content. Raises ValueError: not the actor's to read, or not closed yet."""
    sheet = Sheet.objects.select_related("form", "author").get(pk=sheet_id)
    report = report_of(sheet, reader=actor) if actor is not None else None
    if report is None or not report.is_closed:
        raise ValueError("sealed, or not closed for everybody")
    return issue_paper(
        report_paper(report), actor=actor, locality_code=report.round.locality.code,
        subject=f"rater-{report.round.pk}-{report.author.pk}-{report.direction}",
    )  # fmt: skip
