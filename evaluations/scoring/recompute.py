"""Recompute a figure from its shown parts alone (`domain.md` rule 2)."""

from __future__ import annotations

from decimal import Decimal

from core.explain import Figure
from evaluations.scoring.figures import step_value, total_value
from evaluations.scoring.numbers import FINE, rounded, weighted_mean

FORMULA = "formula:"


def recompute(figure: Figure) -> Decimal | None:
    """The value that the parts give; None where they show it to be open. Raises LookupError for an unknown formula."""
    code = next((part.code for part in figure.parts if part.code.startswith(FORMULA)), None)
    if code is None:
        return None
    name = code.removeprefix(FORMULA)
    if name == "total":
        return total_value(figure.parts)
    if name.startswith("step:"):
        return step_value(figure.parts, name.removeprefix("step:"))
    if name == "sheet":
        by_code = {part.code: part.value for part in figure.parts}
        mean = weighted_mean(
            (Decimal(str(value)), Decimal(str(by_code[f"weight:{key[7:]}"])))
            for key, value in by_code.items()
            if key.startswith("points:")
        )
        return None if mean is None else rounded(mean, FINE)
    raise LookupError(f"no formula {name}")
