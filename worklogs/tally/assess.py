"""From atoms to numbers: every field of a subject's year, under every allowed reading, agreed.

Fast enough for thousands of subjects, since the kept figures are made of it; the explanation is laid over the same
numbers (see `explain`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from typing import cast

from worklogs.tally.periods import CENT, MONTHS, Period, exact, period_of, year_fee
from worklogs.tally.readings import Missing, Outcome, Result, agree, evaluate
from worklogs.tally.rules import FEE, NO_KINDS, OWNER, PER_MONTH, REQUIRED, Options, Reading, Rules
from worklogs.tally.shapes import NO_ATOMS, Atoms, MonthAtoms, Subject

ZERO = Decimal(0)
HALF_DOUBLED = {"counts_half": 1, "counts_whole": 2, "not_counted": 0}

_DAY_RULES = ("rest", "half", "members")
_VISIT_RULES = ("kinds", "principal")
_DEDUCTION_RULES = (*_DAY_RULES, "proration", *_VISIT_RULES, "formula", "basis", "share")


@dataclass(frozen=True)
class Case:
    """What the numbers are computed from; `options` hold only readings that can make a difference here."""

    subject: Subject
    period: Period
    rules: Rules
    atoms: MonthAtoms
    today: date
    options: Options
    no_days: Missing
    no_visits: Missing
    fee: Decimal | None
    # Days, visits and what is asked for enter several fields: computed once for each reading.
    known: dict[tuple[str, Reading], list[Result]] = field(default_factory=dict, repr=False, compare=False)

    def month(self, number: int) -> Atoms:
        return self.atoms.get(number, NO_ATOMS)


@dataclass(frozen=True)
class MonthNumbers:
    """One month; `required_visits` and `shortfall_visits` are None values where they are open or not asked for."""

    month: int
    served_days: int
    due: bool
    atoms: Atoms
    days: Outcome
    visits: Outcome
    principal_met: Outcome
    required_visits: Outcome
    shortfall_visits: Outcome


@dataclass(frozen=True)
class Assessment:
    """All numbers of one subject and year as of `today`."""

    case: Case
    final: bool
    days: Outcome
    required_days: Outcome
    shortfall_days: Outcome
    visits: Outcome
    principal_met: Outcome
    required_visits: Outcome
    shortfall_visits: Outcome
    deduction: Outcome
    months: tuple[MonthNumbers, ...] = field(repr=False)

    FIELDS = (
        "days", "required_days", "shortfall_days", "visits", "principal_met", "required_visits", "shortfall_visits",
        "deduction",
    )  # fmt: skip

    def outcome(self, name: str) -> Outcome:
        return getattr(self, name)


def assess(subject: Subject, *, year: int, atoms: MonthAtoms, rules: Rules, today: date) -> Assessment:
    """Every field of the subject's year, as far as the rules determine it."""
    case = case_of(subject, year=year, atoms=atoms, rules=rules, today=today)
    options = case.options
    days = evaluate(options, _DAY_RULES, lambda r: _days(case, r))
    met = evaluate(options, ("kinds",), lambda r: _visits(case, r._replace(principal=True)))
    visits = evaluate(options, _VISIT_RULES, lambda r: _visits(case, r))
    asked = evaluate(options, ("proration",), lambda r: _asked(case, r))
    short_rules = (*_VISIT_RULES, "proration")
    short = evaluate(options, short_rules, lambda r: _missed(case, r))
    day_rules = (*_DAY_RULES, "proration")

    def each(cases: list[tuple[Reading, list[Result]]], names: Sequence[str]) -> list[Outcome]:
        return [agree([(reading, found[n]) for reading, found in cases], options, names) for n in range(13)]

    by_days, by_visits, by_met = each(days, _DAY_RULES), each(visits, _VISIT_RULES), each(met, ("kinds",))
    by_asked, by_short = each(asked, ("proration",)), each(short, short_rules)
    required = evaluate(options, ("proration",), lambda r: _required(case, r))
    return Assessment(
        case=case,
        final=case.period.is_final(today),
        days=by_days[0],
        required_days=agree(required, options, ("proration",)),
        shortfall_days=agree(evaluate(options, day_rules, lambda r: _short_days(case, r)), options, day_rules),
        visits=by_visits[0],
        principal_met=by_met[0],
        required_visits=by_asked[0],
        shortfall_visits=by_short[0],
        deduction=agree(
            evaluate(options, _DEDUCTION_RULES, lambda r: deduction(case, r)), options, _DEDUCTION_RULES
        ),
        months=tuple(
            MonthNumbers(
                m, case.period.month_days[m], case.period.is_due(m, today), case.month(m), by_days[m], by_visits[m],
                by_met[m], by_asked[m], by_short[m],
            )
            for m in MONTHS
        ),
    )  # fmt: skip


def case_of(subject: Subject, *, year: int, atoms: MonthAtoms, rules: Rules, today: date) -> Case:
    period = period_of(subject.spans, year)
    owner = {OWNER} if subject.ambiguous and rules.get(OWNER) is None else set()
    return Case(
        subject, period, rules, atoms, today,
        options=_relevant(rules.options(), subject, period, atoms),
        no_days=Missing(rules.missing_quota() | owner),
        no_visits=Missing(rules.missing_visits() | owner),
        fee=year_fee(subject, year),
    )  # fmt: skip


