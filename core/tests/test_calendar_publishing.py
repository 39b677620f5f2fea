"""Publishing a year: one act, kept for ever, corrected only by a new version that says why."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from core.calendar import _notice, load_calendar, load_work_calendar
from core.calendar_publishing import publish_year
from core.errors import Refused, StaleState
from core.models import AuditEntry, CalendarDay, CalendarNotice, CalendarYear
from core.signals import calendar_changed

TITLE = "国务院办公厅关于2027年部分节假日安排的通知"
SPELLED = (
    "1-1 1-2 1-3 元旦 2-5 2-6 2-7 2-8 2-9 2-10 2-11 春节 4-3 4-4 4-5 清明节 5-1 5-2 5-3 5-4 5-5 劳动节 6-9 端午节 "
    "9-15 中秋节 10-1 10-2 10-3 10-4 10-5 10-6 10-7 国庆节"
)
MAKEUP = {
    date(2027, 2, 20): "春节",
    date(2027, 5, 8): "劳动节",
    date(2027, 9, 26): "国庆节",
    date(2027, 10, 9): "国庆节",
}


def spelled() -> dict[date, str]:
    found: dict[date, str] = {}
    run: list[date] = []
    for word in SPELLED.split():
        if word[0].isdigit():
            run.append(date(2027, *map(int, word.split("-"))))
        else:
            found |= dict.fromkeys(run, word)
            run = []
    return found


HOLIDAYS = spelled()


def publish(**given):
    given = {"holidays": HOLIDAYS, "makeup_days": MAKEUP, "title": TITLE, "actor": None} | given
    return publish_year(given.pop("year", 2027), **given)


@pytest.fixture
def told():
    heard: list[set[int]] = []

    def hear(years, **kwargs):
        heard.append(years)

    calendar_changed.connect(hear)
    yield heard
    calendar_changed.disconnect(hear)


def test_published_year_replaces_the_provisional_one_and_stays(db, told):
    load_calendar()
    assert load_work_calendar(date(2027, 1, 1), date(2027, 1, 2)).provisional_years == {2027}
    publish(notice_number="国办发明电〔2026〕1号", notice_date=date(2026, 11, 5), seen=0)
    load_calendar()
    calendar = load_work_calendar(date(2027, 1, 1), date(2027, 12, 31))
    assert calendar.provisional_years == frozenset()
    assert (calendar.is_workday(date(2027, 2, 20)), calendar.name(date(2027, 2, 20))) == (True, "春节调休上班")
    assert not calendar.is_workday(date(2027, 10, 7))
    entry = CalendarYear.objects.get(pk=2027)
    assert (entry.source, entry.notice_number, entry.is_manual) == (TITLE, "国办发明电〔2026〕1号", True)
    assert AuditEntry.objects.get(action="calendar.publish").detail["version"] == 1
    assert told == [{2026, 2027}]


def test_correction_needs_a_reason_and_keeps_what_stood_before(db):
    publish()
    moved = {day: name for day, name in MAKEUP.items() if day.month != 5} | {date(2027, 4, 25): "劳动节"}
    with pytest.raises(ValidationError) as caught:
        publish(makeup_days=moved)
    assert list(caught.value.message_dict) == ["reason"]
    publish(makeup_days=moved, reason="通知作了调整", seen=1)
    first, second = CalendarNotice.objects.order_by("number")
    assert (first.days_worked(), second.days_worked()) == (MAKEUP, moved)
    assert (second.number, second.reason) == (2, "通知作了调整")
    kinds = dict(CalendarDay.objects.filter(date__in=["2027-05-08", "2027-04-25"]).values_list("date", "kind"))
    assert kinds == {date(2027, 5, 8): "weekend", date(2027, 4, 25): "makeup"}
    assert AuditEntry.objects.get(action="calendar.correct").detail["reason"] == "通知作了调整"


def test_second_person_with_the_same_page_open_is_told(db):
    publish(seen=0)
    with pytest.raises(StaleState):
        publish(seen=0, reason="另一份")
    assert CalendarNotice.objects.count() == 1


def test_built_in_year_is_corrected_like_any_other(db):
    load_calendar(only={2025, 2026})
    holidays, makeup = _notice(2026)
    with pytest.raises(ValidationError):
        publish(year=2026, holidays=holidays, makeup_days=makeup)
    publish(year=2026, holidays=holidays, makeup_days=makeup, reason="补录通知文号", notice_number="示例1号")
    load_calendar()
    assert CalendarYear.objects.get(pk=2026).notice_number == "示例1号"


def test_new_year_that_begins_in_december_reaches_the_year_before(db):
    load_calendar()
    early = {date(2026, 12, 30): "元旦", date(2026, 12, 31): "元旦"}
    publish(holidays=HOLIDAYS | early, makeup_days=MAKEUP | {date(2026, 12, 26): "元旦"})

    def december():
        rows = CalendarDay.objects.filter(date__range=("2026-12-26", "2026-12-31")).order_by("date")
        return list(rows.values_list("kind", flat=True))

    assert december() == ["makeup", "weekend", "workday", "workday", "holiday", "holiday"]
    load_calendar()
    assert december() == ["makeup", "weekend", "workday", "workday", "holiday", "holiday"]
    publish(reason="元旦只放三天")
    assert december() == ["weekend", "weekend", "workday", "workday", "workday", "workday"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"holidays": {date(2027, 1, 1): "元旦"}}, "text"),
        ({"title": " "}, "title"),
        ({"year": 2040, "holidays": {date(2040, 1, 1): "元旦"}}, "year"),
    ],
)
def test_senseless_notice_is_refused_whole(db, given, field):
    with pytest.raises(ValidationError) as caught:
        publish(**given)
    assert field in caught.value.message_dict
    assert not CalendarNotice.objects.exists()


def test_only_system_administrators_publish(db, person):
    with pytest.raises(Refused, match="仅系统管理员"):
        publish(actor=person)


def test_notice_is_entered_from_a_file(db, tmp_path: Path):
    table = tmp_path / "2027.csv"
    rows = [f"{day},放假,{name}" for day, name in HOLIDAYS.items()] + [
        f"{d:%Y/%m/%d},上班,{n}" for d, n in MAKEUP.items()
    ]
    table.write_text("日期,类型,名称\n" + "\n".join(rows), encoding="utf-8-sig")
    call_command("load_calendar", file=table, year=2027, notice="国办发明电〔2026〕1号", stdout=StringIO())
    assert CalendarDay.objects.get(date=date(2027, 2, 20)).kind == "makeup"
    table.write_text("日期,类型,名称\n2027年1月1日,休息,元旦\n某天,放假,元旦\n", encoding="utf-8-sig")
    with pytest.raises(CommandError, match=r"第 2 行.*休息.*\n第 3 行.*某天"):
        call_command("load_calendar", file=table, year=2027)
