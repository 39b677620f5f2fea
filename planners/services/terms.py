"""What a contract says, held against the policy it is (to be) signed under. Pure: no queries, nothing is written.

A departure from the policy is shown and must be explained before signing; it is not forbidden, because the portal
records what was signed. What the policy leaves open is shown as 未设定 and nothing is concluded from it.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from districts.models import Organisation
from districts.policy.keys_appointment import ANY_ROLE, MODES, PAY_MODES
from districts.policy.values import EffectivePolicy, PolicyValue
from planners.models import AnnualSigning, Contract

OK, DEPARTS, NOTED, UNSET, FORBIDDEN = "ok", "departs", "noted", "unset", "forbidden"

_SIDES = {
    Organisation.Kind.BUREAU: {"bureau", "city_bureau"},
    Organisation.Kind.GOVERNMENT: {"government", "city"},
    Organisation.Kind.UNIT_OFFICE: {"unit"},
    Organisation.Kind.DEPARTMENT: {"department"},
    Organisation.Kind.FINANCE: {"finance"},
    Organisation.Kind.OTHER: {"project_owner"},
}


@dataclass(frozen=True, slots=True)
class TermCheck:
    """One line: what is in the contract (`found`), the rule with its origin (`rule`), and how they agree."""

    label: str
    found: str
    rule: PolicyValue
    state: str
    message: str = ""

    @property
    def rule_words(self) -> str:
        return self.message or self.rule.display


def add_months(day: date, months: int) -> date:
    """The same day some months later, the last of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def term_fits(start: date, end: date, shortest: Decimal, longest: Decimal) -> bool:
    """Whether a term lies between two lengths in years. 3月1日 to 3月1日 is read as a whole year, as people write it."""
    earliest = add_months(start, int(shortest * 12)) - timedelta(days=1)
    return earliest <= end <= add_months(start, int(longest * 12))


def years_of(contract: Contract) -> list[tuple[date, date]]:
    """The contract years within the term, each with its first and last day."""
    years: list[tuple[date, date]] = []
    start = contract.start
    while start <= contract.end:
        after = add_months(contract.start, 12 * (len(years) + 1))
        years.append((start, min(after - timedelta(days=1), contract.end)))
        start = after
    # A last "year" of one day comes from 3月1日 to 3月1日 and is no year of its own.
    if len(years) > 1 and years[-1][0] == years[-1][1]:
        years[-2:] = [(years[-2][0], years[-1][1])]
    return years


def unsigned_years(contract: Contract, signings: list[AnnualSigning], *, on: date) -> list[tuple[date, date]]:
    """Contract years that have begun by `on` and have no yearly signing."""
    return [
        (start, end)
        for start, end in years_of(contract)
        if start <= on and not any(s.start <= end and s.end >= start for s in signings)
    ]


def check_contract(contract: Contract, policy: EffectivePolicy) -> list[TermCheck]:
    """Every comparison that the policy gives rise to, in the order they are read."""
    return [
        _role(contract, policy),
        _term(contract, policy),
        _validity(contract, policy),
        _party(contract, policy),
        _signer(contract, policy),
        _mode(contract, policy),
        _fee(contract, policy),
        _pay_mode(contract, policy),
        _confidentiality(contract, policy),
        _yearly(policy),
        _owner(policy),
    ]


def departures(checks: list[TermCheck]) -> list[TermCheck]:
    return [check for check in checks if check.state == DEPARTS]


def _verdict(label: str, found: str, rule: PolicyValue, fits: bool, message: str = "") -> TermCheck:
    if not rule.is_set:
        return TermCheck(label, found, rule, UNSET, "制度未设定，不作比对")
    return TermCheck(label, found, rule, OK if fits else DEPARTS, message)


