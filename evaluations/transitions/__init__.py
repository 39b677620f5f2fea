"""The moves of this app: one module for each subject; importing the package registers them all."""

from .cycles import CYCLE, REPORT
from .outcomes import FILING, OBJECTION, PUBLICATION, RESPONSE, RESULT
from .oversight import CIRCULAR, INSPECTION, SYSTEM_REVIEW
from .rounds import ROUND, ROUND_STANDING, STEP
from .sheets import SHEET

__all__ = [
    "CIRCULAR",
    "CYCLE",
    "FILING",
    "INSPECTION",
    "OBJECTION",
    "PUBLICATION",
    "REPORT",
    "RESPONSE",
    "RESULT",
    "ROUND",
    "ROUND_STANDING",
    "SHEET",
    "STEP",
    "SYSTEM_REVIEW",
]
