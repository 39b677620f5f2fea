"""What of this app runs under a version of a policy: a cycle and a round, until they are over."""

from __future__ import annotations

from datetime import date

from districts.models import PolicyVersion
from districts.services.bound import register_bound
from evaluations.models import Cycle, Round


def _cycles(version: PolicyVersion, on: date) -> int:
    return Cycle.objects.filter(policy_version_id=version.pk, state=Cycle.State.OPEN).count()


register_bound("个述职周期", _cycles)


def _rounds(version: PolicyVersion, on: date) -> int:
    return (
        Round.objects.filter(policy_version_id=version.pk)
        .exclude(state__in=["published", "filed", "cancelled"])
        .count()
    )


register_bound("次评估", _rounds)
