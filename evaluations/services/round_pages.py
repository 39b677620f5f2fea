"""What the pages of a round say: phases, what stands in the way of the next one, steps with who has answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from core.permissions import Decision
from core.transitions import Move, available_moves
from districts.access import access_of
from districts.policy.keys import SIDES
from evaluations.evidence import COUNTS
from evaluations.models import Form, Indicator, Round, RoundStep, Sheet
from evaluations.permissions.results import can_see_workings
from evaluations.querysets.outcomes import SETTLED, TOLD
from evaluations.querysets.rounds import is_subject
from evaluations.scoring.rules import WEIGHTS
from evaluations.services.checklist import Obstacle, checklist
from evaluations.services.counts import ask, query_of, subjects_of
from evaluations.services.rules import FrozenValue, RoundRules
from evaluations.services.seats import empty_seats, unanswered
from evaluations.transitions.rounds import ROUND
from projects.adoption import LABELS, RATE_CODES

State = Round.State
# What may be shown beside a line even where the first subject has none of it yet.
EVIDENCE_LABELS = {
    "days": "服务天数",
    "required_days": "应服务天数",
    "shortfall_days": "天数不足",
    "visits": "走访次数",
    "required_visits": "应走访次数",
    "shortfall_visits": "次数不足",
    "principal_met": "与主要负责人当面交流",
    **{code: label for code, (label, _) in COUNTS.items()},
    **{code: LABELS[code] for code in RATE_CODES},
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A stage of the line at the head of the page. `standing`: done, now or later."""

    label: str
    standing: str


def phases(round_: Round) -> list[Phase]:
    order: list[Round.State] = [
        s for s in State if s != State.CANCELLED and (s != State.SELF_REPORT or round_.has_self_report)
    ]
    if round_.state == State.CANCELLED:
        return [Phase(State(round_.state).label, "now")]
    now = order.index(State(round_.state))
    return [Phase(s.label, "done" if n < now else "now" if n == now else "later") for n, s in enumerate(order)]


@dataclass(frozen=True)
class NextMove:
    """A button with everything that stands in its way."""

    move: Move
    decision: Decision
    obstacles: Sequence[Obstacle] = ()

    @property
    def blocked(self) -> bool:
        return not self.decision or any(obstacle.blocking for obstacle in self.obstacles)


def next_moves(round_: Round, user: User, *, today: date) -> list[NextMove]:
    """What may follow, each with its checklist; of the two ways to open the one that the policy asks for."""
    opening = "open_directly" if round_.has_self_report else "open"
    return [
        NextMove(move, decision, checklist(round_, move.name, today=today))
        for move, decision in available_moves(ROUND, round_, user)
        if move.name != opening
    ]


@dataclass(frozen=True, slots=True)
class RoundLink:
    """A page that goes on from the round. `is_main`: where this phase is dealt with."""

    label: str
    url: str
    note: str = ""
    is_main: bool = False


def round_links(round_: Round, user: User) -> list[RoundLink]:
    """Results, deliberation and what follows, as far as the round is and the person may."""
    access = access_of(user)

    def link(label: str, name: str, note: str, *args: Any, main: bool = False) -> RoundLink:
        return RoundLink(label, reverse(f"evaluations:{name}", args=args), note, main)

    state, found = round_.state, []
    if can_see_workings(user, round_):
        found.append(link("结果", "results", "排名、计算过程和依据", round_.pk, main=state == State.COLLATION))
        if state != State.COLLATION:
            main = state == State.DELIBERATION
            found.append(link("审议和纪要", "deliberation", "登记会议、调整、审定", round_.pk, main=main))
        if state in TOLD:
            note = "告知书、异议、公示公布、回应、备案"
            found.append(link("告知、公布与备案", "after", note, round_.pk, main=True))
    elif access.is_role(Role.CITY) and state in SETTLED:
        found.append(link("结果", "results", "已生效的结果", round_.pk))
        found.append(link("备案情况", "filing-list", "各地方报送和受理情况", main=True))
    elif state in TOLD and round_.subjects.taking_part().filter(is_subject(user)).exists():
        found.append(link("我的评估结果", "own-result-list", "结果、告知书、回复和异议", main=True))
    return found


