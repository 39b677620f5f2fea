"""One answered request about a project in 景山, asked by a department: the stage on which adoption is tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from factories import Cast, make_project
from factories_review import make_consultation, make_consultee, make_opinion
from projects.models import Consultation, Opinion, OpinionItem, Project
from projects.services.adoption import Given, items_of

# A Monday: the request was answered on 12 June, what becomes of it is due on the 26th.
TODAY = date(2026, 6, 15)
FEEDBACK_DUE = date(2026, 6, 26)
OWNER = "设计管理科"
DUE = date(2026, 7, 31)


def adopted(**extra: Any) -> Given:
    return Given(**{"decision": "adopted", "owner": OWNER, "due_on": DUE, **extra})


def partly(**extra: Any) -> Given:
    return Given(**{"decision": "partly", "reason": "限高须维持。", "owner": OWNER, "due_on": DUE, **extra})


def refused(reason: str = "与已批复的道路红线不符。") -> Given:
    return Given("refused", reason)


@dataclass
class Case:
    cast: Cast
    project: Project
    consultation: Consultation
    opinion: Opinion

    @property
    def items(self) -> list[OpinionItem]:
        return list(items_of(self.consultation))


def asked_by_department(cast: Cast, **extra: Any) -> Consultation:
    """The department asks the planner, who has answered; it owes the answers."""
    department = cast.department.memberships.get().organisation
    extra.setdefault("state", "answered")
    extra.setdefault("answered_on", date(2026, 6, 12))
    extra.setdefault("feedback_days", 10)
    extra.setdefault("feedback_due_on", FEEDBACK_DUE)
    project = extra.pop("project", None) or make_project(
        cast.locality, name="雄安路口公共空间提升", units=[cast.unit], stage="scheme"
    )
    return make_consultation(project, asker=department, asked_by=cast.department, **extra)


def make_case(cast: Cast, *, items: int = 5, **extra: Any) -> Case:
    consultation = asked_by_department(cast, **extra)
    consultee = make_consultee(consultation, cast.own_planner, state="answered")
    return Case(cast, consultation.project, consultation, make_opinion(consultee, items=items))
