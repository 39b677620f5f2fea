"""What of this app runs under a version of a policy: a contract, from its signing to its end."""

from __future__ import annotations

from datetime import date

from districts.models import PolicyVersion
from districts.services.bound import register_bound
from planners.models import Contract


def _contracts(version: PolicyVersion, on: date) -> int:
    return Contract.objects.filter(policy_version_id=version.pk, state=Contract.State.SIGNED, end__gte=on).count()


register_bound("份聘用合同", _contracts)
