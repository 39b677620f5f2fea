"""What follows from a result: renewal, tail payment, rewards, sanctions; each with the rule behind it, none invented.

What a document states in words (条件) is held against the grade by the grades it names; where it names none, people
decide. Money and renewal come from the contract's own version, rewards and sanctions from the round's frozen rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from core.explain import Clause
from core.permissions import require
from core.text import clean_text
from districts.policy.keys import SIDES
from evaluations.models import Result, Subject
from evaluations.permissions.results import can_grant
from evaluations.services.rules import RoundRules
from planners.models import Assessment, Honour, Institution, Planner, Team
from planners.services.assessments import record_honour
from planners.services.contracts import policy_of

RENEWAL, TAIL, REWARD, SANCTION = "renewal", "tail", "reward", "sanction"
LABELS = {RENEWAL: "续聘", TAIL: "尾款", REWARD: "奖励", SANCTION: "惩戒"}


@dataclass(frozen=True, slots=True)
class Consequence:
    """One rule and what it comes to here. `applies` None: its condition is in words that people have to judge."""

    kind: str
    text: str
    clause: Clause
    applies: bool | None = None
    condition: str = ""
    route: str = ""
    ratio: Decimal | None = None
    # The tail's share of the fee, with its own clause.
    share: Decimal | None = None
    share_clause: Clause | None = None
    to: str = ""
    number: int = 0
    unset: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return LABELS[self.kind]


def consequences_of(result: Result, *, rules: RoundRules, on: date) -> list[Consequence]:
    """Of a planner's result; the other side's follows from the response of the department."""
    subject = result.subject
    if subject.direction != Subject.Direction.PLANNER or subject.contract is None:
        return []
    policy = policy_of(subject.contract, on)
    grades = _grades(rules)
    return [
        *_renewal(policy, result.final_grade),
        *_tail(policy, result.final_grade),
        *_rows(rules, "consequences.rewards", REWARD, result.final_grade, grades),
        *_rows(rules, "consequences.sanctions", SANCTION, result.final_grade, grades),
    ]


def words_of(item: Consequence) -> str:
    """In one line, for minutes and tables."""
    clause = "" if item.clause.origin == "unset" else f"（{item.clause}）"
    named = "" if item.text.startswith(item.label) else f"{item.label}："
    return f"{named}{item.text}{clause}"


def tail_of(result: Result, *, on: date) -> Consequence | None:
    """The tail's ratio by the final grade; None without a contract."""
    if result.subject.contract is None:
        return None
    return next(iter(_tail(policy_of(result.subject.contract, on), result.final_grade)), None)


def _renewal(policy: Any, grade: str) -> list[Consequence]:
    gate = policy.get("contract.renewal_gate")
    if not gate.is_set:
        return [Consequence(RENEWAL, "未设定续聘条件", gate.clause, unset=("contract.renewal_gate",))]
    words = gate.spec.kind.options[gate.value]
    if gate.value == "excellent" and grade:
        met = grade == "优秀"
        return [Consequence(RENEWAL, f"{'符合' if met else '不符合'}续聘条件“{words}”", gate.clause, True)]
    if gate.value == "qualified" and grade.startswith("不"):
        return [Consequence(RENEWAL, f"不符合续聘条件“{words}”", gate.clause, True)]
    return [Consequence(RENEWAL, f"续聘条件为“{words}”，由主管部门据本结果判断", gate.clause)]


def _tail(policy: Any, grade: str) -> list[Consequence]:
    """尾款支付比例依考核评估结果确定 (通政办发〔2021〕10号 三(四)5); the ratios are a local decision's."""
    linked, ratios, share = (policy.get(f"pay.{name}") for name in ("tail_by_grade", "tail_ratios", "tail_share"))
    if not linked.is_set:
        return [Consequence(TAIL, "未规定尾款是否与等级挂钩", linked.clause, unset=("pay.tail_by_grade",))]
    if not linked.value:
        return [Consequence(TAIL, "尾款不与等级挂钩", linked.clause)]
    if not ratios.is_set:
        text = "尾款与等级挂钩，各等级支付比例未设定"
        return [Consequence(TAIL, text, linked.clause, unset=("pay.tail_ratios",))]
    if not grade:
        return [Consequence(TAIL, "没有等级，尾款支付比例不能确定", ratios.clause)]
    ratio = next((Decimal(row["ratio"]) for row in ratios.value if row["grade"] == grade), None)
    if ratio is None:
        return [Consequence(TAIL, f"“{grade}”没有对应的尾款支付比例", ratios.clause)]
    part = Decimal(share.value) if share.is_set else None
    text = f"尾款按 {percent(ratio)} 支付" + (f"（尾款占合同费用 {percent(part)}）" if part is not None else "")
    unset = () if share.is_set else ("pay.tail_share",)
    return [
        Consequence(TAIL, text, ratios.clause, True, ratio=ratio, share=part, share_clause=share.clause, unset=unset)
    ]


