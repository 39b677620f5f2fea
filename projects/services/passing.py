"""Requests that run while their units change: they go on, and everybody is told who serves the project from then on."""

from __future__ import annotations

from django.utils import timezone

from districts.passing import WARNING, Effect, Passing
from districts.services.lineage import units_with_predecessors
from projects.models import Consultation, Consultee, Project
from projects.services.audience import desk_of, waiting_users
from projects.services.course import ROWS, tell
from projects.services.successors import outsiders_of

_AREA = "征询意见"


def pass_consultations(passing: Passing) -> list[Effect]:
    """What becomes of the running requests about projects of these units: the same people, the same day.

    The assignments have been passed on before (planners answer first), so who serves from then on is known.
    Side effects: notices. A rename changes nothing.
    """
    if passing.is_rename:
        return []
    units = units_with_predecessors([unit.pk for unit in passing.sources], on=passing.first_day)
    through = Project.units.through.objects.filter(unit_id__in=units)
    rows = ROWS.filter(project_id__in=through.values("project_id")).running().order_by("pk")
    return [_pass_one(row, passing) for row in rows]


def _pass_one(row: Consultation, passing: Passing) -> Effect:
    gone, instead = outsiders_of(row, max(passing.first_day, timezone.localdate()))
    waiting = row.consultees.filter(state=Consultee.State.ASKED).select_related("planner")
    names = "、".join(consultee.planner.name for consultee in waiting)
    what = f"{row.number}（{row.project.name}）：待{names}答复" if names else f"{row.number}（{row.project.name}）"
    words = "继续进行，被征询人和期限不变"
    if gone:
        words += f"；{'、'.join(gone)}自 {passing.first_day:%Y-%m-%d} 起不再负责，"
        words += f"可改由{'、'.join(instead)}答复" if instead else "目前没有接替的规划师，请征询单位决定"
    text = f"责任单元自 {passing.first_day:%Y-%m-%d} 起{passing.change.get_kind_display()}，征询 {row.number} {words}。"
    key = f"unit-change-consultation-{passing.change.pk}-{row.pk}"
    tell(row, [*desk_of(row), *waiting_users(row)], "consultation.unit", text, key=key)
    return Effect(_AREA, what, words, WARNING if gone else "")
