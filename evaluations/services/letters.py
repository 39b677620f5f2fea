"""Papers about single results: the letter to each subject, the evaluation sheet of a planner, an office's summary."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.jobs import enqueue
from core.models import IssuedDocument, Job
from core.permissions import require
from core.templatetags.portal import prose_date
from core.text import clean_text
from districts.models import Organisation
from evaluations.models import DepartmentResponse, Objection, Result, ResultReply, Round, Subject
from evaluations.permissions.oversight import can_reply
from evaluations.services.objections import DECIDED, results_of
from evaluations.services.papers import Grid, Paper, Section, clause_words, issue_paper
from evaluations.services.rounds import register_effect
from evaluations.services.rules import RoundRules, rules_of
from evaluations.services.shown import Shown, figure, shown_result

LETTERS_KIND = "evaluations.letters"
LETTER, SHEET_PAPER, OFFICE_PAPER = "result_letter", "evaluation_sheet", "office_summary"
PLANNER = Subject.Direction.PLANNER


def signer_of(round_: Round) -> str:
    """Who signs: the planning bureau of the locality, by its registered name."""
    bureau = Organisation.objects.filter(locality_id=round_.locality_id, kind="bureau").order_by("pk").first()
    return bureau.name if bureau else f"{round_.locality.name}规划主管部门"


def period_words(round_: Round) -> str:
    return f"{prose_date(round_.start)}至{prose_date(round_.end)}"


def told_on(round_: Round, rules: RoundRules) -> date | None:
    """The day of the notice, from which the days to object were counted."""
    days = rules.value("evaluation.objection_days")
    if round_.objections_until is None or days is None:
        return None
    return round_.objections_until - timedelta(days=int(days))


# --- the letter ---------------------------------------------------------------------------------------------------


def letter_paper(result: Result) -> Paper:
    """The result as its subject is told it, and what can be done about it; after a review, what came of it."""
    round_, subject = result.subject.round, result.subject
    rules, shown = rules_of(round_), shown_result(result)
    decided = list(result.objections.filter(state__in=DECIDED).order_by("decided_at"))
    whom = "您" if subject.planner_id else "贵方" if subject.direction == PLANNER else "贵单位"
    sections = [Section("评估结果", grid=Grid((), _result_rows(shown, rules)))]
    if shown.means:
        rows = [(title, figure(value)) for title, value in shown.means]
        sections.append(Section("各项指标平均分", grid=Grid(("指标", "平均分"), rows, ("", "w-value"), (1,))))
    if not shown.hidden and (changes := _changes(result)):
        sections.append(Section("审议调整", changes))
    if decided:
        sections.append(Section("异议复核", [_decision_words(row) for row in decided]))
        ends = [row.decided_at for row in decided if row.decided_at]
        signed = timezone.localtime(ends[-1]).date() if ends else None
    else:
        sections.append(Section("异议", [_how_to_object(round_, rules)]))
        signed = told_on(round_, rules)
    if uses := rules.value("evaluation.uses"):
        sections.append(Section("结果用途", [f"本结果用于：{'、'.join(uses)}。"]))
    return Paper(
        kind=LETTER, serial="GZ", title=f"{round_.title}结果告知书", public_title=f"{round_.title}结果告知书",
        addressee=subject.label,
        opening=[f"{round_.title}（{period_words(round_)}）已完成评估和审议，现将对{whom}的评估结果告知如下。"],
        sections=sections, signer=signer_of(round_), signed_on=signed,
        basis=_basis(rules, "evaluation.approval", "evaluation.objection_days", "evaluation.uses"),
        public_summary=[("文书", "评估结果告知书"), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip


def _result_rows(shown: Shown, rules: RoundRules) -> list[tuple[str, str]]:
    subject = shown.result.subject
    rows = [("受评对象", subject.label)]
    charges = "、".join(subject.service.order_by("charge__name").values_list("charge__name", flat=True))
    if charges:
        rows.append(("服务范围", charges))
    if shown.hidden:
        return [*rows, ("得分与等级", shown.hidden)]
    rows.append(("得分", figure(shown.score)))
    rows.append(("等级", shown.grade or "制度未设定等级"))
    if approval := rules.value("evaluation.approval"):
        rows.append(("审议", str(approval)))
    return rows


def _changes(result: Result) -> list[str]:
    """What was changed by deliberation or review, and why; a chain of versions is read from its first."""
    return [
        f"由{_pair(row.from_score, row.from_grade)}调整为{_pair(row.to_score, row.to_grade)}，理由：{row.reason}"
        for row in result.adjustments.all()
    ]


def _pair(score: Any, grade: str) -> str:
    return f"{figure(score)}分" + (f"（{grade}）" if grade else "") if score is not None else grade or "未定"


def _decision_words(row: Objection) -> str:
    on = prose_date(timezone.localtime(row.decided_at)) if row.decided_at else ""
    return f"{on}复核，{row.get_state_display()}：{row.decision}复核结果为最终结果。"


def _how_to_object(round_: Round, rules: RoundRules) -> str:
    rule = rules.get("evaluation.objection_days")
    if round_.objections_until is None:
        return f"异议期限：{clause_words(rule)}。"
    return (
        f"对结果有异议的，请于{prose_date(round_.objections_until)}前在平台提出，写明理由，可附证明材料；"
        "由未参与本次评估和审议的人员复核，复核结果为最终结果。"
    )


def _basis(rules: RoundRules, *keys: str) -> list[str]:
    """The clauses that the paper rests on; what nobody has set rests on none."""
    return list(dict.fromkeys(clause_words(rules.get(key)) for key in keys if rules.get(key).is_set))


def issue_letter(result_id: int, *, actor: User | None) -> IssuedDocument:
    """The letter of a result as it now stands: made once; when a review has decided, the next supersedes it.

    Raises ValueError before the result is announced.
    """
    result = results_by_id(result_id)
    if result.subject.round.state not in ("notice", "published", "filed"):
        raise ValueError("a result is told from the notice on")
    return _kept(result, letter_paper(result), actor)


def results_by_id(result_id: int) -> Result:
    return Result.objects.select_related(
        "subject__round__locality", "subject__planner", "subject__unit", "subject__organisation", "letter",
        "supersedes__letter",
    ).get(pk=result_id)  # fmt: skip


def _kept(result: Result, paper: Paper, actor: User | None) -> IssuedDocument:
    document = issue_paper(
        paper, actor=actor, locality_code=result.subject.round.locality.code, subject=f"result-{result.pk}",
        supersedes=result.letter or (result.supersedes.letter if result.supersedes else None),
    )  # fmt: skip
    Result.objects.filter(pk=result.pk).exclude(letter=document).update(letter=document)
    return document


def request_letters(round_: Round, *, actor: User, result: Result | None = None) -> Job:
    """Ask a worker for the letters of the round, or of one result; asked twice, they are made once."""
    one = f"-{result.pk}" if result else ""
    return enqueue(
        LETTERS_KIND, actor=actor, arguments={"round": round_.pk, "result": result.pk if result else None},
        key=f"letters-{round_.pk}{one}", locality=round_.locality, label=f"生成{round_.title}结果告知书"[:120],
    )  # fmt: skip


@register_effect("announce")
def _letters(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    request_letters(round_, actor=actor)


def reply_to_result(result: Result, *, actor: User, text: str = "") -> ResultReply:
    """Say that it was read, and what one has to say. Side effects: audit entry. Raises: Refused."""
    with transaction.atomic():
        locked = Result.objects.select_for_update(of=("self",)).select_related("subject__round__locality")
        row = locked.get(pk=result.pk)
        require(can_reply(actor, row))
        made = ResultReply.objects.create(result=row, replied_by=actor, text=clean_text(text)[:2000])
        audit.record("result.reply", actor=actor, obj=row, locality=row.subject.round.locality)
    return made


# --- the evaluation sheet of a planner, the summary of an office --------------------------------------------------


def sheet_paper(result: Result) -> Paper:
    """评估表: the whole of one planner's result on paper, for the file and the filing. No rater is named."""
    round_, rules, shown = result.subject.round, rules_of(result.subject.round), shown_result(result)
    steps = result.figures.get("steps") or {}
    sections = [Section("基本情况", grid=Grid((), [*_person_rows(result), *_result_rows(shown, rules)[1:]]))]
    if len(steps) > 1:
        rows = [(row.get("title", f"步骤{number}"), figure(row.get("value"))) for number, row in steps.items()]
        sections.append(Section("各步骤得分", grid=Grid(("步骤", "得分"), rows, ("", "w-value"), (1,))))
    if shown.means:
        rows = [(title, figure(value)) for title, value in shown.means]
        sections.append(Section("各项指标平均分", grid=Grid(("指标", "平均分"), rows, ("", "w-value"), (1,))))
    sections.append(Section("测算与审议", _course(result)))
    return Paper(
        kind=SHEET_PAPER, serial="PG", title=f"{round_.title}评估表（{result.subject.label}）",
        public_title=f"{round_.title}评估表",
        heading=f"{round_.title}评估表", byline=result.subject.label, sections=sections,
        signer=signer_of(round_), signed_on=effective_on(round_),
        basis=_basis(rules, "evaluation.approval", "evaluation.cutoffs"),
        public_summary=[("文书", "评估表"), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip


def effective_on(round_: Round) -> date | None:
    return timezone.localtime(round_.published_at).date() if round_.published_at else round_.objections_until


def _person_rows(result: Result) -> list[tuple[str, str]]:
    subject = result.subject
    rows = [("受评对象", subject.label), ("评估期间", period_words(subject.round))]
    if subject.contract is not None:
        rows.append(("聘用合同", subject.contract.number))
    if subject.served_days:
        rows.append(("服务天数（日历日）", str(subject.served_days)))
    return rows


def _course(result: Result) -> list[str]:
    said = [f"测算结果：{_pair(result.score, result.grade)}。" + (f"{result.note}。" if result.note else "")]
    said += [f"{line}。" for line in _changes(result)] or ["审议未作调整。"]
    decided = result.objections.filter(state__in=DECIDED)
    said += [_decision_words(row) for row in decided.order_by("decided_at")]
    said.append(f"审定结果：{_pair(result.final_score, result.final_grade)}。")
    return said


def office_paper(result: Result) -> Paper:
    """What planners' evaluation of an office came to, for the district: nothing of it from a group too small."""
    round_, rules, shown = result.subject.round, rules_of(result.subject.round), shown_result(result)
    sections = [Section("评价结果", grid=Grid((), _result_rows(shown, rules)))]
    if shown.means:
        rows = [(title, figure(value)) for title, value in shown.means]
        sections.append(Section("各项指标平均分", grid=Grid(("指标", "平均分"), rows, ("", "w-value"), (1,))))
    response = DepartmentResponse.objects.filter(result__subject_id=result.subject_id).order_by("-pk").first()
    if response is None or response.state == "asked":
        sections.append(Section("受评单位回应", ["尚未回应。"]))
    else:
        rows = [("回应", response.statement), ("改进措施", response.measures or "—")]
        rows.append(("改进期限", prose_date(response.due_on) if response.due_on else "—"))
        rows.append(("改进情况", response.outcome or "—"))
        sections.append(Section("受评单位回应与改进", grid=Grid((), rows)))
    return Paper(
        kind=OFFICE_PAPER, serial="PD", title=f"{round_.title}单位评价汇总（{result.subject.label}）",
        public_title=f"{round_.title}单位评价汇总",
        heading=f"{round_.title}单位评价汇总", byline=result.subject.label, sections=sections,
        signer=signer_of(round_),
        signed_on=effective_on(round_),
        basis=_basis(rules, "evaluation.smallest_group", "evaluation.department_assessment"),
        public_summary=[("文书", "单位评价汇总"), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip


def paper_of(result: Result) -> Paper:
    return sheet_paper(result) if result.subject.direction == PLANNER else office_paper(result)


def issue_result_paper(result_id: int, *, actor: User | None) -> IssuedDocument:
    """The evaluation sheet or the office's summary of a result that has taken effect. Raises ValueError before."""
    result = Result.objects.select_related(
        "subject__round__locality", "subject__planner", "subject__contract", "subject__unit", "subject__organisation"
    ).get(pk=result_id)
    if result.subject.round.state not in ("published", "filed"):
        raise ValueError("issued when the result has taken effect")
    return issue_paper(
        paper_of(result), actor=actor, locality_code=result.subject.round.locality.code, subject=f"result-{result.pk}"
    )


def letters_owed(round_: Round) -> list[int]:
    return list(results_of(round_).values_list("pk", flat=True))
