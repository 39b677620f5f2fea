"""One row of a dry run explained from its logs, under the policy as it is or as the decision would make it."""

from __future__ import annotations

from worklogs.models import PolicyTrialRow
from worklogs.services.figure_pages import Explained
from worklogs.services.figures import explain
from worklogs.services.subjects import policy_of
from worklogs.services.trials import policy_tried, subjects_tried


def explained(row: PolicyTrialRow, *, proposed: bool) -> Explained | None:
    """None where the subject does not exist on that side (any more)."""
    trial = row.trial
    found = [one for one in subjects_tried(trial, [row.contract_id], proposed=proposed) if one.key == row.subject]
    if not found:
        return None
    contract = found[0].contract
    policy = policy_tried(trial, contract) if proposed else policy_of(contract, trial.year, today=trial.as_of)
    return Explained(explain(found, year=trial.year, today=trial.as_of)[0], policy)
