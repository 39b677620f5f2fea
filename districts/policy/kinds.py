"""The types a policy value may have: each parses what a file or the database holds, words it, and says what it allows.

`parse` returns the value in its Python form (Decimal, int, bool, str, date, tuple, dict) or None after reporting why
not. `plain` turns that back into what JSON and YAML can hold; `parse(plain(value))` is the same value again.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from districts.policy.problems import Report

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _shown(raw: Any) -> str:
    """A raw value as an error message may quote it: short, and never a secret of Python's."""
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:40] + "…"


# What the pack calls its own codes (role types, indicators), for wording tables that refer to them.
Names = Mapping[str, str]
NO_NAMES: Names = MappingProxyType({})


class Kind:
    """Base of all value types."""

    def parse(self, raw: Any, path: str, report: Report) -> Any:
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        return value

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return str(value)

    def allowed(self) -> str:
        raise NotImplementedError

    def refuse(self, raw: Any, path: str, report: Report) -> None:
        report.add(path, "不能为空" if raw is None else f"值“{_shown(raw)}”类型或范围不对", self.allowed())


@dataclass(frozen=True)
class Number(Kind):
    """A decimal; `whole` refuses fractions and gives an int. Bounds are inclusive; `percent` words 0.3 as 30%."""

    minimum: Decimal | int = 0
    maximum: Decimal | int = 1_000_000
    whole: bool = False
    percent: bool = False

    def parse(self, raw: Any, path: str, report: Report) -> Decimal | int | None:
        number = self._number(raw)
        if number is None or not self.minimum <= number <= self.maximum:
            self.refuse(raw, path, report)
            return None
        return int(number) if self.whole else number

    def _number(self, raw: Any) -> Decimal | None:
        if isinstance(raw, bool) or not isinstance(raw, (int, str, Decimal, float)):
            return None
        # Text is accepted for decimals alone: JSON rows hold "0.3" so that no float ever rounds a ratio.
        if isinstance(raw, str) and (self.whole or not re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", raw)):
            return None
        try:
            number = Decimal(str(raw))
        except InvalidOperation:
            return None
        if not number.is_finite() or (self.whole and number != number.to_integral_value()):
            return None
        return number

    def plain(self, value: Any) -> Any:
        return value if self.whole else str(value)

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        if self.percent:
            return f"{tidy(value * 100)}%"
        return tidy(Decimal(value))

    def allowed(self) -> str:
        noun = "整数" if self.whole else "数字"
        return f"{self.minimum} 到 {self.maximum} 之间的{noun}"


def tidy(number: Decimal) -> str:
    """A decimal without trailing zeros or exponent: 30.0 → 30, 0.50 → 0.5."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Flag(Kind):
    yes: str = "是"
    no: str = "否"

    def parse(self, raw: Any, path: str, report: Report) -> bool | None:
        if isinstance(raw, bool):
            return raw
        self.refuse(raw, path, report)
        return None

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return self.yes if value else self.no

    def allowed(self) -> str:
        return f"true（{self.yes}）或 false（{self.no}）"


@dataclass(frozen=True)
class Choice(Kind):
    options: Mapping[str, str]

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and raw in self.options:
            return raw
        self.refuse(raw, path, report)
        return None

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return self.options[value]

    def allowed(self) -> str:
        return "、".join(f"{code}（{label}）" for code, label in self.options.items())


@dataclass(frozen=True)
class Text(Kind):
    longest: int = 300

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and raw.strip() and len(raw) <= self.longest and not _CONTROL.search(raw):
            return raw.strip()
        self.refuse(raw, path, report)
        return None

    def allowed(self) -> str:
        return f"不超过 {self.longest} 字的文字"


@dataclass(frozen=True)
class Code(Kind):
    """A short identifier inside the pack, such as the code of a role type; worded by what the pack calls it."""

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,39}", raw):
            return raw
        self.refuse(raw, path, report)
        return None

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return names.get(value, value)

    def allowed(self) -> str:
        return "小写字母开头的代码（字母、数字、下划线）"


@dataclass(frozen=True)
class Day(Kind):
    """A calendar date, 2021-06-01."""

    def parse(self, raw: Any, path: str, report: Report) -> dt.date | None:
        if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
            return raw
        if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
            try:
                return dt.date.fromisoformat(raw)
            except ValueError:
                report.add(path, f"日期“{raw}”不存在", self.allowed())
                return None
        self.refuse(raw, path, report)
        return None

    def plain(self, value: Any) -> Any:
        return value.isoformat()

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return f"{value.year}年{value.month}月{value.day}日"

    def allowed(self) -> str:
        return "形如 2021-06-01 的日期"


@dataclass(frozen=True)
class Month(Kind):
    """A month of a year, 2021-11."""

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and re.fullmatch(r"(19|20)\d{2}-(0[1-9]|1[0-2])", raw):
            return raw
        self.refuse(raw, path, report)
        return None

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        year, month = value.split("-")
        return f"{year}年{int(month)}月"

    def allowed(self) -> str:
        return "形如 2021-11 的年月"


@dataclass(frozen=True)
class MonthDay(Kind):
    """A date that returns every year, 03-31."""

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and re.fullmatch(r"\d{2}-\d{2}", raw):
            try:
                # A leap year, so that 02-29 is refused only where no year has it.
                dt.date.fromisoformat(f"2024-{raw}")
                return raw
            except ValueError:
                pass
        self.refuse(raw, path, report)
        return None

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        month, day = value.split("-")
        return f"每年{int(month)}月{int(day)}日"

    def allowed(self) -> str:
        return "形如 03-31 的月日"


@dataclass(frozen=True)
class Items(Kind):
    """A list without repetitions, at least one entry."""

    item: Kind
    most: int = 60

    def parse(self, raw: Any, path: str, report: Report) -> tuple[Any, ...] | None:
        if not isinstance(raw, (list, tuple)) or not 1 <= len(raw) <= self.most:
            self.refuse(raw, path, report)
            return None
        before = len(report.problems)
        values = tuple(self.item.parse(entry, f"{path}[{index}]", report) for index, entry in enumerate(raw))
        if len(report.problems) > before:
            return None
        if len({json.dumps(self.item.plain(value), sort_keys=True) for value in values}) < len(values):
            report.add(path, "列表中有重复项", "每项只出现一次")
            return None
        return values

    def plain(self, value: Any) -> Any:
        return [self.item.plain(entry) for entry in value]

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return "、".join(self.item.display(entry, names) for entry in value)

    def allowed(self) -> str:
        return f"1 到 {self.most} 项的列表，每项为{self.item.allowed()}"


@dataclass(frozen=True)
class Field:
    """One column of a table or one member of a struct."""

    label: str
    kind: Kind
    required: bool = True
    suffix: str = ""
    # A code that only other values refer to: readers are shown the title beside it.
    hidden: bool = False


Check = Callable[[dict[str, Any], str, Report], None]


@dataclass(frozen=True)
class Struct(Kind):
    """Named members; unknown ones are refused."""

    fields: Mapping[str, Field]
    check: Check | None = None

    def parse(self, raw: Any, path: str, report: Report) -> dict[str, Any] | None:
        if not isinstance(raw, Mapping):
            self.refuse(raw, path, report)
            return None
        before = len(report.problems)
        for name in raw:
            if name not in self.fields:
                report.add(f"{path}.{name}", f"未知字段“{_shown(name)}”", "、".join(self.fields))
        value = {}
        for name, field in self.fields.items():
            if raw.get(name) is None:
                if field.required:
                    report.add(f"{path}.{name}", f"缺少“{field.label}”", field.kind.allowed())
                continue
            value[name] = field.kind.parse(raw[name], f"{path}.{name}", report)
        if len(report.problems) == before and self.check is not None:
            self.check(value, path, report)
        return value if len(report.problems) == before else None

    def plain(self, value: Any) -> Any:
        return {name: self.fields[name].kind.plain(member) for name, member in value.items()}

    def cells(self, value: Mapping[str, Any], names: Names = NO_NAMES) -> list[str]:
        """The members worded, one per field in the order of the fields; "" where absent."""
        return [
            field.kind.display(value[name], names) + field.suffix if name in value else ""
            for name, field in self.fields.items()
        ]

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        pairs = zip(self.fields.values(), self.cells(value, names), strict=True)
        return "；".join(f"{field.label}：{cell}" for field, cell in pairs if cell)

    def allowed(self) -> str:
        return "含以下字段的对象：" + "、".join(f"{name}（{field.label}）" for name, field in self.fields.items())


@dataclass(frozen=True)
class Table(Kind):
    """Rows of one struct; `unique` names the fields that together may not repeat."""

    row: Struct
    unique: tuple[str, ...] = ()
    most: int = 100
    check: Callable[[tuple[dict[str, Any], ...], str, Report], None] | None = None

    def parse(self, raw: Any, path: str, report: Report) -> tuple[dict[str, Any], ...] | None:
        if not isinstance(raw, (list, tuple)) or not 1 <= len(raw) <= self.most:
            self.refuse(raw, path, report)
            return None
        before = len(report.problems)
        parsed = [self.row.parse(entry, f"{path}[{index}]", report) for index, entry in enumerate(raw)]
        if len(report.problems) > before:
            return None
        rows = tuple(row for row in parsed if row is not None)
        seen: set[tuple[Any, ...]] = set()
        for index, row in enumerate(rows):
            key = tuple(row.get(name) for name in self.unique)
            if self.unique and key in seen:
                report.add(f"{path}[{index}]", f"“{'/'.join(str(part) for part in key)}”重复", "每项只写一行")
            seen.add(key)
        if len(report.problems) == before and self.check is not None:
            self.check(rows, path, report)
        return rows if len(report.problems) == before else None

    def plain(self, value: Any) -> Any:
        return [self.row.plain(row) for row in value]

    def _columns(self, value: Any) -> list[int]:
        """The columns that a reader sees: not hidden, and filled by some row."""
        fields = enumerate(self.row.fields.items())
        return [i for i, (name, field) in fields if not field.hidden and any(name in row for row in value)]

    def headings(self, value: Any) -> list[str]:
        """Labels of the columns under which `grid` has its cells."""
        fields = list(self.row.fields.values())
        return [fields[index].label for index in self._columns(value)]

    def grid(self, value: Any, names: Names = NO_NAMES) -> list[list[str]]:
        """The worded cells under `headings`; "" where a row has none."""
        columns = self._columns(value)
        return [[self.row.cells(row, names)[index] for index in columns] for row in value]

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        fields = list(self.row.fields.values())
        columns = self._columns(value)
        lines = []
        for row in value:
            cells = self.row.cells(row, names)
            # A bare measure says nothing ("30 天"); its column names it ("期限 30 天").
            words = [f"{fields[i].label} {cells[i]}" if fields[i].suffix else cells[i] for i in columns if cells[i]]
            lines.append("，".join(words))
        return "；".join(lines)

    def allowed(self) -> str:
        return "表格，每行为" + self.row.allowed()
