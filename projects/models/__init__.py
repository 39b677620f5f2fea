from .access import DataRequest, DataRequestFile, Recusal
from .adoption import ItemAnswer, ItemProof
from .consultations import Consultation, Consultee, Extension, Suspension
from .disputes import Dispute, DisputeFile, DisputeStatement
from .files import ProjectFile, ProjectFileVersion
from .followup import DispatchStep, HardQuestion, MatterHandler, OpinionDispatch, SavedFilter
from .opinions import Opinion, OpinionAuthor, OpinionItem
from .projects import KeyDate, Project, ProjectParty
from .rectifications import PartyLink, Rectification, RectificationPhoto, RectificationReply
from .stages import ProjectStage, StageDecision, Vote

__all__ = [
    "Consultation",
    "Consultee",
    "DataRequest",
    "DataRequestFile",
    "DispatchStep",
    "Dispute",
    "DisputeFile",
    "DisputeStatement",
    "Extension",
    "HardQuestion",
    "ItemAnswer",
    "ItemProof",
    "KeyDate",
    "MatterHandler",
    "Opinion",
    "OpinionAuthor",
    "OpinionDispatch",
    "OpinionItem",
    "PartyLink",
    "Project",
    "ProjectFile",
    "ProjectFileVersion",
    "ProjectParty",
    "ProjectStage",
    "Rectification",
    "RectificationPhoto",
    "RectificationReply",
    "Recusal",
    "SavedFilter",
    "StageDecision",
    "Suspension",
    "Vote",
]  # fmt: skip