@dataclass
class SideProgress:
    """How far the raters of one side are. Who has answered is the organisers' to know; what, nobody's."""

    label: str
    direction: str
    total: int = 0
    submitted: int = 0
    abstained: int = 0

    @property
    def open(self) -> int:
        return self.total - self.submitted - self.abstained


@dataclass
class StepView:
    step: RoundStep
    sides: list[SideProgress] = field(default_factory=list)
    is_next: bool = False
    is_late: bool = False
    form_count: int = 0

    @property
    def total(self) -> int:
        return sum(side.total for side in self.sides)

    @property
    def submitted(self) -> int:
        return sum(side.submitted for side in self.sides)

    @property
    def open(self) -> int:
        return sum(side.open for side in self.sides)


def step_views(round_: Round, *, today: date, counted: bool) -> list[StepView]:
    """The steps in order; `counted`: with how many have answered, side by side."""
    views = [StepView(step) for step in round_.steps.order_by("number")]
    numbers: dict[tuple[int, str, str], dict[str, int]] = defaultdict(dict)
    if counted:
        rows = round_.sheets.counting().values_list("step_id", "subject__direction", "side", "state")
        for step_id, direction, side, state, n in rows.annotate(n=Count("pk")).order_by():
            numbers[step_id, direction, side][state] = n
    waiting = True
    for view in views:
        for direction in round_.directions:
            for side in view.step.sides(direction):
                found = numbers.get((view.step.pk, direction, side), {})
                label = f"{SIDES.get(side, side)} → {'责任规划师' if direction == 'planner' else '主管单位'}"
                view.sides.append(
                    SideProgress(
                        label, direction, sum(found.values()), found.get("submitted", 0), found.get("abstained", 0)
                    )
                )
        view.is_next = waiting and view.step.state == "pending" and round_.state == State.SCORING
        if view.step.state != "closed":
            waiting = False
        view.is_late = view.step.state == "open" and view.step.due_on is not None and view.step.due_on < today
    return views


@dataclass(frozen=True)
class Attention:
    """What somebody has to look after: sheets that nobody can fill in, wishes to be let off, forms given back."""

    empty: Sequence[Sheet] = ()
    declined: Sequence[Sheet] = ()
    given_back: Sequence[Sheet] = ()


def attention(round_: Round, *, today: date) -> Attention:
    if round_.state not in (State.PREPARATION, State.SELF_REPORT, State.SCORING, State.COLLATION):
        return Attention()
    rows = unanswered(round_)
    declined = round_.sheets.filter(state="declined", step__state__in=["pending", "open"])
    back = round_.sheets.filter(state="draft", step__state="closed").exclude(reopened_until=None)
    return Attention(
        empty_seats(round_, on=today, sheets=rows) if rows else [],
        list(declined.select_related("subject", "step").order_by("pk")),
        list(back.select_related("subject", "step").order_by("pk")),
    )


# --- forms ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WeightRow:
    """A line of a form with the weight that counts: the frozen one, or what the policy says now."""

    line: Indicator
    weight: Any
    # Labels of the evidence beside it, and of what it is counted from.
    evidence: tuple[str, ...] = ()
    source: str = ""


def weights_of(form: Form, rules: RoundRules) -> tuple[list[WeightRow], FrozenValue]:
    """Lines with weights and where the weights come from; without a decision every weight is None."""
    value = rules.get(WEIGHTS[form.direction])
    asked = {row["indicator"]: row["weight"] for row in value.value or ()}
    frozen = form.state == Form.State.FROZEN
    lines = list(form.indicators.all())
    named = any(line.evidence or line.source for line in lines)
    names = dict(evidence_choices(form.step.round, form.direction)) if named else {}
    rows = [
        WeightRow(
            line, line.weight if frozen else asked.get(line.code),
            tuple(names.get(code, code) for code in line.evidence), names.get(line.source, line.source),
        )
        for line in lines
    ]  # fmt: skip
    return rows, value


def evidence_choices(round_: Round, direction: str) -> list[tuple[str, str]]:
    """(code, label) of what the portal can show beside a line: what it knows of the first subject, and the tally's."""
    subject = subjects_of(round_).filter(direction=direction).first()
    found = dict(EVIDENCE_LABELS)
    if subject is not None:
        for item in ask(query_of(subject))[0]:
            found.setdefault(item.code, item.label.split("（")[0])
    return list(found.items())


def evidence_by_code(items: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        found[item.code].append(item)
    return dict(found)
