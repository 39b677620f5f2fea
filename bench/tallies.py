"""The recount of a year against one raw statement that gives the same days, and that they are the same."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from bench import data
from bench.report import Figure, by_turns, told
from districts.models import Locality
from planners.models import Contract
from worklogs.figure_tables import light
from worklogs.models import DutyFigure
from worklogs.services.figures import recount_year
from worklogs.services.subjects import policy_of
from worklogs.tally import rules as keys
from worklogs.tally.rules import Rules

ROUNDS = 5
JSONB = 3802  # its number among the types of PostgreSQL
# Every generated contract is one person at one unit: the days of a contract are the days of its subject.
RAW = """
WITH rule (locality_id, confirmed_only, rest_days, half) AS (VALUES {rules})
SELECT d.contract_id, SUM(CASE WHEN d.halves = 3 THEN 1 ELSE r.half END) AS days
FROM (
  SELECT contract_id, locality_id, date, BIT_OR(CASE slot WHEN 'am' THEN 1 WHEN 'pm' THEN 2 ELSE 3 END) AS halves
  FROM worklogs_worklog l JOIN rule r USING (locality_id)
  WHERE date BETWEEN %s AND %s AND superseded_by_id IS NULL
    AND (state = 'confirmed' OR state = 'submitted' AND NOT r.confirmed_only)
  GROUP BY contract_id, locality_id, date
) d
JOIN rule r USING (locality_id)
JOIN core_calendarday c ON c.date = d.date
WHERE r.rest_days OR c.is_workday
GROUP BY d.contract_id
"""


def measure(today: date) -> list[Figure]:
    year = today.year - 1
    with told(f"{year} 年重算"):
        spent = by_turns(
            {
                "anew": lambda: recount_year(year=year, today=today),
                "unchanged": lambda: recount_year(year=year, today=today),
                "raw": lambda: raw_days(year, today),
            },
            rounds=ROUNDS,
            before={"anew": lambda: _forget(year)},
        )
    compared = compare(year, today)
    here = Locality.objects.values_list("pk", flat=True).get(code=data.viewer_code())
    with told("读取"):
        select = _kept(year, here).query.sql_with_params()
        kept = by_turns({"orm": lambda: list(_kept(year, here)), "raw": lambda: _read_raw(*select)}, rounds=40, times=5)
    return [
        Figure(
            "年度统计重算（结果未变） / 一条 SQL",
            spent["unchanged"],
            spent["raw"],
            "s",
            2,
            note=f"{compared:,} 份合同的天数逐一相等",
        ),
        Figure(
            "年度统计重算（每行都改写） / 一条 SQL",
            spent["anew"],
            spent["raw"],
            "s",
            note="仅供参考：另含逐行写入，平时只写入有变化的行",
        ),
        Figure("读取已存统计 50 行 / 其 SELECT", kept["orm"] * 1000, kept["raw"] * 1000, "ms", 1.5),
    ]


def compare(year: int, today: date) -> int:
    """How many contracts have exactly the days that the statement gives. Raises RuntimeError at a difference."""
    recount_year(year=year, today=today)
    kept = dict(
        DutyFigure.objects.filter(year=year, contract__number__startswith="GM-", logs__gt=0).values_list(
            "contract_id", "days"
        )
    )
    raw = raw_days(year, today)
    if not kept:
        raise RuntimeError("nothing was counted")
    for contract, days in kept.items():
        if days is None or days != raw.get(contract, Decimal(0)):
            raise RuntimeError(f"contract {contract}: kept {days}, raw {raw.get(contract)}")
    return len(kept)


def raw_days(year: int, today: date) -> dict[int, Decimal]:
    rules = _rules(year, today)
    words = ", ".join(["(%s::bigint, %s::boolean, %s::boolean, %s::numeric)"] * len(rules))
    values = [value for rule in rules for value in rule]
    return dict(_fetch(RAW.format(rules=words), [*values, date(year, 1, 1), date(year, 12, 31)]))


def _rules(year: int, today: date) -> list[tuple[int, bool, bool, Decimal]]:
    """What the statement must know of each locality's policy."""
    halves = {"counts_half": Decimal("0.5"), "counts_whole": Decimal(1), "not_counted": Decimal(0)}
    found = []
    contracts = (
        Contract.objects.filter(number__startswith="GM-").order_by("locality_id", "pk").select_related("locality")
    )
    for contract in {contract.locality_id: contract for contract in contracts}.values():
        rules = Rules.of(policy_of(contract, year, today=today))
        rest, half = rules.get(keys.NON_WORKDAYS), rules.get(keys.HALF_DAY)
        if rest is None or half is None:
            raise RuntimeError(f"the policy of {contract.locality} leaves the count of days open")
        found.append((contract.locality_id, rules.needs_confirmation, rest, halves[half]))
    return found


def _forget(year: int) -> None:
    """Have the next recount take every kept figure for changed."""
    DutyFigure.objects.filter(year=year).update(signature="")
    data.settle()


def _kept(year: int, locality: int) -> Any:
    """A page of kept figures as their list reads them."""
    return light(DutyFigure.objects.filter(year=year, locality=locality)).order_by("sort_key", "pk")[:50]


def _read_raw(sql: str, values: tuple[Any, ...]) -> None:
    """The same SELECT as the driver gives it, with its JSON read, which Django tells the driver not to do."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        packed = [number for number, column in enumerate(cursor.description) if column.type_code == JSONB]
        for row in cursor.fetchall():
            for number in packed:
                json.loads(row[number])


def _fetch(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
