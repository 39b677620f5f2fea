from .changes import UnitChange, UnitSuccession
from .decisions import PolicyDecision
from .divisions import Division
from .localities import Locality
from .memberships import Membership
from .organisations import Contact, Organisation
from .policies import PolicyPack, PolicyScope, PolicyVersion
from .units import Charge, Unit, UnitPart

__all__ = [
    "Charge",
    "Contact",
    "Division",
    "Locality",
    "Membership",
    "Organisation",
    "PolicyDecision",
    "PolicyPack",
    "PolicyScope",
    "PolicyVersion",
    "Unit",
    "UnitChange",
    "UnitPart",
    "UnitSuccession",
]
