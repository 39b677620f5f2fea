"""When an answer is due: pure. Workdays from the day after it was asked, plus extensions, plus the real workdays of
suspensions; recomputing from these parts alone gives the day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from core.workdays import WorkCalendar


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which the term does not run: from `start` up to, and without, `end` (None: still running)."""

    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Due:
    """The day, and what it was made of: workdays of the term, of extensions and of suspensions; `note` says when a
    year's holidays are provisional."""

    day: date | None
    term: int | None
    extended: int = 0
    paused: int = 0
    note: str = ""


def due_day(
    asked_on: date, term: int | None, calendar: WorkCalendar, *, extensions: Iterable[int] = (),
    pauses: Iterable[Pause] = (), today: date | None = None,
) -> Due:  # fmt: skip
    """The day until which an answer is in time; `day` is None where no term is set.

    `asked_on` itself does not count. An open pause counts up to `today`. Raises CalendarGap beyond the calendar.
    """
    if term is None:
        return Due(None, None)
    extended = sum(extensions)
    paused = 0
    for pause in pauses:
        end = pause.end or today
        if end is None or end <= pause.start:
            continue
        # The day of the pause itself still runs; the day of resumption runs again.
        after = calendar.add_workdays(pause.start, 1)
        paused += calendar.workdays_between(after, end) - (1 if calendar.is_workday(end) else 0) if after <= end else 0
    day = calendar.add_workdays(asked_on, term + extended + max(paused, 0))
    return Due(day, term, extended, paused, calendar.note(asked_on, day))


def remaining_workdays(due_on: date | None, today: date, calendar: WorkCalendar) -> int | None:
    """Workdays left after today until the due day, 0 on the day itself, negative when it is over; None without one."""
    if due_on is None:
        return None
    if due_on >= today:
        return calendar.workdays_between(today, due_on) - (1 if calendar.is_workday(today) else 0)
    return -calendar.workdays_between(due_on, today) + (1 if calendar.is_workday(due_on) else 0)


def light(remaining: int | None, *, soon: int) -> str:
    """Traffic light of a worklist: "" without a term, good, waiting (at most `soon` workdays left) or bad (over)."""
    if remaining is None:
        return ""
    return "bad" if remaining < 0 else "waiting" if remaining <= soon else "good"
