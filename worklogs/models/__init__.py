from .figures import DutyFigure, FigureTouch
from .findings import CheckTouch, LogFinding, PhotoBand
from .inspections import FindingPhoto, Inspection, InspectionFinding
from .logs import LogPhoto, MonthClosing, PendingPhoto, WorkLog
from .monthly import MonthlyReport
from .trials import PolicyTrial, PolicyTrialRow

__all__ = [
    "CheckTouch", "DutyFigure", "FigureTouch", "FindingPhoto", "Inspection", "InspectionFinding", "LogFinding",
    "LogPhoto", "MonthClosing", "MonthlyReport", "PendingPhoto", "PhotoBand", "PolicyTrial", "PolicyTrialRow",
    "WorkLog",
]  # fmt: skip
