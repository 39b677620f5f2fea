"""Hard questions (R51): the district's government asks a planner who serves there (聊城 三(二)); the answer stays
findable for everybody whom it concerns."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.explain import Clause
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from districts.models import Charge, Locality, Organisation
from districts.services.policies import policy_in_force
from planners.models import Contract, Planner
from planners.services.assignments import service_periods
from planners.services.qualifications import people_of as people_of_contract
from projects import permissions_followup as may
from projects.models import HardQuestion
from projects.services.audience import bureau_of, people_of
from projects.transitions import QUESTION

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions({"hardquestion.ask": "提出疑难问题", "hardquestion.reassign": "疑难问题改由他人解答"})
KEY = "work.hard_questions"
ROWS = HardQuestion.objects.select_related("locality", "charge", "planner__user", "asker", "asked_by")


def askers_in(locality: Locality) -> list[Organisation]:
    """The bodies that may ask: the government of the place."""
    rows = Organisation.objects.filter(locality=locality, kind=Organisation.Kind.GOVERNMENT, is_active=True)
    return list(rows.order_by("name"))


@transaction.atomic
def ask_question(
    locality: Locality, *, actor: User, asker: Organisation, planner: Planner, title: str, text: str = "",
    charge: Charge | None = None, due_on: date | None = None,
) -> HardQuestion:  # fmt: skip
    """Put a question to a planner who serves in the locality (of the charge named, where one is).

    Side effects: audit, a notice to the planner. Raises: Refused (not entitled, or the pack has it not),
    ValidationError by field.
    """
    today = timezone.localdate()
    policy = policy_in_force(locality, today)
    require(may.may_ask_questions(actor, policy))
    clause = policy.get(KEY).clause if policy is not None else Clause(KEY, "unset")
    if asker not in askers_in(locality):
        raise ValidationError({"asker": "疑难问题由本地方的区政府（管委会）提出。"})
    _check_serving(planner, locality, charge, today)
    if due_on is not None and due_on < today:
        raise ValidationError({"due_on": "希望答复日期不能早于今天。"})
    made = HardQuestion(
        locality=locality, charge=charge, planner=planner, asker=asker, asked_by=actor, asked_on=today,
        title=title.strip(), text=text.strip(), due_on=due_on, clause=asdict(clause),
    )  # fmt: skip
    save_checked(made)
    audit.record("hardquestion.ask", actor=actor, obj=made, detail={"planner": planner.name})
    _tell(made)
    return made


def _check_serving(planner: Planner, locality: Locality, charge: Charge | None, on: date) -> None:
    periods = service_periods(planners=[planner.pk], locality=locality.pk, start=on, end=on)
    if not periods:
        raise ValidationError({"planner": f"{planner.name}目前不在本地方服务。"})
    if charge is not None and all(period.charge_id != charge.pk for period in periods):
        raise ValidationError({"planner": f"{planner.name}目前不服务“{charge.name}”。"})


def _tell(question: HardQuestion) -> None:
    until = f"，希望于 {question.due_on} 前答复" if question.due_on else ""
    notify(
        [question.planner.user_id] if question.planner.user_id else [], kind="question.asked",
        text=f"{question.asker.name}向您咨询：{question.title}{until}", url=question.get_absolute_url(),
        key=f"question.asked:{question.pk}:{question.planner_id}",
    )  # fmt: skip


def answer_question(question: HardQuestion, *, actor: User, answer: str) -> HardQuestion:
    """Answer it, once. Side effects: audit, notices to who asked. Raises: Refused, StaleState, ValidationError."""
    _fresh(question)
    require(may.can_answer_question(actor, question))
    if not answer.strip():
        raise ValidationError({"answer": "请填写解答。"})
    return apply_move(
        question, QUESTION, "answer", actor=actor,
        changes={"answer": answer.strip(), "answered_at": timezone.now()},
        notify=lambda one: Notice(
            {one.asked_by_id, *people_of(one.asker)}, "question.answered", f"{one.planner.name}已解答：{one.title}",
            one.get_absolute_url(), f"question.answered:{one.pk}",
        ),
    )  # fmt: skip


def withdraw_question(question: HardQuestion, *, actor: User, reason: str) -> HardQuestion:
    """Take it back before it is answered. Side effects: audit, a notice to the planner. Raises: Refused, StaleState
    (answered meanwhile), ValidationError."""
    _fresh(question)
    return apply_move(
        question, QUESTION, "withdraw", actor=actor, reason=reason, changes={"reason": reason.strip()},
        notify=lambda one: Notice(
            [one.planner.user_id] if one.planner.user_id else [], "question.withdrawn",
            f"疑难问题“{one.title}”已撤回，无须解答。原因：{one.reason}", one.get_absolute_url(),
            f"question.withdrawn:{one.pk}",
        ),
    )  # fmt: skip


def _fresh(question: HardQuestion) -> None:
    """Whoever read it before it was answered or taken back is told so, not that they may not."""
    now = HardQuestion.objects.filter(pk=question.pk).values_list("state", flat=True).first()
    if now != question.state:
        raise StaleState(f"已被他人处理，该问题{dict(HardQuestion.State.choices).get(str(now), '')}，请刷新后查看。")


@transaction.atomic
def reassign_question(question: HardQuestion, *, actor: User, planner: Planner, reason: str) -> HardQuestion:
    """Put it to somebody else, because the planner is away or serves no more. Side effects: audit, notices to both.
    Raises: Refused, StaleState, ValidationError by field."""
    current = ROWS.select_for_update(of=("self",)).get(pk=question.pk)
    if current.state != question.state:
        raise StaleState
    require(may.can_withdraw_question(actor, current))
    if not reason.strip():
        raise ValidationError({"reason": "请写明原因。"})
    if planner.pk == current.planner_id:
        raise ValidationError({"planner": "该问题正由这位规划师解答。"})
    _check_serving(planner, current.locality, current.charge, timezone.localdate())
    former, current.planner = current.planner, planner
    current.save(update_fields=["planner"])
    audit.record(
        "hardquestion.reassign", actor=actor, obj=current,
        detail={"from_label": former.name, "to_label": planner.name, "reason": reason.strip()},
    )  # fmt: skip
    if former.user_id:
        notify(
            [former.user_id], kind="question.reassigned", url=current.get_absolute_url(),
            text=f"疑难问题“{current.title}”已改由{planner.name}解答", key=f"question.reassigned:{current.pk}:{planner.pk}",
        )  # fmt: skip
    _tell(current)
    return current


def tell_of_ended(contract: Contract) -> int:
    """Tell who asked that the planner of an open question no longer serves; the number of questions. They stay asked,
    marked on the worklist, until they are put to somebody else, answered after all, or taken back."""
    people = {planner.pk for planner in people_of_contract(contract, contract.assignments.all())}
    after = (contract.ended_on or contract.end) + timedelta(days=1)
    told = 0
    for question in ROWS.filter(planner_id__in=people, locality=contract.locality, state="asked").order_by("pk"):
        if service_periods(planners=[question.planner_id], locality=question.locality_id, start=after, end=after):
            continue
        notify(
            {question.asked_by_id, *people_of(question.asker), *bureau_of(question.locality)}, kind="question.stuck",
            text=f"{question.planner.name}的聘用至 {after - timedelta(days=1)} 止，疑难问题“{question.title}”尚未解答，请改由他人解答或撤回",
            url=question.get_absolute_url(), key=f"question.stuck:{question.pk}:{question.planner_id}",
        )  # fmt: skip
        told += 1
    return told
