"""Which policy a round of a stage goes by."""

from __future__ import annotations

from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_for_version
from projects.models import ProjectStage


def policy_of_stage(stage: ProjectStage) -> EffectivePolicy | None:
    """The version in force when the round opened, with what has been supplemented to it since; None where the locality
    had no policy. Kept on the object, since permissions, gate and page ask it in one request."""
    if stage.policy_version_id is None:
        return None
    kept = stage.__dict__.get("_policy")
    if kept is None:
        kept = policy_for_version(stage.policy_version_id, locality=stage.project.locality)
        stage.__dict__["_policy"] = kept
    return kept
