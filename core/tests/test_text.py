"""Dates as people type them, full-width characters, control characters."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import clean_text, one_line, parse_date, to_halfwidth

DAY = date(2024, 3, 5)
DAYS = st.dates(min_value=date(1955, 1, 1), max_value=date(2118, 12, 31))


@pytest.mark.parametrize(
    "typed",
    [
        "2024-03-05", "2024-3-5", "2024/3/5", "2024/03/05", "2024.3.5", "2024年3月5日", "2024年03月05日", "2024 年 3 月 5 日",
        "2024年3月5号", "20240305", "２０２４－０３－０５", "２０２４年３月５日", "２０２４０３０５", " 2024-03-05 ", "2024-03-05 00:00:00",
        "2024-03-05T08:30", "2024／3／5", 20240305, 20240305.0, 45356, 45356.75, "45356", DAY,
        datetime(2024, 3, 5, 23, 59),
        datetime(2024, 3, 4, 16, 30, tzinfo=UTC),
    ],
)  # fmt: skip
def test_every_usual_form_is_read(typed: object) -> None:
    assert parse_date(typed) == DAY


def test_serial_counts_from_the_epoch_of_the_workbook() -> None:
    assert parse_date(45356 - 1462, epoch_1904=True) == DAY
    assert parse_date(45356, epoch_1904=True) != DAY


@pytest.mark.parametrize(
    "typed",
    ["2024-02-30", "2023-02-29", "2024-13-01", "昨天", "3月5日", "24/3/5", "2024-03", "0000-00-00", "99999999", 12, -1,
     1e20,
     float("nan"), float("inf"), True, None, "", "   ", "2024-03-05-06", "<script>", "1899-12-31", "2024年3月5日到6日"],
)  # fmt: skip
def test_what_is_no_date_is_refused_in_chinese(typed: object) -> None:
    with pytest.raises(ValueError, match=r"[\u4e00-\u9fff]"):
        parse_date(typed)


@given(DAYS)
def test_each_way_of_writing_gives_the_same_day(day: date) -> None:
    prose = f"{day.year}年{day.month}月{day.day}日"
    forms = [day.isoformat(), prose, f"{day.year}/{day.month}/{day.day}", f"{day:%Y%m%d}"]
    forms.append(forms[1].translate(str.maketrans("0123456789", "０１２３４５６７８９")))
    serial = (day - date(1899, 12, 30)).days
    assert {parse_date(form) for form in [*forms, serial, float(serial)]} == {day}


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.binary()))
def test_anything_else_gives_a_date_or_a_worded_refusal(typed: object) -> None:
    try:
        assert isinstance(parse_date(typed), date)
    except ValueError as exc:
        assert str(exc).endswith("。")


def test_halfwidth_keeps_chinese() -> None:
    assert to_halfwidth("ＡＢＣ１２３（甲），　龚䶮𠮷") == "ABC123(甲), 龚䶮𠮷"


def test_clean_text_takes_what_cannot_be_seen() -> None:
    assert clean_text("甲\x00乙\u202e丙\u200b\r\n丁\ud800 ") == "甲乙丙\n丁"
    assert clean_text("“中文标点”，保留；龚䶮") == "“中文标点”，保留；龚䶮"
    assert clean_text(None) == ""
    assert one_line("甲\n\n 乙\t丙") == "甲 乙 丙"


@given(st.text())
def test_clean_text_can_always_be_stored(text: str) -> None:
    cleaned = clean_text(text)
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert clean_text(cleaned) == cleaned
