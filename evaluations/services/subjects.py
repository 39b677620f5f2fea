"""Who is evaluated in a round and by whom: computed from contracts, assignments, units and the round's rules.

Computed anew as often as one likes while the round is prepared, a last time when it opens; afterwards changed one by
one, with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from core.names import sort_key
from districts.models import Charge, Organisation, Unit
from districts.policy.keys import SIDES
from evaluations.models import Form, Round, RoundStep, Sheet, Subject, SubjectCharge
from evaluations.plans import DEPARTMENT, PLANNER
from evaluations.services.rules import RoundRules, rules_of
from planners.models import Assignment, Contract, Planner
from planners.services.assignments import ServicePeriod, service_periods
from projects.models import Project

# Sides that are organisations of a kind; the others are units, owners of projects, planners, or named persons.
SIDE_KINDS = {
    "bureau": Organisation.Kind.BUREAU,
    "city_bureau": Organisation.Kind.BUREAU,
    "department": Organisation.Kind.DEPARTMENT,
    "government": Organisation.Kind.GOVERNMENT,
    "finance": Organisation.Kind.FINANCE,
}
Span = tuple[date, date]


@dataclass
class Wanted:
    """A subject as it should be: what names it, and the days on each charge and by each planner."""

    direction: str
    key: str
    label: str
    refs: dict[str, int | None] = field(default_factory=dict)
    spans: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    by_planner: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))

    def charge_days(self) -> dict[int, int]:
        return {charge: days_in(spans) for charge, spans in self.spans.items()}

    def all_spans(self) -> list[Span]:
        return [span for spans in self.spans.values() for span in spans]


@dataclass(frozen=True, slots=True)
class Rater:
    """Who owes a sheet for one side. Without planner, unit and organisation somebody has to be named."""

    key: str
    label: str
    planner_id: int | None = None
    unit_id: int | None = None
    organisation_id: int | None = None
    days: int = 1


def days_in(spans: Iterable[Span]) -> int:
    """Calendar days that the spans cover together; a day served twice is one day."""
    total, reached = 0, date.min
    for first, last in sorted(spans):
        first = max(first, reached + timedelta(days=1) if reached > date.min else first)
        if last >= first:
            total += (last - first).days + 1
            reached = last
    return total


@transaction.atomic
def refresh_subjects(round_: Round, *, rules: RoundRules | None = None) -> int:
    """Bring subjects and sheets of a round in preparation in line with what is registered; returns how many subjects.

    What an officer left out stays out, shares that were set stay set, as long as the subject or rater is still there.
    """
    rules = rules or rules_of(round_)
    wanted = _wanted(round_, rules)
    known = {(row.direction, row.key): row for row in round_.subjects.all()}
    stale = [row.pk for key, row in known.items() if key not in {(w.direction, w.key) for w in wanted}]
    drop_sheets(Sheet.objects.filter(subject_id__in=stale))
    round_.subjects.filter(pk__in=stale).delete()
    least = rules.value("evaluation.least_service_days")
    subjects = []
    for want in wanted:
        row = known.get((want.direction, want.key)) or Subject(round=round_, direction=want.direction, key=want.key)
        _describe(row, want, least)
        row.save()
        subjects.append((row, want))
    SubjectCharge.objects.filter(subject__round=round_).delete()
    SubjectCharge.objects.bulk_create(
        SubjectCharge(subject=row, charge_id=charge, days=days)
        for row, want in subjects
        for charge, days in sorted(want.charge_days().items())
    )
    _refresh_sheets(round_, subjects, rules)
    return len(subjects)


def _describe(row: Subject, want: Wanted, least: int | None) -> None:
    spans = want.all_spans()
    row.label, row.sort_key = want.label[:200], sort_key(want.label)[:255]
    for name, value in want.refs.items():
        setattr(row, f"{name}_id", value)
    row.served_from = min((first for first, _ in spans), default=None)
    row.served_until = max((last for _, last in spans), default=None)
    row.served_days = days_in(spans)
    automatic = row.left_out_reason.startswith(TOO_SHORT)
    if row.direction == PLANNER and least is not None and row.served_days < least:
        row.left_out_reason = f"{TOO_SHORT}（服务 {row.served_days} 天，不足 {least} 天）"
    elif automatic:
        row.left_out_reason = ""


TOO_SHORT = "服务时间不足参评要求"


# --- subjects ----------------------------------------------------------------------------------------------


def _wanted(round_: Round, rules: RoundRules) -> list[Wanted]:
    periods = _periods(round_)
    found: dict[str, Wanted] = {}
    if PLANNER in round_.directions:
        found |= _planner_side(round_, periods, rules.value("evaluation.planner_subject"))
    if DEPARTMENT in round_.directions:
        found |= _department_side(round_, periods, rules.value("evaluation.department_evaluated") or ())
    return [found[key] for key in sorted(found)]


def _periods(round_: Round) -> list[ServicePeriod]:
    """Service within the round's period; of a term, under contracts that end with it (聊城 三(一) 任期考评)."""
    rows = service_periods(locality=round_.locality_id, start=round_.start, end=round_.end)
    if round_.period_kind != Round.Period.TERM or round_.scope == DEPARTMENT:
        return rows
    contracts = Contract.objects.in_bulk({row.contract_id for row in rows})
    ends = {pk: min(c.end, c.ended_on or c.end) for pk, c in contracts.items()}
    return [row for row in rows if round_.start <= ends[row.contract_id] <= round_.end]


