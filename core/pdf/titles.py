"""Titles in lines of like length (GB/T 9704—2012, 7.3.1: whole words, symmetric): the layout engine fills the first
line and leaves the rest, be it one character.

Which characters make a word nobody here can know, but for the words of the trade, numbers and dates; elsewhere the
lines are balanced and may part a word, as they always might.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape
from itertools import pairwise
from math import ceil

# How many Chinese characters a line of 156 mm holds: of 二号 (22 pt) and of the smaller second line (16 pt).
PLACES, PLACES_BELOW = 20, 27
_WORDS = (
    "责任规划师", "规划师", "自然资源", "述职报告", "工作总结", "年终", "工作月报", "评估", "考评", "考核", "互评", "结果",
    "汇总", "意见", "建议", "备案", "报送", "公示", "审议", "纪要", "方案", "审查", "征询", "凭证", "项目", "更新", "改造",
    "提升", "街道", "乡镇", "片区", "示例", "团队", "单位", "评价", "年度", "半年", "任期", "关于",
)  # fmt: skip
# No line ends within one of these.
_WHOLE = re.compile(
    "|".join((
        r"[0-9]+年[0-9]+月(?:[0-9]+日)?", r"[0-9A-Za-z][0-9A-Za-z.,%/:_-]*[年月日号期版件份个项米元％]*",
        r"第[0-9〇一二三四五六七八九十百]+.?", r"[一二三四五六七八九十]+[年月日]", *_WORDS,
    ))
)  # fmt: skip
_NOT_FIRST = set("，。、；：！？）》」』】〕”’…—–-·～的之")
_NOT_LAST = set("（《「『【〔“‘—–-·～")
_TITLE = re.compile(r'(<h1 class="title">)(.*?)(</h1>)', re.S)
_PIECES = re.compile(r"(<[^>]*>)")


def balance_titles(html: str) -> str:
    """`html` with line breaks in each title that is too long for one line; every character stays."""
    return _TITLE.sub(_balanced, html)


def _balanced(found: re.Match[str]) -> str:
    made, below = [], False
    for piece in _PIECES.split(found[2]):
        if piece.startswith("<"):
            below = "subtitle" in piece
            made.append(piece)
        else:
            lines = lines_of(unescape(piece), PLACES_BELOW if below else PLACES)
            made.append("<br>".join(escape(line) for line in lines))
    return found[1] + "".join(made) + found[3]


def lines_of(title: str, places: int) -> list[str]:
    """`title` in the fewest lines that hold it, as equal as whole words allow; as one where it cannot be parted so."""
    widths = [0.0]
    for character in title:
        widths.append(widths[-1] + (0.5 if character.isascii() else 1.0))
    if widths[-1] <= places:
        return [title]
    ends, least = _ends(title), ceil(widths[-1] / places)
    # Long words may need a line more, or two.
    for count in range(least, least + 3):
        if stops := _parted(widths, ends, count, places):
            return [title[one:other] for one, other in pairwise((0, *stops))]
    return [title]


def _parted(widths: Sequence[float], ends: Sequence[int], count: int, places: int) -> tuple[int, ...]:
    """Where each of `count` lines ends so that they are as equal as can be; nothing where they cannot hold the title.

    `widths`: that of the first n characters, for each n.
    """
    whole, share = len(widths) - 1, widths[-1] / count
    # By where the next line begins: how unequal the lines before it are, and where each ends.
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for left in reversed(range(count)):
        further = {}
        for stop in ends if left else [whole]:
            ways = [
                (unequal + (widths[stop] - widths[start] - share) ** 2, (*stops, stop))
                for start, (unequal, stops) in best.items()
                if start < stop and widths[stop] - widths[start] <= places
            ]
            if ways:
                further[stop] = min(ways)
        best = further
    return best[whole][1] if best else ()


def _ends(title: str) -> list[int]:
    """Where a line may end, as numbers of the characters before."""
    inside = {n for word in _WHOLE.finditer(title) for n in range(word.start() + 1, word.end())}
    return [
        n
        for n in range(1, len(title))
        if n not in inside and title[n] not in _NOT_FIRST and title[n - 1] not in _NOT_LAST
    ]
