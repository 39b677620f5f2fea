"""What happens below and concerns reviews: a body dissolved, a contract ended. Inside the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from districts.models import Organisation
from districts.signals import organisation_closed
from planners.models import Contract
from planners.signals import contract_ended
from projects.services.adoption import hand_on
from projects.services.questions import tell_of_ended


@receiver(organisation_closed)
def body_dissolved(organisation: Organisation, actor: Any, **kwargs: Any) -> None:
    """What it owes goes to whoever succeeds it; with nobody to go on, the closing is refused."""
    hand_on(organisation, actor=actor)


@receiver(contract_ended)
def questions_of_ended_contract(contract: Contract, **kwargs: Any) -> None:
    """Hard questions that wait for somebody who serves no more: who asked is told, and puts them to somebody else."""
    tell_of_ended(contract)
