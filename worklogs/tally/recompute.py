"""Recompute a figure from its shown parts alone: `domain.md` rule 2, as a function.

Every figure that has a value carries one part whose code begins with "formula:"; the other parts that enter are found
by their codes. Parts coded "rule:…" or "info:…" say why and do not enter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_UP, Decimal
from fractions import Fraction

from core.explain import Figure, Part
from worklogs.tally.assess import combined_ratio, ratio_of
from worklogs.tally.periods import CENT, TENTH, exact

FORMULA = "formula:"


class Shown:
    """The parts of one figure by code."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = list(parts)

    def number(self, code: str, default: Decimal | None = None) -> Decimal:
        for part in self.parts:
            if part.code == code:
                return Decimal(str(part.value))
        if default is None:
            raise LookupError(f"no part {code}")
        return default

    def numbers(self, prefix: str) -> dict[str, Decimal]:
        """Values of the parts whose code is `prefix` or `prefix:…`, by what follows."""
        return {
            f"{number}" if part.code == prefix else part.code[len(prefix) + 1 :]: Decimal(str(part.value))
            for number, part in enumerate(self.parts)
            if part.code == prefix or part.code.startswith(f"{prefix}:")
        }

    def has(self, code: str) -> bool:
        return any(part.code == code for part in self.parts)


def _total(shown: Shown) -> Decimal:
    return sum(shown.numbers("term").values(), Decimal(0))


def _month_days(shown: Shown) -> Decimal:
    return shown.number("full") + shown.number("half") * shown.number("half_weight")


def _required(shown: Shown) -> Decimal:
    quota = shown.number("quota")
    if not shown.has("served"):
        return quota
    return exact(Fraction(quota) * Fraction(shown.number("served")) / Fraction(shown.number("whole")), CENT)


def _shortfall(shown: Shown) -> Decimal:
    return max(Decimal(0), shown.number("required") - shown.number("done"))


def _missed_visits(shown: Shown) -> Decimal:
    done = shown.numbers("done")
    return sum((max(Decimal(0), asked - done[m]) for m, asked in shown.numbers("asked").items()), Decimal(0))


def _per_month(shown: Shown) -> Decimal:
    rest = max(Decimal(0), shown.number("required") - shown.number("done"))
    return exact(Fraction(rest) / Fraction(shown.number("months_left")), TENTH, ROUND_UP)


def _projected(shown: Shown) -> Decimal:
    return exact(
        Fraction(shown.number("done")) * Fraction(shown.number("whole")) / Fraction(shown.number("served")), TENTH
    )


def _deduction(formula: str) -> Callable[[Shown], Decimal]:
    def compute(shown: Shown) -> Decimal:
        nothing = Decimal(0)
        days = ratio_of(shown.number("short_days", nothing), shown.number("required_days", nothing))
        visits = ratio_of(shown.number("short_visits", nothing), shown.number("required_visits", nothing))
        cap = shown.number("cap") if shown.has("cap") else None
        ratio = combined_ratio(formula, days, visits, cap)
        if not ratio:
            return Decimal("0.00")
        fee = sum(shown.numbers("fee").values(), nothing)
        return exact(Fraction(fee) / Fraction(shown.number("shares", Decimal(1))) * ratio, CENT)

    return compute


FORMULAS: dict[str, Callable[[Shown], Decimal]] = {
    "total": _total,
    "month_days": _month_days,
    "required": _required,
    "shortfall": _shortfall,
    "missed_visits": _missed_visits,
    "per_month": _per_month,
    "projected": _projected,
    **{f"deduction:{name}": _deduction(name) for name in ("none", "days", "visits", "larger", "sum")},
}


def recompute(figure: Figure) -> Decimal | None:
    """The value that the shown parts give; None where they show it to be open. Raises LookupError on a gap."""
    shown = Shown(figure.parts)
    for part in figure.parts:
        if part.code.startswith(FORMULA):
            return FORMULAS[part.code.removeprefix(FORMULA)](shown)
    return None
