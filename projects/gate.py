"""The gate of a stage: what the pack asks for before it may be passed, and what there is to show for it.

京核心区 四(二): planners are consulted in writing, or invited to the expert meeting, *before* approval. What was handed
in after the day of approval is therefore no proof, nor is what was said of an earlier round of the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from projects.conflicts import conflicts_among
from projects.models import Consultation, Consultee, Opinion, ProjectStage, StageDecision
from projects.review import Seat, StageRule, rule_for, seats_of
from projects.rounds import policy_of_stage

Ground = StageDecision.Ground
_GONE = (Consultation.State.WITHDRAWN, Consultation.State.SUPERSEDED)
_NOT_ASKED = (Consultee.State.RECUSED, Consultee.State.REPLACED, Consultee.State.RELEASED)
_CAME_OR_NOT = (Consultee.State.ATTENDED, Consultee.State.ABSENT)


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands behind a decision of `stage` on `on`.

    `seats`: who is asked by the tier table; `lacking`: those of them who neither gave an opinion nor were invited.
    `silent`: asked in writing, without an opinion in time. `meetings`: invitations with who came, or with minutes.
    """

    stage: ProjectStage
    on: date
    rule: StageRule
    seats: tuple[Seat, ...]
    opinions: tuple[Opinion, ...]
    meetings: tuple[Consultation, ...]
    silent: tuple[Consultation, ...]
    lacking: tuple[Seat, ...]

    @property
    def ground(self) -> str:
        """The ground that the facts give by themselves; "" where consultation is required and there is no proof."""
        if self.opinions:
            return Ground.CONSULTED
        if self.meetings:
            return Ground.INVITED
        return "" if self.rule.is_required else Ground.NOT_REQUIRED

    @property
    def ground_words(self) -> str:
        return Ground(self.ground).label if self.ground else "制度要求征询，目前没有凭据"

    @property
    def tone(self) -> str:
        if not self.ground:
            return "bad"
        return "waiting" if self.lacking and self.has_proof else "good" if self.has_proof else "neutral"

    @property
    def has_proof(self) -> bool:
        return bool(self.opinions or self.meetings)


def gate_of(stage: ProjectStage, *, on: date | None = None) -> Gate:
    """Read the gate as of `on` (today); as many queries for one opinion as for twenty."""
    on = on or timezone.localdate()
    project, policy = stage.project, policy_of_stage(stage)
    rule = rule_for(policy, stage=stage.stage, kind=project.kind, mandatory_area=project.mandatory_area)
    consultations = list(
        Consultation.objects.filter(stage=stage).exclude(state__in=_GONE).select_related("asker").order_by("pk")
        .prefetch_related(Prefetch("consultees", Consultee.objects.select_related("planner")))
    )  # fmt: skip
    opinions = _opinions(stage, consultations, on)
    meetings = [row for row in consultations if row.way == Consultation.Way.MEETING and _documented(row, on)]
    spoken = {opinion.consultee.consultation_id for opinion in opinions}
    written = [row for row in consultations if row.way == Consultation.Way.WRITTEN]
    seats = seats_of(policy, project.tier) if project.tier and rule.mode else []
    covered = {opinion.consultee.role_type for opinion in opinions}
    covered |= {seat.role_type for row in meetings for seat in invited(row)}
    return Gate(
        stage, on, rule, tuple(seats), tuple(opinions), tuple(meetings),
        tuple(row for row in written if row.pk not in spoken),
        tuple(seat for seat in seats if seat.role not in covered),
    )  # fmt: skip


def _opinions(stage: ProjectStage, consultations: list[Consultation], on: date) -> list[Opinion]:
    """What counts: handed in by then, by somebody who does not keep out of the project."""
    if not consultations:
        return []
    rows = (
        Opinion.objects.counting().filter(consultee__consultation__in=[row.pk for row in consultations])
        .exclude(consultee__state=Consultee.State.RECUSED)
        .select_related("author", "consultee__consultation", "document").prefetch_related("items").order_by("pk")
    )  # fmt: skip
    found = [row for row in rows if _day(row.submitted_at) <= on]
    out = conflicts_among({row.author_id for row in found}, stage.project)
    return [row for row in found if row.author_id not in out]


def invited(consultation: Consultation) -> list[Consultee]:
    """Who was invited and does not keep out."""
    return [seat for seat in consultation.consultees.all() if seat.state not in _NOT_ASKED]


def _documented(row: Consultation, on: date) -> bool:
    """A meeting that was held by then, with somebody invited, and a record of who came or minutes."""
    if row.meeting_at is None or _day(row.meeting_at) > on or not invited(row):
        return False
    return row.minutes_id is not None or any(seat.state in _CAME_OR_NOT for seat in invited(row))


def _day(moment: datetime | None) -> date:
    return timezone.localtime(moment).date() if moment is not None else date.max


def proof_of(gate: Gate) -> dict[str, Any]:
    """The gate as plain JSON: kept with the decision, printed in the 征询凭证; it stays as it was on the day."""
    policy = policy_of_stage(gate.stage)

    def title(role: str) -> str:
        return policy.role_title(role) if policy is not None and role else ""

    return {
        "rule": {
            "mode": gate.rule.mode, "words": gate.rule.mode_words, "how": gate.rule.how, "weight": gate.rule.weight,
        },
        "opinions": [
            {
                "opinion": row.pk, "consultation": row.consultee.consultation.number,
                "asked_on": row.consultee.consultation.asked_on.isoformat(), "planner": row.author.name,
                "role": title(row.consultee.role_type), "form": row.consultee.opinion_form,
                "weight": row.consultee.weight, "verdict": row.get_verdict_display(),
                "submitted_on": _day(row.submitted_at).isoformat(), "items": len(row.items.all()),
                "must": sum(item.severity == "must" for item in row.items.all()), "on_paper": row.on_paper,
                "document": row.document.number if row.document else "",
            }
            for row in gate.opinions
        ],
        "meetings": [
            {
                "consultation": row.number, "asked_on": row.asked_on.isoformat(),
                "held_at": f"{timezone.localtime(row.meeting_at):%Y-%m-%d %H:%M}" if row.meeting_at else "",
                "place": row.meeting_place, "minutes": row.minutes_id is not None,
                "invited": [
                    {"planner": seat.planner.name, "role": title(seat.role_type), "came": seat.get_state_display()}
                    for seat in invited(row)
                ],
            }
            for row in gate.meetings
        ],
        "silent": [
            {
                "consultation": row.number, "asked_on": row.asked_on.isoformat(),
                "due_on": row.due_on.isoformat() if row.due_on else "",
                "planners": [seat.planner.name for seat in invited(row)],
            }
            for row in gate.silent
        ],
        "lacking": [seat.title for seat in gate.lacking],
    }  # fmt: skip
