from .cycles import Cycle
from .forms import Form, Indicator
from .objections import DepartmentResponse, Objection
from .oversight import Circular, Inspection, ResultReply, SystemReview
from .publications import FilingPackage, Publication
from .reports import DutyReport, ReportBatch
from .results import Adjustment, Deliberation, Result
from .rounds import Round, RoundStep
from .sheets import Answer, Sheet
from .subjects import Subject, SubjectCharge

__all__ = [
    "Adjustment",
    "Answer",
    "Circular",
    "Cycle",
    "Deliberation",
    "DepartmentResponse",
    "DutyReport",
    "FilingPackage",
    "Form",
    "Indicator",
    "Inspection",
    "Objection",
    "Publication",
    "ReportBatch",
    "Result",
    "ResultReply",
    "Round",
    "RoundStep",
    "Sheet",
    "Subject",
    "SubjectCharge",
    "SystemReview",
]
