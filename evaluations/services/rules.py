"""The rules of a round: live while it is being prepared, frozen from the day it opens.

What was set when it opened never changes for it, whatever is decided later; what was unset then may be filled once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.explain import Clause
from districts.policy.catalogue import CATALOGUE
from districts.policy.problems import Report
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_for_version
from evaluations.models import Round

FROZEN = tuple(key for key in CATALOGUE if key.startswith(("evaluation.", "report.", "consequences.")))


NOBODY = Clause("", "unset")


@dataclass(frozen=True, slots=True)
class FrozenValue:
    """A rule value as it stood; `origin` "unset" where nobody had set it."""

    key: str
    value: Any = None
    clause: Clause = NOBODY

    @property
    def is_set(self) -> bool:
        return self.clause.origin != "unset"

    @property
    def label(self) -> str:
        return CATALOGUE[self.key].label

    def words(self, names: Mapping[str, str]) -> str:
        """The value in plain words with its unit; `names`: code of an indicator → its title."""
        spec = CATALOGUE[self.key]
        if not self.is_set:
            return "未设定"
        words = spec.kind.display(self.value, names)
        return f"{words} {spec.unit}" if spec.unit else words

    @property
    def setter(self) -> str:
        return CATALOGUE[self.key].setter


@dataclass(frozen=True)
class RoundRules:
    """What a round goes by. Reads like a policy: `get(key)` with clause, `value(key)` alone."""

    values: Mapping[str, FrozenValue]

    def get(self, key: str) -> FrozenValue:
        return self.values.get(key) or FrozenValue(key, None, Clause(key, "unset"))

    def value(self, key: str) -> Any:
        return self.get(key).value

    def missing(self, keys: Any) -> tuple[FrozenValue, ...]:
        return tuple(value for value in map(self.get, dict.fromkeys(keys)) if not value.is_set)


def rules_of(round_: Round, *, on: date | None = None) -> RoundRules:
    """Frozen values first, then what has been set since of what was unset; all of it live in preparation."""
    frozen = {key: _thaw(key, row) for key, row in round_.rules.items() if key in CATALOGUE}
    live = policy_for_version(round_.policy_version_id, on, locality=round_.locality)
    return RoundRules({**of_policy(live).values, **frozen})


def frozen_rules(round_: Round) -> RoundRules:
    """Only what is frozen: what scoring goes by."""
    return RoundRules({key: _thaw(key, row) for key, row in round_.rules.items() if key in CATALOGUE})


def of_policy(policy: EffectivePolicy) -> RoundRules:
    found = {key: policy.get(key) for key in FROZEN}
    return RoundRules(
        {key: FrozenValue(key, value.value, value.clause) for key, value in found.items() if value.is_set}
    )


def freeze(rules: RoundRules) -> dict[str, Any]:
    """As plain JSON; what is unset is left out, so that it can be filled later."""
    return {
        key: {
            "value": CATALOGUE[key].kind.plain(value.value),
            "origin": value.clause.origin,
            "document": value.clause.document,
            "article": value.clause.article,
            "summary": value.clause.summary,
        }
        for key, value in rules.values.items()
        if value.is_set
    }


def _thaw(key: str, row: Mapping[str, Any]) -> FrozenValue:
    parsed = CATALOGUE[key].kind.parse(row["value"], key, Report())
    return FrozenValue(key, parsed, Clause(key, row["origin"], row["document"], row["article"], row["summary"]))
