"""Finding a policy by what a person types: a slug, a slug with a version number (`tongzhou@2`), or a file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Count, Q
from django.utils import timezone

from districts.models import PolicyPack, PolicyVersion
from districts.policy.schema import PackDocument, load_pack
from districts.policy.values import EffectivePolicy, merge
from districts.services.policies import policy_for_version
from districts.services.policy_loading import POLICY_DIR, shipped_packs


class UnknownPolicy(LookupError):
    """Nothing goes by that name; `known` lists what does."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"没有制度方案“{name}”。已有：{'、'.join(known) or '无'}")
        self.known = known


@dataclass(frozen=True, slots=True)
class PackLine:
    """One pack in the overview. Dates are None where the document names no day."""

    slug: str
    title: str
    localities: tuple[str, ...]
    versions: int
    values: int
    valid_from: dt.date | None
    valid_to: dt.date | None
    second_hand: bool
    document: str


def list_packs() -> list[PackLine]:
    """Every loaded pack as published (trial rows left out); the shipped files where none is loaded."""
    packs = PolicyPack.objects.annotate(
        count=Count("versions", filter=Q(versions__is_demo=False, versions__is_withdrawn=False))
    ).order_by("second_hand", "slug")
    lines = []
    for pack in packs:
        version = current_version(pack)
        if version is not None:
            lines.append(_line(policy_for_version(version, demo=False), pack.count))
    return lines or [_line(_of_file(pack), len(pack.versions)) for pack in _shipped_sorted()]


def _shipped_sorted() -> list[PackDocument]:
    return sorted(shipped_packs(), key=lambda pack: (pack.second_hand, pack.slug))


def _line(policy: EffectivePolicy, versions: int) -> PackLine:
    return PackLine(
        policy.slug,
        policy.title,
        policy.localities,
        versions,
        len(policy.values),
        policy.valid_from,
        policy.valid_to,
        policy.second_hand,
        policy.document,
    )


def _of_file(pack: PackDocument, on: dt.date | None = None) -> EffectivePolicy:
    on = on or dt.date.max
    version = next((v for v in pack.versions if v.covers(on)), pack.versions[-1])
    return merge(pack, version, on_date=on)


def current_version(pack: PolicyPack, on: dt.date | None = None, *, demo: bool = False) -> PolicyVersion | None:
    """The version of a pack in force on a day (today), else the latest; trial versions only with `demo`."""
    on = on or timezone.localdate()
    rows = pack.versions.exclude(kind=PolicyVersion.Kind.SUPPLEMENT).filter(is_withdrawn=False).defer("document")
    rows = rows if demo else rows.filter(is_demo=False)
    ordered = sorted(rows, key=lambda row: (row.valid_from or dt.date.min, row.number))
    covering = [
        row
        for row in ordered
        if (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or on <= row.valid_to)
    ]
    found = covering or ordered
    return found[-1] if found else None


def find_policy(name: str, *, on: dt.date | None = None, demo: bool = False) -> EffectivePolicy:
    """The policy that `name` means. Raises UnknownPolicy, and PolicyError for a file with mistakes."""
    if name.endswith((".yaml", ".yml")):
        return _of_file(load_pack(Path(name)), on)
    slug, _, number = name.partition("@")
    pack = PolicyPack.objects.filter(slug=slug).first()
    if pack is None:
        return _find_shipped(name, on)
    if number:
        found = pack.versions.exclude(kind=PolicyVersion.Kind.SUPPLEMENT)
        version = found.filter(number=int(number)).first() if number.isdecimal() and len(number) < 6 else None
    else:
        version = current_version(pack, on, demo=demo)
    if version is None:
        raise UnknownPolicy(name, [f"{slug}@{n}" for n in pack.versions.values_list("number", flat=True)])
    return policy_for_version(version, on, demo=demo)


def _find_shipped(name: str, on: dt.date | None) -> EffectivePolicy:
    shipped = {path.stem: path for path in sorted(POLICY_DIR.glob("*.yaml"))}
    if name not in shipped:
        known = sorted({*shipped, *PolicyPack.objects.values_list("slug", flat=True)})
        raise UnknownPolicy(name, known)
    return _of_file(load_pack(shipped[name]), on)