def _relevant(options: Options, subject: Subject, period: Period, atoms: MonthAtoms) -> Options:
    """Leave out readings that cannot matter for these records, so that few combinations remain."""
    rows = list(atoms.values())
    plain = {
        "rest": all(not (a.one_rest_half or a.one_rest_full or a.each_rest_half or a.each_rest_full) for a in rows),
        "half": all(not (a.one_work_half or a.one_rest_half or a.each_work_half or a.each_rest_half) for a in rows),
        "members": all(a[0:4] == a[4:8] for a in rows),
        "proration": period.is_whole,
        "kinds": all(not a.visits for a in rows),
        "principal": all(a.visits == a.visits_met for a in rows),
        "share": subject.sharing <= 1,
    }
    return {name: values[:1] if plain.get(name) else values for name, values in options.items()}


Compute = Callable[[Case, Reading], list[Result]]


def _once(compute: Compute) -> Compute:
    """Keep what was computed for a reading as long as the case lives."""

    @wraps(compute)
    def kept(case: Case, reading: Reading) -> list[Result]:
        key = (compute.__name__, reading)
        found = case.known.get(key)
        if found is None:
            found = case.known[key] = compute(case, reading)
        return found

    return kept


def _with_total(months: list[Decimal]) -> list[Result]:
    return [sum(months, ZERO), *months]


def doubled_days(atoms: Atoms, reading: Reading) -> int:
    """Twice the days of a month under one reading, so that halves stay whole numbers."""
    half = HALF_DOUBLED[reading.half]
    if reading.members == "one":
        count = 2 * atoms.one_work_full + half * atoms.one_work_half
        return count + (2 * atoms.one_rest_full + half * atoms.one_rest_half if reading.rest else 0)
    count = 2 * atoms.each_work_full + half * atoms.each_work_half
    return count + (2 * atoms.each_rest_full + half * atoms.each_rest_half if reading.rest else 0)


@_once
def _days(case: Case, reading: Reading) -> list[Result]:
    """The year's days and those of the twelve months."""
    if case.no_days:
        return [case.no_days] * 13
    return _with_total([Decimal(doubled_days(case.month(m), reading)) / 2 for m in MONTHS])


def _required(case: Case, reading: Reading) -> Result:
    quota = case.rules.required_days
    return Missing({REQUIRED}) if quota is None else case.period.required_days(quota, reading.proration)


def _short_days(case: Case, reading: Reading) -> Result:
    done, required = _days(case, reading)[0], _required(case, reading)
    if isinstance(done, Missing) or isinstance(required, Missing):
        return _missing(done, required)
    return max(ZERO, required - done)


@_once
def _visits(case: Case, reading: Reading) -> list[Result]:
    """Visits that count, in the year and in each month: with the principal met, where that is asked for."""
    if case.no_visits:
        return [case.no_visits] * 13
    if reading.kinds == NO_KINDS:
        return [ZERO] * 13
    return _with_total(
        [Decimal(case.month(m).visits_met if reading.principal else case.month(m).visits) for m in MONTHS]
    )


@_once
def _asked(case: Case, reading: Reading) -> list[Result]:
    per_month = case.rules.required_visits
    if per_month is None:
        return [Missing({PER_MONTH})] * 13
    return _with_total([Decimal(case.period.required_visits(per_month, m, reading.proration)) for m in MONTHS])


@_once
def _missed(case: Case, reading: Reading) -> list[Result]:
    """Visits missed in months that are over: one month's surplus does not make up for another's lack (每月至少)."""
    done, asked = _visits(case, reading), _asked(case, reading)
    if isinstance(done[0], Missing) or isinstance(asked[0], Missing):
        return [_missing(done[0], asked[0])] * 13
    return _with_total(
        [
            max(ZERO, cast(Decimal, asked[m]) - cast(Decimal, done[m])) if case.period.is_due(m, case.today) else ZERO
            for m in MONTHS
        ]
    )


def _missing(*results: Result) -> Missing:
    return Missing(frozenset().union(*(r for r in results if isinstance(r, Missing))))


def ratio_of(short: Decimal, required: Decimal) -> Fraction:
    """The part that is missing; nothing asked for is nothing missing."""
    return Fraction(short) / Fraction(required) if required else Fraction()


def combined_ratio(formula: str, days: Fraction, visits: Fraction, cap: Decimal | None) -> Fraction:
    """The part of the fee that is deducted: never more than all of it, nor than the cap where one is set."""
    ratio = {"none": Fraction(), "days": days, "visits": visits, "larger": max(days, visits), "sum": days + visits}[
        formula
    ]
    return min(ratio, Fraction(1) if cap is None else Fraction(cap))


def deduction(case: Case, reading: Reading) -> Result:
    """The deduction in yuan under one reading, to the cent."""
    by_days, by_visits = Fraction(), Fraction()
    missing: list[Result] = []
    if reading.formula in ("days", "larger", "sum"):
        short, required = _short_days(case, reading), _required(case, reading)
        if isinstance(short, Missing) or isinstance(required, Missing):
            missing += [short, required]
        else:
            by_days = ratio_of(short, required)
    if reading.formula in ("visits", "larger", "sum"):
        short, required = _missed(case, reading)[0], _asked(case, reading)[0]
        if isinstance(short, Missing) or isinstance(required, Missing):
            missing += [short, required]
        else:
            by_visits = ratio_of(short, required)
    if missing:
        return _missing(*missing)
    ratio = combined_ratio(reading.formula, by_days, by_visits, case.rules.cap)
    if not ratio:
        return Decimal("0.00")
    fee = case.subject.contract_fee if reading.basis == "contract_fee" else case.fee
    if fee is None:
        return Missing({FEE})
    shares = case.subject.sharing if reading.share == "equal" else 1
    return exact(Fraction(fee) / shares * ratio, CENT)
