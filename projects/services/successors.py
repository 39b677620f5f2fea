"""Who could take somebody's place, and who of those asked no longer serves the project: proposed, never decided."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from projects.models import Consultation, Consultee
from projects.services.choosing import Candidate, Proposal, policy_of, propose, serving

_OVER = (Consultee.State.REPLACED, Consultee.State.RECUSED, Consultee.State.RELEASED)


def proposal_now(consultation: Consultation, on: date | None = None) -> Proposal:
    """Whom the pack of the request would have asked today, as people serve now."""
    from projects.services.consultations import rule_of

    policy = policy_of(consultation)
    return propose(consultation.project, rule=rule_of(consultation), policy=policy, on=on or timezone.localdate())


def successors_for(consultee: Consultee, on: date | None = None) -> list[Candidate]:
    """Who could answer instead: the same role first, nobody who is asked already or keeps out."""
    consultation = consultee.consultation
    proposal = proposal_now(consultation, on)
    taken = set(consultation.consultees.exclude(state__in=_OVER).values_list("planner_id", flat=True))
    taken.add(consultee.planner_id)
    free = [one for one in (*proposal.asked, *proposal.others) if one.planner.pk not in taken]
    same = [one for one in free if consultee.role_type and one.role == consultee.role_type]
    return [*same, *(one for one in free if one not in same)]


def proposed_words(consultee: Consultee, on: date | None = None) -> str:
    """For a notice: 建议由甲、乙替补."""
    names = [one.planner.name for one in successors_for(consultee, on)[:3]]
    return f"，建议由{'、'.join(names)}替补" if names else "，目前没有可以替补的规划师"


def outsiders_of(consultation: Consultation, on: date | None = None) -> tuple[list[str], list[str]]:
    """Names of those who are still to answer and whom the pack chose for a service that they no longer give; and of
    those whom it would choose now."""
    on = on or timezone.localdate()
    waiting = list(consultation.consultees.filter(state=Consultee.State.ASKED).select_related("planner"))
    by_pack = [one for one in waiting if one.chosen in (Consultee.Chosen.TIER, Consultee.Chosen.CHARGE)]
    if not by_pack:
        return [], []
    now = serving(consultation.project, policy_of(consultation), on)
    gone = [one.planner.name for one in by_pack if one.planner_id not in now]
    if not gone:
        return [], []
    asked = {one.planner_id for one in waiting}
    proposal = proposal_now(consultation, on)
    return gone, [one.planner.name for one in proposal.asked if one.planner.pk not in asked]
