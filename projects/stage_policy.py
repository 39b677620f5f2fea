"""Which policy counts for a matter on a project: that of its round, which keeps the version it opened under."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from core.calendar import load_work_calendar
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_for_version, policy_in_force
from projects.deadlines import Due, due_day
from projects.models import Project, ProjectStage
from projects.review import clause_of, term_of
from projects.rounds import policy_of_stage

CLAUSE_UNSET = "未设定"
# Terms are counted on a calendar this long: the longest that a policy can set, with holidays between.
_HORIZON = timedelta(days=400)


def current_stage(project: Project) -> ProjectStage | None:
    """The open round; None for a project that is done."""
    return ProjectStage.objects.filter(project=project, state=ProjectStage.State.OPEN).first()


def binding_policy(stage: ProjectStage | None, project: Project, on: date | None = None) -> EffectivePolicy | None:
    """The policy of a round with the supplements of the day; what is in force for rounds that kept no version.

    A second-hand policy binds nobody, so it is none.
    """
    if stage is None or stage.policy_version_id is None:
        policy = policy_in_force(project.locality, on or timezone.localdate())
    elif on is None:
        policy = policy_of_stage(stage)
    else:
        policy = policy_for_version(stage.policy_version_id, on, locality=project.locality)
    return None if policy is None or policy.second_hand else policy


def latest_stage(project: Project) -> ProjectStage | None:
    """The open round, else the last one there was."""
    rows = sorted(project.stages.all(), key=lambda row: row.pk, reverse=True)
    return next((row for row in rows if row.state == ProjectStage.State.OPEN), rows[0] if rows else None)


def policy_of_project(project: Project, on: date | None = None) -> EffectivePolicy | None:
    return binding_policy(current_stage(project), project, on)


def clause_json(policy: EffectivePolicy | None, key: str) -> dict[str, Any]:
    """The clause behind a key, as rows keep it."""
    return asdict(clause_of(policy, key))


def due_by(policy: EffectivePolicy | None, key: str, start: date) -> Due:
    """The day on which a term of the policy ends that runs from `start`; no day where the term is unset."""
    return due_day(start, term_of(policy, key).days, load_work_calendar(start, start + _HORIZON))


def day_after_days(start: date, days: int) -> date:
    """The last day of a term of calendar days; on a day of rest it ends on the next workday (民法典第二百零三条)."""
    end = start + timedelta(days=days)
    calendar = load_work_calendar(end, end + timedelta(days=31))
    return end if calendar.is_workday(end) else calendar.add_workdays(end, 1)
