"""`manage.py policy` and `load_policies`, as scripts use them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from districts.policy.catalogue import CATALOGUE
from districts.services.policies import apply_demo_overlay, load_policy_files
from districts.tests.test_policy_errors import GOOD

pytestmark = pytest.mark.django_db


def run(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def run_json(*args):
    return json.loads(run(*args, "--json"))


@pytest.mark.parametrize("loaded", [False, True])
def test_list_and_show_before_and_after_loading(loaded):
    if loaded:
        load_policy_files()
    listed = {line["slug"]: line for line in run_json("policy", "list")}
    assert len(listed) == 14
    assert listed["liaocheng"]["valid_to"] == "2023-05-31"
    assert listed["shanghai"]["second_hand"] and not listed["tongzhou"]["second_hand"]
    shown = run_json("policy", "show", "liaocheng")
    assert set(shown) == set(CATALOGUE)
    assert shown["visits.required_per_month"] == {
        "value": 1, "origin": "clause", "document": "《聊城市责任规划师制度（试行）》", "article": "一(三)"
    }  # fmt: skip
    assert shown["deduction.formula"] == {"value": None, "origin": "unset", "document": None, "article": None}


def test_show_is_as_published_unless_the_trial_is_asked_for():
    load_policy_files()
    apply_demo_overlay()
    assert run_json("policy", "show", "tongzhou")["quota.required_days"]["origin"] == "unset"
    shown = run_json("policy", "show", "tongzhou", "--demo")["quota.required_days"]
    assert (shown["value"], shown["origin"], shown["document"]) == (40, "decision", "示例〔2026〕2号")


def test_show_in_words():
    text = run("policy", "show", "beijing-core")
    assert "每年最低服务时间：30 工作日" in text
    assert "扣减公式：未设定" in text


def test_diff_of_two_packs():
    rows = {row["key"]: row for row in run_json("policy", "diff", "beijing-core", "liaocheng")}
    assert rows["quota.day_kind"]["before"]["value"] == "workday"
    assert rows["quota.day_kind"]["after"]["value"] == "day"
    assert run_json("policy", "diff", "tongzhou", "tongzhou") == []


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(CommandError, match="beijing-core"):
        run("policy", "show", "beijing")
    load_policy_files()
    with pytest.raises(CommandError, match="tongzhou@1"):
        run("policy", "show", "tongzhou@9")


def test_validate_lists_every_problem_and_exits_1(tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text(GOOD)
    assert "校验通过" in run("policy", "validate", str(file))
    assert run_json("policy", "validate", str(file)) == {"valid": True, "problems": []}
    file.write_text(GOOD.replace("value: 30,", "value: 三十,").replace("quota.day_kind", "quota.kind_of_day"))
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("policy", "validate", str(file), "--json", stdout=out)
    assert caught.value.code == 1
    found = json.loads(out.getvalue())["problems"]
    assert [problem["path"].rpartition("values.")[2] for problem in found] == [
        "quota.required_days.value", "quota.kind_of_day"
    ]  # fmt: skip
    assert all(problem["line"] and problem["wrong"] and problem["allowed"] for problem in found)


@pytest.mark.parametrize("path", sorted((Path(__file__).resolve().parents[1] / "policies").rglob("*.yaml")), ids=str)
def test_every_shipped_file_validates(path):
    assert "校验通过" in run("policy", "validate", str(path))


def test_load_policies_is_repeatable():
    assert "新载入 14" in run("load_policies", "--demo")
    assert "新载入 0" in run("load_policies")
    assert "撤回" in run("load_policies", "--no-demo")
