"""Text as people type it: full-width characters, control characters, dates in any usual form."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")

# U+FF01–U+FF5E stand 0xFEE0 above their ASCII forms; the ideographic space is apart.
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Line breaks and tabs stay; the other control characters, surrogates, and characters that steer the direction or have
# no width (they hide text) go.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff"
    "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)

_SEPARATED = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?"
    r"(?:[ T]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)
# Serials that people mean: 1954 to 2119 (1900 epoch). Outside of it a bare number is no date.
_SERIALS = range(20000, 80000)
_YEARS = range(1900, 2200)

DATE_FORMS = "2024-03-05、2024/3/5、2024年3月5日 或 20240305"


def to_halfwidth(text: str) -> str:
    """Full-width digits, letters, punctuation and spaces in their ASCII form; everything else unchanged."""
    return text.translate(_HALF)


def clean_text(text: str | None) -> str:
    """`text` without NUL, control and direction characters, with plain line ends, trimmed at both ends.

    Chinese punctuation, rare characters and variation selectors stay.
    """
    if not text:
        return ""
    if text.isprintable():  # none of them is, and nearly every text is
        return text.strip()
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str | None) -> str:
    """`clean_text` on one line: breaks and runs of spaces become one space."""
    return " ".join(clean_text(text).split())


def parse_date(value: Any, *, epoch_1904: bool = False) -> date:
    """The date in `value`, in any form people type: text, an Excel serial, a date or datetime.

    Serials count from the workbook's epoch. Raises ValueError with a sentence for the person who typed it.
    """
    if isinstance(value, datetime):
        return _checked((value.astimezone(CHINA) if value.tzinfo else value).date(), value)
    if isinstance(value, date):
        return _checked(value, value)
    if isinstance(value, bool) or value is None:
        raise ValueError("没有填写日期。" if value is None else _unreadable(value))
    if isinstance(value, (int, float)):
        return _from_number(value, epoch_1904=epoch_1904)
    text = to_halfwidth(clean_text(str(value)))
    if not text:
        raise ValueError("没有填写日期。")
    if found := _SEPARATED.fullmatch(text) or _COMPACT.fullmatch(text):
        return _ymd(*(int(part) for part in found.groups()), shown=text)
    if _SERIAL.fullmatch(text):
        return _from_number(float(text), epoch_1904=epoch_1904)
    raise ValueError(_unreadable(value))


def _from_number(value: int | float, *, epoch_1904: bool) -> date:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(_unreadable(value))
    whole = int(value)
    if value == whole and 19000101 <= whole < 22000101:
        return _ymd(whole // 10000, whole // 100 % 100, whole % 100, shown=str(whole))
    if whole not in _SERIALS:
        raise ValueError(_unreadable(whole if value == whole else value))
    return (_EPOCH_1904 if epoch_1904 else _EPOCH_1900) + timedelta(days=whole)


def _ymd(year: int, month: int, day: int, *, shown: str) -> date:
    try:
        return _checked(date(year, month, day), shown)
    except ValueError:
        raise ValueError(f"没有“{shown[:30]}”这一天。") from None


def _checked(found: date, shown: Any) -> date:
    if found.year not in _YEARS:
        raise ValueError(f"日期“{shown}”的年份不对。")
    return found


def _unreadable(value: Any) -> str:
    return f"无法识别日期“{str(value)[:30]}”，请写成 {DATE_FORMS}。"