def _clip(row: ServicePeriod, round_: Round) -> Span:
    return max(row.start, round_.start), min(row.end, round_.end)


def _planner_side(round_: Round, periods: list[ServicePeriod], mode: str | None) -> dict[str, Wanted]:
    """One subject for each planner, holder of an assignment or party; contracts that follow one another are one."""
    if mode is None:
        return {}
    contracts = Contract.objects.select_related("planner", "team", "institution").in_bulk(
        {row.contract_id for row in periods}
    )
    latest: dict[str, Contract] = {}
    for contract in sorted(contracts.values(), key=lambda c: (c.start, c.pk)):
        latest[contract.party_key] = contract
    planners = Planner.objects.in_bulk({row.planner_id for row in periods})
    assignments = (
        Assignment.objects.select_related("group__team", "team", "planner").in_bulk(
            {row.assignment_id for row in periods}
        )
        if mode == "holder"
        else {}
    )
    found: dict[str, Wanted] = {}
    for row in periods:
        contract = latest[contracts[row.contract_id].party_key]
        if mode == "planner":
            holder: Any = planners[row.planner_id]
        elif mode == "holder":
            sent = assignments[row.assignment_id]
            holder = sent.planner or sent.group or sent.team
        else:
            holder = contract.party
        name = type(holder).__name__.lower()
        key = f"{name}:{holder.pk}:{contract.pk}"
        refs = dict.fromkeys(("planner", "group", "team", "institution"), None) | {name: holder.pk}
        want = found.setdefault(
            f"{PLANNER} {key}", Wanted(PLANNER, key, str(holder), {**refs, "contract": contract.pk})
        )
        want.spans[row.charge_id].append(_clip(row, round_))
        want.by_planner[row.planner_id].append(_clip(row, round_))
    return found


def _department_side(round_: Round, periods: list[ServicePeriod], sides: Iterable[str]) -> dict[str, Wanted]:
    """The offices of units, owners of responsible projects, governments: whatever the pack has rated, if served."""
    charges = Charge.objects.in_bulk({row.charge_id for row in periods})
    units = {u.charge_id: u for u in Unit.objects.filter(charge_id__in=charges).select_related("office")}
    owners = {p.charge_id: p for p in Project.objects.filter(charge_id__in=charges).select_related("owner")}
    found: dict[str, Wanted] = {}

    def add(key: str, label: str, row: ServicePeriod, **refs: int | None) -> None:
        want = found.setdefault(f"{DEPARTMENT} {key}", Wanted(DEPARTMENT, key, label, dict(refs)))
        want.spans[row.charge_id].append(_clip(row, round_))
        want.by_planner[row.planner_id].append(_clip(row, round_))

    for side in sides:
        for row in periods:
            if side == "unit" and (unit := units.get(row.charge_id)):
                label = unit.office.name if unit.office else unit.name
                add(f"unit:{unit.pk}", label, row, unit=unit.pk, organisation=unit.office_id)
            elif side == "project_owner" and (project := owners.get(row.charge_id)):
                owner = project.owner
                # The same office may stand in the list for its unit: which of its two parts this is must be seen.
                label = f"{owner.name}（责任项目）" if owner else f"{project.name}（未登记所在单位）"
                key = f"organisation:{owner.pk}" if owner else f"charge:{row.charge_id}"
                add(key, label, row, organisation=owner.pk if owner else None)
        if side in SIDE_KINDS:
            for office in _offices(round_, side):
                for row in periods:
                    add(f"organisation:{office.pk}", office.name, row, organisation=office.pk)
    return found


def _offices(round_: Round, side: str) -> list[Organisation]:
    rows = Organisation.objects.filter(locality_id=round_.locality_id, kind=SIDE_KINDS[side], is_active=True)
    return list(rows.order_by("name", "pk"))


# --- who rates them ---------------------------------------------------------------------------------------


