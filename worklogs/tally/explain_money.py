"""The deduction, explained: shortfalls, formula, cap and fee."""

from __future__ import annotations

from decimal import Decimal

from core.explain import Figure, Part
from worklogs.tally.assess import Assessment, _asked, _missed, _required, _short_days
from worklogs.tally.parts import formula, open_figure, rule_part, settled_note
from worklogs.tally.periods import fee_of
from worklogs.tally.readings import Missing
from worklogs.tally.rules import BASIS, CAP, FORMULA, PER_MONTH, REQUIRED, SHARE, TRIGGERS, Reading
from worklogs.tally.words import choice_label


def deduction_figure(numbers: Assessment, reading: Reading) -> Figure:
    """The deduction with its parts, or what keeps it open."""
    outcome, rules = numbers.deduction, numbers.case.rules
    if outcome.value is None:
        return open_figure(outcome, [], "元")
    name = reading.formula
    parts = [formula(f"deduction:{name}", f"当年服务费 × 扣减比例（{choice_label(FORMULA, name)}），四舍五入到分")]
    parts += _shortfalls(numbers, reading)
    parts += [rule_part(rules, key) for key in (TRIGGERS, FORMULA)]
    if rules.cap is None:
        parts.append(Part("扣减上限", "未设上限，最多扣减全部", (), rules.clause(CAP), "info:cap"))
    else:
        parts.append(Part("扣减上限（比例）", rules.cap, (), rules.clause(CAP), "cap"))
    parts += _fee(numbers, reading)
    notes = [settled_note(numbers.case.options, ("formula", "basis", "share"))]
    if not numbers.final:
        notes.append("年度（聘期）尚未结束，按目前记录试算")
    return Figure(outcome.value, tuple(parts), note="；".join(filter(None, notes)))


def _shortfalls(numbers: Assessment, reading: Reading) -> list[Part]:
    case, rules = numbers.case, numbers.case.rules
    parts: list[Part] = []
    if reading.formula in ("days", "larger", "sum"):
        parts += [
            Part("天数不足", _number(_short_days(case, reading)), code="short_days"),
            Part("应完成天数", _number(_required(case, reading)), (), rules.clause(REQUIRED), "required_days"),
        ]
    if reading.formula in ("visits", "larger", "sum"):
        parts += [
            Part("次数不足", _number(_missed(case, reading)[0]), code="short_visits"),
            Part("应走访次数", _number(_asked(case, reading)[0]), (), rules.clause(PER_MONTH), "required_visits"),
        ]
    return parts


def _number(result: Decimal | Missing) -> Decimal:
    if isinstance(result, Missing):
        raise TypeError("a determined deduction rests on determined shortfalls")
    return result


def _fee(numbers: Assessment, reading: Reading) -> list[Part]:
    """The fee that the ratio applies to; none is shown where none is recorded (and none was needed)."""
    case, rules = numbers.case, numbers.case.rules
    clause = rules.clause(BASIS)
    if reading.basis == "contract_fee":
        fee = case.subject.contract_fee
        parts = [] if fee is None else [Part("合同期服务费总额", fee, (), clause, "fee")]
    else:
        parts = [
            Part(f"服务费（{f.start} 至 {f.end} 共 {f.amount} 元，其中当年 {days} 天）", amount, (), clause, f"fee:{n}")
            for n, (f, days, amount) in enumerate(fee_of(case.subject.fees, case.period.year))
        ]
    if parts and case.subject.sharing > 1:
        shares = case.subject.sharing if reading.share == "equal" else 1
        parts.append(Part("合同内分摊的对象数", Decimal(shares), (), rules.clause(SHARE), "shares"))
    return parts
