"""Workdays as China keeps them: holidays, 调休, and years whose notice is not out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import PROVISIONAL_NOTE, CalendarGap, load_calendar, load_work_calendar
from core.models import CalendarDay, CalendarYear
from core.workdays import WorkCalendar


@pytest.fixture
def calendar(db: None) -> WorkCalendar:
    load_calendar(only={2024, 2025, 2026, 2027})
    return load_work_calendar(date(2024, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("day", "worked", "name"),
    [
        (date(2024, 2, 4), True, "春节调休上班"), (date(2024, 2, 10), False, "春节"), (date(2024, 2, 9), True, ""),
        (date(2024, 2, 18), True, "春节调休上班"), (date(2024, 4, 4), False, "清明节"), (date(2024, 4, 7), True, "清明节调休上班"),
        (date(2024, 5, 11), True, "劳动节调休上班"), (date(2024, 10, 1), False, "国庆节"), (date(2025, 1, 1), False, "元旦"),
        (date(2025, 1, 26), True, "春节调休上班"), (date(2026, 2, 14), True, "春节调休上班"), (date(2026, 2, 15), False, "春节"),
        (date(2024, 3, 9), False, ""), (date(2024, 3, 5), True, ""), (date(2024, 2, 29), True, ""),
    ],
)  # fmt: skip
def test_days_are_as_the_notices_have_them(calendar: WorkCalendar, day: date, worked: bool, name: str) -> None:
    assert (calendar.is_workday(day), calendar.name(day)) == (worked, name)


def test_workdays_of_a_year_agree_with_the_notices(calendar: WorkCalendar) -> None:
    # 365 days, 104 weekend days, 28 days off, of which some fall on weekends; 5 made up.
    assert calendar.workdays_between(date(2025, 1, 1), date(2025, 12, 31)) == 248
    assert calendar.workdays_between(date(2024, 2, 10), date(2024, 2, 17)) == 0
    assert calendar.workdays_between(date(2024, 2, 18), date(2024, 2, 18)) == 1
    assert calendar.workdays_between(date(2024, 2, 18), date(2024, 2, 17)) == 0


def test_adding_workdays_skips_holidays_and_counts_made_up_ones(calendar: WorkCalendar) -> None:
    assert calendar.add_workdays(date(2024, 2, 8), 1) == date(2024, 2, 9)
    assert calendar.add_workdays(date(2024, 2, 9), 1) == date(2024, 2, 18)
    assert calendar.add_workdays(date(2024, 2, 18), -1) == date(2024, 2, 9)
    assert calendar.add_workdays(date(2024, 2, 12), 0) == date(2024, 2, 12)


def test_outside_of_the_table_nothing_is_guessed(calendar: WorkCalendar) -> None:
    with pytest.raises(CalendarGap, match="2027年"):
        calendar.is_workday(date(2027, 1, 1))
    with pytest.raises(CalendarGap):
        calendar.workdays_between(date(2026, 12, 1), date(2027, 1, 5))
    with pytest.raises(CalendarGap, match="2027年"):
        calendar.add_workdays(date(2026, 12, 31), 3)


def test_year_without_notice_is_marked_wherever_it_is_used(db: None) -> None:
    load_calendar(only={2026, 2027})
    calendar = load_work_calendar(date(2026, 1, 1), date(2027, 12, 31))
    assert calendar.provisional_years == frozenset({2027})
    assert calendar.is_provisional(date(2026, 12, 1), date(2027, 1, 5))
    assert not calendar.is_provisional(date(2026, 12, 1), date(2026, 12, 5))
    assert PROVISIONAL_NOTE in calendar.note(date(2027, 1, 1))
    assert calendar.note(date(2026, 1, 1)) == ""
    assert not calendar.is_workday(date(2027, 10, 1))
    assert calendar.name(date(2027, 10, 1)) == "国庆节"


def test_loading_again_changes_nothing_and_takes_few_queries(db: None, django_assert_max_num_queries) -> None:
    load_calendar()
    before = list(CalendarDay.objects.values_list())
    with django_assert_max_num_queries(45):
        load_calendar()
    assert list(CalendarDay.objects.values_list()) == before
    assert CalendarYear.objects.filter(status="published").count() == 23
    assert CalendarDay.objects.count() == sum(366 if y % 4 == 0 else 365 for y in range(2004, 2029))


PLAIN = WorkCalendar.of(
    ((day := date(2024, 1, 1) + timedelta(days=n)), day.weekday() < 5 and day.day != 1, "") for n in range(731)
)


@given(st.integers(0, 700), st.integers(-400, 400))
def test_adding_and_counting_agree(start: int, number: int) -> None:
    day = date(2024, 1, 1) + timedelta(days=start)
    try:
        found = PLAIN.add_workdays(day, number)
    except CalendarGap:
        return
    if number > 0:
        assert PLAIN.is_workday(found)
        assert PLAIN.workdays_between(day + timedelta(days=1), found) == number
    elif number < 0:
        assert PLAIN.is_workday(found)
        assert PLAIN.workdays_between(found, day - timedelta(days=1)) == -number


@given(st.integers(0, 730), st.integers(0, 730), st.integers(0, 730))
def test_counts_of_neighbouring_periods_add_up(a: int, b: int, c: int) -> None:
    first, middle, last = (date(2024, 1, 1) + timedelta(days=n) for n in sorted((a, b, c)))
    whole = PLAIN.workdays_between(first, last)
    assert whole == PLAIN.workdays_between(first, middle) + PLAIN.workdays_between(middle + timedelta(days=1), last)
    assert len(PLAIN.workdays(first, last)) == whole
