"""退出和再遴选: which charges have to be given to somebody chosen anew."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from accounts.models import User
from core import audit
from districts.services.policies import policy_for_contract
from planners.models import Contract, Reselection

RULE = "contract.reselect_vacancy"

audit.register_actions({"reselection.ask": "登记再遴选"})


def ask_reselection(contract: Contract, *, on: date, actor: User) -> list[Reselection]:
    """Note each charge that the contract served on its last day or was to serve later, before its assignments are cut.

    Nothing where the policy that the contract was signed under does not ask for it, or leaves it open.
    Side effects: an audit entry for each.
    """
    rule = policy_for_contract(contract, timezone.localdate()).get(RULE)
    if not rule.is_set or not rule.value:
        return []
    charges = {
        row.charge_id: row.charge
        for row in contract.assignments.select_related("charge")
        if row.end is None or row.end >= on
    }
    made = []
    for charge in charges.values():
        row = Reselection.objects.create(
            contract=contract, charge=charge, left_on=on, ground=contract.end_reason, article=str(rule.clause)[:200]
        )
        audit.record(
            "reselection.ask", actor=actor, obj=row, locality=contract.locality, detail={"charge": charge.name}
        )
        made.append(row)
    return made
