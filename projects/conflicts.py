"""Who keeps out of a project, and why: what was recorded, and what the register tells.

A planner is an independent third party (晋市政办函〔2022〕24号 二(二)): not where their institution is party. The same
answer serves assignment, opinions and counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import itemgetter

from django.db.models import Value
from django.utils import timezone

from planners.models import Planner, TeamMember
from planners.querysets import on_date
from projects.models import Project, Recusal


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why somebody keeps out. `ground`: a value of Recusal.Ground; `words`: the reason, for a person."""

    ground: str
    words: str


def conflict_of(planner: Planner, project: Project) -> Conflict | None:
    """What keeps `planner` out of `project` today; None where nothing does."""
    return conflicts_among([planner.pk], project).get(planner.pk)


def conflicts_among(planners: Iterable[int], project: Project) -> dict[int, Conflict]:
    """The conflicts of several planners (ids), by id; as many queries for one as for many, and fewer where the project
    was read with its parties and recusals."""
    ids = set(planners)
    if not ids:
        return {}
    found: dict[int, Conflict] = {}
    parties = [party for party in project.parties.all() if party.is_active]
    if parties:
        for planner_id, house, name in _houses(ids):
            party = next((p for p in parties if p.institution_id == house or p.name == name), None)
            if party is not None:
                words = f"所在单位“{name}”是本项目的{party.get_role_display()}"
                found.setdefault(planner_id, Conflict(Recusal.Ground.INSTITUTION, words))
    for row in project.recusals.all():
        # What somebody wrote down says more than what the register tells.
        if row.ended_at is None and row.planner_id in ids:
            found[row.planner_id] = Conflict(row.ground, f"已登记回避（{row.get_ground_display()}）")
    return found


def _houses(ids: Collection[int]) -> list[tuple[int, int, str]]:
    """(planner id, institution id, its name): their employers, then the teams they are in today. One query."""
    teams = TeamMember.objects.filter(on_date(timezone.localdate()), planner_id__in=ids).order_by()
    employed = Planner.objects.filter(pk__in=ids, institution__isnull=False).order_by()
    rows = employed.values_list("pk", "institution_id", "institution__name", Value(0)).union(
        teams.filter(team__institution__isnull=False).values_list(
            "planner_id", "team__institution_id", "team__institution__name", Value(1)
        )
    )
    return [(planner, house, name) for planner, house, name, _ in sorted(rows, key=itemgetter(3, 0, 1))]