def _refresh_sheets(round_: Round, subjects: list[tuple[Subject, Wanted]], rules: RoundRules) -> None:
    steps: list[RoundStep] = list(round_.steps.order_by("number"))
    forms = {(form.step_id, form.direction): form for form in Form.objects.filter(step__round=round_)}
    known = {(s.step_id, s.subject_id, s.rater_key): s for s in round_.sheets.exclude(state="replaced")}
    # Who was replaced is not asked again, and who was put in by hand stays.
    gone: set[tuple[int, int, str]] = set(
        round_.sheets.filter(state="replaced").values_list("step_id", "subject_id", "rater_key")
    )
    raters = _Raters(round_, [want for _, want in subjects])
    by_days = rules.value("evaluation.rater_shares") == "by_days"
    made: list[Sheet] = []
    changed: list[Sheet] = []
    kept: set[tuple[int, int, str]] = set()
    for row, want in subjects:
        for step in steps:
            form = forms.get((step.pk, want.direction))
            for side in step.sides(want.direction) if form else ():
                for rater in raters.of(want, side):
                    key = (step.pk, row.pk, rater.key)
                    share = Decimal(max(rater.days, 1) if by_days else 1)
                    if key in kept:
                        continue
                    kept.add(key)
                    if key not in known and key in gone:
                        continue
                    if key not in known:
                        made.append(_sheet(round_, step, form, row, side, rater, share))
                    elif known[key].share != share and not known[key].reason:
                        # A share that an officer set has a reason, and stays.
                        known[key].share = share
                        changed.append(known[key])
    stale = [s.pk for key, s in known.items() if key not in kept and not _by_hand(s)]
    drop_sheets(round_.sheets.filter(pk__in=stale))
    Sheet.objects.bulk_create(made, batch_size=500)
    Sheet.objects.bulk_update(changed, ["share"], batch_size=500)


def drop_sheets(rows: QuerySet[Sheet]) -> None:
    """Remove sheets of a round in preparation, those that stand for another with it."""
    rows.update(supersedes=None)
    rows.delete()


def _by_hand(sheet: Sheet) -> bool:
    """Put in by an officer: instead of somebody, or in addition (which takes a reason)."""
    return sheet.supersedes_id is not None or (bool(sheet.reason) and sheet.state == Sheet.State.WAITING)


def _sheet(
    round_: Round, step: RoundStep, form: Form | None, subject: Subject, side: str, rater: Rater, share: Decimal
) -> Sheet:
    return Sheet(
        round=round_,
        step=step,
        form=form,
        subject=subject,
        side=side,
        rater_key=rater.key,
        rater=rater.label,
        planner_id=rater.planner_id,
        unit_id=rater.unit_id,
        organisation_id=rater.organisation_id,
        share=share,
    )


class _Raters:
    """The raters of each side, with everything read once for the whole round."""

    def __init__(self, round_: Round, wanted: list[Wanted]) -> None:
        self.round = round_
        ids = {charge for want in wanted for charge in want.spans}
        self.units = {u.charge_id: u for u in Unit.objects.filter(charge_id__in=ids).select_related("office")}
        self.projects = {p.charge_id: p for p in Project.objects.filter(charge_id__in=ids).select_related("owner")}
        self.planners = Planner.objects.in_bulk({planner for want in wanted for planner in want.by_planner})
        self.offices: dict[str, list[Organisation]] = {}

    def of(self, want: Wanted, side: str) -> list[Rater]:
        if side in ("planner", "team"):
            return [
                Rater(f"planner:{pk}", self.planners[pk].name, planner_id=pk, days=days_in(spans))
                for pk, spans in sorted(want.by_planner.items())
            ]
        if side == "unit":
            return [
                Rater(f"unit:{unit.pk}", unit.office.name if unit.office else unit.name, unit_id=unit.pk, days=days)
                for charge, days in sorted(want.charge_days().items())
                if (unit := self.units.get(charge))
            ]
        if side == "project_owner":
            return self._owners(want)
        if side in SIDE_KINDS:
            if side not in self.offices:
                self.offices[side] = _offices(self.round, side)
            # An office does not rate itself (government rated by government cannot be meant).
            return [
                Rater(f"organisation:{office.pk}", office.name, organisation_id=office.pk)
                for office in self.offices[side]
                if office.pk != want.refs.get("organisation")
            ]
        return [Rater(f"side:{side}", SIDES[side])]

    def _owners(self, want: Wanted) -> list[Rater]:
        spans: dict[tuple[str, str, int | None], list[Span]] = defaultdict(list)
        for charge, found in want.spans.items():
            if project := self.projects.get(charge):
                owner = project.owner
                key = f"organisation:{owner.pk}" if owner else f"charge:{charge}"
                spans[key, owner.name if owner else project.name, owner.pk if owner else None] += found
        return [
            Rater(key, label, organisation_id=pk, days=days_in(found))
            for (key, label, pk), found in sorted(spans.items(), key=lambda item: item[0][0])
        ]
