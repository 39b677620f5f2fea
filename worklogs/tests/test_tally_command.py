"""`manage.py tally`: the format that programs read."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

import factories
from core.explain import Part
from districts.services.policies import apply_demo_overlay
from worklogs.tally.recompute import FORMULA, FORMULAS, Shown
from worklogs.tests.tally_cases import fill_calendar

YEAR = 2025
pytestmark = pytest.mark.django_db
KEYS = [
    "subject", "planner", "contract", "required_days", "day_kind", "days", "visits", "required_visits",
    "shortfall_days", "shortfall_visits", "deduction", "unset", "parts",
]  # fmt: skip


@pytest.fixture
def cast():
    cast = factories.make_cast()
    fill_calendar()
    return cast


def run(*arguments):
    out = StringIO()
    call_command("tally", "--year", str(YEAR), *arguments, stdout=out)
    return out.getvalue()


def run_json(code, *arguments):
    return json.loads(run("--locality", code, "--json", *arguments))


def test_json_of_a_locality(cast):
    log = factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, 3), slot="am")
    (row,) = run_json("110101")
    assert [key for key in KEYS if key not in row] == []
    shown = {
        key: row[key]
        for key in ("subject", "planner", "unit", "contract", "day_kind", "days", "required_days", "shortfall_days")
    }
    assert shown == {
        "subject": "景山街道", "planner": None, "unit": "景山街道", "contract": cast.contract.number,
        "day_kind": "workday", "days": "0.5", "required_days": "30", "shortfall_days": "29.5",
    }  # fmt: skip
    assert (row["visits"], row["required_visits"], row["deduction"]) == (None, None, None)
    assert {"visits.required_per_month", "deduction.formula"} <= set(row["unset"])
    terms = [part for part in row["parts"] if part["figure"] == "days" and part["code"] == "term"]
    assert terms == [
        {
            "label": "3月",
            "value": "0.5",
            "records": [log.pk],
            "clause": None,
            "figure": "days",
            "figure_label": "服务天数",
            "code": "term",
        }
    ]


def test_recomputing_from_the_printed_parts_gives_the_printed_figures(cast):
    apply_demo_overlay()
    for month in (1, 2, 4, 7):
        factories.make_log(
            cast.own_planner,
            cast.unit.charge,
            cast.contract,
            date(YEAR, month, 7),
            state="confirmed",
            met_principal=True,
        )
    (row,) = run_json("110101")
    checked = 0
    for name in (
        "days",
        "required_days",
        "shortfall_days",
        "visits",
        "required_visits",
        "shortfall_visits",
        "deduction",
    ):
        parts = [Part(p["label"], p["value"], code=p["code"]) for p in row["parts"] if p["figure"] == name]
        (formula,) = [p.code.removeprefix(FORMULA) for p in parts if p.code.startswith(FORMULA)]
        assert FORMULAS[formula](Shown(parts)) == Decimal(row[name]), name
        checked += 1
    assert checked == 7
    assert row["unset"] == []


def test_as_published_leaves_every_local_decision_out(cast):
    apply_demo_overlay()
    (with_decisions,), (published,) = run_json("110101"), run_json("110101", "--as-published")
    assert with_decisions["required_visits"] == "12"
    assert published["required_visits"] is None
    assert "visits.required_per_month" in published["unset"]


def test_a_planner_narrows_to_the_subjects_they_belong_to(cast):
    other = factories.make_planner(cast.locality)
    contract = factories.make_contract(cast.locality, planner=other)
    factories.make_assignment(contract, cast.other_unit.charge, planner=other)
    assert len(run_json("110101")) == 2
    assert [row["unit"] for row in run_json("110101", "--planner", str(other.pk))] == ["东四街道"]


def test_a_responsible_project_stands_in_place_of_the_unit(cast):
    """晋市政办函〔2022〕24号 二(三): a project planner is appointed to a project."""
    from districts.models import Charge

    project = factories.make_project(cast.locality, name="古城更新")
    project.charge = Charge.objects.create(kind="project", locality=cast.locality, name="古城更新")
    project.save()
    other = factories.make_planner(cast.locality)
    contract = factories.make_contract(cast.locality, planner=other)
    factories.make_assignment(contract, project.charge, planner=other)
    (row,) = run_json("110101", "--planner", str(other.pk))
    assert (row["project"], "unit" in row) == ("古城更新", False)


def test_in_words(cast):
    text = run("--locality", "110101")
    assert "景山街道" in text
    assert "0 / 30，差 30 个工作日" in text
    assert "走访次数：未设定（每月最低走访次数" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--locality", "999999"], "没有行政区划代码为 999999 的地方"),
        (["--locality", "110101", "--planner", "123456789"], "没有编号为 123456789 的规划师"),
        (["--locality", "110101", "--year", "1"], "年份应在"),
    ],
)
def test_wrong_arguments_are_named(cast, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("tally", *(["--year", "2025"] if "--year" not in arguments else []), *arguments)
