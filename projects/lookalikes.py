"""Projects that may be the same one under another number: by name and by place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Q

from core.imports.cells import name_key
from districts.models import Locality
from projects.filters import find_projects
from projects.models import Project

# Limits of detection, no policy: what is alike is pointed out, nothing is refused.
_ALIKE = 0.6
_MOST = 10


@dataclass(frozen=True, slots=True)
class Lookalike:
    project: Project
    why: str


def lookalikes(locality: Locality, *, name: str, place: str = "", exclude: int | None = None) -> list[Lookalike]:
    """Projects of the locality (or that reach into it) of the same name, or at the same place with a similar name."""
    key, site = name_key(name), name_key(place)
    if not key:
        return []
    here = Project.objects.filter(Q(locality=locality) | Q(also_in=locality)).exclude(pk=exclude or 0)
    named = find_projects(here, name)[:200]
    placed = here.filter(place=place.strip())[:200] if site else Project.objects.none()
    found: dict[int, Lookalike] = {}
    for row in (*named, *placed):
        why = alike(key, site, name_key(row.name), name_key(row.place))
        if why:
            found.setdefault(row.pk, Lookalike(row, why))
    return sorted(found.values(), key=lambda one: one.project.pk)[:_MOST]


def alike(name: str, place: str, other_name: str, other_place: str) -> str:
    """Why two projects (by their keys) may be one, in words; "" when nothing says so."""
    same_place = bool(place) and place == other_place
    if name == other_name:
        return "名称和地点相同" if same_place else "名称相同"
    near = SequenceMatcher(None, name, other_name, autojunk=False).ratio() >= _ALIKE
    return "地点相同，名称相近" if same_place and near else ""


def same_in(rows: Iterable[tuple[str, str, str]], name: str, place: str) -> list[tuple[str, str]]:
    """(number, why) of those of `rows` (number, name, place) that are alike; for sheets, without a query."""
    key, site = name_key(name), name_key(place)
    found = [(number, alike(key, site, name_key(other), name_key(at))) for number, other, at in rows]
    return [(number, why) for number, why in found if why][:_MOST]
