"""Keeps what deserves a second look (`worklogs.plausibility`) beside the logs, and tells planners before they submit.

A change of a log writes a CheckTouch in its own transaction and wakes a worker when that commits; the worker looks
through the planner's month again. Whatever a lost message leaves behind is taken by the next run.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from planners.models import Planner
from planners.services.assignments import ServicePeriod, service_periods
from worklogs.models import CheckTouch, LogFinding, LogPhoto, WorkLog
from worklogs.plausibility import Finding, Limits, Picture, Record, findings
from worklogs.plausibility.shapes import bands
from worklogs.querysets import month_of, next_month

from .photos import pending

if TYPE_CHECKING:
    from accounts.models import User
    from core.models import ImportBatch
    from districts.models import Charge
    from worklogs.models.logs import Photo

log = logging.getLogger(__name__)

Month = tuple[int, date]
# What is compared with each other: handed in, and not taken back or struck out.
COMPARED = ("submitted", "proposed", "confirmed")
_AT_ONCE = 100
_FIELDS = (
    "pk", "planner_id", "charge_id", "charge_name", "date", "slot", "content", "created", "supersedes_id", "batch_id",
)  # fmt: skip


def limits() -> Limits:
    """The limits of detection as this portal is set up (settings.PLAUSIBILITY)."""
    return Limits(**settings.PLAUSIBILITY)


# --- told of changes, looked through by a worker -----------------------------------------------------------


def touch(logs: Iterable[WorkLog]) -> None:
    """Have the planners' months of these logs looked through once the transaction stands."""
    touch_months((entry.planner_id, month_of(entry.date)) for entry in logs)


def touch_imported(batch: ImportBatch) -> None:
    """The same for the logs of an import, without loading them."""
    days = batch.logs.order_by().values_list("planner_id", "date__year", "date__month").distinct()
    touch_months((planner_id, date(year, month, 1)) for planner_id, year, month in days)


def touch_contracts(contracts: Iterable[int]) -> None:
    """Terms have changed: every month with logs under these contracts (ids)."""
    rows = WorkLog.objects.filter(contract_id__in=list(contracts), state__in=COMPARED, superseded_by=None)
    days = rows.order_by().values_list("planner_id", "date__year", "date__month").distinct()
    touch_months((planner_id, date(year, month, 1)) for planner_id, year, month in days)


def touch_months(months: Iterable[Month]) -> None:
    """Side effects: a row each, and one message to a worker on commit."""
    rows = [CheckTouch(planner_id=planner_id, month=month) for planner_id, month in sorted(set(months))]
    if rows:
        CheckTouch.objects.bulk_create(rows, batch_size=1000)
        transaction.on_commit(_wake)


def _wake() -> None:
    from worklogs.tasks import check_touched

    try:
        check_touched.delay()
    except Exception:  # any transport's error: the rows stand, the next run takes them
        log.warning("broker unavailable, touched months wait for the next run", exc_info=True)


def check_pending() -> int:
    """Look through what was touched; the number of months done. Safe to run several at once."""
    done = 0
    while touches := list(CheckTouch.objects.order_by("pk").values_list("pk", "planner_id", "month")[:_AT_ONCE]):
        with transaction.atomic():
            months = {(planner_id, month) for _, planner_id, month in touches}
            # Locked before the logs are read: whoever changes them later touches later, and waits here.
            people = Planner.objects.filter(pk__in={planner_id for planner_id, _ in months}).order_by("pk")
            list(people.select_for_update(no_key=True).values_list("pk"))
            check_months(months)
            CheckTouch.objects.filter(pk__in=[pk for pk, _, _ in touches]).delete()
        done += len(months)
    return done


def check_all() -> int:
    """Every month that holds logs (after loading data, or when a limit has changed); the number of months."""
    days = WorkLog.objects.filter(state__in=COMPARED, superseded_by=None).order_by()
    months = sorted({
        (planner_id, date(year, month, 1))
        for planner_id, year, month in days.values_list("planner_id", "date__year", "date__month").distinct()
    })  # fmt: skip
    for start in range(0, len(months), _AT_ONCE):
        check_months(set(months[start : start + _AT_ONCE]))
    return len(months)


@transaction.atomic
def check_months(months: set[Month]) -> None:
    """Bring the kept findings of these planners' months up to date; queries do not grow with the number of logs."""
    rows = _rows(months)
    found = _findings(rows)
    _keep(months, {(one.log, one.code, one.fingerprint): one for one in found})


