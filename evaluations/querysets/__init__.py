"""Which rows of this app a person may see."""

from .cycles import CycleQuerySet, DutyReportQuerySet, ReportBatchQuerySet
from .outcomes import (
    FilingQuerySet,
    ObjectionQuerySet,
    OfRoundQuerySet,
    ResponseQuerySet,
    ResultQuerySet,
)
from .rounds import RoundQuerySet, SubjectQuerySet
from .sheets import AnswerQuerySet, SheetQuerySet

__all__ = [
    "AnswerQuerySet",
    "CycleQuerySet",
    "DutyReportQuerySet",
    "FilingQuerySet",
    "ObjectionQuerySet",
    "OfRoundQuerySet",
    "ReportBatchQuerySet",
    "ResponseQuerySet",
    "ResultQuerySet",
    "RoundQuerySet",
    "SheetQuerySet",
    "SubjectQuerySet",
]
