"""The checks themselves: each takes the records of some planners' months and yields findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt
from statistics import median
from typing import Any, TypeVar

from .limits import Limits
from .shapes import Finding, Picture, Record, bands, distance

K = TypeVar("K")
_EARTH_KM = 6371.0
# As evidence a handful of other records is enough; more would be a list nobody opens.
_SHOWN = 20
# One picture that hundreds of records share is found by any of them.
_COMPARED = 100


def findings(
    records: Sequence[Record],
    *,
    limits: Limits,
    elsewhere: Iterable[Picture] = (),
    located: Mapping[int, Sequence[Picture]] | None = None,
) -> list[Finding]:
    """Everything in `records` that deserves a second look, in the order of the records' ids and of the codes.

    `records`: all that these planners handed in for these months. `elsewhere`: photos of any other records that may be
    the same; `located`: photos with a place, by charge (id). The result does not depend on the order of the input.
    """
    rows = sorted(records, key=lambda r: r.pk)
    found = [
        *_out_of_term(rows),
        *_same_day(rows),
        *_one_sitting(rows, limits),
        *_same_words(rows),
        *_same_photo(rows, elsewhere, limits),
        *_another_day(rows, limits),
        *_far_away(rows, located or {}, limits),
    ]
    return sorted(found, key=lambda f: (f.log, f.code))


def _by(rows: Iterable[Record], key: Callable[[Record], K]) -> dict[K, list[Record]]:
    groups: dict[K, list[Record]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _out_of_term(rows: Iterable[Record]) -> Iterator[Finding]:
    return (Finding(row.pk, "outside", (), {"on": row.on.isoformat()}) for row in rows if not row.in_term)


def _same_day(rows: Iterable[Record]) -> Iterator[Finding]:
    """Two places at once; else more than a day in a day; else the same hours twice: the plainest that is true."""
    for day in _by(rows, lambda r: (r.planner, r.on)).values():
        if len(day) < 2:
            continue
        replaced = {row.earlier for row in day}
        standing = [row for row in day if row.pk not in replaced]
        total = sum(len(row.halves) for row in standing)
        for row in day:
            others = [o for o in day if o.pk != row.pk and not row.is_version_of(o)]
            clashing = [o for o in others if o.halves & row.halves]
            away = [o for o in clashing if o.charge != row.charge]
            if away:
                yield _about(row, "two_places", away)
            if total > 2 and row in standing and len(standing) > 1:
                yield _about(row, "overfull", [o for o in standing if o.pk != row.pk], days=_days(total))
            elif here := [o for o in clashing if o.charge == row.charge]:
                yield _about(row, "same_hours", here)


def _days(halves: int) -> str:
    return f"{halves / 2:g}"


def _about(row: Record, code: str, others: Iterable[Record], **facts: Any) -> Finding:
    """The finding with what may be said of each other record: its day, hours and place."""
    rows = sorted(others, key=lambda o: (o.on, o.pk))
    said = [
        {"pk": o.pk, "on": o.on.isoformat(), "slot": o.slot, "place": o.charge_name, "planner": o.planner} for o in rows
    ]
    return Finding(row.pk, code, tuple(sorted(o.pk for o in rows)), {**facts, "others": said[:_SHOWN]})


def _one_sitting(rows: Iterable[Record], limits: Limits) -> Iterator[Finding]:
    """Many days of one month, all typed in within minutes: the longest such run that each record is part of."""
    window = timedelta(minutes=limits.sitting_minutes)
    typed = (row for row in rows if row.entered is not None)
    for month in _by(typed, lambda r: (r.planner, r.on.year, r.on.month)).values():
        if len(month) < limits.sitting_days:
            continue
        month.sort(key=lambda r: (r.entered, r.pk))
        best: dict[int, list[Record]] = {}
        last = 0
        for first, opener in enumerate(month):
            last = max(last, first)
            while last + 1 < len(month) and _entered(month[last + 1]) - _entered(opener) <= window:
                last += 1
            run = month[first : last + 1]
            if len({row.on for row in run}) < limits.sitting_days:
                continue
            for row in run:
                if len(run) > len(best.get(row.pk, ())):
                    best[row.pk] = run
        for row in month:
            if run := best.get(row.pk, []):
                yield _sitting(row, run, limits)


def _entered(row: Record) -> Any:
    return row.entered


def _sitting(row: Record, run: list[Record], limits: Limits) -> Finding:
    facts = {
        "records": len(run),
        "days": len({r.on for r in run}),
        "from": _entered(run[0]).isoformat(),
        "to": _entered(run[-1]).isoformat(),
        "limits": {"sitting_minutes": limits.sitting_minutes, "sitting_days": limits.sitting_days},
    }
    return Finding(row.pk, "sitting", tuple(sorted(r.pk for r in run if r.pk != row.pk)), facts)


def _same_words(rows: Iterable[Record]) -> Iterator[Finding]:
    """The very same words in another record of the planner's month."""
    groups = _by(rows, lambda r: (r.planner, r.on.year, r.on.month, " ".join(r.content.split())))
    for group in groups.values():
        for row in group:
            others = [o for o in group if o.pk != row.pk and not row.is_version_of(o)]
            if others:
                yield _about(row, "same_words", others)


