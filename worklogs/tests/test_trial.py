"""Dry runs of local decisions: the figures that would be, by the same tally, with nothing written."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal

import openpyxl
import pytest
from django.apps import apps
from django.urls import reverse

from accounts.roles import Role
from core.errors import Refused, StaleState
from core.jobs import run_waiting
from core.models import CalendarDay, Job
from districts.models import PolicyDecision, PolicyVersion
from districts.services.decisions import create_decision, enforce_decision
from districts.services.policies import attach_packs
from factories import make_assignment, make_contract, make_locality, make_log, make_membership, make_planner, make_user
from worklogs.models import DutyFigure, PolicyTrial, PolicyTrialRow
from worklogs.services import trials
from worklogs.services.figures import recount_year
from worklogs.services.trials import read_trial, start_trial, summary_of
from worklogs.trial_tables import COLUMNS, trial_table

pytestmark = pytest.mark.django_db
YEAR = 2025
FIGURES = PolicyTrialRow.FIGURES
HEAD = {
    "number": "东规发〔2026〕3号", "title": "扣减办法的决定", "issuer": "东城分局",
    "date": dt.date(2025, 1, 5), "effective_from": dt.date(2025, 1, 10), "effective_to": None,
}  # fmt: skip
# What the published document leaves open about visits and the formula.
OPEN = {
    "visits.required_per_month": {"value": 1, "summary": "每月一次"},
    "visits.principal_required": {"value": False, "summary": "不要求"},
    "visits.log_kinds": {"value": ["survey"], "summary": "调研"},
    "deduction.triggers": {"value": ["days", "visits"], "summary": "两项"},
    "deduction.formula": {"value": "larger", "summary": "取大"},
    "deduction.basis": {"value": "annual_fee", "summary": "当年"},
    "deduction.share": {"value": "equal", "summary": "分摊"},
    "quota.same_day_members": {"value": "one", "summary": "合计"},
}
FORTY = {"quota.required_days": {"value": "40", "summary": "四十"}}


@pytest.fixture
def cast(cast):
    """The team served 32 workdays of the 30 that are asked for, and missed no month."""
    workdays = CalendarDay.objects.filter(date__year=YEAR, is_workday=True).order_by("date")
    for day in list(workdays.values_list("date", flat=True))[::7][:32]:
        make_log(cast.own_planner, cast.unit.charge, cast.contract, day, state="confirmed")
    recount_year(year=YEAR)
    return cast


@pytest.fixture
def base(cast):
    return PolicyVersion.objects.select_related("pack").get(pk=cast.contract.policy_version_id)


def prepare(cast, base, kind="supplement", values=OPEN, **extra):
    return create_decision(cast.locality, actor=cast.bureau, kind=kind, base=base, values=values, **{**HEAD, **extra})


def kept(contract=None):
    rows = DutyFigure.objects.filter(year=YEAR)
    rows = rows.filter(contract=contract) if contract is not None else rows
    return {row.subject: tuple(getattr(row, name) for name in FIGURES) for row in rows}


def tried(trial, side):
    return {row.subject: tuple(getattr(row, f"{name}_{side}") for name in FIGURES) for row in trial.rows.all()}


def everything():
    """Every row of every table but those of the trial itself and the trail of who did what."""
    own = {"policytrial", "policytrialrow", "auditentry", "job", "jobstep", "heartbeat"}
    models = [model for model in apps.get_models() if model._meta.managed and model._meta.model_name not in own]
    return {model._meta.label: sorted(map(repr, model._base_manager.values_list())) for model in models}


def test_it_shows_what_the_kept_figures_become_once_the_supplement_is_in_force(cast, base):
    decision = prepare(cast, base)
    trial = start_trial(decision, actor=cast.bureau, year=YEAR)
    assert tried(trial, "before") == kept()
    enforce_decision(read_trial(trial, actor=cast.bureau), actor=cast.bureau)
    recount_year(year=YEAR)
    assert tried(trial, "after") == kept()
    row = trial.rows.get()
    assert (row.deduction_before, row.applies, row.differs) == (None, True, True)
    # The table says visits out of those asked for, on both sides.
    cells = dict(zip((column.label for column in COLUMNS), trial_table([row]).rows[0], strict=True))
    assert re.sub("<[^>]+>", "", cells["走访"]) == f"未设定 → {row.visits_after:.0f} / 12"
    assert "deduction.formula" in row.unset_before["deduction"] and not row.unset_after


def test_it_writes_nothing_but_its_own_report(cast, base):
    decision = prepare(cast, base)
    before = everything()
    start_trial(decision, actor=cast.bureau, year=YEAR)
    assert everything() == before


def test_an_amendment_says_what_it_would_mean_and_leaves_signed_contracts_alone(cast, base):
    decision = prepare(cast, base, "amendment", FORTY, effective_from=dt.date(2025, 6, 1))
    trial = start_trial(decision, actor=cast.bureau, year=YEAR)
    row = trial.rows.get()
    assert (row.required_days_before, row.required_days_after, row.applies) == (30, 40, False)
    assert (row.shortfall_days_before, row.short_before, row.short_after) == (0, False, True)
    words = summary_of(trial)
    assert words[0].startswith("已签订的 1 份合同") and "保留签订时的版本" in words[0]
    assert words[1].startswith(f"{len(row.planners)} 名规划师（1 个对象）将不达标")
    before = kept()
    enforce_decision(read_trial(trial, actor=cast.bureau), actor=cast.bureau)
    recount_year(year=YEAR)
    assert kept() == before


def test_a_supplement_names_those_that_keep_another_version(cast, base):
    amended = start_trial(
        prepare(cast, base, "amendment", FORTY, effective_from=dt.date(2025, 6, 1)), actor=cast.bureau, year=YEAR
    )
    now = enforce_decision(read_trial(amended, actor=cast.bureau), actor=cast.bureau).made
    other = make_contract(cast.locality, planner=make_planner(cast.locality), policy_version=now)
    make_assignment(other, cast.other_unit.charge, planner=other.planner)
    trial = start_trial(prepare(cast, base, number="补1号"), actor=cast.bureau, year=YEAR)
    assert {row.contract_id for row in trial.rows.all()} == {cast.contract.pk}
    assert (trial.report["contracts"], trial.report["reached"]) == (2, 1)
    assert [count for _, count in trial.report["kept"]] == [1]


def test_another_owner_of_the_quota_makes_other_subjects(cast, base):
    values = {"quota.owner": {"value": "person", "summary": "每人"}}
    decision = prepare(cast, base, "amendment", values, effective_from=dt.date(2025, 6, 1))
    trial = start_trial(decision, actor=cast.bureau, year=YEAR)
    sides = sorted(trial.rows.values_list("side", flat=True))
    assert sides == ["after", "after", "after", "before"]


def test_sums_are_those_of_the_rows(cast, base):
    trial = start_trial(prepare(cast, base), actor=cast.bureau, year=YEAR)
    rows = list(trial.rows.all())
    known = [row for row in rows if None not in (row.deduction_before, row.deduction_after)]
    report = trial.report
    assert Decimal(report["deduction_after"]) == sum((row.deduction_after for row in known), Decimal(0))
    assert report["short_after"] == sum(row.short_after for row in rows)
    assert report["settled"] == len(rows) - len(known)


def test_many_contracts_are_counted_by_a_job_portion_by_portion_once(cast, base, monkeypatch):
    for _ in range(4):
        contract = make_contract(cast.locality, planner=make_planner(cast.locality), policy_version=base)
        make_assignment(contract, cast.other_unit.charge, planner=contract.planner)
    decision = prepare(cast, base)
    at_once = start_trial(decision, actor=cast.bureau, year=YEAR)
    expected = tried(at_once, "after")
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    monkeypatch.setattr("worklogs.jobs.CHUNK", 2)
    trial = start_trial(decision, actor=cast.bureau, year=YEAR)
    assert trial.finished is None and start_trial(decision, actor=cast.bureau, year=YEAR) == trial
    with pytest.raises(StaleState, match="还没有算完"):
        read_trial(trial, actor=cast.bureau)
    calls = []
    count = trials.count_contracts

    def dies_once(*args):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("the worker died")
        return count(*args)

    monkeypatch.setattr("worklogs.jobs.count_contracts", dies_once)
    run_waiting()
    Job.objects.update(not_before=None)
    run_waiting()
    trial.refresh_from_db()
    assert (Job.objects.get().state, trial.finished is not None) == ("done", True)
    assert tried(trial, "after") == expected
    assert not PolicyTrial.objects.filter(pk=at_once.pk).exists()


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def trial(cast, base):
    decision = prepare(cast, base, "amendment", FORTY, effective_from=dt.date(2025, 6, 1))
    return start_trial(decision, actor=cast.bureau, year=YEAR)


def test_the_officer_starts_reads_and_may_then_put_it_in_force(cast, base, client):
    decision = prepare(cast, base)
    client.force_login(cast.bureau)
    assert "施行</button>" not in client.get(decision.get_absolute_url()).content.decode()
    page = client.post(reverse("worklogs:trial-start", args=[decision.pk]), {"year": "2026"}, follow=True)
    trial = PolicyTrial.objects.get()
    assert page.redirect_chain[-1][0] == trial.get_absolute_url()
    assert "本决定约束 1 份合同" in page.content.decode()
    page = client.post(reverse("worklogs:trial-read", args=[trial.pk]), follow=True).content.decode()
    assert "施行</button>" in page and "已阅" in page
    client.post(reverse("districts:decision-enforce", args=[decision.pk]))
    assert PolicyDecision.objects.get().state == "in_force"
    assert "当时试算的结果" in client.get(trial.get_absolute_url()).content.decode()


def test_a_row_opens_to_both_sides_and_their_records(cast, trial, client):
    client.force_login(cast.bureau)
    row = trial.rows.get()
    page = client.get(row.get_absolute_url()).content.decode()
    assert "30 个工作日" in page and "40 个工作日" in page and HEAD["number"] in page
    link = next(url for url in re.findall(r'href="([^"]+)"', page) if "/after/days/" in url)
    assert client.get(link).context["count"] > 0
    assert client.get(f"{row.get_absolute_url()}aside/days/0/").status_code == 404


def test_the_sheet_holds_what_the_page_shows_under_its_filters(cast, trial, client):
    client.force_login(cast.bureau)
    url = reverse("worklogs:trial-export", args=[trial.pk])

    def labels(query):
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(client.get(url + query).streaming_content))).active
        return [cells[0].value for cells in sheet.iter_rows()]

    label = trial.rows.get().label
    assert label in labels("?outcome=newly")
    assert label not in labels("?outcome=better")
    page = client.get(trial.get_absolute_url(), {"outcome": "better"}).content.decode()
    assert "没有符合条件" in page


def test_nobody_but_the_bureau_sees_or_starts_a_dry_run(cast, trial, client, subtests):
    export = reverse("worklogs:trial-export", args=[trial.pk])
    urls = (trial.get_absolute_url(), trial.rows.get().get_absolute_url(), export)
    for role in set(Role) - {Role.UNIT, Role.BUREAU}:
        user = make_user()
        make_membership(user, role, cast.locality)
        client.force_login(user)
        with subtests.test(role=role):
            assert [client.get(url).status_code for url in urls] == [404, 404, 404]
            assert client.post(reverse("worklogs:trial-start", args=[trial.decision_id])).status_code == 404
            with pytest.raises(Refused):
                start_trial(trial.decision, actor=user, year=YEAR)
    client.force_login(cast.other_bureau)
    assert client.get(trial.get_absolute_url()).status_code == 404


def test_the_page_asks_as_much_of_the_database_for_one_row_as_for_thirty(
    cast, base, client, django_assert_max_num_queries
):
    for _ in range(30):
        contract = make_contract(cast.locality, planner=make_planner(cast.locality), policy_version=base)
        make_assignment(contract, cast.other_unit.charge, planner=contract.planner)
    trial = start_trial(prepare(cast, base), actor=cast.bureau, year=YEAR)
    client.force_login(cast.bureau)
    client.get(trial.get_absolute_url())
    with django_assert_max_num_queries(12):
        assert len(client.get(trial.get_absolute_url()).context["page"].rows) == 31


def test_a_made_up_locality_from_a_file_alone_is_amended_and_tried_like_any_other(cast, client):
    from pathlib import Path

    import districts.tests
    from districts.policy.schema import load_pack
    from districts.services.policy_loading import load_policy_files

    folder = Path(districts.tests.__file__).parent / "data"
    load_policy_files(folder)
    place = make_locality("659900", "云河新城")
    attach_packs([place])
    officer = make_user()
    make_membership(officer, Role.BUREAU, place)
    slug = load_pack(folder / "fifth_locality.yaml").slug
    first, _ = PolicyVersion.objects.select_related("pack").filter(pack__slug=slug).order_by("number")
    contract = make_contract(place, planner=make_planner(place), policy_version=first, role_type="resident")
    make_assignment(contract, cast.other_unit.charge, planner=contract.planner)
    make_log(contract.planner, cast.other_unit.charge, contract, dt.date(YEAR, 3, 8), slot="am")
    values = {"quota.required_days": {"value": "20.5", "summary": "二十天半"}}
    decision = create_decision(
        place, actor=officer, kind="amendment", base=first, values=values,
        **{**HEAD, "effective_from": dt.date(2027, 1, 1)},
    )  # fmt: skip
    trial = start_trial(decision, actor=officer, year=YEAR)
    row = trial.rows.get()
    assert (row.required_days_before, row.required_days_after, row.days_after) == (Decimal("12.5"), Decimal("20.5"), 1)
    client.force_login(officer)
    for url in (decision.get_absolute_url(), trial.get_absolute_url(), row.get_absolute_url()):
        assert "云河" in client.get(url).content.decode()
    enforce_decision(read_trial(trial, actor=officer), actor=officer)
    page = client.get(reverse("districts:policy", args=["659900"]) + "?version=3").content.decode()
    assert "20.5 工作日" in page
