"""Plausibility: what in a set of records deserves a second look, as findings with evidence. Pure: no ORM here.

Nothing found here forbids anything or accuses anybody (docs/decisions/plausibility.md).
"""

from .check import findings
from .limits import EXPLANATIONS, Limits
from .shapes import Finding, Picture, Record
from .words import CODES, explanation, limit_words, sentence, title

__all__ = [
    "CODES", "EXPLANATIONS", "Finding", "Limits", "Picture", "Record", "explanation", "findings", "limit_words",
    "sentence", "title",
]  # fmt: skip
