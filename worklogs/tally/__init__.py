"""The tally (履职计量): days, visits, shortfalls and deduction of a subject's year, each explained.

Pure: logs, calendar, subject and rules in, explained values out; no database here.

- `tally(subject, year=, logs=, calendar=, rules=, today=)`: everything, with records and clauses.
- `assess(subject, year=, atoms=, rules=, today=)`: the same numbers from counts alone (what the kept figures are of).
- `recompute(figure)`: a figure again, from its shown parts alone.
"""

from worklogs.tally.assess import Assessment, assess
from worklogs.tally.counting import atoms_of, collect
from worklogs.tally.explain import MonthTally, SubjectTally, tally
from worklogs.tally.readings import Missing, Outcome
from worklogs.tally.recompute import recompute
from worklogs.tally.rules import KEYS, Rules
from worklogs.tally.shapes import Atoms, FeePeriod, Log, Member, Span, Subject, merged

__all__ = [
    "KEYS",
    "Assessment",
    "Atoms",
    "FeePeriod",
    "Log",
    "Member",
    "Missing",
    "MonthTally",
    "Outcome",
    "Rules",
    "Span",
    "Subject",
    "SubjectTally",
    "assess",
    "atoms_of",
    "collect",
    "merged",
    "recompute",
    "tally",
]
