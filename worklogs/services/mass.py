"""Counting by the database: one statement for each combination of rules gives the atoms of every subject and month.

The statement counts exactly what `worklogs.tally.counting` counts; a test compares them over random logs and every
combination. Same SQL on PostgreSQL and SQLite but for how the members come in.
"""

# The statement is put together from constants of this module alone; every value goes in as a parameter.
# ruff: noqa: S608

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, transaction

from core.models import CalendarDay
from core.workdays import CalendarGap
from worklogs.tally import Atoms, Rules, Subject
from worklogs.tally.rules import KINDS, MEMBERS, NON_WORKDAYS

_MEMBERS = "worklogs_tally_member"


class Combination(NamedTuple):
    """What changes the statement. Rules that change arithmetic alone are applied to the atoms afterwards.

    `each`: members of a day are counted apart too. `rest`: workdays and others are told apart. `kinds`: of visits,
    None for all. `several`: a subject may serve several charges.
    """

    confirmed_only: bool
    each: bool
    rest: bool
    kinds: tuple[str, ...] | None
    several: bool


def combination_of(rules: Rules, subject: Subject) -> Combination:
    members, kinds = rules.get(MEMBERS), rules.get(KINDS)
    several_people = len({m.planner_id for m in subject.members}) > 1
    several_charges = len({m.charge_id for m in subject.members}) > 1
    if several_people and several_charges:
        raise ValueError("a subject is one person or stands at one charge")
    return Combination(
        confirmed_only=rules.needs_confirmation,
        each=several_people and members != "one",
        rest=rules.get(NON_WORKDAYS) is not True,
        kinds=None if kinds is None else tuple(sorted(kinds)),
        several=several_charges,
    )


def count_atoms(subjects: Sequence[tuple[Subject, Rules]], year: int) -> list[dict[int, Atoms]]:
    """The atoms of each subject, in the order given. Raises CalendarGap for work on a day the calendar lacks."""
    groups: dict[Combination, list[int]] = defaultdict(list)
    for number, (subject, rules) in enumerate(subjects):
        groups[combination_of(rules, subject)].append(number)
    found: list[dict[int, Atoms]] = [{} for _ in subjects]
    for combination, numbers in groups.items():
        members = [
            (number, subjects[number][0].contract_id, *member)
            for number in numbers
            for member in subjects[number][0].members
        ]
        for number, month, gap, *counts in _rows(combination, members, year):
            if gap:
                raise CalendarGap(gap if isinstance(gap, date) else date.fromisoformat(gap))
            atoms = Atoms(*map(int, counts))
            if not combination.each:
                # One person (or a rule that makes members one): both ways of counting are the same.
                atoms = atoms._replace(
                    each_work_half=atoms.one_work_half, each_work_full=atoms.one_work_full,
                    each_rest_half=atoms.one_rest_half, each_rest_full=atoms.one_rest_full,
                )  # fmt: skip
            found[number][int(month)] = atoms
    return found


def _rows(combination: Combination, members: Sequence[tuple[Any, ...]], year: int) -> list[tuple[Any, ...]]:
    if not members:
        return []
    sql, params = statement(combination, year)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FROM_ARRAYS + sql, [*map(list, zip(*members, strict=True)), *params])
            return cursor.fetchall()
        # The temporary table lives as long as the connection: emptied before, not dropped after.
        with transaction.atomic():
            _fill_members(cursor, members)
            cursor.execute(f"WITH members AS (SELECT * FROM {_MEMBERS})" + sql, params)
            return cursor.fetchall()


_FROM_ARRAYS = (
    "WITH members AS (SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::date[])"
    " AS m(subject, contract_id, planner_id, charge_id, first, last))"
)


def _fill_members(cursor: Any, members: Iterable[Sequence[Any]]) -> None:
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_MEMBERS}"
        " (subject integer, contract_id integer, planner_id integer, charge_id integer, first text, last text)"
    )
    cursor.execute(f"DELETE FROM {_MEMBERS}")
    cursor.executemany(
        f"INSERT INTO {_MEMBERS} VALUES (%s, %s, %s, %s, %s, %s)",
        [(*row[:4], row[4].isoformat(), row[5].isoformat()) for row in members],
    )


# What is true of an entry, as bits, so that one aggregate unites them: its halves, is it a visit, principal met.
HALVES, VISIT, MET = 3, 4, 8


def _united() -> str:
    if connection.vendor == "postgresql":
        return "BIT_OR(flags)"
    return " + ".join(f"MAX(flags & {bit})" for bit in (1, 2, VISIT, MET))


