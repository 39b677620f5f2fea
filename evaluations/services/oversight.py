"""The yearly review of the system itself, supervision (督查) and circulars (通报)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.models import IssuedDocument
from core.notifications import Notice, notify
from core.pdf.issue import next_serial
from core.permissions import require
from core.saving import save_checked
from core.templatetags.portal import prose_date
from core.text import clean_text
from core.transitions import apply_move
from districts.access import access_of
from districts.models import Locality, Organisation, Unit
from districts.services.policies import policy_to_read
from evaluations.models import (
    Circular,
    DepartmentResponse,
    DutyReport,
    FilingPackage,
    Inspection,
    Objection,
    Round,
    SystemReview,
)
from evaluations.permissions import oversight as may
from evaluations.services.papers import Grid, Paper, Section, clause_words, issue_paper
from evaluations.transitions.oversight import CIRCULAR, INSPECTION, SYSTEM_REVIEW
from planners.models import Assignment
from projects.services.audience import acting_for, officers
from worklogs.models import WorkLog

REVIEW_RULE = "validity.review"
Fact = dict[str, Any]


# --- the yearly review of the system (R72) ------------------------------------------------------------------------


def review_ground(locality: Locality) -> str:
    """On what ground the system is reviewed: the clause, or that no document asks for it."""
    policy = policy_to_read(locality)
    found = policy.get(REVIEW_RULE) if policy is not None else None
    if found is None or not found.is_set:
        return "本地方文件没有规定制度评估，可以自行开展"
    return clause_words(found)


def _review_basis(locality: Locality) -> list[str]:
    policy = policy_to_read(locality)
    found = policy.get(REVIEW_RULE) if policy is not None else None
    return [clause_words(found)] if found is not None and found.is_set else []


def review_facts(locality: Locality, year: int) -> list[Fact]:
    """What the portal knows of the year; nobody types it."""
    start, end = date(year, 1, 1), date(year, 12, 31)
    assigned = Assignment.objects.filter(
        Q(end=None) | Q(end__gte=start), contract__locality=locality, contract__state__in=["signed", "ended"],
        start__lte=end,
    )  # fmt: skip
    units = Unit.objects.filter(locality=locality).current(end)
    served = units.filter(charge__in=assigned.values("charge_id")).count()
    logs = WorkLog.objects.filter(
        locality=locality, date__range=(start, end), superseded_by=None, state="confirmed"
    )  # fmt: skip
    rounds = Round.objects.filter(locality=locality, end__range=(start, end)).living()
    reports = DutyReport.objects.filter(cycle__locality=locality, cycle__end__range=(start, end), superseded_by=None)
    objections = Objection.objects.filter(result__subject__round__in=rounds).exclude(state="withdrawn")
    responses = DepartmentResponse.objects.filter(result__subject__round__in=rounds)
    filed = FilingPackage.objects.filter(round__in=rounds, state="accepted").count()
    inspections = Inspection.objects.filter(locality=locality, held_on__range=(start, end)).exclude(state="cancelled")

    def fact(label: str, value: Any, unit: str = "", note: str = "") -> Fact:
        return {"label": label, "value": str(value), "unit": unit, "note": note}

    total = units.count()
    return [
        fact("在任责任规划师", assigned.exclude(planner=None).values("planner").distinct().count(), "人"),
        fact("责任单元覆盖", served, "个", f"共 {total} 个"),
        fact("已确认履职记录", logs.count(), "条"),
        fact("述职文书定稿", reports.filter(state="frozen").count(), "份", f"应有 {reports.count()} 份"),
        fact("结果生效的评估", rounds.filter(state__in=["published", "filed"]).count(), "次", f"共 {rounds.count()} 次"),
        fact("评估异议", objections.count(), "件", f"成立 {objections.filter(state='upheld').count()} 件"),
        fact(
            "主管单位回应", responses.exclude(state="asked").count(), "个",
            f"应回应 {responses.count()} 个，确认改进 {responses.filter(state='confirmed').count()} 个",
        ),
        fact("准予备案", filed, "次"),
        fact("督查", inspections.count(), "次", f"办结 {inspections.filter(state='closed').count()} 次"),
    ]  # fmt: skip


def draft_review(locality: Locality, *, actor: User, year: int, today: date) -> SystemReview:
    """Begin the review of a year; one that is being drafted is given back, after a settled one comes a new version.

    Side effects: audit entry. Raises: Refused, ValidationError (a year to come).
    """
    require(may.can_draft_review(actor, locality))
    if not 2000 <= year <= today.year:
        raise ValidationError({"year": "请选择今年或以前的年度。"})
    with transaction.atomic():
        Locality.objects.select_for_update().get(pk=locality.pk)
        last = SystemReview.objects.filter(locality=locality, year=year).order_by("-version").first()
        if last is not None and last.state == SystemReview.State.DRAFT:
            return last
        made = SystemReview(
            locality=locality, year=year, version=last.version + 1 if last else 1, drafted_by=actor,
            findings=last.findings if last else "", proposals=last.proposals if last else "",
        )  # fmt: skip
        save_checked(made, exclude=["facts"])
        audit.record("systemreview.draft", actor=actor, obj=made, locality=locality, detail={"version": made.version})
    return made


def save_review(review: SystemReview, *, actor: User, findings: str, proposals: str, revision: int) -> SystemReview:
    """Keep the text; `revision` is the one the page was built from. Raises: Refused, StaleState."""
    require(may.can_edit_review(actor, review))
    with transaction.atomic():
        row = SystemReview.objects.select_for_update(of=("self",)).select_related("locality").get(pk=review.pk)
        if row.state != SystemReview.State.DRAFT:
            raise StaleState("制度评估已定稿，不能修改。")
        if row.revision != revision:
            raise StaleState("内容已在别处保存过，请刷新后再改。")
        row.findings, row.proposals = clean_text(findings), clean_text(proposals)
        row.revision += 1
        row.save(update_fields=["findings", "proposals", "revision"])
    return row


def settle_review(review: SystemReview, *, actor: User) -> SystemReview:
    """Fix it with the figures of the day. Raises: Refused, StaleState, ValidationError (nothing proposed)."""
    if not review.findings or not review.proposals:
        raise ValidationError("请填写主要问题和改进建议。")
    return apply_move(
        review, SYSTEM_REVIEW, "settle", actor=actor,
        changes={
            "facts": review_facts(review.locality, review.year), "settled_by": actor, "settled_at": timezone.now(),
        },
    )  # fmt: skip


def review_paper(review: SystemReview) -> Paper:
    rows = [(f["label"], f"{f['value']} {f['unit']}".strip(), f["note"]) for f in review.facts]
    return Paper(
        kind="system_review", serial="ZD", title=f"{review.locality.name}责任规划师制度{review.year}年度评估报告",
        public_title=f"{review.locality.name}责任规划师制度{review.year}年度评估报告",
        opening=[f"现将{review.year}年度责任规划师制度执行情况评估如下。"],
        sections=[
            Section("执行情况", grid=Grid(("项目", "数量", "说明"), rows, ("", "w-value", "w-text"), (1,))),
            Section("主要问题", _lines(review.findings)), Section("改进建议", _lines(review.proposals)),
        ],
        signer=_bureau_name(review.locality),
        signed_on=timezone.localtime(review.settled_at).date() if review.settled_at else None,
        basis=_review_basis(review.locality),
        public_summary=[("文书", "制度评估报告"), ("地方", review.locality.name), ("年度", str(review.year))],
    )  # fmt: skip


def issue_review(pk: int, *, actor: User | None) -> IssuedDocument:
    """Raises ValueError before it is settled."""
    review = SystemReview.objects.select_related("locality", "document").get(pk=pk)
    if review.state != SystemReview.State.SETTLED:
        raise ValueError("only a settled review is issued")
    return _kept(review, review_paper(review), actor)


def _kept(row: Any, paper: Paper, actor: User | None) -> IssuedDocument:
    if row.document is not None:
        known: IssuedDocument = row.document
        return known
    document = issue_paper(
        paper, actor=actor, locality_code=row.locality.code, subject=f"{row._meta.model_name}-{row.pk}"
    )
    type(row).objects.filter(pk=row.pk, document=None).update(document=document)
    return document


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _bureau_name(locality: Locality) -> str:
    bureau = Organisation.objects.filter(locality=locality, kind="bureau").order_by("pk").first()
    return bureau.name if bureau else f"{locality.name}规划主管部门"


# --- supervision (R71) --------------------------------------------------------------------------------------------


def make_inspection(
    locality: Locality, *, actor: User, organisation: Organisation | None, held_on: date, findings: str, demands: str,
    due_on: date, today: date,
) -> Inspection:  # fmt: skip
    """Register what was found and what is asked by when: by the city of a locality or an office in it, by the bureau of
    an office of its own.

    Side effects: audit entry, notices. Raises: Refused, ValidationError by field.
    """
    require(may.can_inspect(actor, locality))
    by_city = access_of(actor).is_role(Role.CITY)
    if organisation is None and not by_city:
        raise ValidationError({"organisation": "请选择受督查单位。"})
    if organisation is not None and organisation.locality_id != locality.pk:
        raise ValidationError({"organisation": "不是该地方的单位。"})
    if held_on > today:
        raise ValidationError({"held_on": "督查日期不能晚于今天。"})
    if due_on < held_on:
        raise ValidationError({"due_on": "整改期限不能早于督查日期。"})
    with transaction.atomic():
        made = Inspection(
            locality=locality, organisation=organisation, by_city=by_city, held_on=held_on, due_on=due_on,
            findings=clean_text(findings), demands=clean_text(demands), made_by=actor,
            number=f"DC-{held_on.year}-{next_serial('DC', held_on.year):05d}",
        )  # fmt: skip
        save_checked(made)
        audit.record("inspection.make", actor=actor, obj=made, locality=locality, detail={"number": made.number})
        text = f"督查 {made.number}：请于{prose_date(due_on)}前反馈整改情况。"
        notify(
            inspected(made), kind="inspection.made", text=text, url=inspection_url(made), key=f"inspection-{made.pk}"
        )
    return made


def inspected(inspection: Inspection) -> list[int]:
    """User ids of those who have to answer."""
    office = inspection.organisation
    if office is None:
        return officers(inspection.locality_id, Role.BUREAU, Role.LEADER)
    found = set(acting_for([office.pk]))
    if office.kind == "government":
        found |= set(officers(inspection.locality_id, Role.LEADER))
    return sorted(found)


def inspection_url(inspection: Inspection) -> str:
    return reverse("evaluations:inspection", args=[inspection.pk])


def answer_inspection(inspection: Inspection, *, actor: User, answer: str) -> Inspection:
    """Raises: Refused, StaleState, ValidationError."""
    answer = clean_text(answer)
    if not answer:
        raise ValidationError({"answer": "请填写整改情况。"})
    return apply_move(
        inspection, INSPECTION, "answer", actor=actor,
        changes={"answer": answer, "answered_by": actor, "answered_at": timezone.now()},
        notify=lambda row: Notice(
            [row.made_by_id], "inspection.answered", f"督查 {row.number} 已反馈整改情况。", inspection_url(row)
        ),
    )  # fmt: skip


def move_inspection(inspection: Inspection, move: str, *, actor: User, reason: str = "") -> Inspection:
    """Close, ask again, cancel. Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(
        inspection, INSPECTION, move, actor=actor, reason=reason,
        notify=lambda row: Notice(
            inspected(row), f"inspection.{move}", f"督查 {row.number}：{row.get_state_display()}。", inspection_url(row)
        ),
    )  # fmt: skip


