"""What waits once a round has been collated: to deliberate, to tell, to answer, to publish and to file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.urls import reverse

from accounts.roles import Role
from districts.access import Access
from evaluations.models import DepartmentResponse, FilingPackage, Objection, Result, Round, Subject
from evaluations.permissions.outcomes import can_take_objection
from evaluations.querysets.outcomes import TOLD
from evaluations.querysets.rounds import is_subject
from evaluations.services.filing import due_after, filing_lines
from evaluations.services.rules import rules_of
from portal.todo_item import LATER, OVERDUE, SOON, WAITING, Todo

if TYPE_CHECKING:
    from accounts.models import User

SOON_WITHIN = timedelta(days=14)
MOST = 10


def _by_day(due: date | None, today: date) -> tuple[int, str]:
    """How urgent it is, and by when."""
    if due is None:
        return WAITING, ""
    if due < today:
        return OVERDUE, f"已过期限 {due}"
    return (SOON if due - today <= SOON_WITHIN else WAITING), f"{due} 前办理"


# --- who was evaluated --------------------------------------------------------------------------------------------


def _own_results(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Results told and not yet answered: by when one may object, and the response that an office owes."""
    mine = Subject.objects.filter(is_subject(user)).values("pk")
    told = Result.objects.visible_to(user).current().filter(
        subject__in=mine, subject__round__state__in=TOLD, reply=None
    )  # fmt: skip
    for result in told.select_related("subject__round").order_by("-pk")[:3]:
        round_ = result.subject.round
        until = round_.objections_until if round_.state == Round.State.NOTICE else None
        note = f"如有异议，{until} 前提出" if until is not None and until >= today else ""
        yield Todo(
            SOON if note else WAITING, f"{round_.title}的结果待阅知（{result.subject.label}）",
            reverse("evaluations:own-result", args=[result.pk]), "去查看", 1, note,
        )  # fmt: skip
    owed = DepartmentResponse.objects.visible_to(user).filter(
        result__subject__in=mine, state__in=["asked", "answered"]
    )  # fmt: skip
    for response in owed.select_related("result__subject__round")[:5]:
        asked = response.state == DepartmentResponse.State.ASKED
        urgency, note = _by_day(response.due_on, today)
        text = "结果待回应" if asked else "改进情况待报告"
        yield Todo(
            urgency, f"{response.result.subject.round.title}：{text}",
            reverse("evaluations:response", args=[response.pk]), "去回应" if asked else "去报告", 1, note,
        )  # fmt: skip


# --- who organises ------------------------------------------------------------------------------------------------


def _rounds(access: Access, *states: str) -> Any:
    rows = Round.objects.filter(locality_id__in=access.locality_ids, standing="active", state__in=states)
    return rows.select_related("locality").order_by("-end", "-pk")


def _to_deliberate(user: User, access: Access, today: date) -> Iterator[Todo]:
    for round_ in _rounds(access, "collation", "deliberation")[:MOST]:
        if round_.state == Round.State.DELIBERATION:
            url = reverse("evaluations:deliberation", args=[round_.pk])
            yield Todo(WAITING, f"{round_}待审议", url, "去审议", 1, "登记会议、审定结果后公示")
        elif access.is_role(Role.BUREAU):
            url = reverse("evaluations:round", args=[round_.pk])
            yield Todo(WAITING, f"{round_}已汇总，核对测算后提交审议", url, "去核对")


