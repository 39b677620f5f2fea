"""Scoring: pure. Answers and rules in, explained figures, grades and reports out."""

from .figures import Score, score, sheet_figure, step_figure
from .grades import Graded, grade_all, grade_of
from .groups import group_mean, shown_groups
from .outliers import Outlier, OutlierLimits, outliers
from .recompute import recompute
from .rules import DEPARTMENT, PLANNER, Limit, ScoringRules, keys_needed
from .scales import points_of_count, points_of_score, points_of_yes
from .shapes import AnswerValue, Given, IndicatorWeight, SheetValue, StepValue, SubjectValue

__all__ = [
    "DEPARTMENT",
    "PLANNER",
    "AnswerValue",
    "Given",
    "Graded",
    "IndicatorWeight",
    "Limit",
    "Outlier",
    "OutlierLimits",
    "Score",
    "ScoringRules",
    "SheetValue",
    "StepValue",
    "SubjectValue",
    "grade_all",
    "grade_of",
    "group_mean",
    "keys_needed",
    "outliers",
    "points_of_count",
    "points_of_score",
    "points_of_yes",
    "recompute",
    "score",
    "sheet_figure",
    "shown_groups",
    "step_figure",
]
