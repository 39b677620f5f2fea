"""Kept figures equal a recount, which equals the pure tally, under every combination of rules and on both databases."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.utils import timezone

import factories
from core.calendar import load_work_calendar
from core.workdays import CalendarGap
from planners.models import Group, TeamMember
from worklogs.models import DutyFigure, FigureTouch, WorkLog
from worklogs.services import figures
from worklogs.services.mass import count_atoms
from worklogs.services.subjects import subjects_of
from worklogs.tally import Assessment, assess, atoms_of, collect
from worklogs.tests.tally_cases import FULL, fill_calendar, make_rules

YEAR = 2025
TODAY = date(2026, 2, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    """One team with two groups in two units, and two people under contracts of their own, one of them in two units."""
    fill_calendar()
    locality = factories.make_locality()
    units = [factories.make_unit(locality, name=name) for name in ("景山街道", "东四街道")]
    people = [factories.make_planner(locality) for _ in range(5)]
    team = factories.make_team(locality)
    shared = factories.make_contract(locality, team=team)
    for number, unit in enumerate(units):
        group = Group.objects.create(team=team, name=f"第{number + 1}小组")
        factories.make_assignment(shared, unit.charge, group=group)
        for planner in people[2 * number : 2 * number + 2]:
            TeamMember.objects.create(team=team, group=group, planner=planner, start=date(2024, 1, 1))
    # The same people and units under contracts of persons: what is recorded under one counts under that one alone.
    alone = [
        factories.make_contract(locality, planner=p, start=date(YEAR, 3, 16), end=date(YEAR + 1, 3, 15))
        for p in (people[0], people[4])
    ]
    factories.make_assignment(alone[0], units[0].charge, planner=people[0], end=date(YEAR, 8, 31))
    for unit in units:
        factories.make_assignment(alone[1], unit.charge, planner=people[4])
    served = [(shared, units[n // 2], people[n]) for n in range(4)] + [
        (alone[0], units[0], people[0]), (alone[1], units[0], people[4]), (alone[1], units[1], people[4]),
    ]  # fmt: skip
    _random_logs(served)
    return locality


def _random_logs(served):
    chance = random.Random(20250101)
    days = [date(YEAR - 1, 12, 30) + timedelta(n) for n in range(370)]
    # Days off, made-up workdays and the same few days over and over, so that people and halves meet.
    crowded = [date(YEAR, 1, 25), date(YEAR, 1, 26), date(YEAR, 10, 1), date(YEAR, 5, 5), date(YEAR, 9, 28)]
    logs, then = [], timezone.now()
    for _ in range(420):
        contract, unit, planner = chance.choice(served)
        logs.append(WorkLog(
            locality=unit.locality, planner=planner, charge=unit.charge, charge_name=unit.name, contract=contract,
            date=chance.choice(days if chance.random() < 0.6 else crowded), content="走访社区",
            slot=chance.choice(["am", "pm", "full"]), kind=chance.choice(["survey", "meeting", "training"]),
            state=chance.choice(["submitted", "confirmed", "confirmed", "returned", "draft", "withdrawn"]),
            met_principal=chance.random() < 0.5, submitted_at=then, confirmed_at=then,
        ))  # fmt: skip
    WorkLog.objects.bulk_create(logs)


COMBINATIONS = list(product(
    (True, False, None), ("one", "each", None), (True, False, None), (("survey",), None), ("counts_half", None),
))  # fmt: skip


OWNERS = ["person", "group", "team_unit", None]


@pytest.mark.parametrize("owner", OWNERS)
def test_the_database_counts_what_the_pure_tally_counts(place, owner, monkeypatch):
    # Every fifth: that stride meets every pair of two rules’ values.
    assert_counted_alike(owner, COMBINATIONS[::5], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("owner", OWNERS)
def test_under_every_combination_of_rules_it_counts_the_same(place, owner, monkeypatch):
    assert_counted_alike(owner, COMBINATIONS, monkeypatch)


def assert_counted_alike(owner, combinations, monkeypatch):
    calendar = load_work_calendar(date(YEAR, 1, 1), date(YEAR, 12, 31))
    seen = Counter()
    for confirmation, members, rest, kinds, half in combinations:
        rules = make_rules(**{
            **FULL, "quota__owner": owner, "quota__needs_confirmation": confirmation, "quota__half_day": half,
            "quota__same_day_members": members, "quota__counts_non_workdays": rest, "visits__log_kinds": kinds,
        })  # fmt: skip
        monkeypatch.setattr("worklogs.services.subjects.Rules.of", lambda policy, rules=rules: rules)
        rows = subjects_of(YEAR, today=TODAY)
        logs = figures.logs_of({row.contract.pk for row in rows}, YEAR)
        counted = count_atoms([(row.subject, row.rules) for row in rows], YEAR)
        for row, atoms in zip(rows, counted, strict=True):
            pure = atoms_of(collect(
                row.subject, year=YEAR, logs=logs[row.contract.pk], calendar=calendar, rules=rules
            ))  # fmt: skip
            by_database = assess(row.subject, year=YEAR, atoms=atoms, rules=rules, today=TODAY)
            by_hand = assess(row.subject, year=YEAR, atoms=pure, rules=rules, today=TODAY)
            for name in Assessment.FIELDS:
                assert by_database.outcome(name) == by_hand.outcome(name), (name, row.key, rules.values)
            for mine, theirs in zip(by_database.months, by_hand.months, strict=True):
                assert (mine.days, mine.visits, mine.shortfall_visits) == (
                    theirs.days,
                    theirs.visits,
                    theirs.shortfall_visits,
                )
                assert (mine.atoms.logs, mine.atoms.waiting) == (theirs.atoms.logs, theirs.atoms.waiting)
            seen[row.key] += bool(atoms)
    assert len(seen) >= 3
    assert all(seen.values())


def test_a_day_that_the_calendar_lacks_is_told_not_guessed(place):
    from core.models import CalendarDay

    rows = subjects_of(YEAR, today=TODAY)
    CalendarDay.objects.filter(date__year=YEAR).delete()
    with pytest.raises(CalendarGap, match="2025年"):
        count_atoms([(row.subject, row.rules) for row in rows], YEAR)


@pytest.fixture
def cast():
    cast = factories.make_cast()
    fill_calendar()
    return cast


def kept(cast, year=YEAR):
    return DutyFigure.objects.get(contract=cast.contract, year=year)


def test_kept_figures_are_those_of_the_explanation(cast):
    for day, planner in ((3, cast.own_planner), (4, cast.own_planner), (4, cast.colleague_planner)):
        factories.make_log(planner, cast.unit.charge, cast.contract, date(YEAR, 3, day))
    figures.recount_year(year=YEAR, today=TODAY)
    row = kept(cast)
    found = figures.explain(subjects_of(YEAR), year=YEAR, today=TODAY)[0].tally
    assert (row.label, row.charge_id, row.planner_id) == ("景山街道", cast.unit.charge_id, None)
    # Two members on one day, and the document does not say whether that makes one day or two.
    assert (row.days, row.unset["days"]) == (None, ["quota.same_day_members"])
    assert row.required_days == found.required_days.value == 30
    assert (row.logs, row.waiting, row.final) == (3, 3, True)
    assert [m["logs"] for m in row.months] == [0, 0, 3, *[0] * 9]


def test_a_change_is_recounted_and_nothing_else_is_written(cast):
    factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3))
    assert figures.recount_year(year=YEAR, today=TODAY) == 1
    assert figures.recount_year(year=YEAR, today=TODAY) == 0
    factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 4))
    assert figures.recount([cast.contract.pk], year=YEAR, today=TODAY) == 1
    assert kept(cast).days == 2
    assert figures.recount_year(year=YEAR, today=TODAY) == 0


def test_a_month_that_has_passed_changes_what_is_kept(cast):
    figures.recount_year(year=YEAR, today=date(YEAR, 3, 31))
    assert figures.recount_year(year=YEAR, today=date(YEAR, 3, 31)) == 0
    assert figures.recount_year(year=YEAR, today=date(YEAR, 4, 1)) == 1


def test_a_subject_that_is_no_more_is_dropped(cast):
    figures.recount_year(year=YEAR, today=TODAY)
    cast.assignment.delete()
    figures.recount([cast.contract.pk], year=YEAR, today=TODAY)
    assert not DutyFigure.objects.exists()


def test_a_touched_log_shows_in_the_figures(cast):
    log = factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3))
    figures.touch([log, log])
    assert FigureTouch.objects.count() == 1
    assert figures.recount_pending() == 1
    assert (kept(cast).days, FigureTouch.objects.count()) == (1, 0)


def test_a_touch_wakes_a_worker_only_when_the_change_stands(cast, django_capture_on_commit_callbacks):
    log = factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3))
    with django_capture_on_commit_callbacks() as waiting:
        figures.touch([log])
    assert len(waiting) == 1
    assert not DutyFigure.objects.exists()
    waiting[0]()  # the broker of the tests runs tasks at once
    assert kept(cast).days == 1


def test_a_touch_of_a_vanished_contract_is_cleared(cast):
    FigureTouch.objects.create(contract=cast.contract, year=1999)
    assert figures.recount_pending() == 1
    assert not FigureTouch.objects.exists()


def test_superseded_and_unsubmitted_logs_do_not_count(cast):
    old = factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3), state="confirmed")
    new = factories.make_log(
        cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3), slot="am", state="confirmed",
        supersedes=old, correction_reason="实为上午",
    )  # fmt: skip
    old.superseded_by = new
    old.save()
    factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 4), state="draft")
    figures.recount_year(year=YEAR, today=TODAY)
    assert kept(cast).days == Decimal("0.5")


def test_each_contract_keeps_the_rules_it_was_signed_under(cast):
    """京核心区 counts workdays, 聊城 days: the same Saturday is none and one."""
    saturday = date(YEAR, 3, 8)
    factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, saturday)
    version = factories.make_policy_version(cast.locality, "liaocheng")
    contract = factories.make_contract(cast.locality, team=cast.team, policy_version=version)
    group = Group.objects.create(team=cast.team, name="第一小组")
    TeamMember.objects.filter(team=cast.team, planner=cast.own_planner).update(group=group)
    factories.make_assignment(contract, cast.unit.charge, group=group)
    factories.make_log(cast.own_planner, cast.unit.charge, contract, saturday, met_principal=True)
    figures.recount_year(year=YEAR, today=TODAY)
    other = DutyFigure.objects.get(contract=contract)
    assert (kept(cast).days, kept(cast).day_kind) == (0, "workday")
    assert (other.days, other.day_kind, other.label) == (1, "day", "景山街道（第一小组）")
    # No formula for a double shortfall (一(三)): 29 days and 11 visits are missing.
    assert (other.deduction, other.unset["deduction"]) == (None, ["deduction.formula"])


def test_a_day_counts_for_one_subject_where_group_and_team_serve_the_same_unit(cast):
    """聊城 一(二): the group serves the unit. What its member does there is the group's, not the rest of the team's too."""
    version = factories.make_policy_version(cast.locality, "liaocheng")
    contract = factories.make_contract(cast.locality, team=cast.team, policy_version=version)
    group = Group.objects.create(team=cast.team, name="第一小组")
    TeamMember.objects.filter(team=cast.team, planner=cast.own_planner).update(group=group)
    cast.assignment.delete()
    factories.make_assignment(contract, cast.unit.charge, group=group)
    factories.make_assignment(contract, cast.unit.charge, team=cast.team)
    factories.make_log(cast.own_planner, cast.unit.charge, contract, date(YEAR, 3, 3))
    factories.make_log(cast.colleague_planner, cast.unit.charge, contract, date(YEAR, 3, 4))
    figures.recount_year(year=YEAR, today=TODAY)
    rows = DutyFigure.objects.filter(contract=contract)
    assert {row.group_id: (row.days, row.logs) for row in rows} == {group.pk: (1, 1), None: (1, 1)}


def test_where_the_document_has_no_quota_everything_is_unset(cast):
    version = factories.make_policy_version(cast.other_locality, "tongzhou")
    contract = factories.make_contract(cast.other_locality, planner=cast.foreign_planner, policy_version=version)
    factories.make_assignment(contract, cast.foreign_unit.charge, planner=cast.foreign_planner)
    factories.make_log(cast.foreign_planner, cast.foreign_unit.charge, contract, date(YEAR, 3, 3))
    figures.recount_year(year=YEAR, today=TODAY)
    row = DutyFigure.objects.get(contract=contract)
    assert [getattr(row, name) for name in Assessment.FIELDS] == [None] * 8
    assert row.unset["days"][0] == "quota.required_days"
    assert (row.logs, row.label) == (1, f"{cast.foreign_planner.name}（宋庄镇）")


def test_nightly_recount_mends_whatever_is_wrong(cast):
    year = timezone.localdate().year
    figures.recount_year(year=year)
    DutyFigure.objects.filter(year=year).update(days=99, signature="")
    figures.recount_all()
    assert kept(cast, year).days == 0