def _rows(months: set[Month]) -> list[dict[str, Any]]:
    first, last = min(month for _, month in months), max(next_month(month) for _, month in months)
    rows = WorkLog.objects.filter(
        planner_id__in={planner_id for planner_id, _ in months}, date__gte=first, date__lt=last,
        state__in=COMPARED, superseded_by=None, voids=False,
    )  # fmt: skip
    return [row for row in rows.values(*_FIELDS) if (row["planner_id"], month_of(row["date"])) in months]


def _findings(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    if not rows:
        return []
    pictures = _pictures(LogPhoto.objects.filter(log_id__in=[row["pk"] for row in rows]))
    terms = _terms(rows)
    records = [_record(row, tuple(pictures.get(row["pk"], ())), terms) for row in rows]
    own = [picture for some in pictures.values() for picture in some]
    return findings(records, limits=limits(), elsewhere=_elsewhere(own, rows), located=_located(records))


def _terms(rows: Sequence[dict[str, Any]]) -> dict[tuple[int, int], list[ServicePeriod]]:
    found: dict[tuple[int, int], list[ServicePeriod]] = defaultdict(list)
    days = [row["date"] for row in rows]
    for period in service_periods(planners={row["planner_id"] for row in rows}, start=min(days), end=max(days)):
        found[period.planner_id, period.charge_id].append(period)
    return found


def _record(
    row: dict[str, Any], pictures: tuple[Picture, ...], terms: dict[tuple[int, int], list[ServicePeriod]]
) -> Record:
    typed = row["batch_id"] is None and row["supersedes_id"] is None
    return Record(
        row["pk"], row["planner_id"], row["charge_id"], row["charge_name"], row["date"], row["slot"], row["content"],
        entered=timezone.localtime(row["created"]) if typed else None,
        in_term=any(p.holds(row["date"]) for p in terms.get((row["planner_id"], row["charge_id"]), ())),
        earlier=row["supersedes_id"], pictures=pictures,
    )  # fmt: skip


def _pictures(photos: Any) -> dict[int, list[Picture]]:
    found: dict[int, list[Picture]] = defaultdict(list)
    for photo in photos.select_related("file").order_by("pk"):
        found[photo.log_id].append(_picture(photo, photo.log_id))
    return found


def _picture(photo: Photo, log_id: int) -> Picture:
    placed = photo.latitude is not None and photo.longitude is not None
    return Picture(
        photo.pk, log_id, photo.file.sha256, photo.picture_hash,
        taken=timezone.localtime(photo.taken_at).date() if photo.taken_at else None,
        place=(float(photo.latitude), float(photo.longitude)) if placed else None,  # type: ignore[arg-type]
    )  # fmt: skip


def _elsewhere(own: Sequence[Picture], rows: Sequence[dict[str, Any]]) -> list[Picture]:
    """Photos of other logs that may be the same as one of these: by the file, or by a part of the fingerprint."""
    if not own:
        return []
    here = {row["pk"] for row in rows}
    living = LogPhoto.objects.filter(log__state__in=COMPARED, log__superseded_by=None).exclude(log_id__in=here)
    # A correction carries the photos of what it corrects.
    living = living.exclude(log__supersedes_id__in=here)
    ids = set(living.filter(file__sha256__in={p.digest for p in own}).values_list("pk", flat=True))
    keys = {key for picture in own for key in bands(picture.mark)}
    if keys:
        ids.update(living.filter(bands__band__in=keys).values_list("pk", flat=True).distinct())
    return [picture for some in _pictures(LogPhoto.objects.filter(pk__in=ids)).values() for picture in some]


def _located(records: Sequence[Record]) -> dict[int, list[Picture]]:
    """Where the photos of the charges were taken, for those charges that have one to be compared."""
    charges = {r.charge for r in records if any(p.place for p in r.pictures)}
    found: dict[int, list[Picture]] = defaultdict(list)
    if charges:
        rows = LogPhoto.objects.filter(
            log__charge_id__in=charges, log__state__in=COMPARED, log__superseded_by=None,
            latitude__isnull=False, longitude__isnull=False,
        )  # fmt: skip
        for pk, log_id, charge_id, north, east in rows.values_list(
            "pk", "log_id", "log__charge_id", "latitude", "longitude"
        ):
            found[charge_id].append(Picture(pk, log_id, "", place=(float(north or 0), float(east or 0))))
    return found


def _keep(months: set[Month], wanted: dict[tuple[int, str, str], Finding]) -> None:
    """Write what is new, drop what no longer holds; what somebody noted is kept, no longer current."""
    first, last = min(month for _, month in months), max(next_month(month) for _, month in months)
    kept = LogFinding.objects.filter(
        log__planner_id__in={planner_id for planner_id, _ in months}, log__date__gte=first, log__date__lt=last
    ).select_related("log")
    changed: list[tuple[str, Iterable[int]]] = []
    gone, back, left = [], [], []
    for row in kept:
        if (row.log.planner_id, month_of(row.log.date)) not in months:
            continue
        known = wanted.pop((row.log_id, row.code, row.fingerprint), None)
        if known is not None and not row.current:
            back.append(row.pk)
        elif known is None and row.state == LogFinding.State.NOTED:
            left.append(row.pk)
        elif known is None:
            gone.append(row.pk)
            changed.append((row.code, [other["pk"] for other in row.facts.get("others", ())]))
    LogFinding.objects.filter(pk__in=gone).delete()
    LogFinding.objects.filter(pk__in=back).update(current=True)
    LogFinding.objects.filter(pk__in=left, current=True).update(current=False)
    LogFinding.objects.bulk_create(
        [
            LogFinding(log_id=one.log, code=one.code, fingerprint=one.fingerprint, facts=one.facts)
            for one in wanted.values()
        ],
        batch_size=500,
    )
    changed += [(one.code, one.others) for one in wanted.values()]
    _tell_the_other_side(months, {pk for code, others in changed if code == "same_photo" for pk in others})


def _tell_the_other_side(months: set[Month], others: set[int]) -> None:
    """A photo that two logs share is remarked on in both; only a change tells, so that two months do not tell on."""
    rows = WorkLog.objects.filter(pk__in=others).values_list("planner_id", "date") if others else ()
    touch_months({(planner_id, month_of(on)) for planner_id, on in rows} - months)


# --- before submitting -------------------------------------------------------------------------------------


def hints_for_log(entry: WorkLog) -> list[Finding]:
    """What a log still in its planner's hands would be remarked on, were it handed in now; nothing is refused."""
    pictures = tuple(_pictures(LogPhoto.objects.filter(log=entry)).get(entry.pk, ()))
    return _hints(
        entry.planner, on=entry.date, slot=entry.slot, charge=entry.charge, content=entry.content, log=entry,
        pictures=pictures,
    )  # fmt: skip


def hints_for_form(
    planner: Planner, *, actor: User, key: UUID | None, on: date, slot: str, charge: Charge, log: WorkLog | None = None
) -> list[Finding]:
    """The same while the form is being filled in, with the photos that wait under its key."""
    waiting = [_picture(photo, log.pk if log else 0) for photo in pending(actor, key)]
    # Waiting photos have ids of their own: negative, so that they are nobody else's.
    pictures = [Picture(-p.pk, p.log, p.digest, p.mark, p.taken, p.place) for p in waiting]
    if log is not None:
        pictures += _pictures(LogPhoto.objects.filter(log=log)).get(log.pk, ())
    return _hints(planner, on=on, slot=slot, charge=charge, content="", log=log, pictures=tuple(pictures))


def _hints(
    planner: Planner, *, on: date, slot: str, charge: Charge, content: str, log: WorkLog | None,
    pictures: tuple[Picture, ...],
) -> list[Finding]:  # fmt: skip
    pk = log.pk if log else 0
    rows = [row for row in _rows({(planner.pk, month_of(on))}) if row["pk"] != pk]
    # Words that are not known yet are like nobody's.
    mine = {
        "pk": pk, "planner_id": planner.pk, "charge_id": charge.pk, "charge_name": charge.name, "date": on,
        "slot": slot, "content": content or f"\0{pk}", "created": log.created if log else timezone.now(),
        "supersedes_id": log.supersedes_id if log else None, "batch_id": log.batch_id if log else None,
    }  # fmt: skip
    photos = _pictures(LogPhoto.objects.filter(log_id__in=[row["pk"] for row in rows])) if pictures else {}
    terms = _terms([*rows, mine])
    records = [_record(row, tuple(photos.get(row["pk"], ())), terms) for row in rows]
    own = _record(mine, pictures, terms)
    found = findings(
        [*records, own], limits=limits(), elsewhere=_elsewhere(pictures, [*rows, mine]), located=_located([own])
    )
    return [one for one in found if one.log == pk]
