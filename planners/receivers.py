"""What happens to units below and changes appointments; in the same transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from districts.passing import Effect, Passing
from districts.signals import unit_changed
from planners.services.passing import pass_assignments


@receiver(unit_changed)
def unit_passed_on(passing: Passing, **kwargs: Any) -> list[Effect]:
    return pass_assignments(passing)
