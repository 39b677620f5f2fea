"""The State Council's notice of a year's holidays: read from its words or from a table, and checked before it counts.

Pure: no database here. A notice may name days at the end of the year before (元旦 from 30 December on).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from core.text import clean_text

OFF, WORKED = "放假", "上班"
WEEKDAYS = "一二三四五六日"
# 全国年节及纪念日放假办法第二条. The library writes 农历除夕 for the day that the law gives to 春节.
STATUTORY = {"元旦": "元旦", "农历除夕": "春节", "春节": "春节", "清明节": "清明节", "劳动节": "劳动节",
             "端午节": "端午节", "中秋节": "中秋节", "国庆节": "国庆节"}  # fmt: skip
# How far before its year a notice reaches: 元旦 has begun on 30 December at the earliest, with a day worked before it.
EARLIEST = (12, 20)
FARTHEST = timedelta(days=30)

_NARROW = str.maketrans("０１２３４５６７８９（）：　；;", "0123456789(): 。。")
_DATE = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:\(([^()]*)\))?")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日|()(\d{1,2})月(\d{1,2})日")
_ROW = re.compile(rf"^(\S+?)[\s,，]+({OFF}|{WORKED})(?:[\s,，]+(\S+))?$")
_HEADING = re.compile(r"^\s*(?:[一二三四五六七八九十]+、|\d+[.、])?\s*([^\d:。;,()]{2,20}?):(.*)$", re.DOTALL)
_COUNT = re.compile(r"(?:共|放假)(\d{1,2})天")
_TO = re.compile(r"\s*(?:至|到|-|—|~)+\s*")
_WEEKDAY = re.compile(r"(?:星期|周)([一二三四五六日天])")


@dataclass
class NoticeRead:
    """What was read: days off and days worked with the names of their holidays, what was wrong or passed over."""

    holidays: dict[date, str] = field(default_factory=dict)
    makeup: dict[date, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def read_notice_text(text: str, *, year: int) -> NoticeRead:
    """The notice of `year` from its text (“春节：2月15日至23日放假调休，共9天。2月14日（星期六）上班。”) or from rows
    “2026-02-15 放假 春节”; both may stand together.

    Sums and weekdays that the text states are held against the calendar and become problems, in words that quote them.
    """
    found = NoticeRead()
    name = ""
    for number, line in enumerate(_plain(text).split("\n"), start=1):
        if not line.strip():
            continue
        row = _ROW.match(line.strip())
        if row and _ISO.fullmatch(row[1]):
            _read_row(row, year, number, found)
            continue
        for sentence in filter(str.strip, line.split("。")):
            heading = _HEADING.match(sentence)
            name = heading[1].strip() if heading else name
            _read_sentence((heading[2] if heading else sentence).strip(), name, year, number, found)
    return found


def _plain(text: str) -> str:
    """Half-width digits, brackets and colons; every other sign stays as the notice has it."""
    return clean_text(text).translate(_NARROW)


def _read_row(row: re.Match[str], year: int, number: int, found: NoticeRead) -> None:
    parts = [group for group in (_ISO.fullmatch(row[1]) or row).groups() if group is not None]
    when = _day(int(parts[0] or year), int(parts[1]), int(parts[2]))
    if when is None:
        found.problems.append(f"第 {number} 行：没有“{row[1][:20]}”这一天。")
        return
    _put(found, {when: row[3] or row[2]}, off=row[2] == OFF, number=number)


def _read_sentence(words: str, name: str, year: int, number: int, found: NoticeRead) -> None:
    if not _DATE.search(words):
        return
    off = OFF in words
    if off == (WORKED in words) or not name:
        found.ignored.append(words[:60])
        return
    where = f"第 {number} 行“{name}”"
    try:
        days = list(_days_in(words.split(OFF if off else WORKED)[0], year))
    except ValueError as error:
        found.problems.append(f"{where}：{error}")
        return
    _put(found, dict.fromkeys(days, name), off=off, number=number)
    claimed = _COUNT.search(words)
    if off and claimed and int(claimed[1]) != len(days):
        found.problems.append(f"{where}：写明共 {claimed[1]} 天，所列日期是 {len(days)} 天。")


def _put(found: NoticeRead, days: Mapping[date, str], *, off: bool, number: int) -> None:
    target = found.holidays if off else found.makeup
    twice = [day for day in days if day in target and target[day] != days[day]]
    if twice:
        found.problems.append(f"第 {number} 行：{_listed(twice)} 前面已经列为“{target[twice[0]]}”。")
    target.update({day: name for day, name in days.items() if day not in target})


def _days_in(words: str, year: int) -> Iterator[date]:
    """The days of “1月28日（农历除夕、周二）至2月4日” or “2月14日（周六）、2月28日（周六）”. Raises ValueError in words."""
    at, month, before = 0, 0, None
    for match in _DATE.finditer(words):
        month = int(match[2] or month)
        given = int(match[1]) if match[1] else None
        if before is not None and given is None and before.year < year and month < before.month:
            given = year
        day = _day(given or (before.year if before else year), month, int(match[3]))
        if day is None:
            raise ValueError(f"没有“{match[0]}”这一天。")
        joined = before is not None and _TO.fullmatch(words[at : match.start()])
        if before is not None and joined:
            if day < before and not given and before.month == 12 and month == 1:
                # 12月31日至1月2日: the first stands in the year before.
                raise ValueError(f"“{words[:30]}”跨年，请写明年份。")
            if day < before or day - before > FARTHEST:
                raise ValueError(f"“{words[:30]}”起止日期不对。")
            yield from (before + timedelta(days=n) for n in range(1, (day - before).days + 1))
        else:
            yield day
        _check_weekday(match, day)
        at, before = match.end(), day


def _check_weekday(match: re.Match[str], day: date) -> None:
    said = _WEEKDAY.search(match[4] or "")
    if said and said[1].replace("天", "日") != WEEKDAYS[day.weekday()]:
        raise ValueError(f"写明“{match[0]}”，{day.year}年的这一天是星期{WEEKDAYS[day.weekday()]}。")


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# --- checking ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def statutory_days(year: int) -> dict[date, str]:
    """The days that 全国年节及纪念日放假办法 gives to everybody, {day: holiday}, by the version of the law in force in
    that year (11 days until 2024, 13 since)."""
    import holidays

    found = {}
    for day, words in holidays.country_holidays("CN", years=year, language="zh_CN").items():
        names = [STATUTORY[name] for name in str(words).split("; ") if name in STATUTORY]
        if names:
            found[day] = "、".join(names)
    return found


def statutory_count(year: int) -> int:
    """Number of statutory days; two holidays on one day count twice, the second is made good for."""
    return sum(len(names.split("、")) for names in statutory_days(year).values())


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One holiday as the notice arranges it."""

    name: str
    days: tuple[date, ...]
    makeup: tuple[date, ...]

    @property
    def off(self) -> str:
        return spans(self.days)

    @property
    def worked(self) -> str:
        return "、".join(f"{day:%-m月%-d日}（星期{WEEKDAYS[day.weekday()]}）" for day in self.makeup)


