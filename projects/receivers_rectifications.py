"""What happens below and reaches rectifications: contracts that end."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from planners.models import Contract
from planners.services.assignments import service_periods
from planners.signals import contract_ended
from projects.services.rectifications import tell_of_end


@receiver(contract_ended)
def rectifications_inherited(contract: Contract, **kwargs: Any) -> None:
    """Whose contract ends leaves open matters behind: they stay, and the offices are told who goes on with them."""
    planners = sorted({period.planner_id for period in service_periods(contracts=[contract.pk])})
    tell_of_end(planners, contract=contract.pk)
