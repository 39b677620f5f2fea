"""What pages of planners and contracts show of qualifications, to those who may read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.roles import Role
from districts.access import access_of
from districts.policy.qualification import Qualification
from districts.policy.values import EffectivePolicy
from planners.models import Contract, Planner
from planners.permissions import can_override, can_see_qualification, is_own
from planners.qualification import needs_of
from planners.services.qualifications import KEY, check_contract_people, people_of


def qualification_of(user: Any, planner: Planner) -> dict[str, Any]:
    """For a planner's page: the link, and what was found each time that the person was appointed."""
    sees = can_see_qualification(user, planner)
    if not sees:
        return {"sees_qualification": sees, "checks": ()}
    rows = planner.qualification_checks.select_related("contract", "overridden_by").order_by("-pk")
    seen = Contract.objects.visible_to(user).filter(qualification_checks__planner=planner)
    return {"sees_qualification": sees, "checks": rows, "contracts_seen": set(seen.values_list("pk", flat=True))}


def draft_context(contract: Contract, policy: EffectivePolicy | None) -> dict[str, Any]:
    """Beside the form of a draft, saved or not: what the chosen type asks for, how the chosen party stands to it."""
    if policy is None or not contract.role_type:
        return {"policy": policy}
    rule = policy.get(KEY)
    needs = needs_of(rule.value, contract.role_type)
    people = people_of(contract)
    return {
        "policy": policy,
        "role": policy.role_title(contract.role_type),
        "rule": rule,
        "needs": Qualification().display(needs) if needs else "",
        "party": contract.party,
        "people": check_contract_people(contract, policy=policy, on=timezone.localdate(), people=people),
    }


def people_context(
    user: Any, contract: Contract, policy: EffectivePolicy, people: Sequence[Planner] | None = None
) -> dict[str, Any]:
    """For a contract's pages: everybody appointed (or `people`) against what the role asks for; planners see
    themselves alone, units and finance nothing."""
    access = access_of(user)
    above = access.is_role(Role.BUREAU, Role.LEADER, Role.CITY)
    if not above and not access.is_role(Role.PLANNER, Role.LEAD):
        return {"sees_people": False}
    checked = check_contract_people(contract, policy=policy, on=timezone.localdate(), people=people)
    shown = [each for each in checked if above or is_own(user, each.now.planner)]
    return {
        "sees_people": above or bool(shown),
        "people": shown,
        "role": policy.role_title(contract.role_type),
        "people_contract": contract,
        "may_override": can_override(user, contract),
    }