@dataclass(frozen=True, slots=True)
class Checked:
    """`errors` forbid publishing; `notes` want a second look and forbid nothing."""

    errors: tuple[str, ...]
    notes: tuple[str, ...]
    arrangements: tuple[Arrangement, ...]


def check_notice(year: int, holidays: Mapping[date, str], makeup: Mapping[date, str]) -> Checked:
    """Hold a notice against the law and the calendar.

    Errors: no day off at all; days outside of the year; days both off and worked; worked days that are no weekend;
    statutory days missing; a holiday in pieces. Notes: names that the law does not know; days given and days worked
    that do not balance; worked days far from any holiday.
    """
    errors, notes = [], []
    if not holidays:
        errors.append("没有列出任何放假日期。")
    outside = [day for day in {*holidays, *makeup} if not _within(day, year)]
    both = set(holidays) & set(makeup)
    weekdays = [day for day in makeup if day.weekday() < 5]
    missing = {day: name for day, name in statutory_days(year).items() if day not in holidays}
    errors += [f"{_listed(outside)} 不在 {year} 年内。"] if outside else []
    errors += [f"{_listed(both)} 既列为放假又列为上班。"] if both else []
    errors += [f"{_listed(weekdays)} 不是周末，不能列为调休上班。"] if weekdays else []
    if holidays:
        errors += [f"缺少法定节假日：{day:%-m月%-d日}（{name}）。" for day, name in sorted(missing.items())]
    errors += [f"“{name}”的放假日期不连续：{_listed(days)}。" for name, days in _broken(holidays)]
    known = set(STATUTORY.values())
    unknown = sorted({name for name in holidays.values() if not set(name.split("、")) <= known})
    notes += [f"“{'、'.join(unknown)}”不是法定节假日，请核对名称。"] if unknown else []
    taken = sum(day.weekday() < 5 for day in holidays)
    given = statutory_count(year) + len(makeup)
    if not errors and taken != given:
        notes.append(
            f"占用的工作日 {taken} 天，法定节假日与调休上班合计 {given} 天，通常相等，请与通知原文再核对一遍。"
        )
    far = [day for day in makeup if holidays and min(abs(day - off) for off in holidays) > FARTHEST]
    notes += [f"{_listed(far)} 上班，离最近的假期超过 30 天。"] if far else []
    return Checked(tuple(errors), tuple(notes), arrangements(holidays, makeup))


