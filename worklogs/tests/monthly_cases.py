"""A month at its end, for the tests of the monthly report."""

from __future__ import annotations

from datetime import date
from typing import Any

from factories import make_assignment, make_contract, make_log, make_planner, make_policy_version, make_team, make_unit
from worklogs.models import MonthlyReport
from worklogs.services.monthly import save_texts, submit_report
from worklogs.services.monthly_plan import start_report

MARCH = date(2026, 3, 1)
TEXTS = {"summary": "完成三处口袋公园的踏勘。", "problems": "停车占道。", "plans": "组织居民议事会。"}


def march_logs(cast: Any, count: int = 3, **extra: Any) -> list[Any]:
    extra.setdefault("state", "confirmed")
    kinds = ("survey", "meeting", "consulting")
    return [
        make_log(
            cast.own_planner, cast.unit.charge, cast.contract, MARCH.replace(day=2 + n), kind=kinds[n % 3],
            content=f"第{n}件事", met_principal=n == 0, **extra,
        )
        for n in range(count)
    ]  # fmt: skip


def report_of(cast: Any, *, submitted: bool = False) -> MonthlyReport:
    report = start_report(cast.own_planner, actor=cast.planner, charge=cast.unit.charge, month=MARCH)
    if submitted:
        save_texts(report, actor=cast.planner, texts=TEXTS, revision=report.revision)
        report = submit_report(report, actor=cast.planner)
    return report


def tongzhou_team(cast: Any, *, members: int = 2) -> Any:
    """A team under Tongzhou's pack that serves a unit there; its contract."""
    people = (cast.foreign_planner, *(make_planner(cast.other_locality) for _ in range(members - 1)))
    team = make_team(cast.other_locality, lead=people[0], members=people)
    version = make_policy_version(cast.other_locality, "tongzhou")
    contract = make_contract(cast.other_locality, team=team, policy_version=version)
    make_assignment(contract, make_unit(cast.other_locality, name="台湖镇").charge, team=team)
    return contract