def percent(ratio: Decimal) -> str:
    return f"{format((ratio * 100).normalize(), 'f')}%"


def _grades(rules: RoundRules) -> set[str]:
    named = rules.value("evaluation.named_grades") or ()
    return {*named, *(row["grade"] for row in rules.value("evaluation.cutoffs") or ())}


def _rows(rules: RoundRules, key: str, kind: str, grade: str, grades: Iterable[str]) -> list[Consequence]:
    value = rules.get(key)
    found = []
    for number, row in enumerate(value.value or ()):
        condition = row.get("when") or ""
        # "不合格" contains "合格": the longest name that is there is the one that is meant.
        named = max((name for name in grades if name in condition), key=len, default="")
        applies = None if not named or not grade else named == grade
        text = row["reward"] if kind == REWARD else row["result"]
        found.append(
            Consequence(
                kind, text, value.clause, applies, condition, row.get("route") or "", to=row.get("to") or "",
                number=number,
            )
        )  # fmt: skip
    return found


def recipients_of(result: Result, to: str) -> list[Planner | Team | Institution]:
    """Whom the pack means, as far as the result says who that is (京核心区 六(一)3: the bonus is the institution's)."""
    subject = result.subject
    contract = subject.contract
    grouped = subject.group.team if subject.group is not None else None
    team: Team | None = subject.team or grouped or (contract.team if contract is not None else None)
    if to == "team":
        return [team] if team else []
    if to == "institution":
        found = subject.institution or (contract.institution if contract is not None else None)
        found = found or (team.institution if team is not None else None)
        if found is None and subject.planner is not None:
            found = subject.planner.institution
        return [found] if found else []
    if subject.planner is not None:
        return [subject.planner]
    members = subject.group.members if subject.group is not None else team.members if team is not None else None
    return [] if members is None else [row.planner for row in members.select_related("planner").order_by("pk")]


def side_label(code: str) -> str:
    return str(SIDES.get(code, code))


def give_reward(
    result: Result, *, actor: User, number: int, recipient: str, kind: str, title: str, given_on: date, today: date,
    rules: RoundRules,
) -> Honour:  # fmt: skip
    """Note an honour that the round's rules name, to whom they name. Side effects: audit entry.

    `recipient`: "model:id", one of `recipients_of`. Raises: Refused, ValidationError by field.
    """
    require(can_grant(actor, result))
    value = rules.get("consequences.rewards")
    rows = list(value.value or ())
    if not 0 <= number < len(rows):
        raise ValidationError("制度没有这项奖励。")
    row = rows[number]
    to = next((who for who in recipients_of(result, row["to"]) if key_of(who) == recipient), None)
    if to is None:
        raise ValidationError({"recipient": "该奖励不授予这一对象。"})
    if given_on > today:
        raise ValidationError({"given_on": "授予日期不能晚于今天。"})
    if not clean_text(title):
        raise ValidationError({"title": "请填写奖励名称。"})
    contract = result.subject.contract
    if contract is None:
        raise ValidationError("该结果没有对应的合同。")
    known = Assessment.objects.filter(source=f"evaluations.result:{result.pk}").first()
    return record_honour(
        to, contract=contract, kind=kind, title=title, given_on=given_on, actor=actor,
        article=str(value.clause)[:160], assessment=known,
    )  # fmt: skip


def key_of(who: Planner | Team | Institution) -> str:
    return f"{type(who).__name__.lower()}:{who.pk}"