def _within(day: date, year: int) -> bool:
    return day.year == year or (day.year == year - 1 and (day.month, day.day) >= EARLIEST)


def _broken(holidays: Mapping[date, str]) -> list[tuple[str, list[date]]]:
    """Holidays with a worked day between their days; a weekend or another holiday between them is none."""
    found = []
    for name in dict.fromkeys(holidays.values()):
        days = sorted(day for day in holidays if holidays[day] == name)
        whole = (days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days))
        if any(day not in holidays and day.weekday() < 5 for day in whole):
            found.append((name, days))
    return found


def arrangements(holidays: Mapping[date, str], makeup: Mapping[date, str]) -> tuple[Arrangement, ...]:
    """Holidays in the order of their days, each with the days that are worked for it."""
    names = list(dict.fromkeys(holidays[day] for day in sorted(holidays)))
    rest = [name for name in dict.fromkeys(makeup[day] for day in sorted(makeup)) if name not in names]
    return tuple(
        Arrangement(
            name,
            tuple(sorted(day for day in holidays if holidays[day] == name)),
            tuple(sorted(day for day in makeup if makeup[day] == name)),
        )
        for name in names + rest
    )


def _listed(days: Sequence[date] | set[date]) -> str:
    words = [f"{day:%-m月%-d日}" for day in sorted(days)]
    return "、".join(words[:6]) + (f"等 {len(words)} 天" if len(words) > 6 else "")


# --- writing -----------------------------------------------------------------------------------------------------


def as_table(holidays: Mapping[date, str], makeup: Mapping[date, str]) -> str:
    """Day by day, one row each, as `read_notice_text` reads it back."""
    rows = [(day, OFF, name) for day, name in holidays.items()] + [(day, WORKED, name) for day, name in makeup.items()]
    return "\n".join(f"{day:%Y-%m-%d} {what} {name}" for day, what, name in sorted(rows))


def digest(holidays: Mapping[date, str], makeup: Mapping[date, str]) -> str:
    """Tells whether what is published is what was looked at."""
    return hashlib.sha256(as_table(holidays, makeup).encode()).hexdigest()[:32]


def spans(days: Sequence[date]) -> str:
    """“2月15日至23日”; runs of days that follow each other, the year where it is another than that of the last day."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    last = max(days).year if days else 0
    return "、".join(_span(run[0], run[-1], last) for run in runs)


def _span(first: date, last: date, year: int) -> str:
    start = f"{first:%-m月%-d日}" if first.year == year else f"{first:%Y年%-m月%-d日}"
    if first == last:
        return start
    same = (first.year, first.month) == (last.year, last.month)
    return f"{start}至{last:%-d日}" if same else f"{start}至{last:%-m月%-d日}"
