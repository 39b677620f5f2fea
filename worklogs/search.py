"""Keyword search in the words of logs: exact substrings, words of two characters too, on both databases.

PostgreSQL has an index of the pairs of neighbouring characters (migration 0002): trigrams do nothing for 雄安. It is
used for rare words alone. A word that thousands of logs hold is found soonest by reading the newest rows until a page
is full; the planner's own statistics say which it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections
from django.db.models import BooleanField, Func, Q, Value

if TYPE_CHECKING:
    from .querysets import WorkLogQuerySet

FUNCTION = "portal_bigrams"
TABLE = "worklogs_worklog"
# The words of a log; the index of migration 0002 is over this very expression.
WORDS = f"""("{TABLE}"."content" || ' ' || "{TABLE}"."place" || ' ' || "{TABLE}"."met_whom")"""
_MOST_TERMS = 5
# Below this many rows reading them all from the index and sorting is quicker than reading on for one page.
RARE = 5000


class _HoldsPairsOf(Func):
    """Do the words of a log hold every pair of neighbouring characters of the term?"""

    template = f"{FUNCTION}({WORDS}) @> {FUNCTION}(%(expressions)s)"
    output_field = BooleanField()


def contains(rows: WorkLogQuerySet, text: str) -> WorkLogQuerySet:
    """Rows whose content, place or people met hold every word of `text` (words are separated by spaces).

    A single character is compared without an index, newest rows first.
    """
    terms = text.split()[:_MOST_TERMS]
    for term in terms:
        # Characters without case are compared as they are: no folding, and the planner can tell how frequent they are.
        how = "contains" if term.upper() == term.lower() else "icontains"
        rows = rows.filter(
            Q(**{f"content__{how}": term}) | Q(**{f"place__{how}": term}) | Q(**{f"met_whom__{how}": term})
        )
    pairs = [term for term in terms if len(term) >= 2]
    if pairs and connections[rows.db].vendor == "postgresql" and estimate(pairs, using=rows.db) < RARE:
        for term in pairs:
            rows = rows.filter(_HoldsPairsOf(Value(term)))
    return rows


def estimate(terms: list[str], *, using: str) -> int:
    """How many logs the planner expects to hold these terms; costs a plan, runs nothing."""
    held = " AND ".join([f"{FUNCTION}({WORDS}) @> {FUNCTION}(%s)"] * len(terms))
    with connections[using].cursor() as cursor:
        cursor.execute(f'EXPLAIN (FORMAT JSON) SELECT 1 FROM "{TABLE}" WHERE {held}', terms)  # noqa: S608
        return int(cursor.fetchone()[0][0]["Plan"]["Plan Rows"])
