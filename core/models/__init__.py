"""Models of the house."""

from .audit import AuditEntry, AuditSeal
from .calendar import CalendarDay, CalendarNotice, CalendarYear
from .documents import DocumentSerial, IssuedDocument
from .drafts import Draft, Submission
from .files import StoredFile
from .imports import ImportBatch, ImportedRow, ImportMapping
from .jobs import Heartbeat, Job, JobStep
from .notifications import Notification

__all__ = [
    "AuditEntry",
    "AuditSeal",
    "CalendarDay",
    "CalendarNotice",
    "CalendarYear",
    "DocumentSerial",
    "Draft",
    "Heartbeat",
    "ImportBatch",
    "ImportMapping",
    "ImportedRow",
    "IssuedDocument",
    "Job",
    "JobStep",
    "Notification",
    "StoredFile",
    "Submission",
]
