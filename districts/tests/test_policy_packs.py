"""The shipped packs: what each document says, what it leaves open, and the trial overlay over it."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from districts.policy.catalogue import CATALOGUE
from districts.policy.consistency import check_together
from districts.policy.keys import DOCUMENT
from districts.policy.problems import Report
from districts.policy.schema import load_pack, load_supplement, parse_values, parse_version, plain_values, plain_version
from districts.policy.values import merge

POLICIES = Path(__file__).resolve().parents[1] / "policies"
FOUR = ("beijing-core", "tongzhou", "jincheng", "liaocheng")
TEN = (
    "chengdu", "chongqing", "guangxi", "guangzhou", "hangzhou",
    "jiaxing", "nanjing", "shanghai", "shenzhen", "suzhou",
)  # fmt: skip
TODAY = dt.date(2025, 6, 1)
TALLY_KEYS = [
    *(f"quota.{key}" for key in (
        "required_days", "day_kind", "counts_non_workdays", "half_day", "owner", "same_day_members", "proration",
        "needs_confirmation",
    )),
    *(f"visits.{key}" for key in ("required_per_month", "principal_required", "log_kinds")),
    *(f"deduction.{key}" for key in ("triggers", "formula", "basis", "cap")),
]  # fmt: skip


def published(slug):
    pack = load_pack(POLICIES / f"{slug}.yaml")
    return merge(pack, pack.versions[0], on_date=TODAY)


def with_overlay(slug):
    pack = load_pack(POLICIES / f"{slug}.yaml")
    return merge(pack, pack.versions[0], [load_supplement(POLICIES / "demo" / f"{slug}.yaml")], on_date=TODAY)


def test_exactly_the_four_and_the_ten_are_shipped():
    assert {path.stem for path in POLICIES.glob("*.yaml")} == {*FOUR, *TEN}
    assert {path.stem for path in (POLICIES / "demo").glob("*.yaml")} == set(FOUR)


@pytest.mark.parametrize("slug", [*FOUR, *TEN])
def test_every_cited_article_is_in_the_documents_table(slug):
    pack = load_pack(POLICIES / f"{slug}.yaml")
    cited = {article for value in pack.versions[0].values.values() for article in value.article.split("、")}
    assert cited - set(pack.versions[0].articles) == set()
    assert all(value.summary for value in pack.versions[0].values.values())


@pytest.mark.parametrize("slug", FOUR)
def test_published_packs_take_nothing_from_the_overlay(slug):
    policy = published(slug)
    assert {value.origin for value in policy.values.values()} == {"clause"}
    assert not policy.demo


def test_beijing_core_counts_thirty_workdays_of_a_team_in_each_unit():
    policy = published("beijing-core")
    assert {key: policy.value(key) for key in TALLY_KEYS if policy.get(key).is_set} == {
        "quota.required_days": Decimal(30),
        "quota.day_kind": "workday",
        "quota.counts_non_workdays": False,
        "quota.half_day": "counts_half",
        "quota.owner": "team_unit",
    }
    assert policy.get("quota.required_days").article == "五(一)"
    assert policy.get("quota.required_days").display == "30 工作日"
    assert policy.get("quota.owner").article == "二、五(一)"
    assert policy.localities == ("110101", "110102")


def test_liaocheng_counts_thirty_days_of_a_group_and_monthly_visits():
    policy = published("liaocheng")
    found = {key: policy.value(key) for key in TALLY_KEYS if policy.get(key).is_set}
    assert found == {
        "quota.required_days": Decimal(30),
        "quota.day_kind": "day",
        "quota.counts_non_workdays": True,
        "quota.half_day": "counts_half",
        "quota.owner": "group",
        "visits.required_per_month": 1,
        "visits.principal_required": True,
        "visits.log_kinds": tuple(CATALOGUE["visits.log_kinds"].kind.item.options),
        "deduction.triggers": ("days", "visits"),
        "deduction.basis": "annual_fee",
    }
    assert {policy.get(key).article for key in found} == {"一(三)"}
    assert policy.get("quota.required_days").display == "30 天"
    assert (policy.valid_from, policy.valid_to) == (dt.date(2021, 6, 1), dt.date(2023, 5, 31))
    assert policy.lapsed_on(dt.date(2023, 6, 1)) and not policy.lapsed_on(dt.date(2023, 5, 31))


@pytest.mark.parametrize("slug", ["tongzhou", "jincheng"])
def test_where_no_figure_is_given_the_tally_keys_are_unset(slug):
    policy = published(slug)
    assert policy.missing(*TALLY_KEYS) == tuple(TALLY_KEYS)
    assert policy.get("quota.required_days").display == "未设定"
    assert policy.get("quota.required_days").setter


def test_terms_differ_by_role_and_may_be_silent():
    assert published("beijing-core").term_years("lead") == (2, 3)
    assert published("tongzhou").term_years("chief") == (3, 3)
    assert published("tongzhou").term_years("area") == (1, 1)
    assert published("tongzhou").term_years("architect") is None
    assert published("jincheng").term_years("project") == (2, 2)
    assert published("jincheng").term_years("chief_county_seconded") is None
    assert published("liaocheng").term_years("local") == (3, 3)
    assert with_overlay("tongzhou").term_years("architect") == (2, 2)


def test_qualifications_keep_their_and_or_structure():
    rows = {row["role"]: row["needs"] for row in published("jincheng").value("roles.qualifications")}
    assert rows["chief_county_hired"] == {
        "all": [{"certificate": {"name": "registered_planner"}}, {"title": {"min": "senior_engineer"}}]
    }
    assert "注册规划师，且高级工程师以上职称" in published("jincheng").get("roles.qualifications").display
    (liaocheng,) = published("liaocheng").value("roles.qualifications")
    assert [next(iter(leaf)) for leaf in liaocheng["needs"]["all"][0]["any"]] == ["title", "certificate", "certificate"]


def test_evaluation_directions_as_the_documents_say():
    directions = {slug: published(slug).value("evaluation.direction") for slug in FOUR}
    assert directions == {
        "beijing-core": "mutual", "tongzhou": "one_way", "jincheng": "mutual", "liaocheng": "separate"
    }  # fmt: skip
    assert published("liaocheng").value("evaluation.planner_cycle") == "term"
    assert published("liaocheng").value("evaluation.department_cycle") == "year"
    assert published("beijing-core").value("evaluation.filing")["due"] == "03-31"


def test_year_end_documents_as_the_documents_say():
    def named(slug):
        policy = published(slug)
        return tuple(
            policy.value(f"report.{key}") for key in ("document_kind", "title", "period", "through", "required")
        )

    assert named("beijing-core") == ("duty_report", "年度述职报告", "year", "self", True)
    assert named("liaocheng") == ("duty_report", None, "half_year", "team", True)
    assert named("tongzhou") == ("annual_summary", "年终工作总结", "year", "team", True)
    assert named("jincheng") == (None, None, None, None, None)


@pytest.mark.parametrize("slug", FOUR)
def test_no_document_gives_weights_cutoffs_or_tail_ratios(slug):
    policy = published(slug)
    keys = (
        "evaluation.planner_weights", "evaluation.department_weights", "evaluation.evaluator_weights",
        "evaluation.cutoffs", "pay.tail_ratios", "review.opinion_days", "deduction.formula",
    )  # fmt: skip
    assert policy.missing(*keys) == keys


@pytest.mark.parametrize("slug", FOUR)
def test_overlay_fills_all_that_the_tally_needs_and_is_marked(slug):
    policy = with_overlay(slug)
    assert policy.missing(*TALLY_KEYS, "evaluation.cutoffs", "pay.tail_ratios", "report.title", "report.due") == ()
    assert policy.demo
    filled = [value for value in policy.values.values() if value.origin == "decision"]
    assert filled and all(value.is_demo and value.document.startswith("示例") for value in filled)
    for key, value in published(slug).values.items():
        assert policy.get(key).clause == value.clause and policy.value(key) == value.value


@pytest.mark.parametrize("slug", FOUR)
def test_overlay_never_touches_what_the_document_says(slug):
    pack = load_pack(POLICIES / f"{slug}.yaml")
    overlay = load_supplement(POLICIES / "demo" / f"{slug}.yaml")
    assert set(overlay.values) & set(pack.versions[0].values) == set()


@pytest.mark.parametrize("slug", FOUR)
def test_overlay_leaves_to_the_document_what_only_a_document_can_say(slug):
    overlay = load_supplement(POLICIES / "demo" / f"{slug}.yaml")
    assert [key for key in overlay.values if CATALOGUE[key].setter == DOCUMENT] == []


@pytest.mark.parametrize("slug", FOUR)
def test_document_and_overlay_fit_together(slug):
    report = Report()
    check_together({key: value.value for key, value in with_overlay(slug).values.items()}, "values", report)
    assert [str(problem) for problem in report.problems] == []


@pytest.mark.parametrize("slug", TEN)
def test_paper_cities_are_second_hand_and_give_no_quota(slug):
    policy = published(slug)
    assert policy.second_hand
    assert policy.missing(*TALLY_KEYS) == tuple(TALLY_KEYS)
    assert "论文转述" in load_pack(POLICIES / f"{slug}.yaml").versions[0].document.source


@pytest.mark.parametrize("slug", [*FOUR, *TEN])
def test_values_survive_being_kept_as_json_and_are_worded(slug):
    version = load_pack(POLICIES / f"{slug}.yaml").versions[0]
    assert parse_values(plain_values(version.values), version.articles) == version.values
    assert parse_version(plain_version(version)) == version
    for value in published(slug).values.values():
        assert value.display and "None" not in value.display
        assert all(len(row) == len(value.headings) for row in value.grid)


def test_codes_inside_tables_are_worded_by_what_the_pack_calls_them():
    assert "首席责任规划师" in published("tongzhou").get("contract.term_years").display
    assert "chief" not in published("tongzhou").get("contract.term_years").display
    assert "到岗与走访" in with_overlay("liaocheng").get("evaluation.planner_weights").display


def test_json_has_every_key_in_the_published_form():
    shown = published("tongzhou").to_json()
    assert set(shown) == set(CATALOGUE)
    assert shown["quota.required_days"] == {"value": None, "origin": "unset", "document": None, "article": None}
    assert published("beijing-core").to_json()["quota.required_days"] == {
        "value": 30,
        "origin": "clause",
        "document": "《关于推进北京市核心区责任规划师工作的指导意见》",
        "article": "五(一)",
    }
    assert with_overlay("liaocheng").to_json()["deduction.cap"]["value"] == 0.5


def test_a_fifth_locality_is_a_file_and_nothing_else():
    pack = load_pack(Path(__file__).parent / "data" / "fifth_locality.yaml")
    first, second = (merge(pack, version, on_date=TODAY) for version in pack.versions)
    others = [published(slug) for slug in FOUR]
    for key in ("quota.owner", "evaluation.direction", "evaluation.department_cycle", "review.tiers"):
        assert first.value(key) not in [policy.value(key) for policy in others]
    assert first.get("quota.required_days").display == "12.5 工作日"
    assert second.get("quota.required_days").display == "20 天"
    assert second.get("visits.required_per_month").display == "未设定"
    assert first.term_years("resident") == (Decimal("1.5"), 4)
