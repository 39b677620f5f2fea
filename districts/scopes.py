"""What a role's scope is made of, beside its locality."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.roles import Role
from districts.models import Organisation

_Kind = Organisation.Kind


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """`unit`: a unit is needed (else none may be named). `organisation`: one is needed; `kinds`: which may be named
    (empty: none)."""

    unit: bool = False
    organisation: bool = False
    kinds: frozenset[str] = frozenset()


_WHOLE_LOCALITY = ScopeRule()
_RULES: dict[str, ScopeRule] = {
    Role.UNIT: ScopeRule(unit=True),
    Role.BUREAU: ScopeRule(organisation=True, kinds=frozenset({_Kind.BUREAU})),
    Role.DEPARTMENT: ScopeRule(organisation=True, kinds=frozenset({_Kind.DEPARTMENT, _Kind.FINANCE, _Kind.OTHER})),
    Role.LEADER: ScopeRule(kinds=frozenset({_Kind.GOVERNMENT})),
    Role.FINANCE: ScopeRule(kinds=frozenset({_Kind.FINANCE})),
    Role.EVALUATOR: ScopeRule(kinds=frozenset(_Kind.values)),
}


def scope_rule(role: str) -> ScopeRule:
    """The rule for `role`; roles not named above reach their whole locality."""
    return _RULES.get(role, _WHOLE_LOCALITY)
