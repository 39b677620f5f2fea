"""Whose quota it is, in a year: the subjects of the tally, made of contracts, assignments, memberships and policy.

A contract's subjects follow quota.owner of the policy that binds it: each person under it, each group in its unit, or
the team in each of its units. While the owner is unset, whoever holds an assignment is the subject, so that records
have a place to be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db.models import Q
from django.utils import timezone

from districts.models import Locality
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_for_version
from planners.models import AnnualSigning, Assignment, Contract, Planner
from planners.services.assignments import ServicePeriod, assignment_span, periods_under
from worklogs.tally import Rules, Subject, merged
from worklogs.tally.periods import CENT, exact
from worklogs.tally.rules import OWNER
from worklogs.tally.shapes import ONE_DAY, FeePeriod, Member, Span, clipped, year_span

Key = tuple[int, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject with what the rows around it are called. `charges`: the charges it serves in the year, by name."""

    subject: Subject
    rules: Rules
    contract: Contract
    charges: tuple[Any, ...]
    planner_name: str = ""

    @property
    def key(self) -> str:
        return "-".join(str(part or 0) for part in self.subject.key)


def policy_day(year: int, today: date | None = None) -> date:
    """The day whose supplements count for a year's tally: its last, or today while it runs."""
    return min(date(year, 12, 31), today or timezone.localdate())


def policy_of(
    contract: Contract, year: int, *, as_published: bool = False, today: date | None = None
) -> EffectivePolicy:
    """What binds `contract` for the tally of `year`; `as_published` leaves every local decision out.

    A contract keeps the version it was signed under; a supplement reaches it from its date.
    """
    on = date.min if as_published else policy_day(year, today)
    return policy_for_version(contract.policy_version_id, on, locality=contract.locality, demo=not as_published)


def subjects_of(
    year: int,
    *,
    contracts: Iterable[int] | None = None,
    localities: Iterable[int] | None = None,
    as_published: bool = False,
    today: date | None = None,
    policy: Callable[[Contract], EffectivePolicy] | None = None,
) -> list[SubjectRow]:
    """The subjects whose quota runs on some day of `year`, by locality and label.

    Narrowed to contracts or localities (ids) where given. `policy` answers with another policy than the one that binds
    a contract: what a dry run would put in its place. The number of queries does not depend on that of subjects
    (but two for each policy version). Contracts that were never signed have none.
    """
    first, last = year_span(year)
    rows = Assignment.objects.filter(
        Q(end=None) | Q(end__gte=first), contract__state__in=["signed", "ended"], start__lte=last,
        contract__start__lte=last, contract__end__gte=first,
    )  # fmt: skip
    if contracts is not None:
        rows = rows.filter(contract_id__in=list(contracts))
    if localities is not None:
        rows = rows.filter(contract__locality_id__in=list(localities))
    found = list(rows.select_related("contract__locality", "charge", "group").order_by("pk"))
    ids = {row.contract_id for row in found}
    narrow = {"contract_id__in": ids} if contracts is not None or localities is not None else {}
    by_contract: dict[int, list[Assignment]] = defaultdict(list)
    served: dict[int, list[ServicePeriod]] = defaultdict(list)
    signings: dict[int, list[AnnualSigning]] = defaultdict(list)
    for row in found:
        by_contract[row.contract_id].append(row)
    for period in periods_under(found, start=first, end=last):
        served[period.contract_id].append(period)
    for signing in AnnualSigning.objects.filter(**narrow):
        signings[signing.contract_id].append(signing)
    found_policy = policy or (lambda contract: policy_of(contract, year, as_published=as_published, today=today))
    rules = _rules_by_policy(found_policy)
    names = _planner_names(served)
    subjects = [
        subject
        for contract_id, assignments in by_contract.items()
        for subject in _of_contract(
            assignments, served[contract_id], signings[contract_id], rules(assignments[0].contract), year, names
        )
    ]
    return sorted(subjects, key=lambda row: (row.contract.locality.code, row.subject.label, row.key))


def _rules_by_policy(policy: Callable[[Contract], EffectivePolicy]) -> Callable[[Contract], Rules]:
    """One look-up for each version and locality, however many contracts share it."""
    known: dict[tuple[int, int], Rules] = {}

    def rules(contract: Contract) -> Rules:
        key = (contract.policy_version_id, contract.locality_id)
        if key not in known:
            known[key] = Rules.of(policy(contract))
        return known[key]

    return rules


def _planner_names(served: dict[int, list[ServicePeriod]]) -> dict[int, str]:
    ids = {p.planner_id for periods in served.values() for p in periods}
    rows = Planner.objects.all() if len(ids) > 500 else Planner.objects.filter(pk__in=ids)
    return dict(rows.values_list("pk", "name"))


def _of_contract(
    assignments: list[Assignment],
    periods: list[ServicePeriod],
    signings: list[AnnualSigning],
    rules: Rules,
    year: int,
    names: dict[int, str],
) -> list[SubjectRow]:
    contract = assignments[0].contract
    owner = rules.get(OWNER)
    spans, members, charges, sample = _gather(assignments, periods, owner)
    ambiguous = len({p.planner_id for p in periods}) != 1 or len({a.charge_id for a in assignments}) != 1
    fees, total = fees_of(contract, signings)
    running = {key: found for key, found in spans.items() if clipped(found, *year_span(year))}
    return [
        SubjectRow(
            Subject(
                contract.pk, _label(key, sample[key], charges[key], names), found, members[key], charge_id=key[1],
                planner_id=key[2], group_id=key[3], fees=fees, contract_fee=total, sharing=len(running),
                ambiguous=ambiguous,
            ),
            rules, contract, tuple(sorted(charges[key].values(), key=lambda c: c.name)),
            names.get(key[2] or 0, ""),
        )
        for key, found in running.items()
    ]  # fmt: skip


