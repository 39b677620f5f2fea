"""The rules of one effective policy that the tally reads, and what each may be while it is unset.

Nothing here knows a locality: a rule is what the policy says, or open. An open rule is not filled in: the tally is
computed under each of its allowed readings, and stands only where they agree (see `readings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from core.explain import Clause

REQUIRED = "quota.required_days"
DAY_KIND = "quota.day_kind"
NON_WORKDAYS = "quota.counts_non_workdays"
HALF_DAY = "quota.half_day"
OWNER = "quota.owner"
MEMBERS = "quota.same_day_members"
PRORATION = "quota.proration"
CONFIRMATION = "quota.needs_confirmation"
PER_MONTH = "visits.required_per_month"
PRINCIPAL = "visits.principal_required"
KINDS = "visits.log_kinds"
TRIGGERS = "deduction.triggers"
FORMULA = "deduction.formula"
BASIS = "deduction.basis"
SHARE = "deduction.share"
CAP = "deduction.cap"
KEYS = (
    REQUIRED, DAY_KIND, NON_WORKDAYS, HALF_DAY, OWNER, MEMBERS, PRORATION, CONFIRMATION, PER_MONTH, PRINCIPAL, KINDS,
    TRIGGERS, FORMULA, BASIS, SHARE, CAP,
)  # fmt: skip
# A fact of the contract, not a rule: named where it is missing as the rules are.
FEE = "contract.annual_fee"

ALL_KINDS = "all"
NO_KINDS = "none"


class Value(Protocol):
    """One value of a policy."""

    @property
    def value(self) -> Any: ...

    @property
    def clause(self) -> Clause: ...


class Policy(Protocol):
    """What the tally asks of a policy (`districts.policy.values.EffectivePolicy` answers)."""

    def get(self, key: str) -> Value: ...


class Reading(NamedTuple):
    """One way to read every rule that is open to readings."""

    rest: bool
    half: str
    members: str
    proration: str
    kinds: str
    principal: bool
    formula: str
    basis: str
    share: str


READ_KEYS = Reading._make(
    (NON_WORKDAYS, HALF_DAY, MEMBERS, PRORATION, KINDS, PRINCIPAL, FORMULA, BASIS, SHARE),
)
Options = dict[str, tuple[Any, ...]]

_FORMULAS = ("none", "days", "visits", "larger", "sum")
# 达不到规定天数和次数，按相应比例扣减: a formula must answer for exactly what the document deducts for.
_BY_TRIGGERS = {
    frozenset(["days"]): ("days",),
    frozenset(["visits"]): ("visits",),
    frozenset(["days", "visits"]): ("larger", "sum"),
}
_ANY: Options = {
    "rest": (False, True),
    "half": ("counts_half", "counts_whole", "not_counted"),
    "members": ("one", "each"),
    "proration": ("none", "by_days", "by_months"),
    # Visits only grow with the kinds that count, so the two ends bound every list of kinds.
    "kinds": (ALL_KINDS, NO_KINDS),
    "principal": (False, True),
    "basis": ("annual_fee", "contract_fee"),
    "share": ("equal", "whole"),
}


@dataclass(frozen=True)
class Rules:
    """The values of the tally's keys with their clauses; an unset one is None. Hashable by its values."""

    values: tuple[Any, ...]
    clauses: Mapping[str, Clause] = field(compare=False, hash=False, default_factory=dict)

    @classmethod
    def of(cls, policy: Policy) -> Rules:
        found = [policy.get(key) for key in KEYS]
        values = tuple(tuple(v.value) if isinstance(v.value, (list, tuple)) else v.value for v in found)
        return cls(values, {key: value.clause for key, value in zip(KEYS, found, strict=True)})

    def get(self, key: str) -> Any:
        return self.values[KEYS.index(key)]

    def clause(self, key: str) -> Clause:
        return self.clauses.get(key) or Clause(key, "unset")

    def unset(self, *keys: str) -> frozenset[str]:
        return frozenset(key for key in keys if self.get(key) is None)

    @property
    def required_days(self) -> Decimal | None:
        value = self.get(REQUIRED)
        return None if value is None else Decimal(value)

    @property
    def required_visits(self) -> int | None:
        return self.get(PER_MONTH)

    @property
    def cap(self) -> Decimal | None:
        value = self.get(CAP)
        return None if value is None else Decimal(value)

    @property
    def needs_confirmation(self) -> bool:
        """Unset: the document asks for no confirmation, so what was handed in counts (and is shown apart)."""
        return bool(self.get(CONFIRMATION))

    @property
    def visit_kinds(self) -> frozenset[str] | None:
        """Kinds of work that make a visit; None while the list is unset."""
        kinds = self.get(KINDS)
        return None if kinds is None else frozenset(kinds)

    def missing_quota(self) -> frozenset[str]:
        """What is unset where the document has no quota at all: then there are no days to speak of, only records."""
        if self.get(REQUIRED) is not None:
            return frozenset()
        ways = self.unset(DAY_KIND, NON_WORKDAYS, HALF_DAY, OWNER)
        return ways | {REQUIRED} if ways else frozenset()

    def missing_visits(self) -> frozenset[str]:
        """The same for visits."""
        if self.get(PER_MONTH) is not None:
            return frozenset()
        ways = self.unset(PRINCIPAL, KINDS)
        return ways | {PER_MONTH} if ways else frozenset()

    def options(self) -> Options:
        """For each field of a Reading what it may be: the one value that is set, or every allowed one."""
        found: Options = {}
        for name, key in zip(Reading._fields, READ_KEYS, strict=True):
            value = self.get(str(key))
            if name == "kinds" and value is not None:
                value = ALL_KINDS
            found[name] = (value,) if value is not None else _ANY.get(name, ())
        if not found["formula"]:
            triggers = self.get(TRIGGERS)
            found["formula"] = _FORMULAS if triggers is None else _BY_TRIGGERS[frozenset(triggers)]
        return found
