"""One spreadsheet row → one log or the reasons why not. Pure: everything to look up comes in as `Lookups`."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.imports.cells import name_key, tail_key, word_key, yes_or_no
from core.imports.outcomes import Outcome
from core.spreadsheets import Row
from core.spreadsheets.reader import cell_text
from core.text import parse_date
from districts.services.lineage import name_on
from planners.services.assignments import ServicePeriod
from worklogs.models import WorkLog

from .entries import SHORTEST_CONTENT, out_of_term

DATE, PLANNER, TAIL, UNIT, SLOT, KIND, CONTENT, MET, PLACE, PROJECT, SOURCE = COLUMNS = (
    "日期",
    "规划师",
    "证件号后四位",
    "责任单元",
    "时段",
    "工作类别",
    "内容",
    "会见负责人",
    "地点",
    "项目编号",
    "来源编号",
)
REQUIRED = (DATE, PLANNER, UNIT, SLOT, KIND, CONTENT)

_SLOTS = {label: value for value, label in WorkLog.Slot.choices}
_KINDS = {label: value for value, label in WorkLog.Kind.choices}
# Ends of place names that people leave out when they type.
_TAILS = ("街道办事处", "地区办事处", "街道", "地区", "镇", "乡", "开发区", "园区", "组团", "片区")


@dataclass(frozen=True, slots=True)
class PlannerRow:
    pk: int
    name: str
    tail: str
    locality_id: int


@dataclass(frozen=True, slots=True)
class ChargeRow:
    pk: int
    name: str
    locality_id: int


@dataclass(slots=True)
class Lookups:
    """What a file's rows are matched with, loaded before the first row is read."""

    today: date
    planners: Mapping[str, Sequence[PlannerRow]]
    charges: Mapping[str, Sequence[ChargeRow]]
    # A locality with the one above it and those below: where a planner of its units may be registered.
    families: Mapping[int, frozenset[int]]
    periods: Mapping[tuple[int, int], Sequence[ServicePeriod]]
    projects: Mapping[str, tuple[int, int]]
    closed: set[tuple[int, date]]
    # What a unit came from and became: a row belongs to whichever there was on its day.
    kin: Mapping[int, Sequence[ChargeRow]] = field(default_factory=dict)
    # For charges that were renamed: first day of the new name, and the name before it.
    renamed: Mapping[int, Sequence[tuple[date, str]]] = field(default_factory=dict)


def charge_keys(names: Iterable[ChargeRow], former: Iterable[tuple[str, ChargeRow]] = ()) -> dict[str, list[ChargeRow]]:
    """Charges by full name, present or former, and by the name without its ending where that is nobody's full name."""
    full: dict[str, list[ChargeRow]] = defaultdict(list)
    short: dict[str, list[ChargeRow]] = defaultdict(list)
    for row in names:
        key = name_key(row.name)
        full[key].append(row)
        for tail in _TAILS:
            if key.endswith(tail) and len(key) - len(tail) >= 2:
                short[key.removesuffix(tail)].append(row)
                break
    for name, row in former:
        if row not in full[name_key(name)]:
            full[name_key(name)].append(row)
    for key, rows in short.items():
        full.setdefault(key, rows)
    return dict(full)


