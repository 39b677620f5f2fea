"""What the overview of localities shows: counts and the policy of each, in as many queries for one as for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db.models import Count, Q

from districts.models import Locality, PolicyScope, PolicyVersion, Unit


@dataclass(frozen=True, slots=True)
class LocalityCard:
    """One locality: its units and planners today, and the policy version that a reader is shown."""

    locality: Locality
    units: int
    planners: int
    policy: PolicyVersion | None
    policy_state: str
    policy_tone: str

    @property
    def validity(self) -> str:
        if self.policy is None:
            return ""
        start, end = self.policy.valid_from, self.policy.valid_to
        if start is None and end is None:
            return "文件未写明"
        return f"{start or '未写明起始'} 至 {end or '未写明截止'}"


def locality_cards(localities: Sequence[Locality], *, on: date) -> list[LocalityCard]:
    """A card for each of `localities`, in their order; five queries whatever their number."""
    ids = [locality.pk for locality in localities]
    units = dict(
        Unit.objects.filter(locality_id__in=ids).current(on).order_by().values_list("locality").annotate(Count("pk"))
    )
    # The registry stands above this app: it is counted through the relation, not imported.
    planners = dict(
        Locality.objects.filter(pk__in=ids)
        .annotate(count=Count("planner", filter=Q(planner__is_active=True)))
        .values_list("pk", "count")
    )
    policies = _policies(localities, on)
    cards = []
    for locality in localities:
        policy = policies.get(locality.pk)
        state, tone = _state(policy, on)
        cards.append(LocalityCard(locality, units.get(locality.pk, 0), planners[locality.pk], policy, state, tone))
    return cards


def _state(policy: PolicyVersion | None, on: date) -> tuple[str, str]:
    if policy is None:
        return "尚无制度方案", "waiting"
    if policy.pack.second_hand:
        return "论文转述", "neutral"
    if policy.valid_to is not None and policy.valid_to < on:
        return "已失效", "bad"
    if policy.valid_from is not None and policy.valid_from > on:
        return "未生效", "waiting"
    return "有效", "good"


def _policies(localities: Sequence[Locality], on: date) -> dict[int, PolicyVersion]:
    """The version each locality is shown: in force, else the last; its own pack before the city's, adopted first."""
    places = {pk for locality in localities for pk in (locality.pk, locality.parent_id) if pk}
    packs: dict[int, set[int]] = {}
    scopes = PolicyScope.objects.filter(locality_id__in=places)
    for pack_id, locality_id in scopes.values_list("pack_id", "locality_id"):
        packs.setdefault(locality_id, set()).add(pack_id)
    versions = list(
        PolicyVersion.objects.filter(pack_id__in={p for found in packs.values() for p in found}, is_withdrawn=False)
        .exclude(kind=PolicyVersion.Kind.SUPPLEMENT)
        .select_related("pack")
        .defer("document")
    )

    def rank(locality: Locality, version: PolicyVersion) -> tuple[bool, bool, bool, date, int]:
        starts, ends = version.valid_from or date.min, version.valid_to or date.max
        own = version.pack_id in packs.get(locality.pk, ())
        return (starts <= on <= ends, not version.pack.second_hand, own, starts, version.number)

    shown = {}
    for locality in localities:
        near = packs.get(locality.pk, set()) | packs.get(locality.parent_id or 0, set())
        rows = [version for version in versions if version.pack_id in near]
        if rows:
            shown[locality.pk] = max(rows, key=partial(rank, locality))
    return shown
