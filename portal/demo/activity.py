"""Invented work logs from the start of last year until today, with months confirmed and closed as they would be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import F
from django.utils import timezone

from core.calendar import load_work_calendar
from districts.models import Charge, Membership
from planners.models import Planner
from planners.services.assignments import ServicePeriod, service_periods
from worklogs.models import MonthClosing, WorkLog

from .build import World
from .texts import FOLLOW_UPS, LOG_TEXTS, PLACES, WHOM

KINDS = ("survey", "survey", "on_site", "on_site", "consulting", "meeting", "inspection", "participation", "training")
SEED = 20260101


def build_activity(world: World) -> int:
    """Create logs, confirmations and closed months; returns the number of logs."""
    made = 0
    for locality in world.localities.values():
        officer = (
            Membership.objects.filter(locality=locality, role__in=["unit", "bureau"]).order_by("-role", "pk").first()
        )
        logs = list(_logs_of_locality(world, locality.pk, officer.user_id if officer else None))
        WorkLog.objects.bulk_create(logs, batch_size=1000)
        twice = _twice_at_once(locality.pk)
        WorkLog.objects.bulk_create(twice)
        # Written down on the day, as people do, rather than all at once when the demo is built.
        WorkLog.objects.filter(locality=locality, submitted_at__isnull=False).update(created=F("submitted_at"))
        made += len(logs) + len(twice)
        if officer is not None:
            _close_months(world, locality.pk, officer.user_id)
    return made


def _twice_at_once(locality_id: int) -> list[WorkLog]:
    """One morning (or day) that a planner wrote down at two places: something for the officer to look into."""
    waiting = WorkLog.objects.filter(locality_id=locality_id, state="submitted").order_by("-date", "pk")
    for log in waiting[:50]:
        periods = service_periods(planners=[log.planner_id], start=log.date, end=log.date)
        others = [p for p in periods if p.charge_id != log.charge_id]
        if others:
            charge = Charge.objects.get(pk=others[0].charge_id)
            log.pk, log.charge, log.charge_name, log.contract_id = None, charge, charge.name, others[0].contract_id
            log.content = "到现场查看整治进度，与施工负责人沟通。"
            return [log]
    return []


def _first_of(day: date) -> date:
    return day.replace(day=1)


def _logs_of_locality(world: World, locality_id: int, officer_id: int | None) -> Iterator[WorkLog]:
    start = date(world.year(-1), 1, 1)
    calendar = load_work_calendar(start, world.today)
    rng = random.Random(SEED + locality_id)
    planners = Planner.objects.in_bulk(field_name="pk")
    charges = Charge.objects.filter(locality_id=locality_id).in_bulk()
    by_planner: dict[int, list[ServicePeriod]] = {}
    for period in service_periods(locality=locality_id, start=start, end=world.today):
        by_planner.setdefault(period.planner_id, []).append(period)
    # The unit that somebody of the demo signs in for must have something to show, and something that waits.
    shown = set(
        Membership.objects.filter(locality_id=locality_id, unit__isnull=False).values_list("unit__charge_id", flat=True)
    )
    for planner_id, periods in sorted(by_planner.items()):
        # Some do more than asked, most about as much, a few too little: figures worth looking at.
        pace = rng.choice((1.6, 3.0, 4.4, 5.4, 6.4))
        if any(period.charge_id in shown for period in periods):
            pace = max(pace, 4.4)
        for day in _days(rng, start, world.today, pace):
            if not calendar.is_workday(day) and rng.random() < 0.8:
                continue
            serving = [p for p in periods if p.holds(day)]
            if serving:
                serving.sort(key=lambda p: p.charge_id)
                period = rng.choices(serving, [4 if p.charge_id in shown else 1 for p in serving])[0]
                yield _log(world, rng, day, period, charges[period.charge_id], planners[planner_id].user_id, officer_id)


def _days(rng: random.Random, start: date, end: date, pace: float) -> Iterator[date]:
    """Distinct days between `start` and `end`, about `pace` a month."""
    length = (end - start).days + 1
    wanted = min(length, int(length / 30.4 * pace * 1.25))
    for offset in sorted(rng.sample(range(length), wanted)):
        yield start + timedelta(days=offset)


def _log(
    world: World,
    rng: random.Random,
    day: date,
    period: ServicePeriod,
    charge: Charge,
    user_id: int | None,
    officer_id: int | None,
) -> WorkLog:
    kind = rng.choice(KINDS)
    met = rng.random() < 0.55
    age = (_first_of(world.today) - _first_of(day)).days
    state, reason = "confirmed", ""
    if age == 0:
        state = rng.choices(("submitted", "draft", "confirmed"), (7, 1, 2))[0]
    elif age <= 31:
        state = rng.choices(("confirmed", "submitted", "returned"), (6, 3, 1))[0]
    if officer_id is None and state in {"confirmed", "returned"}:
        state = "submitted"
    if state == "returned":
        reason = "请补充会见人员和现场照片（示例）"
    at = timezone.make_aware(datetime.combine(day, time(17, 30)))
    return WorkLog(
        locality_id=charge.locality_id,
        planner_id=period.planner_id,
        charge_id=charge.pk,
        charge_name=charge.name,
        contract_id=period.contract_id,
        date=day,
        slot=rng.choices(("full", "am", "pm"), (5, 3, 2))[0],
        kind=kind,
        content=rng.choice(LOG_TEXTS[kind]) + rng.choice(FOLLOW_UPS),
        met_principal=met,
        met_whom=rng.choice(WHOM) if met else "",
        place=rng.choice(PLACES),
        state=state,
        submitted_at=None if state == "draft" else at,
        confirmed_at=at + timedelta(days=1) if state == "confirmed" else None,
        confirmed_by_id=officer_id if state == "confirmed" else None,
        return_reason=reason,
        created_by_id=user_id,
    )


def _close_months(world: World, locality_id: int, officer_id: int) -> None:
    """Close every month up to the one before last; the last one is still being looked at."""
    limit = _first_of(_first_of(world.today) - timedelta(days=1))
    rows = (
        WorkLog.objects.filter(locality_id=locality_id, date__lt=limit)
        .values_list("charge_id", "date__year", "date__month")
        .order_by(F("charge_id"))
        .distinct()
    )
    MonthClosing.objects.bulk_create(
        MonthClosing(locality_id=locality_id, charge_id=charge, month=date(year, month, 1), closed_by_id=officer_id)
        for charge, year, month in rows
    )
