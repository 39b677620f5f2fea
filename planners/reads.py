"""What pages of the registry show about many rows at once, in one query each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from planners.models import Assignment, Contract, Group, Planner, Team
from planners.querysets import on_date


def served_names(planners: Iterable[Planner], on: date | None = None) -> dict[int, list[str]]:
    """The names of the charges that each planner serves on `on` (today), by planner id; one query."""
    ids = [planner.pk for planner in planners]
    day = on or timezone.localdate()
    running = Assignment.objects.filter(
        on_date(day), contract__state__in=["signed", "ended"], contract__end__gte=day
    ).order_by()

    def member(via: str) -> Q:
        return Q(**{f"{via}__planner_id__in": ids}) & on_date(day, f"{via}__start", f"{via}__end")

    own = running.filter(planner_id__in=ids).values_list("planner_id", "charge__name")
    grouped = running.filter(member("group__members")).values_list("group__members__planner_id", "charge__name")
    whole = running.filter(member("team__members")).values_list("team__members__planner_id", "charge__name")
    served: dict[int, list[str]] = {}
    for planner_id, name in own.union(grouped, whole):
        served.setdefault(planner_id, []).append(name)
    return {planner_id: sorted(names) for planner_id, names in served.items()}


def contract_rows(rows: Any) -> Any:
    """Contracts joined with all that a line about one shows."""
    return rows.select_related(
        "locality", "planner", "team", "institution", "signer", "policy_version", "policy_version__pack"
    ).defer("policy_version__document")


def contract_state(contract: Contract, on: date) -> tuple[str, str]:
    """The state in words with a tone; a contract whose term is over says so though nobody ended it."""
    if contract.state == Contract.State.SIGNED and contract.end < on:
        return "已期满", "neutral"
    if contract.state == Contract.State.SIGNED and contract.start > on:
        return "未到聘期", "info"
    tone = {"draft": "waiting", "signed": "good", "ended": "neutral", "cancelled": "neutral"}[contract.state]
    return contract.get_state_display(), tone


def overlapping_contracts(contract: Contract, user: Any) -> list[Contract]:
    """Other contracts of the same party in the same role whose terms meet this one's; each with its `last` day."""
    party = {"person": "planner_id", "team": "team_id", "institution": "institution_id"}[contract.party_kind]
    rows = Contract.objects.visible_to(user).filter(
        locality_id=contract.locality_id, party_kind=contract.party_kind, role_type=contract.role_type,
        **{party: getattr(contract, party)},
    )  # fmt: skip
    living = rows.exclude(pk=contract.pk).exclude(state=Contract.State.CANCELLED)
    last = Least(F("end"), Coalesce(F("ended_on"), F("end")))
    mine = min(contract.end, contract.ended_on or contract.end)
    return list(living.annotate(last=last).filter(start__lte=mine, last__gte=contract.start).order_by("start", "pk"))


def holder_of(assignment: Assignment) -> str:
    return str(assignment.planner or assignment.group or assignment.team)


def assignments_touching(planner: Planner) -> Any:
    """Every assignment the planner serves or served under: own, of their groups, of their teams."""
    memberships = planner.team_memberships.all()
    own = Q(planner=planner)
    grouped = Q(group__in=memberships.filter(group__isnull=False).values("group_id"))
    whole = Q(team__in=memberships.values("team_id"))
    return (
        Assignment.objects.filter(own | grouped | whole)
        .annotate(contract_number=F("contract__number"))
        .select_related("charge", "contract", "planner", "group__team", "team")
        .order_by("-start", "-pk")
    )


def contract_holders(contract: Contract) -> list[Planner | Group | Team]:
    """Everybody whom a contract can send somewhere: its person; or its team with groups and members; or the
    institution's people and teams in the locality. At most 200, in the order people read."""
    if contract.party_kind == Contract.Party.PERSON:
        return [contract.planner] if contract.planner else []
    teams = Team.objects.filter(locality_id=contract.locality_id)
    people = Planner.objects.filter(locality_id=contract.locality_id, is_active=True)
    if contract.team_id:
        teams = teams.filter(pk=contract.team_id)
        people = people.filter(team_memberships__team_id=contract.team_id)
    else:
        teams = teams.filter(institution=contract.institution)
        people = people.filter(Q(institution=contract.institution) | Q(team_memberships__team__in=teams))
    groups = Group.objects.filter(team__in=teams).select_related("team").order_by("team__name", "name")
    ids = people.order_by().values("pk")
    return [*groups[:60], *teams[:20], *Planner.objects.filter(pk__in=ids).order_by("sort_key", "pk")[:120]]


def contract_people(contract: Contract) -> list[Planner]:
    """The persons among whom a contract can send somewhere, in name order; at most 120."""
    people = [holder for holder in contract_holders(contract) if isinstance(holder, Planner)]
    return sorted(people, key=lambda planner: (planner.sort_key, planner.pk))
