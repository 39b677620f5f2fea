"""The explained tally: each figure with its parts, the records and the clause behind each, or what keeps it open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.explain import Figure, Part
from core.workdays import WorkCalendar
from worklogs.tally import explain_money, words
from worklogs.tally.assess import HALF_DOUBLED, Assessment, MonthNumbers, assess
from worklogs.tally.counting import Collected, Presence, atoms_of, collect, records_of
from worklogs.tally.forecast import Forecast, forecast_of
from worklogs.tally.parts import formula, open_figure, rule_part, settled_note
from worklogs.tally.readings import Outcome
from worklogs.tally.rules import (
    CONFIRMATION,
    DAY_KIND,
    HALF_DAY,
    KINDS,
    MEMBERS,
    NON_WORKDAYS,
    PER_MONTH,
    PRINCIPAL,
    PRORATION,
    REQUIRED,
    Reading,
    Rules,
)
from worklogs.tally.shapes import WHOLE, Log, Subject

ZERO = Decimal(0)


@dataclass(frozen=True)
class MonthTally:
    """One month of the subject, explained. `served_days` 0: the quota did not run in it."""

    month: int
    served_days: int
    due: bool
    days: Figure
    visits: Figure
    principal_met: Figure
    required_visits: Decimal | None
    shortfall_visits: Decimal | None
    records: tuple[int, ...]


@dataclass(frozen=True)
class SubjectTally:
    """A subject's year as of `as_of`. While `final` is False, shortfalls and deduction are what stands so far."""

    subject: Subject
    year: int
    as_of: date
    final: bool
    day_kind: str | None
    days: Figure
    required_days: Figure
    shortfall_days: Figure
    visits: Figure
    principal_met: Figure
    required_visits: Figure
    shortfall_visits: Figure
    deduction: Figure
    forecast: Forecast
    months: tuple[MonthTally, ...]
    records: tuple[int, ...]
    waiting: tuple[int, ...]
    outside: tuple[int, ...]
    note: str = ""

    def figures(self) -> dict[str, Figure]:
        """The year's figures by name, in the order in which they are read."""
        return {name: getattr(self, name) for name in Assessment.FIELDS}

    @property
    def unset(self) -> tuple[str, ...]:
        """Keys that keep any figure open, each once."""
        return tuple(dict.fromkeys(key for figure in self.figures().values() for key in figure.unset))

    @property
    def unit(self) -> str:
        return words.day_unit(self.day_kind)


def tally(
    subject: Subject, *, year: int, logs: Iterable[Log], calendar: WorkCalendar, rules: Rules, today: date
) -> SubjectTally:
    """Count and explain one subject's year. The calendar has to cover the dates of the logs (else CalendarGap)."""
    collected = collect(subject, year=year, logs=logs, calendar=calendar, rules=rules)
    numbers = assess(subject, year=year, atoms=atoms_of(collected), rules=rules, today=today)
    return _Explainer(numbers, collected).tally()