class RowReader:
    """Reads rows one after the other; remembers nothing between them."""

    def __init__(self, lookups: Lookups) -> None:
        self.lookups = lookups
        # A column of dates has few different ones; a refusal is kept in its words.
        self._dates: dict[str, date | str] = {}

    def read(self, row: Row) -> Outcome:
        """Every fault of the row is named, not just the first."""
        outcome = Outcome(row.number)
        cells = row.cells
        values = {column: cells[column] or "" for column in COLUMNS}
        values[DATE] = cell_text(cells[DATE])
        for column, reason in row.errors.items():
            outcome.refuse(column, "", reason)
        for column in REQUIRED:
            if not values[column] and column not in row.errors:
                outcome.refuse(column, "", f"“{column}”不能为空。")
        on = self._date(outcome, cells[DATE], values[DATE])
        people = self._named(outcome, values)
        charge = self._charge(outcome, values[UNIT], people)
        planner = self._planner(outcome, values, people, charge)
        self._words(outcome, values)
        self._project(outcome, values[PROJECT], charge)
        if on is not None and planner is not None and charge is not None:
            self._term(outcome, on, planner, charge, values)
        return outcome

    def _date(self, outcome: Outcome, raw: Any, text: str) -> date | None:
        if not text:
            return None
        if text not in self._dates:
            try:
                self._dates[text] = parse_date(raw)
            except ValueError as exc:
                self._dates[text] = str(exc)
        found = self._dates[text]
        if isinstance(found, str):
            outcome.refuse(DATE, text, found)
            return None
        if found > self.lookups.today:
            outcome.refuse(DATE, text, "日期不能晚于今天。")
            return None
        outcome.fields["date"] = found
        return found

    def _named(self, outcome: Outcome, values: Mapping[str, str]) -> list[PlannerRow]:
        """Everybody of that name, and of that identity tail when one is given."""
        name, tail = values[PLANNER], unicodedata.normalize("NFKC", values[TAIL]).strip().upper()
        if not name:
            return []
        found = list(self.lookups.planners.get(name_key(name), ()))
        if not found:
            outcome.refuse(PLANNER, name, "没有登记这位规划师，请核对姓名。")
        if not found or not tail:
            return found
        matching = [p for p in found if p.tail.upper() == tail_key(tail)]
        if not matching:
            outcome.refuse(TAIL, tail, f"与登记的“{name}”的证件号后四位不符。")
        return matching

    def _charge(self, outcome: Outcome, name: str, people: Sequence[PlannerRow]) -> ChargeRow | None:
        if not name:
            return None
        found = list(self.lookups.charges.get(name_key(name), ()))
        if len(found) > 1:
            # Two counties may have a town of one name: the one that the planner serves is meant.
            served = [row for row in found if any((p.pk, row.pk) in self.lookups.periods for p in people)]
            found = served if len(served) == 1 else found
        if len(found) != 1:
            reason = "没有这个责任单元（项目），请核对名称。"
            if found:
                names = "、".join(sorted(row.name for row in found)[:5])
                reason = f"有 {len(found)} 个责任单元（项目）与此名称相符（{names}），请写全称或指定地方。"
            outcome.refuse(UNIT, name, reason)
            return None
        charge = found[0]
        outcome.fields.update(charge_id=charge.pk, locality_id=charge.locality_id, charge_name=charge.name)
        return charge

    def _planner(
        self, outcome: Outcome, values: Mapping[str, str], people: Sequence[PlannerRow], charge: ChargeRow | None
    ) -> PlannerRow | None:
        if not people:
            return None
        if charge is not None and len(people) > 1:
            home = self.lookups.families[charge.locality_id]
            near = [p for p in people if p.locality_id in home or (p.pk, charge.pk) in self.lookups.periods]
            people = near or people
        if len(people) > 1:
            more = "证件号后四位也相同，请联系分局核对登记" if values[TAIL] else "请填写证件号后四位加以区分"
            outcome.refuse(PLANNER, values[PLANNER], f"有 {len(people)} 位同名的规划师，{more}。")
            return None
        outcome.fields["planner_id"] = people[0].pk
        return people[0]

    def _words(self, outcome: Outcome, values: Mapping[str, str]) -> None:
        self._choice(outcome, SLOT, values[SLOT], _SLOTS, "slot")
        self._choice(outcome, KIND, values[KIND], _KINDS, "kind")
        met = yes_or_no(values[MET])
        if met is None:
            outcome.refuse(MET, values[MET], "只能填“是”或“否”。")
        outcome.fields["met_principal"] = bool(met)
        content = values[CONTENT]
        if content and len(content) < SHORTEST_CONTENT:
            outcome.refuse(CONTENT, content, "请写明做了什么。")
        for column, name, longest in ((CONTENT, "content", 2000), (PLACE, "place", 200), (SOURCE, "source_number", 60)):
            if len(values[column]) > longest:
                outcome.refuse(column, values[column], f"不能超过 {longest} 字（现有 {len(values[column])} 字）。")
            outcome.fields[name] = values[column]

    def _choice(self, outcome: Outcome, column: str, value: str, allowed: Mapping[str, str], name: str) -> None:
        key = word_key(value)
        if value and key not in allowed:
            outcome.refuse(column, value, f"只能填：{'、'.join(allowed)}。")
        outcome.fields[name] = allowed.get(key, "")

    def _project(self, outcome: Outcome, number: str, charge: ChargeRow | None) -> None:
        outcome.fields["project_id"] = None
        if not number:
            return
        found = self.lookups.projects.get(number)
        if found is None:
            outcome.refuse(PROJECT, number, "本地方没有这个编号的项目。")
        elif charge is not None and found[1] != charge.locality_id:
            outcome.refuse(PROJECT, number, "该项目不属于责任单元（项目）所在的地方。")
        else:
            outcome.fields["project_id"] = found[0]

    def _term(
        self, outcome: Outcome, on: date, planner: PlannerRow, charge: ChargeRow, values: Mapping[str, str]
    ) -> None:
        charge = self._of_its_day(outcome, on, planner, charge)
        periods = self.lookups.periods.get((planner.pk, charge.pk), ())
        period = next((p for p in periods if p.holds(on)), None)
        if period is None:
            column = DATE if periods else UNIT
            outcome.refuse(column, values[column], out_of_term(charge.name, periods))
            return
        if (charge.pk, on.replace(day=1)) in self.lookups.closed:
            outcome.refuse(DATE, values[DATE], "该月已锁定，不能导入；如需补报请由规划师在系统中说明原因。")
            return
        outcome.fields["contract_id"] = period.contract_id

    def _of_its_day(self, outcome: Outcome, on: date, planner: PlannerRow, charge: ChargeRow) -> ChargeRow:
        """The unit that there was on the day, under its name of that day; the one named where service says nothing."""
        kin = self.lookups.kin.get(charge.pk, (charge,))
        served = [row for row in kin if any(p.holds(on) for p in self.lookups.periods.get((planner.pk, row.pk), ()))]
        if charge not in served and len(served) == 1:
            charge = served[0]
        name = name_on(on, charge.name, self.lookups.renamed.get(charge.pk, ()))
        outcome.fields.update(charge_id=charge.pk, locality_id=charge.locality_id, charge_name=name)
        return charge