def statement(combination: Combination, year: int) -> tuple[str, list[Any]]:
    """The rest of the statement after `members`, with its parameters: rows of (subject, month, gap, twelve counts).

    entries (a log of a member in service) → apart (each member, or each charge, of a day) → days → months.
    """
    kinds = "TRUE" if combination.kinds is None else f"l.kind IN ({', '.join(['%s'] * len(combination.kinds))})"
    flags = f"""CASE l.slot WHEN 'am' THEN 1 WHEN 'pm' THEN 2 ELSE 3 END
         + CASE WHEN {kinds} THEN {VISIT} ELSE 0 END + CASE WHEN l.met_principal THEN {MET} ELSE 0 END"""
    logs = "1"
    if combination.confirmed_only:
        # What waits is counted as waiting and as nothing else.
        flags = f"CASE WHEN l.state = 'confirmed' THEN {flags} ELSE 0 END"
        logs = "CASE WHEN l.state = 'confirmed' THEN 1 ELSE 0 END"
    apart = {(True, False): ", l.planner_id AS apart", (False, True): ", l.charge_id AS apart"}.get(
        (combination.each, combination.several), ""
    )
    entries = f"""
, entries AS (
  SELECT m.subject, l.date{apart}, {flags} AS flags, {logs} AS logs,
         CASE WHEN l.state = 'submitted' THEN 1 ELSE 0 END AS waiting
  FROM worklogs_worklog l JOIN members m ON m.contract_id = l.contract_id AND m.planner_id = l.planner_id
       AND m.charge_id = l.charge_id AND l.date >= m.first AND l.date <= m.last
  WHERE l.state IN ('submitted', 'confirmed') AND l.superseded_by_id IS NULL AND l.date >= %s AND l.date <= %s
)"""
    months, calendar = _months(combination, year)
    span = [date(year, 1, 1), date(year, 12, 31)]
    return entries + _days(combination) + months, [*(combination.kinds or ()), *span, *calendar]


def _days(combination: Combination) -> str:
    """One row for each date of a subject: its flags, visits, entries, and the members that were there."""
    visit, met = f"CASE WHEN flags & {VISIT} > 0 THEN 1 ELSE 0 END", f"flags & {VISIT + MET} = {VISIT + MET}"
    if not (combination.each or combination.several):
        return f"""
, days AS (
  SELECT subject, date, {_united()} AS flags, SUM(logs) AS logs, SUM(waiting) AS waiting
  FROM entries GROUP BY subject, date
)"""
    places = f", SUM({visit}) AS visits, COUNT(*) FILTER (WHERE {met}) AS visits_met" if combination.several else ""
    return f"""
, each_apart AS (
  SELECT subject, date, {_united()} AS flags, SUM(logs) AS logs, SUM(waiting) AS waiting
  FROM entries GROUP BY subject, date, apart
)
, days AS (
  SELECT subject, date, {_united()} AS flags, SUM(logs) AS logs, SUM(waiting) AS waiting,
         COUNT(*) FILTER (WHERE flags & {HALVES} IN (1, 2)) AS each_half,
         COUNT(*) FILTER (WHERE flags & {HALVES} = {HALVES}) AS each_full{places}
  FROM each_apart GROUP BY subject, date
)"""


def _marked(year: int) -> tuple[str, list[Any]]:
    """The days, each with whether it is worked; `known` is false where the calendar lacks the date.

    PostgreSQL gets the workdays as an array, which it hashes: a join would be planned for one row and cost as much as
    the counting.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    if connection.vendor != "postgresql":
        return (
            """
, marked AS (
  SELECT d.*, COALESCE(c.is_workday, FALSE) AS worked, c.date IS NOT NULL AS known
  FROM days d LEFT JOIN core_calendarday c ON c.date = d.date
)""",
            [],
        )
    calendar = dict(CalendarDay.objects.filter(date__range=(first, last)).values_list("date", "is_workday"))
    known = "TRUE" if len(calendar) == (last - first).days + 1 else "d.date = ANY(%s::date[])"
    params = [[day for day, worked in calendar.items() if worked], *([list(calendar)] if known != "TRUE" else [])]
    return f"\n, marked AS (SELECT d.*, d.date = ANY(%s::date[]) AS worked, {known} AS known FROM days d)", params


def _months(combination: Combination, year: int) -> tuple[str, list[Any]]:
    """The twelve counts of `Atoms`, with parameters; without rest days to tell apart every day stands under work."""
    postgres = connection.vendor == "postgresql"
    month = "date_part('month', d.date)::int" if postgres else "CAST(strftime('%%m', d.date) AS integer)"
    sides, gap = ("TRUE", ""), "NULL"
    marked, params = ("", []) if not combination.rest else _marked(year)
    if combination.rest:
        sides = ("d.worked", "NOT d.worked")
        gap = f"MIN(CASE WHEN NOT d.known AND d.flags & {HALVES} > 0 THEN d.date END)"
    one, each = [], []
    for side in sides:
        for length, test in (("half", "IN (1, 2)"), ("full", f"= {HALVES}")):
            one.append(f"COUNT(*) FILTER (WHERE d.flags & {HALVES} {test} AND {side})" if side else "0")
            counted = side and combination.each
            each.append(f"COALESCE(SUM(d.each_{length}) FILTER (WHERE {side}), 0)" if counted else "0")
    visits = ["SUM(d.visits)", "SUM(d.visits_met)"]
    if not combination.several:
        wanted = (f"d.flags & {VISIT} > 0", f"d.flags & {VISIT + MET} = {VISIT + MET}")
        visits = [f"COUNT(*) FILTER (WHERE {test})" for test in wanted]
    counts = ", ".join([*one, *each, *visits, "SUM(d.logs)", "SUM(d.waiting)"])
    table = "marked" if combination.rest else "days"
    return f"{marked}\nSELECT d.subject, {month}, {gap}, {counts}\nFROM {table} d GROUP BY d.subject, {month}", params