def _objections(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Those nobody has taken on, as far as one may; and those in one's own hands."""
    rows = Objection.objects.visible_to(user).filter(state__in=["raised", "reviewing"])
    found = list(rows.select_related("result__subject__round__locality")[:50])
    free = [row for row in found if row.state == "raised" and can_take_objection(user, row)]
    if free:
        yield Todo(SOON, "对评估结果的异议待受理", reverse("evaluations:objection-list"), "去受理", len(free))
    for row in found:
        if row.state == "reviewing" and row.reviewer_id == user.pk:
            url = reverse("evaluations:objection", args=[row.pk])
            yield Todo(SOON, f"{row.result.subject.label}的异议待复核", url, "去复核")


def _after_notice(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Letters, notice, results coming into effect, publication, improvements to be confirmed."""
    rounds = _rounds(access, "notice", "published").annotate(
        without_letter=Count("subjects__results", filter=Q(
            subjects__results__superseded_by=None, subjects__results__letter=None, subjects__left_out_reason="",
        ), distinct=True),
        improved=Count(
            "subjects__results__response", filter=Q(subjects__results__response__state="done"), distinct=True
        ),
    )  # fmt: skip
    for round_ in rounds.prefetch_related("publications")[:MOST]:
        url = reverse("evaluations:after", args=[round_.pk])
        if round_.without_letter:
            yield Todo(SOON, f"{round_}：结果告知书待生成", url, "去生成", round_.without_letter)
        if round_.improved:
            yield Todo(WAITING, f"{round_}：单位改进情况待确认", url, "去确认", round_.improved)
        yield from _to_publish(round_, today)
        if (
            round_.state == Round.State.NOTICE
            and round_.objections_until is not None
            and round_.objections_until < today
        ):
            page = reverse("evaluations:round", args=[round_.pk])
            yield Todo(
                SOON, f"{round_}异议期已满，结果可以生效", page, "去办理", 1, f"异议期至 {round_.objections_until}"
            )


def _to_publish(round_: Round, today: date) -> Iterator[Todo]:
    """公示 while objections may be raised, 公布 afterwards, where the rules ask for it."""
    if not rules_of(round_).value("evaluation.publication"):
        return
    notice = round_.state == Round.State.NOTICE
    kind, words = ("notice", "公示") if notice else ("result", "公布")
    if notice and round_.objections_until is not None and round_.objections_until < today:
        return
    if not any(row.kind == kind and row.state == "out" for row in round_.publications.all()):
        yield Todo(WAITING, f"{round_}的结果待{words}", reverse("evaluations:after", args=[round_.pk]), f"去{words}")


def _to_file(user: User, access: Access, today: date) -> Iterator[Todo]:
    """备案: due in the first quarter; what came back; what is accepted and only has to be closed."""
    packages: dict[int, FilingPackage] = {}
    rounds = list(_rounds(access, "published")[:MOST])
    for package in FilingPackage.objects.filter(round__in=rounds).order_by("version"):
        packages[package.round_id] = package
    for round_ in rounds:
        rule, last = rules_of(round_).value("evaluation.filing"), packages.get(round_.pk)
        if rule is None and last is None:
            continue
        if last is not None and last.state in ("sent", "received"):
            continue
        if last is not None and last.state == FilingPackage.State.ACCEPTED:
            page = reverse("evaluations:round", args=[round_.pk])
            yield Todo(LATER, f"{round_}已准予备案，可以完成备案", page, "去完成")
            continue
        urgency, note = _by_day(last.due_on if last else due_after(round_.end, rule.get("due")), today)
        url = reverse("evaluations:filing", args=[last.pk]) if last else reverse("evaluations:after", args=[round_.pk])
        returned = last is not None and last.state == FilingPackage.State.RETURNED
        text = "备案材料被退回补正" if returned else "备案材料待报送" if last else "结果待备案"
        yield Todo(min(urgency, SOON) if returned else urgency, f"{round_}：{text}", url, "去办理", 1, note)


# --- the city -------------------------------------------------------------------------------------------------------


def _filings_received(user: User, access: Access, today: date) -> Iterator[Todo]:
    """What the localities sent, and who is late."""
    rows = FilingPackage.objects.visible_to(user)
    for state, text, act in (("sent", "报送的备案材料待签收", "去签收"), ("received", "备案材料待审核", "去审核")):
        if count := rows.filter(state=state).count():
            yield Todo(SOON, text, reverse("evaluations:filing-list"), act, count)
    late = [line for line in filing_lines(user, year=today.year - 1, today=today) if line.days_late]
    if late:
        names = "、".join(line.locality.name for line in late[:4])
        url = f"{reverse('evaluations:filing-list')}?year={today.year - 1}"
        yield Todo(OVERDUE, f"{today.year - 1}年评估结果逾期未报送备案", url, "去查看", len(late), names)


RATED = (_own_results,)
LEADING = (_to_deliberate, _objections)
ORGANISING = (*LEADING, _after_notice, _to_file)
SUPERVISING = (_filings_received,)