class _Explainer:
    """Lays the records and clauses over the numbers of one assessment."""

    def __init__(self, numbers: Assessment, collected: Collected) -> None:
        self.numbers, self.collected = numbers, collected
        self.case, self.rules = numbers.case, numbers.case.rules
        self.subject, self.period = self.case.subject, self.case.period
        # What is determined is the same under every reading, so the first one shows the way.
        self.reading = Reading(**{name: options[0] for name, options in self.case.options.items()})
        self.unit = words.day_unit(self.rules.get(DAY_KIND))

    def tally(self) -> SubjectTally:
        numbers, case = self.numbers, self.case
        return SubjectTally(
            subject=self.subject, year=self.period.year, as_of=case.today, final=numbers.final,
            day_kind=self.rules.get(DAY_KIND),
            days=self._days(),
            required_days=self._required(),
            shortfall_days=self._short_days(),
            visits=self._visits(numbers.visits, "visits"),
            principal_met=self._visits(numbers.principal_met, "met"),
            required_visits=self._asked(),
            shortfall_visits=self._missed(),
            deduction=explain_money.deduction_figure(numbers, self.reading),
            forecast=forecast_of(numbers, self.collected.calendar),
            months=tuple(self._month(month) for month in numbers.months),
            records=records_of(self.collected.counted),
            waiting=records_of(self.collected.waiting),
            outside=records_of(self.collected.outside),
            note=self._calendar_note(),
        )  # fmt: skip

    def _calendar_note(self) -> str:
        first, last = date(self.period.year, 1, 1), date(self.period.year, 12, 31)
        return self.collected.calendar.note(first, last)

    # --- days ---------------------------------------------------------------------------------------

    def _days(self) -> Figure:
        outcome = self.numbers.days
        if outcome.value is None:
            return open_figure(outcome, [*self._recorded(), *self._left_out()], self.unit)
        terms = [
            Part(f"{m.month}月", m.days.value, self._records_of_month(m.month), code="term")
            if m.days.value is not None
            else None
            for m in self.numbers.months
            if m.atoms.logs
        ]
        if None in terms:
            # The months differ between readings while their sum does not: one sum over all.
            terms = [Part("全年", outcome.value, records_of(self.collected.counted), code="term")]
        rules = [rule_part(self.rules, key) for key in (DAY_KIND, NON_WORKDAYS, HALF_DAY, MEMBERS, CONFIRMATION)]
        shown = [part for part in terms if part is not None]
        return Figure(
            outcome.value, (formula("total", "各月相加"), *shown, *rules, *self._split(), *self._left_out()),
            note=settled_note(self.case.options, ("rest", "half", "members")),
        )  # fmt: skip

    def _recorded(self) -> list[Part]:
        logs = self.collected.counted
        return [Part("已记录（条）", Decimal(len(logs)), records_of(logs), code="info:logs")]

    def _split(self) -> list[Part]:
        """Where no confirmation is asked for: how much of it has been confirmed anyway."""
        waiting = self.collected.waiting
        if self.rules.needs_confirmation or not waiting:
            return []
        confirmed = tuple(sorted({log.id for log in self.collected.counted} - {log.id for log in waiting}))
        return [
            Part("其中已确认的记录（条）", Decimal(len(confirmed)), confirmed, code="info:confirmed"),
            Part("其中待确认的记录（条）", Decimal(len(waiting)), records_of(waiting), code="info:unconfirmed"),
        ]

    def _left_out(self) -> list[Part]:
        """Entries that do not count, and why."""
        parts = []
        if self.rules.needs_confirmation and self.collected.waiting:
            logs, clause = self.collected.waiting, self.rules.clause(CONFIRMATION)
            parts.append(Part("待确认，未计入（条）", Decimal(len(logs)), records_of(logs), clause, "info:waiting"))
        if self.collected.outside:
            logs = self.collected.outside
            parts.append(Part("不在服务期内，未计入（条）", Decimal(len(logs)), records_of(logs), code="info:outside"))
        return parts

    def _records_of_month(self, month: int) -> tuple[int, ...]:
        return tuple(sorted(log.id for log in self.collected.counted if log.date.month == month))

    def _month_days(self, month: MonthNumbers) -> Figure:
        if month.days.value is None:
            return open_figure(month.days, [], self.unit)
        reading, worked = self.reading, self.collected.calendar.is_workday
        entries = self.collected.presences(month.month, each=reading.members == "each")
        counted = [(day, p) for day, p in entries if reading.rest or worked(day)]
        left = [p for day, p in entries if not reading.rest and not worked(day)]
        full = [p for _, p in counted if p.mask == WHOLE]
        half = [p for _, p in counted if p.mask != WHOLE]
        weight = Decimal(HALF_DOUBLED[reading.half]) / 2
        parts = [
            formula("month_days", "整天数 + 半天数 × 每个半天计"),
            Part("整天", Decimal(len(full)), _ids(full), self.rules.clause(DAY_KIND), "full"),
            Part("半天", Decimal(len(half)), _ids(half), self.rules.clause(DAY_KIND), "half"),
            Part("每个半天计", weight, (), self.rules.clause(HALF_DAY), "half_weight"),
        ]
        if left:
            clause = self.rules.clause(NON_WORKDAYS)
            parts.append(Part("周末和节假日，未计入", Decimal(len(left)), _ids(left), clause, "info:rest"))
        return Figure(month.days.value, tuple(parts))

    def _required(self) -> Figure:
        outcome, rules, period = self.numbers.required_days, self.rules, self.period
        if outcome.value is None:
            return open_figure(outcome, [], self.unit)
        quota = rules.required_days if period.days else ZERO
        parts = [Part("每年最低服务时间", quota, (), rules.clause(REQUIRED), "quota")]
        way = self.reading.proration
        if period.days and not period.is_whole and way != "none":
            served, whole = (period.days, period.year_days) if way == "by_days" else (len(period.months), 12)
            what = "天数" if way == "by_days" else "月数"
            clause = rules.clause(PRORATION)
            parts += [
                Part(f"在聘{what}", Decimal(served), (), clause, "served"),
                Part(f"全年{what}", Decimal(whole), (), clause, "whole"),
            ]
            words_ = f"每年最低服务时间 × 在聘{what} ÷ 全年{what}，保留两位小数"
        else:
            words_ = "按全年要求"
            parts.append(rule_part(rules, PRORATION))
        note = settled_note(self.case.options, ("proration",))
        return Figure(outcome.value, (formula("required", words_), *parts), note=note)

    def _short_days(self) -> Figure:
        outcome, numbers = self.numbers.shortfall_days, self.numbers
        if outcome.value is None:
            return open_figure(outcome, [], self.unit)
        return Figure(
            outcome.value,
            (
                formula("shortfall", "要求 − 已完成，不小于零"),
                *self._either("要求", numbers.required_days, "required", self.rules.clause(REQUIRED), outcome.value),
                *self._either("已完成", numbers.days, "done", None, outcome.value),
            ),
            note="" if numbers.final else f"截至{self.case.today}，年度（聘期）尚未结束",
        )

    def _either(self, label: str, outcome: Outcome, code: str, clause: object, short: Decimal) -> list[Part]:
        """A number that enters; where readings differ in it but not in the result, its value in the first reading."""
        value = outcome.value if outcome.value is not None else outcome.cases[0][1]
        return [Part(label, value, (), clause, code)]  # type: ignore[arg-type]

    # --- visits -------------------------------------------------------------------------------------

    def _visits(self, outcome: Outcome, way: str) -> Figure:
        if outcome.value is None:
            return open_figure(outcome, self._recorded(), "次")
        keys = (KINDS, PRINCIPAL) if way == "visits" else (KINDS,)
        terms = []
        for month in self.numbers.months:
            figure = self._month_visits(month, way)
            if figure.value:
                ids = tuple(sorted({i for part in figure.parts if part.code == "term" for i in part.records}))
                terms.append(Part(f"{month.month}月", figure.value, ids, code="term"))
        parts = (formula("total", "各月相加"), *terms, *(rule_part(self.rules, key) for key in keys))
        return Figure(outcome.value, parts)

    def _month_visits(self, month: MonthNumbers, way: str) -> Figure:
        outcome = month.visits if way == "visits" else month.principal_met
        if outcome.value is None:
            return open_figure(outcome, [], "次")
        needs = way == "met" or self.reading.principal
        terms, left = [], []
        for day, visit in self.collected.visits_of(month.month):
            if visit.met or not needs:
                terms.append(Part(f"{day.month}月{day.day}日", Decimal(1), tuple(visit.records), code="term"))
            else:
                left.append(visit)
        parts = [formula("total", "同一天到同一处计一次"), *terms]
        if left and way == "visits":
            ids = tuple(sorted({i for visit in left for i in visit.records}))
            clause = self.rules.clause(PRINCIPAL)
            parts.append(Part("未与主要负责人当面交流，未计入", Decimal(len(left)), ids, clause, "info:not_met"))
        if other := self.collected.other_work(month.month):
            clause = self.rules.clause(KINDS)
            parts.append(Part("不属于走访的工作（条），未计入", Decimal(len(other)), other, clause, "info:other_work"))
        return Figure(outcome.value, tuple(parts))

    def _asked(self) -> Figure:
        outcome = self.numbers.required_visits
        if outcome.value is None:
            return open_figure(outcome, [], "次")
        terms = [
            Part(f"{m.month}月", _first(m.required_visits), (), code="term")
            for m in self.numbers.months if m.served_days
        ]  # fmt: skip
        return Figure(
            outcome.value,
            (formula("total", "各月相加"), *terms, rule_part(self.rules, PER_MONTH), rule_part(self.rules, PRORATION)),
            note=settled_note(self.case.options, ("proration",)),
        )

    def _missed(self) -> Figure:
        outcome = self.numbers.shortfall_visits
        if outcome.value is None:
            return open_figure(outcome, [], "次")
        parts = []
        for month in self.numbers.months:
            if month.due:
                asked, done = _first(month.required_visits), _first(month.visits)
                clause = self.rules.clause(PER_MONTH)
                ids = self._records_of_month(month.month)
                parts += [
                    Part(f"{month.month}月要求", asked, (), clause, f"asked:{month.month}"),
                    Part(f"{month.month}月计入", done, ids, None, f"done:{month.month}"),
                ]
        note = "" if self.numbers.final else f"只计截至{self.case.today}已结束的月份"
        return Figure(outcome.value, (formula("missed_visits", "各月（要求 − 计入，不小于零）相加"), *parts), note=note)

    def _month(self, month: MonthNumbers) -> MonthTally:
        return MonthTally(
            month=month.month, served_days=month.served_days, due=month.due,
            days=self._month_days(month), visits=self._month_visits(month, "visits"),
            principal_met=self._month_visits(month, "met"),
            required_visits=month.required_visits.value, shortfall_visits=month.shortfall_visits.value,
            records=self._records_of_month(month.month),
        )  # fmt: skip


def _first(outcome: Outcome) -> Decimal:
    return outcome.value if outcome.value is not None else outcome.cases[0][1]  # type: ignore[return-value]


def _ids(presences: Sequence[Presence]) -> tuple[int, ...]:
    return tuple(sorted({record for presence in presences for record in presence.records}))
