"""What the portal writes into a document by itself: one record, many uses; nobody types a figure."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.files import store_generated
from evaluations.facts import contracts_of, facts_of
from evaluations.models import DutyReport
from evaluations.services.cycles import add_missing_reports
from factories import Cast, make_assignment, make_contract, make_log
from worklogs.models import LogPhoto


def _log(cast: Cast, on: date, planner=None, **extra):
    return make_log(planner or cast.own_planner, cast.unit.charge, cast.contract, on, **extra)


def test_only_what_counts_in_the_period_and_of_the_author_is_counted(cast: Cast, report: DutyReport):
    _log(cast, date(2025, 3, 3), state="confirmed", met_principal=True)
    _log(cast, date(2025, 3, 4), slot="am")
    _log(cast, date(2025, 3, 5), state="draft")
    _log(cast, date(2025, 3, 6), state="returned")
    _log(cast, date(2026, 1, 5))
    _log(cast, date(2025, 3, 7), planner=cast.colleague_planner)
    facts = facts_of(report)
    assert facts["totals"] == {"logs": 2, "confirmed": 1, "met": 1}
    assert [m["logs"] for m in facts["months"]] == [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert [row["date"] for row in facts["logs"]] == ["2025-03-03", "2025-03-04"]


def test_figures_are_the_tallys_with_their_clause(cast: Cast, report: DutyReport):
    _log(cast, date(2025, 3, 3))
    _log(cast, date(2025, 3, 4), slot="am")
    _log(cast, date(2025, 3, 8))  # a Saturday: no workday
    [subject] = facts_of(report)["subjects"]
    figures = {figure["code"]: figure for figure in subject["figures"]}
    assert figures["days"]["value"] == "1.5 个工作日"
    assert "五(一)" in figures["days"]["clause"]
    assert figures["visits"]["value"] is None and figures["visits"]["unset"]
    assert "deduction" not in figures


def test_shown_terms_add_up_to_the_shown_figure(cast: Cast, report: DutyReport):
    for day in range(3, 28, 3):
        _log(cast, date(2025, day % 12 + 1, day), slot="am" if day % 2 else "full")
    [subject] = facts_of(report)["subjects"]
    days = next(figure for figure in subject["figures"] if figure["code"] == "days")
    terms = [Decimal(part["value"]) for part in days["parts"] if part["code"] == "term"]
    assert f"{sum(terms).normalize():f} 个工作日" == days["value"]


def test_facts_are_plain_json_without_where_a_photo_was_taken(cast: Cast, report: DutyReport):
    log = _log(cast, date(2025, 3, 3))
    stored = store_generated(b"\xff\xd8\xff", name="a.jpg", mime="image/jpeg", actor=None, purpose="worklog_photo")
    LogPhoto.objects.create(log=log, file=stored, latitude=Decimal("39.123456"), longitude=Decimal("116.654321"))
    text = json.dumps(facts_of(report), ensure_ascii=False)
    assert str(stored.pk) in text
    assert "39.123456" not in text and "116.654321" not in text


def test_following_contract_with_the_same_party_is_one_account(cast: Cast, cycle, report: DutyReport):
    first = cast.contract
    type(first).objects.filter(pk=first.pk).update(end=date(2025, 6, 30))
    cast.assignment.end = date(2025, 6, 30)
    cast.assignment.save()
    second = make_contract(
        cast.locality, team=cast.team, signer=first.signer, start=date(2025, 7, 1), policy_version=first.policy_version
    )
    make_assignment(second, cast.unit.charge, team=cast.team)
    make_log(cast.own_planner, cast.unit.charge, first, date(2025, 3, 3))
    make_log(cast.own_planner, cast.unit.charge, second, date(2025, 9, 3))
    cycle.reports.all().delete()
    add_missing_reports(cycle, actor=cast.bureau)
    [mine] = cycle.reports.filter(author=cast.own_planner)
    assert mine.contract == second
    assert [c.pk for c in contracts_of(mine)] == [first.pk, second.pk]
    assert facts_of(mine)["totals"]["logs"] == 2


@pytest.mark.parametrize("days", [0, 1])
def test_logs_on_the_edges_of_the_period(cast: Cast, report: DutyReport, days: int):
    _log(cast, date(2025, 12, 31) + timedelta(days=days))
    assert facts_of(report)["totals"]["logs"] == 1 - days


def test_a_half_years_report_speaks_of_its_half_year_however_late_it_is_written(cast: Cast, cycle, report: DutyReport):
    type(cycle).objects.filter(pk=cycle.pk).update(end=date(2025, 6, 30))
    report.refresh_from_db()
    _log(cast, date(2025, 6, 30), state="confirmed")
    _log(cast, date(2025, 7, 1), state="confirmed")
    [subject] = facts_of(report)["subjects"]
    figures = {figure["code"]: figure for figure in subject["figures"]}
    assert figures["days"]["value"] == "1 个工作日"
    assert {pk for part in figures["days"]["parts"] for pk in part["records"]} == {facts_of(report)["logs"][0]["id"]}
    # The year was not over then: what is short is what stood on the last day of the half year.
    assert figures["shortfall_days"]["note"].startswith("截至2025-06-30")
