"""What happens below and reaches into reviews: contracts that end, units that change, holidays that are published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from core.signals import calendar_changed
from districts.passing import Effect, Passing
from districts.signals import unit_changed
from planners.models import Contract
from planners.signals import contract_ended
from projects.services.consultees import release_ended, tell_ending
from projects.services.due import recount_due
from projects.services.passing import pass_consultations


@receiver(contract_ended)
def contract_over(contract: Contract, **kwargs: Any) -> None:
    """Over already: nobody under it owes an answer any more. Over later: told now, released by the daily sweep."""
    if contract.ended_on is not None and contract.ended_on < timezone.localdate():
        release_ended(contract=contract)
    else:
        tell_ending(contract)


@receiver(unit_changed)
def unit_passed_on(passing: Passing, **kwargs: Any) -> list[Effect]:
    return pass_consultations(passing)


@receiver(calendar_changed)
def calendar_published(years: Iterable[int], **kwargs: Any) -> None:
    recount_due(years)
