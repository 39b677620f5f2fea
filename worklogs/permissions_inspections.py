"""Who may record an inspection, and until when what was found may be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.permissions import Decision
from planners.models import Planner
from projects.models import Project
from projects.services.conflicts import conflict_of
from worklogs import permissions
from worklogs.models import Inspection, InspectionFinding, WorkLog

if TYPE_CHECKING:
    from accounts.models import User


def can_inspect(user: User, planner: Planner, project: Project) -> Decision:
    """Planners for themselves, at projects from which no conflict keeps them."""
    decision = permissions.can_record(user, planner)
    if not decision:
        return decision
    conflict = conflict_of(planner, project)
    return Decision.yes() if conflict is None else Decision.no(conflict.words)


def can_collect(user: User, inspection: Inspection) -> Decision:
    """Add what was found, while the log is in its planner's hands."""
    return permissions.can_edit(user, inspection.log)


def can_change_finding(user: User, finding: InspectionFinding) -> Decision:
    """What has become a rectification is followed there and stays here as it was."""
    decision = can_collect(user, finding.inspection)
    if decision and finding.rectification_id is not None:
        return Decision.no("这项发现已提出整改意见，请在整改中跟踪。")
    return decision


def can_attach(user: User, log: WorkLog) -> Decision:
    """Make an inspection of a log that is one by its kind."""
    decision = permissions.can_edit(user, log)
    if not decision:
        return decision
    if log.kind != WorkLog.Kind.INSPECTION or log.project is None or log.supersedes_id is not None:
        return Decision.no("工作类别为施工巡查并选定了相关项目的记录，才能补充巡查发现。")
    return can_inspect(user, log.planner, log.project)
