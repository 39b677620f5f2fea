"""A policy on one page: the answers that a leader asks for first, in sentences, each with the values behind it."""

from __future__ import annotations

from dataclasses import dataclass

from districts.policy.values import EffectivePolicy, PolicyValue


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, its answer in words, and the values it was made of (set or unset)."""

    title: str
    words: str
    values: tuple[PolicyValue, ...]

    @property
    def is_set(self) -> bool:
        return any(value.is_set for value in self.values)


# Question, leading key, further keys: the answer says 未设定 when the leading key is, else joins what is set.
_QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("谁来管", "governance.body", ("governance.office",)),
    ("任期几年", "contract.term_years", ("contract.yearly_signing", "contract.renewal_gate")),
    (
        "每年至少服务",
        "quota.required_days",
        ("quota.owner", "quota.counts_non_workdays", "quota.half_day", "quota.same_day_members", "quota.proration"),
    ),
    ("每月至少走访", "visits.required_per_month", ("visits.principal_required",)),
    ("不足怎么扣减", "deduction.formula", ("deduction.triggers", "deduction.basis", "deduction.cap")),
    ("怎么付费", "pay.modes", ("pay.mode", "pay.tail_by_grade", "pay.unpaid_roles")),
    ("谁评估谁", "evaluation.direction", ("evaluation.planner_evaluators", "evaluation.planner_cycle")),
    ("年终交什么", "report.document_kind", ("report.period", "report.through", "report.recipient")),
)


def answers(policy: EffectivePolicy) -> list[Answer]:
    """The answers in the order of the questions."""
    found = []
    for title, leading, further in _QUESTIONS:
        values = tuple(policy.get(key) for key in (leading, *further))
        found.append(Answer(title, _words(values[0], values[1:]), values))
    return found


def _words(leading: PolicyValue, further: tuple[PolicyValue, ...]) -> str:
    parts = [f"{value.label}：{value.display}" for value in further if value.is_set]
    head = f"{leading.label}：未设定" if not leading.is_set else leading.display
    return "；".join([head, *parts]) + "。"
