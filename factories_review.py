"""Test data of project review: parties, consultations, opinions with items. Used by tests alone."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import User
from districts.models import Organisation
from planners.models import Planner
from projects.models import (
    Consultation,
    Consultee,
    ItemAnswer,
    Opinion,
    OpinionItem,
    Project,
    ProjectParty,
    ProjectStage,
    Rectification,
)

_serial = itertools.count(1)


def open_stage_of(project: Project) -> ProjectStage:
    return project.stages.get(state="open")


def make_party(project: Project, role: str = "contractor", **extra: Any) -> ProjectParty:
    extra.setdefault("name", f"示例单位{next(_serial)}")
    return ProjectParty.objects.create(project=project, role=role, **extra)


def make_consultation(
    project: Project, *, asker: Organisation, asked_by: User, planners: tuple[Planner, ...] = (), **extra: Any
) -> Consultation:
    """Asked on 2026-06-01, due on 2026-06-12, of the planners named (each a `Consultee`)."""
    extra.setdefault("number", f"ZX-{next(_serial):04d}")
    extra.setdefault("subject", f"{project.name}方案征询")
    extra.setdefault("asked_on", date(2026, 6, 1))
    extra.setdefault("due_on", date(2026, 6, 12))
    extra.setdefault("term_days", 9)
    extra.setdefault("stage", open_stage_of(project))
    made = Consultation.objects.create(
        locality=project.locality, project=project, asker=asker, asked_by=asked_by, **extra
    )
    for planner in planners:
        make_consultee(made, planner)
    return made


def make_consultee(consultation: Consultation, planner: Planner, **extra: Any) -> Consultee:
    extra.setdefault("opinion_form", "审查意见")
    return Consultee.objects.create(consultation=consultation, planner=planner, **extra)


def make_opinion(consultee: Consultee, *, items: int = 2, **extra: Any) -> Opinion:
    """A submitted opinion of the planner who was asked, with `items` items; `state="draft"` for one in hand."""
    extra.setdefault("state", Opinion.State.SUBMITTED)
    if extra["state"] == Opinion.State.SUBMITTED:
        extra.setdefault("verdict", Opinion.Verdict.AGREE_AFTER)
        extra.setdefault("submitted_at", timezone.now())
        extra.setdefault("summary", "总体可行，沿街界面须调整。")
    opinion = Opinion.objects.create(
        locality=consultee.consultation.locality, consultee=consultee, author=consultee.planner, **extra
    )
    for number in range(1, items + 1):
        OpinionItem.objects.create(opinion=opinion, position=number, text=f"第 {number} 条意见。", basis="上位规划")
    return opinion


def make_answer(item: OpinionItem, decision: str = "adopted", **extra: Any) -> ItemAnswer:
    consultation = item.opinion.consultee.consultation
    if decision != "refused":
        extra.setdefault("owner", "设计科")
        extra.setdefault("due_on", date(2026, 7, 31))
    if decision != "adopted":
        extra.setdefault("reason", "与已批复的道路红线不符。")
    return ItemAnswer.objects.create(
        locality=consultation.locality, item=item, decision=decision, asker=consultation.asker,
        answered_by=consultation.asked_by, **extra,
    )  # fmt: skip


def make_rectification(project: Project, *, raised_by: Planner, **extra: Any) -> Rectification:
    extra.setdefault("contractor", project.parties.filter(role="contractor").first() or make_party(project))
    extra.setdefault("number", f"ZG-{next(_serial):04d}")
    extra.setdefault("raised_on", date(2026, 6, 1))
    extra.setdefault("subject", Rectification.Subject.NODE)
    extra.setdefault("text", "檐口做法与审定方案不符。")
    extra.setdefault("stage", open_stage_of(project))
    return Rectification.objects.create(locality=project.locality, project=project, raised_by=raised_by, **extra)
