"""Long titles of documents: balanced lines, whole words and dates, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pdf.titles import PLACES, balance_titles, lines_of


def width(line: str) -> float:
    return sum(0.5 if character.isascii() else 1 for character in line)


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("北京市东城区2025年度责任规划师述职报告", 1),
        ("关于报送聊城市2023年5月—2026年5月任期考评结果备案的函", 2),
        ("关于古楼街道重点片区更新实施方案（示例）责任规划师意见建议的函", 2),
        ("东城区景山街道黄化门街三眼井历史文化街区平房院落申请式退租恢复性修建项目（2024—2026年）责任规划师意见书", 3),
    ],
)
def test_as_few_lines_as_hold_it_none_much_shorter(title: str, lines: int) -> None:
    found = lines_of(title, PLACES)
    assert len(found) == lines and "".join(found) == title
    assert max(map(width, found)) <= PLACES
    assert min(map(width, found)) >= max(map(width, found)) / 2


def test_words_numbers_and_dates_are_whole_and_marks_stay_where_they_belong() -> None:
    found = lines_of("关于报送聊城市2023年5月—2026年5月任期考评结果备案的函", PLACES)
    assert found == ["关于报送聊城市2023年5月—2026年5月", "任期考评结果备案的函"]
    found = lines_of("关于古楼街道重点片区更新实施方案（示例）责任规划师意见建议的函", PLACES)
    assert found == ["关于古楼街道重点片区更新实施方案", "（示例）责任规划师意见建议的函"]


@given(st.text("关于古楼街道责任规划师2026年5月（）“”，。—·的函A1 <&", max_size=70))
def test_nothing_is_lost_and_no_line_is_wider_where_it_was_parted(title: str) -> None:
    found = lines_of(title, PLACES)
    assert "".join(found) == title
    assert len(found) == 1 or max(map(width, found)) <= PLACES


def test_titles_alone_are_parted_and_what_is_escaped_stays_so() -> None:
    long = "某某某某某某某某某&lt;某某&gt;某某某某某某某某某某"
    html = f'<p>{long}</p><h1 class="title">{long}<br><span class="subtitle">{long}</span></h1>'
    made = balance_titles(html)
    paragraph, title = made.split("<h1", 1)
    assert paragraph == f"<p>{long}</p>"
    # The second line of a title is smaller and holds more.
    assert title.count("<br>") == 2 and title.replace("<br>", "").count(long) == 2
