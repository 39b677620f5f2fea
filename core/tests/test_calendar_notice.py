"""Reading a holiday notice and holding it against the law and the calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import _notice
from core.calendar_notice import (
    arrangements,
    as_table,
    check_notice,
    digest,
    read_notice_text,
    spans,
    statutory_count,
    statutory_days,
)  # fmt: skip

NOTICE_2026 = """一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：２月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（星期六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。"""
OFF, WORKED = _notice(2026)


def write_notice(year: int, holidays: dict[date, str], makeup: dict[date, str]) -> str:
    lines = []
    for number, row in enumerate(arrangements(holidays, makeup), start=1):
        off = f"{spans(row.days)}放假调休，共{len(row.days)}天。" if row.days else ""
        lines.append(f"{number}、{row.name}：{off}{f'{row.worked}上班。' if row.makeup else ''}")
    return "\n".join(lines)


def test_notice_as_it_is_printed_gives_the_days_of_the_collection():
    read = read_notice_text(NOTICE_2026, year=2026)
    assert (read.problems, read.ignored) == ([], [])
    assert (read.holidays, read.makeup) == (OFF, WORKED)
    checked = check_notice(2026, read.holidays, read.makeup)
    assert (checked.errors, checked.notes) == ((), ())
    assert [(row.name, row.off, row.worked) for row in checked.arrangements][1] == (
        "春节", "2月15日至23日", "2月14日（星期六）、2月28日（星期六）",
    )  # fmt: skip


@pytest.mark.parametrize("year", [2013, 2017, 2019, 2021, 2024, 2025, 2026])
def test_years_written_as_text_or_day_by_day_read_back_as_they_were(year):
    days = _notice(year)
    for text in (write_notice(year, *days), write_notice(year, *days).replace("\n", ""), as_table(*days)):
        read = read_notice_text(text, year=year)
        assert (read.problems, (read.holidays, read.makeup)) == ([], days)
    assert check_notice(year, *days).errors == ()


@given(st.sets(st.integers(0, 364), min_size=1, max_size=40), st.sets(st.integers(0, 51), max_size=8))
def test_any_table_reads_back_as_it_was(off, worked):
    start = date(2026, 1, 1)
    holidays = {start + timedelta(days=n): f"节日{n % 3}" for n in off}
    makeup = {start + timedelta(days=2 + 7 * n): "调休" for n in worked}
    read = read_notice_text(as_table(holidays, makeup), year=2026)
    assert (read.holidays, read.makeup, read.problems) == (holidays, makeup, [])
    assert digest(read.holidays, read.makeup) == digest(dict(reversed(holidays.items())), makeup)


@given(st.text(alphabet="一二春节国庆：:。；、（）()至-0123456789年月日周六放假上班共天\n ，\x00", max_size=120))
def test_no_text_breaks_the_reader(text):
    read = read_notice_text(text, year=2026)
    assert all(read.holidays.values())
    check_notice(2026, read.holidays, read.makeup)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("春节：2月15日至23日放假调休，共8天。", "第 1 行“春节”：写明共 8 天，所列日期是 9 天。"),
        ("春节：2月14日（周日）上班。", "写明“2月14日(周日)”，2026年的这一天是星期六。"),
        ("春节：2月30日放假。", "没有“2月30日”这一天。"),
        ("春节：2月23日至15日放假。", "起止日期不对"),
        ("元旦：12月31日至1月2日放假。", "跨年，请写明年份"),
        ("元旦：1月1日放假。\n春节：1月1日放假。", "第 2 行：1月1日 前面已经列为“元旦”。"),
        ("2026-02-30 放假 春节", "第 1 行：没有“2026-02-30”这一天。"),
    ],
)
def test_text_that_contradicts_the_calendar_is_named_with_its_line(text, words):
    assert words in "".join(read_notice_text(text, year=2026).problems)


def test_new_year_may_begin_in_december_and_advice_is_passed_over():
    read = read_notice_text(
        "元旦：2022年12月31日至2023年1月2日放假调休，共3天。春节：1月21日至27日放假。鼓励在1月20日（除夕前一天）错峰出行。",
        year=2023,
    )
    assert sorted(read.holidays)[:3] == [date(2022, 12, 31), date(2023, 1, 1), date(2023, 1, 2)]
    assert read.ignored == ["鼓励在1月20日(除夕前一天)错峰出行"]
    assert spans(sorted(read.holidays)[:3]) == "2022年12月31日至1月2日"


def test_law_gives_thirteen_days_since_2025_and_eleven_before():
    # In 2028 中秋节 falls into 国庆节: both count.
    assert [statutory_count(year) for year in (2024, 2025, 2026, 2027, 2028)] == [11, 13, 13, 13, 13]
    assert [f"{day:%m-%d}" for day, name in sorted(statutory_days(2026).items()) if name == "春节"] == [
        "02-16", "02-17", "02-18", "02-19",
    ]  # fmt: skip


def without(*days: str) -> dict[date, str]:
    return {day: name for day, name in OFF.items() if day.isoformat() not in days}


@pytest.mark.parametrize(
    ("holidays", "makeup", "words"),
    [
        ({}, WORKED, "没有列出任何放假日期。"),
        (without("2026-06-19"), WORKED, "缺少法定节假日：6月19日（端午节）。"),
        (OFF | {date(2028, 1, 1): "元旦"}, WORKED, "1月1日 不在 2026 年内。"),
        (OFF, WORKED | {date(2026, 1, 1): "元旦"}, "1月1日 既列为放假又列为上班。"),
        (OFF, WORKED | {date(2026, 1, 5): "元旦"}, "1月5日 不是周末，不能列为调休上班。"),
        (OFF | {date(2026, 7, 1): "国庆节"}, WORKED, "“国庆节”的放假日期不连续"),
    ],
)
def test_notice_that_cannot_be_right_is_refused(holidays, makeup, words):
    assert words in "".join(check_notice(2026, holidays, makeup).errors)


@pytest.mark.parametrize(
    ("holidays", "makeup", "words"),
    [
        (OFF, {day: name for day, name in WORKED.items() if day.month != 5}, "占用的工作日 19 天，"),
        (OFF | {date(2026, 9, 3): "纪念日"}, WORKED, "“纪念日”不是法定节假日"),
        (OFF, WORKED | {date(2026, 7, 25): "国庆节"}, "7月25日 上班，离最近的假期超过 30 天。"),
    ],
)
def test_what_is_unusual_is_pointed_out_and_allowed(holidays, makeup, words):
    checked = check_notice(2026, holidays, makeup)
    assert checked.errors == ()
    assert words in "".join(checked.notes)