def _same_photo(rows: Sequence[Record], elsewhere: Iterable[Picture], limits: Limits) -> Iterator[Finding]:
    """The same picture, byte by byte or as good as, in another record: whoever's it is."""
    known = {p.pk: p for row in rows for p in row.pictures} | {p.pk: p for p in elsewhere}
    holders: dict[Any, list[Picture]] = defaultdict(list)
    for _, picture in sorted(known.items()):
        for key in _keys(picture):
            holders[key].append(picture)
    earlier = {row.pk: row.earlier for row in rows}
    for row in rows:
        pairs = {
            (own.pk, other.pk): (other, own.digest == other.digest)
            for own in row.pictures
            for key in _keys(own)
            for other in holders[key][:_COMPARED]
            if other.log not in (row.pk, row.earlier) and earlier.get(other.log) != row.pk
            if own.digest == other.digest or _is_near(own, other, limits)
        }
        if pairs:
            yield _photos(row, pairs, limits)


def _keys(picture: Picture) -> tuple[Any, ...]:
    return (picture.digest, *bands(picture.mark))


def _is_near(one: Picture, other: Picture, limits: Limits) -> bool:
    return one.is_telling and other.is_telling and distance(one.mark, other.mark) <= limits.photo_bits


def _photos(row: Record, pairs: Mapping[tuple[int, int], tuple[Picture, bool]], limits: Limits) -> Finding:
    logs = tuple(sorted({other.log for other, _ in pairs.values()}))
    facts: dict[str, Any] = {
        "photos": len({own for own, _ in pairs}),
        "exact": all(exact for _, exact in pairs.values()),
        "others": [{"pk": log} for log in logs[:_SHOWN]],
    }
    if not facts["exact"]:
        facts["limits"] = {"photo_bits": limits.photo_bits}
    return Finding(row.pk, "same_photo", logs, facts)


def _another_day(rows: Iterable[Record], limits: Limits) -> Iterator[Finding]:
    for row in rows:
        days = sorted({
            p.taken for p in row.pictures if p.taken is not None and abs((p.taken - row.on).days) > limits.photo_days
        })  # fmt: skip
        if days:
            facts = {
                "on": row.on.isoformat(), "taken": [day.isoformat() for day in days],
                "limits": {"photo_days": limits.photo_days},
            }  # fmt: skip
            yield Finding(row.pk, "photo_day", (), facts)


def _far_away(rows: Iterable[Record], located: Mapping[int, Sequence[Picture]], limits: Limits) -> Iterator[Finding]:
    """Photos far from where the other records of the place have theirs from; from the middle of those, which a few
    stray ones do not move."""
    for row in rows:
        own = [p.place for p in row.pictures if p.place is not None]
        known = [p.place for p in located.get(row.charge, ()) if p.place and p.log not in (row.pk, row.earlier)]
        if not own or len(known) < limits.place_photos:
            continue
        middle = (median(latitude for latitude, _ in known), median(longitude for _, longitude in known))
        far = [km for km in (kilometres(place, middle) for place in own) if km > limits.place_km]
        if far:
            # Whole kilometres: enough to look into it, and no new evidence with every photo that joins the others.
            facts = {
                "km": round(max(far)), "photos": len(far),
                "limits": {"place_km": limits.place_km, "place_photos": limits.place_photos},
            }  # fmt: skip
            yield Finding(row.pk, "photo_place", (), facts)


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The way over the ground between two points (degrees), along a great circle."""
    (a, b), (c, d) = ((radians(x), radians(y)) for x, y in (one, other))
    half = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))
