"""The working calendar as plain data: no database here, so that tallies and deadlines can be tested alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

PROVISIONAL_NOTE = "尚未公布，暂按法定节假日推算"


class CalendarGap(LookupError):
    """A date outside of the table: an administrator has to enter that year's holidays first."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day.year}年的节假日安排尚未录入日历，请联系系统管理员补录。")
        self.date = day


@dataclass(frozen=True)
class WorkCalendar:
    """A snapshot of the days from `start` to `end`, both included.

    `days`: date → is it worked. `names`: date → name of the holiday or 调休, for the days that have one.
    `provisional_years`: years whose notice is not out; whatever uses them carries PROVISIONAL_NOTE.
    Every question about a date outside raises CalendarGap: nothing is guessed.
    """

    days: Mapping[date, bool]
    names: Mapping[date, str] = field(default_factory=dict)
    provisional_years: frozenset[int] = frozenset()
    _worked: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_worked", tuple(sorted(day for day, worked in self.days.items() if worked)))

    def is_workday(self, day: date) -> bool:
        try:
            return self.days[day]
        except KeyError:
            raise CalendarGap(day) from None

    def name(self, day: date) -> str:
        """Name of the holiday (春节), or 调休上班, or empty on an ordinary day."""
        return self.names.get(day, "")

    def workdays_between(self, first: date, last: date) -> int:
        """Number of workdays from `first` to `last`, both included; 0 when `last` is before `first`."""
        if last < first:
            return 0
        self._cover(first, last)
        return bisect_right(self._worked, last) - bisect_left(self._worked, first)

    def workdays(self, first: date, last: date) -> tuple[date, ...]:
        """The workdays from `first` to `last`, both included."""
        if last < first:
            return ()
        self._cover(first, last)
        return self._worked[bisect_left(self._worked, first) : bisect_right(self._worked, last)]

    def add_workdays(self, day: date, number: int) -> date:
        """The `number`-th workday after `day` (before it when negative); 0 gives `day` itself.

        The day itself never counts: a term of 5 工作日 from a Friday ends on the next Friday.
        """
        if number == 0:
            self.is_workday(day)
            return day
        self.is_workday(day)
        at = bisect_right(self._worked, day) + number - 1 if number > 0 else bisect_left(self._worked, day) + number
        if not 0 <= at < len(self._worked):
            edge = max(self.days) + timedelta(days=1) if number > 0 else min(self.days) - timedelta(days=1)
            raise CalendarGap(edge)
        found = self._worked[at]
        self._cover(min(day, found), max(day, found))
        return found

    def is_provisional(self, first: date, last: date | None = None) -> bool:
        """Does this date, or any year of this period, rest on an unpublished calendar?"""
        years = range(first.year, (last or first).year + 1)
        return any(year in self.provisional_years for year in years)

    def note(self, first: date, last: date | None = None) -> str:
        """PROVISIONAL_NOTE with its years, or empty."""
        years = [y for y in range(first.year, (last or first).year + 1) if y in self.provisional_years]
        return f"{'、'.join(f'{y}年' for y in years)}节假日安排{PROVISIONAL_NOTE}" if years else ""

    def _cover(self, first: date, last: date) -> None:
        for edge in (first, last):
            if edge not in self.days:
                raise CalendarGap(edge)

    @classmethod
    def of(cls, rows: Iterable[tuple[date, bool, str]], provisional_years: Iterable[int] = ()) -> WorkCalendar:
        """From (date, is worked, name) rows."""
        days, names = {}, {}
        for day, worked, name in rows:
            days[day] = worked
            if name:
                names[day] = name
        return cls(days, names, frozenset(provisional_years))
