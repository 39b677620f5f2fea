"""A unit that changes in mid-year: nothing recorded is lost, nothing counts twice, and late papers find their place."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from districts.access import forget_access
from districts.models import Unit
from districts.services.unit_changes import NewUnit, Order, end_unit, hand_over, merge_units, rename_unit, split_unit
from factories import make_assignment, make_cast, make_contract, make_log, make_membership, make_planner, make_user
from planners.models import Assignment
from worklogs.models import FigureTouch, MonthClosing, WorkLog
from worklogs.permissions import can_confirm
from worklogs.services.entries import Entry
from worklogs.services.figures import explain
from worklogs.services.logs import record_log
from worklogs.services.subjects import subjects_of
from worklogs.tests.sheets import row, saved, sheet
from worklogs.tests.tally_cases import FULL, make_rules

TODAY, DAY, YEAR = date(2026, 11, 20), date(2026, 7, 1), 2026
ORDER = Order(effective=DAY, document_number="东政发〔2026〕8号", document_date=date(2026, 6, 10))
DATES = (date(2026, 3, 2), date(2026, 6, 30), date(2026, 7, 1), date(2026, 9, 1))
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY)


@pytest.fixture
def cast():
    """The team serves two units under one contract; a person alone serves one of them under another."""
    cast = make_cast()
    make_assignment(cast.contract, cast.other_unit.charge, team=cast.team)
    cast.single = make_planner(cast.locality, name="仇英")
    cast.own = make_contract(cast.locality, planner=cast.single, policy_version=cast.contract.policy_version)
    make_assignment(cast.own, cast.unit.charge, planner=cast.single)
    return cast


def new(name="景山东四街道", **extra):
    return NewUnit(name, Unit.Kind.STREET, **extra)


def log(cast, unit, on, planner=None, **extra):
    contract = cast.own if planner == cast.single else cast.contract
    return make_log(planner or cast.own_planner, unit.charge, contract, on, **{"state": "confirmed", **extra})


def worked(cast):
    """Four dates at each unit for the team, half of them before the change; the same for the person at one."""
    for unit in (cast.unit, cast.other_unit):
        for on in DATES:
            log(cast, unit, on)
    for on in DATES:
        log(cast, cast.unit, on, cast.single)


def tallied(monkeypatch, owner):
    """Over every subject: (days, records that count, required days, records outside), and the days by charge."""
    rules = make_rules(**{**FULL, "quota__owner": owner})
    monkeypatch.setattr("worklogs.services.subjects.Rules.of", lambda policy: rules)
    days = required = Decimal(0)
    records, outside, by_label = [], [], {}
    for found in explain(subjects_of(YEAR, today=TODAY), year=YEAR, today=TODAY):
        figures = found.tally.figures()
        days += figures["days"].value
        required += figures["required_days"].value
        records += found.tally.records
        outside += found.tally.outside
        by_label[found.label, found.row.contract.pk] = figures["days"].value
    return days, sorted(records), required, outside, by_label


@pytest.mark.parametrize("owner", ["person", "group", "team_unit"])
@pytest.mark.parametrize("into", ["new", "other"])
def test_a_merge_in_mid_year_loses_nothing_and_counts_nothing_twice(cast, monkeypatch, owner, into):
    worked(cast)
    before = tallied(monkeypatch, owner)
    assert len(before[1]) == len(set(before[1])) == 12
    merge_units(
        cast.unit,
        actor=cast.bureau,
        order=ORDER,
        others=[cast.other_unit],
        into=new() if into == "new" else cast.other_unit,
    )
    after = tallied(monkeypatch, owner)
    assert after[1] == before[1]
    assert after[3] == []
    # Two visits of the team on one date, at two units before and at one unit after, are one day where days are added up
    # by unit; a person's day is one day either way.
    merged_dates = 0 if owner == "person" else len([on for on in DATES if on >= DAY])
    assert after[0] == before[0] - merged_dates


def test_days_before_the_date_count_for_the_old_unit_and_days_after_it_for_the_new(cast, monkeypatch):
    for on in DATES:
        log(cast, cast.unit, on)
    before = tallied(monkeypatch, "team_unit")
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=new())
    after = tallied(monkeypatch, "team_unit")
    assert {label: days for (label, contract), days in after[4].items() if contract == cast.contract.pk} == {
        "景山街道": Decimal(2), "东四街道": Decimal(0), "景山东四街道": Decimal(2),
    }  # fmt: skip
    assert after[0] == before[0] == Decimal(4)


def test_the_quota_of_a_merged_unit_is_shared_out_by_its_days(cast, monkeypatch):
    Assignment.objects.exclude(charge=cast.unit.charge, team=cast.team).delete()
    before = tallied(monkeypatch, "team_unit")
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)
    after = tallied(monkeypatch, "team_unit")
    assert before[2] == Decimal(30)
    assert after[2] == pytest.approx(before[2], abs=Decimal("0.01"))


def test_late_papers_take_the_days_after_the_date_along(cast, monkeypatch):
    worked(cast)
    late = [entry.pk for entry in WorkLog.objects.filter(charge=cast.unit.charge, date__gte=DAY)]
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)
    assert len(late) == 4
    moved = WorkLog.objects.filter(pk__in=late)
    assert set(moved.values_list("charge_id", "charge_name", "state")) == {
        (cast.other_unit.charge_id, "东四街道", "confirmed")
    }
    assert set(WorkLog.objects.filter(charge=cast.unit.charge).values_list("date", flat=True)) == set(DATES[:2])
    assert AuditEntry.objects.filter(action="worklog.pass_on").count() == 4


def test_a_change_that_would_lose_a_day_is_refused_in_words(cast):
    log(cast, cast.unit, date(2026, 8, 3))
    with pytest.raises(ValidationError, match="2026-07-01 及以后已有 1 条履职记录（单小雨，最近一条 2026-08-03）"):
        end_unit(cast.unit, actor=cast.bureau, order=ORDER)
    with pytest.raises(ValidationError, match="无法确定归入哪个单元"):
        split_unit(cast.unit, actor=cast.bureau, order=ORDER, into=[new("景山东"), new("景山西")])
    cast.unit.refresh_from_db()
    assert (cast.unit.valid_to, Unit.objects.filter(name="景山东").exists()) == (None, False)
    choices = {f"assignment-{cast.assignment.pk}": "1"}
    split_unit(cast.unit, actor=cast.bureau, order=replace(ORDER, choices=choices), into=[new("景山东"), new("景山西")])
    assert WorkLog.objects.get().charge_name == "景山西"


@pytest.mark.parametrize("closed", ["unit", "other_unit"])
def test_nothing_leaves_or_enters_a_closed_month(cast, closed):
    log(cast, cast.unit, date(2026, 8, 3))
    unit = getattr(cast, closed)
    MonthClosing.objects.create(
        locality=cast.locality, charge=unit.charge, month=date(2026, 8, 1), closed_by=cast.unit_officer
    )
    with pytest.raises(ValidationError, match=f"“{unit}”2026年8月已锁定"):
        merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)


def entry(charge, on, **extra):
    return Entry(charge=charge, date=on, slot="full", kind="survey", content="走访社区", **extra)


def test_a_log_of_before_entered_later_goes_to_the_unit_of_that_day(cast):
    change = merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=new())
    made = change.lines.first().successor
    record = {"actor": cast.lead, "submit": True, "accept_same_time": True}
    Assignment.objects.filter(charge=cast.other_unit.charge).update(start=DAY, end=DAY)
    old = record_log(cast.lead_planner, entry=entry(made.charge, date(2026, 6, 30)), **record)
    assert (old.charge_id, old.charge_name) == (cast.unit.charge_id, "景山街道")
    after = record_log(cast.lead_planner, entry=entry(cast.unit.charge, DAY), **record)
    assert (after.charge_id, after.charge_name) == (made.charge_id, "景山东四街道")


def test_a_renamed_unit_keeps_the_name_of_the_day_on_each_log(cast):
    first = log(cast, cast.unit, DATES[0])
    FigureTouch.objects.all().delete()
    rename_unit(cast.unit, actor=cast.bureau, order=ORDER, name="景山责任街区")
    cast.unit.refresh_from_db()
    assert (cast.unit.name, cast.unit.charge.name) == ("景山责任街区", "景山责任街区")
    first.refresh_from_db()
    assert first.charge_name == "景山街道"
    record = {"actor": cast.planner, "submit": True}
    before = record_log(cast.own_planner, entry=entry(cast.unit.charge, date(2026, 6, 1)), **record)
    after = record_log(cast.own_planner, entry=entry(cast.unit.charge, DAY), **record)
    assert (before.charge_name, after.charge_name) == ("景山街道", "景山责任街区")
    assert {touch.contract_id for touch in FigureTouch.objects.all()} >= {cast.contract.pk, cast.own.pk}


def test_officers_of_the_new_unit_look_after_what_the_old_one_left(cast, client):
    waiting = log(cast, cast.unit, DATES[0], state="submitted")
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)
    for user in (cast.unit_officer, cast.other_unit_officer):
        forget_access(user)
        user.__dict__.pop("_charges_confirmed", None)
        assert can_confirm(user, waiting)
    client.force_login(cast.other_unit_officer)
    shown = client.get(reverse("worklogs:list"), {"charge": cast.other_unit.charge_id})
    assert "景山街道" in shown.content.decode()
    assert client.get(reverse("worklogs:detail", args=[waiting.pk])).status_code == 200


def test_a_unit_handed_over_leaves_its_past_behind(cast, client):
    old = log(cast, cast.unit, DATES[0])
    change = hand_over(cast.unit, actor=cast.bureau, order=ORDER, to=cast.other_locality)
    made = change.lines.get().successor
    assert (made.locality, made.name, made.charge.locality) == (cast.other_locality, "景山街道", cast.other_locality)
    contract = make_contract(cast.other_locality, planner=cast.foreign_planner)
    make_assignment(contract, made.charge, planner=cast.foreign_planner, start=DAY)
    recent = make_log(cast.foreign_planner, made.charge, contract, date(2026, 8, 3), state="confirmed")
    officer = make_user()
    make_membership(officer, "unit", cast.other_locality, unit=made)
    sees = {"bureau": (200, 404), "leader": (200, 404), "other_bureau": (404, 200), "officer": (404, 200)}
    cast.officer = officer
    for who, expected in sees.items():
        client.force_login(getattr(cast, who))
        found = [client.get(reverse("worklogs:detail", args=[row.pk])).status_code for row in (old, recent)]
        assert tuple(found) == expected, who
        units = [client.get(reverse("districts:unit", args=[unit.pk])).status_code for unit in (cast.unit, made)]
        assert tuple(units) == expected, who
    # The contract of the old locality ends its service there; its own policy still counts it.
    assert cast.assignment.__class__.objects.get(pk=cast.assignment.pk).end == date(2026, 6, 30)
    assert old.contract.locality == cast.locality


def test_a_sheet_with_old_or_new_names_finds_the_unit_of_each_day(cast, tmp_path):
    change = merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=new())
    made = change.lines.first().successor
    Assignment.objects.filter(charge=cast.other_unit.charge).delete()
    later = replace(ORDER, effective=date(2026, 9, 1), document_number="东政发〔2026〕12号")
    rename_unit(made, actor=cast.bureau, order=later, name="皇城街道")
    rows = [
        row(日期="2026-03-05", 责任单元="皇城街道"), row(日期="2026-08-05", 责任单元="景山街道"),
        row(日期="2026-08-06", 责任单元="景山东四街道"), row(日期="2026-09-07", 责任单元="景山东四街道"),
    ]  # fmt: skip
    out = io.StringIO()
    call_command("import_worklogs", str(saved(tmp_path, sheet(*rows))), "--json", "--locality", "110101", stdout=out)
    assert json.loads(out.getvalue())["created"] == 4
    assert list(WorkLog.objects.order_by("date").values_list("charge_id", "charge_name")) == [
        (cast.unit.charge_id, "景山街道"), (made.charge_id, "景山东四街道"), (made.charge_id, "景山东四街道"),
        (made.charge_id, "皇城街道"),
    ]  # fmt: skip
