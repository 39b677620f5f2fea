"""The kinds of tables of the registry that can be imported."""

from core.imports.kinds import register

from .import_contracts import ContractImporter
from .import_planners import PlannerImporter

PLANNERS = register(PlannerImporter())
CONTRACTS = register(ContractImporter())