# --- circulars (R71) ----------------------------------------------------------------------------------------------

CIRCULAR_HEADS = ("责任单元", "责任规划师（人）", "履职记录（条）", "督查未办结（项）")


def circular_rows(locality: Locality, start: date, end: date) -> list[list[str]]:
    """How each unit of the locality and of those below it carried the system out in the period; four queries."""
    places = Locality.objects.filter(Q(pk=locality.pk) | Q(parent=locality))
    units = list(Unit.objects.filter(locality__in=places).current(end).select_related("locality", "office"))
    charges = [unit.charge_id for unit in units]
    people = dict(
        Assignment.objects.filter(
            Q(end=None) | Q(end__gte=start), charge__in=charges, start__lte=end,
            contract__state__in=["signed", "ended"],
        ).exclude(planner=None)
        .values_list("charge").annotate(n=Count("planner", distinct=True)).order_by()
    )  # fmt: skip
    logs = dict(
        WorkLog.objects.filter(charge__in=charges, date__range=(start, end), superseded_by=None, state="confirmed")
        .values_list("charge").annotate(n=Count("pk")).order_by()
    )  # fmt: skip
    waiting = dict(
        Inspection.objects.unfinished().filter(organisation__in=[unit.office_id for unit in units if unit.office_id])
        .values_list("organisation").annotate(n=Count("pk")).order_by()
    )  # fmt: skip
    ordered = sorted(units, key=lambda unit: (unit.locality.code, unit.sort_key, unit.pk))
    many = len({unit.locality_id for unit in units}) > 1
    return [
        [
            f"{unit.locality.name}{unit.name}" if many else unit.name, str(people.get(unit.charge_id, 0)),
            str(logs.get(unit.charge_id, 0)), str(waiting.get(unit.office_id, 0)),
        ]
        for unit in ordered
    ]  # fmt: skip


