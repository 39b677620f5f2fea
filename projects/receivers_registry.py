"""What happens below and touches projects: who may be appointed to one, units changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from districts.models import Charge
from districts.passing import WARNING, Effect, Passing
from districts.signals import unit_changed
from planners.models import Assignment, Planner
from planners.signals import assignment_proposed
from projects.conflicts import conflicts_among
from projects.models import Project


@receiver(assignment_proposed)
def guard_project(assignment: Assignment, planners: Sequence[Planner], **kwargs: Any) -> str:
    """Nobody is appointed to a responsible project that they have to keep out of; of a group or team that is so when
    everybody in it has to."""
    if assignment.charge.kind != Charge.Kind.PROJECT or not planners:
        return ""
    project = Project.objects.filter(charge_id=assignment.charge_id).first()
    if project is None:
        return ""
    found = conflicts_among([planner.pk for planner in planners], project)
    if len(found) < len(planners):
        return ""
    planner = planners[0]
    return f"{planner.name}{'等' if len(planners) > 1 else ''}须回避该项目：{found[planner.pk].words}。"


@receiver(unit_changed)
def units_passed_on(passing: Passing, **kwargs: Any) -> list[Effect]:
    """Projects keep the unit of their day and are found under what it became; where nothing comes after it, somebody
    has to say which unit they belong to."""
    if passing.is_rename:
        return []
    effects = []
    for unit in passing.sources:
        count = Project.objects.filter(units=unit).exclude(stage=Project.Stage.DONE).count()
        if not count:
            continue
        what = f"{unit}：{count} 个未办结的项目"
        if passing.targets:
            effects.append(Effect("项目", what, "保留原单元，在新单元下继续办理"))
        else:
            effects.append(Effect("项目", what, "没有新的责任单元，请在项目中另行指定", WARNING))
    return effects
