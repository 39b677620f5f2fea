"""Invented people, each marked 示例; the same names on each run.

Identity numbers carry the region code 990101, which no division has, so that none can belong to anybody.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

SUFFIX = "（示例）"

# Surnames that are read unusually, and names that a careless system loses, come first.
SPECIAL = (
    "龚䶮",
    "李𠮷",
    "陈㛃",
    "买买提·吐尔逊",
    "单若溪",
    "仇文远",
    "曾静",
    "区建华",
    "解晓东",
    "查明远",
    "欧阳思远",
)
_SURNAMES = "王张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭"
_GIVEN = (
    "雨桐",
    "建国",
    "思齐",
    "晓燕",
    "文博",
    "佳宁",
    "志强",
    "明哲",
    "雪莹",
    "海涛",
    "若兰",
    "宇轩",
    "静怡",
    "立新",
    "春生",
)


def names() -> Iterator[str]:
    """Endless distinct invented names, each with the mark 示例."""
    for name in SPECIAL:
        yield name + SUFFIX
    for number in itertools.count():
        surname = _SURNAMES[number % len(_SURNAMES)]
        given = _GIVEN[(number // len(_SURNAMES) + number) % len(_GIVEN)]
        lap = number // (len(_SURNAMES) * len(_GIVEN))
        yield f"{surname}{given}{lap + 1 if lap else ''}{SUFFIX}"


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_number(serial: int) -> str:
    """An 18-digit number with a right check digit (GB 11643) and a region that does not exist."""
    body = f"990101{1970 + serial % 30}{serial % 12 + 1:02d}{serial % 28 + 1:02d}{serial % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def phone(serial: int) -> str:
    return f"1990000{serial % 10000:04d}"
