from .assessments import Assessment, Honour
from .contracts import AnnualSigning, Assignment, Contract
from .qualifications import Credential, QualificationCheck, QualificationVerdict
from .registry import Group, Institution, Planner, Team, TeamMember
from .reselection import Reselection

__all__ = [
    "AnnualSigning",
    "Assessment",
    "Assignment",
    "Contract",
    "Credential",
    "Group",
    "Honour",
    "Institution",
    "Planner",
    "QualificationCheck",
    "QualificationVerdict",
    "Reselection",
    "Team",
    "TeamMember",
]