def _role(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("roles.types")
    titles = {row["code"]: row["title"] for row in rule.value or ()}
    words = "、".join(titles.values())
    return _verdict("规划师类型", policy.role_title(contract.role_type), rule, contract.role_type in titles, words)


def _term(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    found = f"{contract.start.isoformat()} 至 {contract.end.isoformat()}"
    rule = policy.get("contract.term_years")
    if not any(row["role"] in (contract.role_type, ANY_ROLE) for row in rule.value or ()):
        rule = policy.get("contract.other_term_years")
    span = policy.term_years(contract.role_type)
    if span is None:
        return TermCheck("聘期", found, rule, UNSET, "该类型的任期制度未设定，不作比对")
    shortest, longest = span
    words = (
        f"{shortest.normalize():f} 年"
        if shortest == longest
        else f"{shortest.normalize():f}–{longest.normalize():f} 年"
    )
    return _verdict("聘期", found, rule, term_fits(contract.start, contract.end, shortest, longest), words)


def outlives(contract: Contract, policy: EffectivePolicy) -> bool:
    """Does the contract run on after its policy ends? Then it goes on by that policy (聊城: three years under a trial of
    two), which is worth a note and no reason to refuse."""
    return policy.valid_to is not None and contract.end > policy.valid_to


def _validity(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("validity.valid_to")
    found = f"聘期止 {contract.end.isoformat()}"
    if policy.valid_to is None:
        return TermCheck("制度有效期", found, rule, UNSET, "制度未写明有效期，不作比对")
    if outlives(contract, policy):
        return TermCheck(
            "制度有效期", found, rule, NOTED, f"有效至 {policy.valid_to.isoformat()}；其后仍按签订时的制度履行"
        )
    return TermCheck("制度有效期", found, rule, OK, f"有效至 {policy.valid_to.isoformat()}")


def _party(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("roles.party_kinds")
    return _verdict("受聘方", contract.get_party_kind_display(), rule, contract.party_kind in (rule.value or ()))


def _signer(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("contract.signer")
    sides = _SIDES[Organisation.Kind(contract.signer.kind)]
    return _verdict("聘用方", contract.signer.name, rule, bool(sides & set(rule.value or ())))


def _mode(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("appointment.modes")
    fits = any(
        row["mode"] == contract.appointment_mode and row.get("role", ANY_ROLE) in (contract.role_type, ANY_ROLE)
        for row in rule.value or ()
    )
    words = "、".join(dict.fromkeys(MODES[row["mode"]] for row in rule.value or ()))
    return _verdict("选聘方式", MODES.get(contract.appointment_mode, "未填写"), rule, fits, words)


def is_unpaid(role_type: str, policy: EffectivePolicy) -> bool:
    """晋市政办函〔2022〕24号: a seconded official is not paid; which role types, the pack says."""
    unpaid = policy.value("pay.unpaid_roles") or ()
    return role_type in unpaid or ANY_ROLE in unpaid


def _fee(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("pay.unpaid_roles")
    found = "未约定" if contract.annual_fee is None else f"{contract.annual_fee:,.2f} 元/年"
    if not rule.is_set:
        return TermCheck("服务费", found, rule, UNSET, "按合同约定")
    if not is_unpaid(contract.role_type, policy):
        return TermCheck("服务费", found, rule, OK, "该类型领取报酬，按合同约定")
    if contract.annual_fee:
        return TermCheck("服务费", found, rule, FORBIDDEN, "该类型不领取报酬，服务费应留空")
    return TermCheck("服务费", "不领取报酬", rule, OK, "该类型不领取报酬")


def _pay_mode(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("pay.mode") if policy.get("pay.mode").is_set else policy.get("pay.modes")
    allowed = (rule.value,) if rule.key == "pay.mode" else tuple(rule.value or ())
    found = PAY_MODES.get(contract.pay_mode, "未填写")
    if is_unpaid(contract.role_type, policy):
        return TermCheck("付费方式", found, rule, OK if not contract.pay_mode else DEPARTS, "该类型不领取报酬")
    return _verdict("付费方式", found, rule, contract.pay_mode in allowed)


def _confidentiality(contract: Contract, policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("contract.confidentiality")
    signed = contract.nda_signed_on
    return _verdict(
        "保密协议", f"{signed.isoformat()} 签订" if signed else "未登记", rule, bool(signed) or not rule.value
    )


def _yearly(policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("contract.yearly_signing")
    return _verdict("年度签约", "见年度签约记录", rule, True)


def _owner(policy: EffectivePolicy) -> TermCheck:
    rule = policy.get("quota.owner")
    return _verdict("服务时间由谁完成", rule.display, rule, True)