def _key(owner: str | None, row: Assignment, planner_id: int | None) -> Key:
    """Which subject an assignment (for `planner_id`, where persons are subjects) belongs to."""
    if owner == "person":
        return (row.contract_id, None, planner_id, None)
    if owner == "team_unit":
        return (row.contract_id, row.charge_id, None, None)
    if owner == "group":
        return (row.contract_id, row.charge_id, None, row.group_id)
    return (row.contract_id, row.charge_id, row.planner_id, row.group_id)


def _gather(assignments: list[Assignment], periods: list[ServicePeriod], owner: str | None) -> Any:
    """For each subject: the days its quota runs, its members, its charges by id, and one assignment to name it by."""
    by_id = {row.pk: row for row in assignments}
    raw: dict[Key, list[tuple[date, date]]] = defaultdict(list)
    charges: dict[Key, dict[int, Any]] = defaultdict(dict)
    sample: dict[Key, Assignment] = {}
    served: dict[tuple[Key, int, int], list[tuple[date, date]]] = defaultdict(list)
    # The best match comes first: what one subject has of a person's days at a charge, no other has too.
    taken: dict[tuple[int, int], tuple[Span, ...]] = defaultdict(tuple)
    for period in periods:
        row = by_id.get(period.assignment_id)
        if row is None:
            continue
        key = _key(owner, row, period.planner_id)
        sample.setdefault(key, row)
        charges[key][row.charge_id] = row.charge
        if owner == "person":
            raw[key].append((period.start, period.end))
        place = (period.planner_id, period.charge_id)
        own = Span(period.start, period.end)
        served[key, *place] += without(own, taken[place])
        taken[place] = merged([*taken[place], own])
    if owner != "person":
        for row in assignments:
            key = _key(owner, row, None)
            sample.setdefault(key, row)
            charges[key][row.charge_id] = row.charge
            raw[key].append(assignment_span(row))
    members: dict[Key, tuple[Member, ...]] = defaultdict(tuple)
    for (key, planner_id, charge_id), days in served.items():
        members[key] += tuple(Member(planner_id, charge_id, *span) for span in merged(days))
    return {key: merged(days) for key, days in raw.items()}, members, charges, sample


def without(span: Span, others: Iterable[Span]) -> list[Span]:
    """What is left of `span` beside `others` (in order, apart from each other)."""
    left, start = [], span.start
    for other in others:
        if other.end < start or other.start > span.end:
            continue
        if other.start > start:
            left.append(Span(start, other.start - ONE_DAY))
        if other.end >= span.end:
            return left
        start = other.end + ONE_DAY
    return [*left, Span(start, span.end)]


def _label(key: Key, row: Assignment, charges: dict[int, Any], names: dict[int, str]) -> str:
    """景山街道, 景山街道（第一小组）, 龚䶮, 龚䶮（景山街道）."""
    _, charge_id, planner_id, group_id = key
    if planner_id is not None:
        name = names.get(planner_id) or (row.planner.name if row.planner else "")
        return name if charge_id is None else f"{name}（{charges[charge_id].name}）"
    charge = charges[charge_id].name if charge_id in charges else ""
    return f"{charge}（{row.group.name}）" if group_id is not None and row.group else charge


# --- fees --------------------------------------------------------------------------------------------------


def fees_of(contract: Contract, signings: Iterable[AnnualSigning]) -> tuple[tuple[FeePeriod, ...], Decimal | None]:
    """The fee by period, and that of the whole contract: as signed each year, else the contract's annual fee.

    A contract that ended early is paid for the days served (按比例结算). The total is None where a part is not known.
    """
    return _fees(
        contract.start, contract.end, contract.ended_on, contract.annual_fee,
        tuple((s.start, s.end, s.fee) for s in sorted(signings, key=lambda s: s.start) if s.fee is not None),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _fees(
    start: date, end: date, ended: date | None, annual: Decimal | None, signed: tuple[tuple[date, date, Decimal], ...]
) -> tuple[tuple[FeePeriod, ...], Decimal | None]:
    found = [FeePeriod(*row) for row in signed]
    covered = merged((fee.start, fee.end) for fee in found)
    if annual is not None:
        for year in contract_years(start, end):
            for gap in without(Span(year.start, min(year.end, end)), covered):
                found.append(FeePeriod(*gap, exact(Fraction(annual) * Fraction(gap.days, year.days), CENT)))
    last_day = min(end, ended or end)
    cut = tuple(fee for fee in (_until(fee, last_day) for fee in sorted(found)) if fee is not None)
    whole = not without(Span(start, end), merged((fee.start, fee.end) for fee in found))
    return cut, sum((fee.amount for fee in found), Decimal(0)) if whole else None


def _until(fee: FeePeriod, last: date) -> FeePeriod | None:
    if fee.start > last:
        return None
    if fee.end <= last:
        return fee
    cut = Span(fee.start, last)
    return FeePeriod(*cut, exact(Fraction(fee.amount) * Fraction(cut.days, Span(fee.start, fee.end).days), CENT))


def contract_years(start: date, end: date) -> list[Span]:
    """The years of a contract, counted from its first day; the last one may reach beyond its end."""
    spans, first, number = [], start, 0
    while first <= end:
        number += 1
        following = _years_after(start, number)
        spans.append(Span(first, following - ONE_DAY))
        first = following
    return spans


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def localities_below(locality: Locality) -> list[int]:
    """The locality and those under it: a city's tally holds its counties."""
    return [locality.pk, *Locality.objects.filter(parent=locality).values_list("pk", flat=True)]
