"""How rules, choices and numbers are worded in explanations."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from districts.policy.catalogue import CATALOGUE
from worklogs.tally.readings import Missing, Outcome
from worklogs.tally.rules import ALL_KINDS, FEE, KINDS, READ_KEYS, Reading

_FACTS = {FEE: ("合同年服务费", "在合同或年度签约中登记")}
_UNITS = {"workday": "个工作日", "day": "天"}
_KEY_OF = dict(zip(Reading._fields, READ_KEYS, strict=True))


def label_of(key: str) -> str:
    """What a key is called: 同日多名成员到场."""
    return _FACTS[key][0] if key in _FACTS else CATALOGUE[key].label


def setter_of(key: str) -> str:
    """Who may set it."""
    return _FACTS[key][1] if key in _FACTS else CATALOGUE[key].setter


def choice_label(key: str, value: object) -> str:
    """A rule's choice in words: 合计一天."""
    if key == KINDS:
        return "所记类别都算走访" if value == ALL_KINDS else "所记类别都不算走访"
    return CATALOGUE[key].kind.display(value)


def reading_label(choices: Iterable[tuple[str, object]]) -> str:
    """A reading in words: 若“同日多名成员到场”为“合计一天”."""
    pairs = [(str(_KEY_OF[name]), value) for name, value in choices]
    return "，".join(f"若“{label_of(key)}”为“{choice_label(key, value)}”" for key, value in pairs)


def day_unit(day_kind: str | None) -> str:
    return _UNITS.get(day_kind or "day", "天")


def tidy(number: Decimal) -> str:
    """A decimal without trailing zeros or exponent."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def unset_note(outcome: Outcome, unit: str = "") -> str:
    """Why there is no figure: what is unset and who may set it, and between what the readings lie."""
    if not outcome.unset:
        return ""
    by_setter: dict[str, list[str]] = {}
    for key in outcome.unset:
        by_setter.setdefault(setter_of(key), []).append(f"“{label_of(key)}”")
    parts = [f"{'、'.join(labels)}未设定（{setter}）" for setter, labels in by_setter.items()]
    spread = outcome.range
    if spread is not None:
        low, high = spread
        words = tidy(low) if low == high else f"{tidy(low)}–{tidy(high)}"
        parts.append(f"按不同口径为 {words} {unit}".rstrip())
    return "；".join(parts)


def case_value(result: Decimal | Missing) -> Decimal | str:
    """What one reading gives, for a part: the number, or what it still lacks."""
    if isinstance(result, Missing):
        return "未设定：" + "、".join(label_of(key) for key in sorted(result))
    return result
