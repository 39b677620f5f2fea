"""Which policy counts: for a contract, for a process, on a day; loading, supplementing, amending, the trial overlay.

What a contract binds comes from the version that it was signed under; a process (a cycle, a request) from the version
in force when it opened. A supplement fills unset values of the version that it supplements, from its date, and so
reaches the contracts under that version; an amendment is a new version and does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from django.db.models import F, Q
from django.utils import timezone

from districts.models import Locality, PolicyScope, PolicyVersion
from districts.policy.schema import (
    PackDocument,
    SupplementDocument,
    VersionDocument,
    parse_supplement,
    parse_version,
)
from districts.policy.values import EffectivePolicy, merge
from districts.services.policy_loading import apply_demo_overlay, attach_packs, load_policy_files, remove_demo_overlay

__all__ = [
    "apply_demo_overlay",
    "attach_packs",
    "load_policy_files",
    "policy_for_contract",
    "policy_for_version",
    "policy_in_force",
    "policy_to_read",
    "remove_demo_overlay",
    "version_in_force",
]

_BASE = (PolicyVersion.Kind.ORIGINAL, PolicyVersion.Kind.AMENDMENT)


class Bound(Protocol):
    """What is bound to a version: a contract."""

    policy_version_id: int
    locality_id: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version without its document: small enough to be read on every page."""

    pk: int
    pack_id: int
    kind: str
    supplements_id: int | None
    number: int
    valid_from: dt.date | None
    valid_to: dt.date | None
    source_hash: str
    slug: str
    pack_title: str
    second_hand: bool
    is_demo: bool

    def covers(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def _rows(condition: Q) -> list[VersionRow]:
    """The versions that satisfy `condition` and are not withdrawn; one query."""
    found = (
        PolicyVersion.objects.filter(condition)
        .annotate(slug=F("pack__slug"), pack_title=F("pack__title"), second_hand=F("pack__second_hand"))
        .order_by("pk")
        .values(*VersionRow.__slots__)
    )
    return [VersionRow(**row) for row in found]


@lru_cache(maxsize=256)
def _version_document(pk: int, source_hash: str) -> tuple[VersionDocument, tuple[str, ...]]:
    """A version's parsed document. Keyed by its hash, so that a changed row is never answered from memory."""
    document = PolicyVersion.objects.values_list("document", flat=True).get(pk=pk)
    return parse_version(document), tuple(document.get("localities", ()))


@lru_cache(maxsize=256)
def _supplement_document(pk: int, source_hash: str) -> SupplementDocument:
    return parse_supplement(PolicyVersion.objects.values_list("document", flat=True).get(pk=pk))


@lru_cache(maxsize=512)
def _effective(base: VersionRow, supplements: tuple[VersionRow, ...], locality: str) -> EffectivePolicy:
    """One merged policy; every argument is part of the key, so nothing here ever goes stale."""
    documents = [_supplement_document(row.pk, row.source_hash) for row in supplements]
    day = max((document.effective_from for document in documents), default=dt.date.min)
    return _laid(base, documents, locality, day)


def _laid(base: VersionRow, documents: Iterable[SupplementDocument], locality: str, day: dt.date) -> EffectivePolicy:
    """The version with these supplements laid over it, each as far as it applies on `day`."""
    version, localities = _version_document(base.pk, base.source_hash)
    pack = PackDocument(base.slug, base.pack_title, localities, (version,), base.second_hand)
    policy = merge(pack, version, documents, on_date=day, locality=locality, version_id=base.pk)
    # The row's dates count: an amendment may have closed the version since its document was entered.
    return replace(policy, valid_from=base.valid_from, valid_to=base.valid_to)


def _merged(base: VersionRow, rows: Iterable[VersionRow], on: dt.date, locality: str, *, demo: bool) -> EffectivePolicy:
    supplements = tuple(
        row for row in rows if row.supplements_id == base.pk and row.covers(on) and (demo or not row.is_demo)
    )
    return _effective(base, supplements, locality)


def policy_for_version(
    version: PolicyVersion | int, on: dt.date | None = None, *, locality: Locality | None = None, demo: bool = True
) -> EffectivePolicy:
    """One version with the supplements that apply on `on` (today), also when it has lapsed or been withdrawn.

    `locality`: for supplements that name localities. `demo=False` leaves the trial overlay out.
    """
    pk = version if isinstance(version, int) else version.pk
    rows = _rows(Q(pk=pk) | Q(supplements_id=pk, is_withdrawn=False))
    base = next((row for row in rows if row.pk == pk), None)
    if base is None or base.kind not in _BASE:
        raise PolicyVersion.DoesNotExist(f"no version of a pack has id {pk}")
    return _merged(base, rows, on or timezone.localdate(), _code(locality), demo=demo)


def _code(locality: Locality | None) -> str:
    return locality.code if locality is not None else ""


def policy_with(
    version: int, supplement: SupplementDocument, *, on: dt.date, locality: Locality | None = None
) -> EffectivePolicy:
    """One version as it would be on `on` with one more supplement, whatever that one's dates: for trying it out."""
    rows = _rows(Q(pk=version) | Q(supplements_id=version, is_withdrawn=False))
    base = next(row for row in rows if row.pk == version)
    found = [row for row in rows if row.supplements_id == base.pk and row.covers(on)]
    tried = replace(supplement, effective_from=min(supplement.effective_from, on), effective_to=None)
    return _laid(base, [*(_supplement_document(row.pk, row.source_hash) for row in found), tried], _code(locality), on)


def policy_of_document(
    version: VersionDocument, *, slug: str, title: str, localities: tuple[str, ...], version_id: int | None = None
) -> EffectivePolicy:
    """A version that is not a row yet, by itself."""
    pack = PackDocument(slug, title, localities, (version,))
    return merge(pack, version, on_date=version.valid_from or timezone.localdate(), version_id=version_id)


def policy_after(row: PolicyVersion, *, locality: Locality | None = None) -> EffectivePolicy:
    """The policy as one entry of its history left it: a version by itself, or a version on a supplement's first day."""
    if row.supplements_id is None:
        return policy_for_version(row, dt.date.min, locality=locality)
    return policy_for_version(row.supplements_id, row.valid_from, locality=locality)


def policy_for_contract(contract: Bound, on: dt.date | None = None) -> EffectivePolicy:
    """What binds a contract: the version it was signed under, with the supplements that reach it on `on` (today)."""
    locality = getattr(contract, "locality", None)
    return policy_for_version(contract.policy_version_id, on, locality=locality)


def _serving(locality: Locality) -> tuple[list[VersionRow], list[int]]:
    """Versions of the packs that serve the locality, and those packs with the first choice first.

    A pack of its own comes before the one of the city above it (a city's pack serves its counties too), a pack that
    somebody has adopted before what a paper reports.
    """
    places = [pk for pk in (locality.pk, locality.parent_id) if pk]
    near = _near(locality, PolicyScope.objects.filter(locality_id__in=places).values_list("pack_id", "locality_id"))
    rows = _rows(Q(pack_id__in=list(near), is_withdrawn=False)) if near else []
    return rows, _ordered(near, rows)


def _near(locality: Locality, scopes: Iterable[tuple[int, int]]) -> dict[int, bool]:
    """{pack: is it the city's} of the packs that serve the locality."""
    near: dict[int, bool] = {}
    for pack, place in scopes:
        if place == locality.pk:
            near[pack] = False
        elif place == locality.parent_id:
            near.setdefault(pack, True)
    return near


def _ordered(near: dict[int, bool], rows: list[VersionRow]) -> list[int]:
    second_hand = {row.pack_id: row.second_hand for row in rows}
    return sorted(near, key=lambda pack: (second_hand.get(pack, True), near[pack], pack))


def _in_force(rows: list[VersionRow], packs: list[int], on: dt.date) -> VersionRow | None:
    for pack in packs:
        covering = [row for row in rows if row.pack_id == pack and row.kind in _BASE and row.covers(on)]
        if covering:
            return max(covering, key=lambda row: (row.valid_from or dt.date.min, row.number))
    return None


def policy_in_force(locality: Locality, on: dt.date | None = None, *, demo: bool = True) -> EffectivePolicy | None:
    """What counts for a process that opens on `on` (today); None when no version is in force there.

    A second-hand policy is returned too (`second_hand`): it can be read, and it binds nobody until it is adopted.
    """
    on = on or timezone.localdate()
    rows, packs = _serving(locality)
    base = _in_force([row for row in rows if demo or not row.is_demo], packs, on)
    return None if base is None else _merged(base, rows, on, locality.code, demo=demo)


def policies_in_force(localities: Iterable[Locality], on: dt.date | None = None) -> dict[int, EffectivePolicy]:
    """`policy_in_force` of many localities by id, in two queries; those without one are left out."""
    on, places = on or timezone.localdate(), list(localities)
    ids = {pk for place in places for pk in (place.pk, place.parent_id) if pk}
    scopes = list(PolicyScope.objects.filter(locality_id__in=ids).values_list("pack_id", "locality_id"))
    rows = _rows(Q(pack_id__in={pack for pack, _ in scopes}, is_withdrawn=False)) if scopes else []
    found = {}
    for place in places:
        near = _near(place, scopes)
        own = [row for row in rows if row.pack_id in near]
        base = _in_force(own, _ordered(near, own), on)
        if base is not None:
            found[place.pk] = _merged(base, own, on, place.code, demo=True)
    return found


def version_in_force(locality: Locality, on: dt.date | None = None) -> PolicyVersion | None:
    """The row of the version in force, for what keeps it: a cycle, a contract."""
    rows, packs = _serving(locality)
    base = _in_force(rows, packs, on or timezone.localdate())
    return None if base is None else PolicyVersion.objects.select_related("pack").get(pk=base.pk)


def policy_to_read(locality: Locality, on: dt.date | None = None) -> EffectivePolicy | None:
    """What a reader is shown: the policy in force, else the last that was (lapsed), else the next; None without any."""
    on = on or timezone.localdate()
    rows, packs = _serving(locality)
    base = _in_force(rows, packs, on)
    if base is None:
        known = [row for row in rows if row.kind in _BASE and row.pack_id in packs[:1]]
        base = max(known, key=lambda row: (row.valid_from or dt.date.min, row.number), default=None)
    return None if base is None else _merged(base, rows, on, locality.code, demo=True)


def history(locality: Locality) -> list[PolicyVersion]:
    """Every version and supplement of the packs that serve the locality, newest first, withdrawn ones included."""
    places = [pk for pk in (locality.pk, locality.parent_id) if pk]
    return list(
        PolicyVersion.objects.filter(pack__scopes__locality_id__in=places)
        .select_related("pack", "supplements", "entered_by", "decision")
        .defer("document", "supplements__document")
        .distinct()
        .order_by("pack_id", "-number")
    )


def forget_policies() -> None:
    """Empty the caches (tests; nothing else needs it, since every key names what it was made of)."""
    for cached in (_version_document, _supplement_document, _effective):
        cached.cache_clear()


def effective_history(versions: Iterable[PolicyVersion]) -> list[dict[str, Any]]:
    """Versions as the policy page shows them: row, its state in words today, and a tone."""
    today = timezone.localdate()
    shown = []
    for version in versions:
        if version.is_withdrawn:
            state, tone = "已撤回", "neutral"
        elif version.valid_to is not None and version.valid_to < today:
            state, tone = "已失效", "bad"
        elif version.valid_from is not None and version.valid_from > today:
            state, tone = "未生效", "waiting"
        else:
            state, tone = "有效", "good"
        shown.append({"row": version, "state": state, "tone": tone})
    return shown