def draft_circular(locality: Locality, *, actor: User, title: str, start: date, end: date, text: str) -> Circular:
    """Raises: Refused, ValidationError by field."""
    require(may.can_make_circular(actor, locality))
    with transaction.atomic():
        made = Circular(
            locality=locality, title=clean_text(title), start=start, end=end, text=clean_text(text), made_by=actor
        )
        save_checked(made, exclude=["rows"])
        audit.record("circular.draft", actor=actor, obj=made, locality=locality)
    return made


def put_out_circular(circular: Circular, *, actor: User, today: date) -> Circular:
    """Out to every official of the locality and below, with the figures of the day.

    Side effects: notices. Raises: Refused, StaleState, ValidationError (the period is not over).
    """
    if circular.end > today:
        raise ValidationError("通报期间尚未结束。")
    rows = circular_rows(circular.locality, circular.start, circular.end)
    places = Locality.objects.filter(Q(pk=circular.locality_id) | Q(parent_id=circular.locality_id))
    people = {
        pk for place in places for pk in officers(place.pk, Role.BUREAU, Role.LEADER, Role.UNIT, Role.CITY)
    }  # fmt: skip
    return apply_move(
        circular, CIRCULAR, "put_out", actor=actor, changes={"rows": rows, "out_at": timezone.now()},
        notify=lambda row: Notice(
            sorted(people), "circular.out", f"新通报：{row.title}", reverse("evaluations:circular", args=[row.pk]),
            key=f"circular-{row.pk}",
        ),
    )  # fmt: skip


def circular_paper(circular: Circular) -> Paper:
    rows = [(str(number), *row) for number, row in enumerate(circular.rows, 1)]
    return Paper(
        kind="circular", serial="TB", title=circular.title, public_title=circular.title,
        opening=_lines(circular.text),
        sections=[
            Section(
                "落实情况", [f"统计期间：{prose_date(circular.start)}至{prose_date(circular.end)}。"],
                Grid(("序号", *CIRCULAR_HEADS), rows, ("w-slot", "", "w-value", "w-value", "w-value"), (0, 2, 3, 4)),
            )
        ],
        signer=_bureau_name(circular.locality),
        signed_on=timezone.localtime(circular.out_at).date() if circular.out_at else None,
        public_summary=[("文书", "通报"), ("地方", circular.locality.name)],
    )  # fmt: skip


def issue_circular(pk: int, *, actor: User | None) -> IssuedDocument:
    """Raises ValueError before it is out."""
    circular = Circular.objects.select_related("locality", "document").get(pk=pk)
    if circular.state != Circular.State.OUT:
        raise ValueError("only a circular that is out is issued")
    return _kept(circular, circular_paper(circular), actor)
