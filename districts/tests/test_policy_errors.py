"""A policy file with mistakes is answered with all of them, each with its place and what is allowed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from districts.policy.catalogue import CATALOGUE
from districts.policy.schema import PolicyError, load_pack, load_supplement, parse_values, plain_values

GOOD = """\
schema: 1
slug: somewhere
title: 某地责任规划师制度
localities: ["330400"]
versions:
  - label: 原文
    document: {title: 某文件, issuer: 某机关}
    articles: {一: 总则, 二: 服务时间}
    values:
      quota.required_days: {value: 30, article: 二, summary: 每年三十天}
      quota.day_kind: {value: day, article: 二, summary: 以天计}
"""


def problems(text, load=load_pack):
    with pytest.raises(PolicyError) as caught:
        load(text, name="a.yaml")
    assert all(problem.file == "a.yaml" for problem in caught.value.problems)
    return {problem.path: problem for problem in caught.value.problems}


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_the_sound_file_is_read():
    assert load_pack(GOOD).versions[0].values["quota.required_days"].value == 30


@pytest.mark.parametrize(
    "old, new, path, wrong, allowed",
    [
        ("value: 30,", "value: 三十,", "versions[0].values.quota.required_days.value", "三十", "0 到 366"),
        ("value: 30,", 'value: "30天",', "versions[0].values.quota.required_days.value", "30天", "数字"),
        ("value: 30,", "value: 400,", "versions[0].values.quota.required_days.value", "400", "366"),
        ("value: 30,", "value: true,", "versions[0].values.quota.required_days.value", "true", "数字"),
        ("value: 30,", "value: .inf,", "versions[0].values.quota.required_days.value", ".inf", "数字"),
        ("value: 30,", "value: null,", "versions[0].values.quota.required_days.value", "没有值", "未设定"),
        ("value: 30, ", "", "versions[0].values.quota.required_days.value", "没有值", "未设定"),
        ("value: day,", "value: weekday,", "versions[0].values.quota.day_kind.value", "weekday", "workday（工作日）"),
        ("quota.day_kind:", "quota.day_knd:", "versions[0].values.quota.day_knd", "未知键", "quota.day_kind"),
        ("value: 30, article: 二,", "value: 30,", "versions[0].values.quota.required_days.article", "缺少", "文字"),
        (
            "30, article: 二,",
            "30, article: 九,",
            "versions[0].values.quota.required_days.article",
            "“九”不在",
            "一、二",
        ),
        (
            "30, article: 二,",
            "30, note: x, article: 二,",
            "versions[0].values.quota.required_days.note",
            "未知键",
            "article",
        ),
        ('["330400"]', '["3304"]', "localities[0]", "3304", "六位"),
        ('["330400"]', '["330400", "330400"]', "localities", "重复", "一次"),
        ("slug: somewhere", "slug: Some Where", "slug", "Some Where", "小写"),
        ("schema: 1", "schema: 7", "schema", "7", "schema: 1"),
        ("label: 原文", "label: 原文\n    valid_from: 2023-02-30", "versions[0].valid_from", "不存在", "2021-06-01"),
        ("label: 原文", "label: 原文\n    valid_from: 明年", "versions[0].valid_from", "明年", "2021-06-01"),
        ("issuer: 某机关", "issuer: 某机关, issued: 2021-13", "versions[0].document.issued", "2021-13", "2021-04"),
        ("title: 某地责任规划师制度\n", "title: 某地责任规划师制度\nowner: x\n", "owner", "未知键", "versions"),
        ("slug: somewhere\n", "", "slug", "缺少", "小写"),
    ],
)
def test_one_mistake_names_its_place_and_what_is_allowed(old, new, path, wrong, allowed):
    found = problems(changed(old, new))
    assert list(found) == [path]
    assert wrong in found[path].wrong
    assert allowed in found[path].allowed


def test_line_of_the_mistake_is_given():
    assert problems(changed("value: 30,", "value: 三十,"))["versions[0].values.quota.required_days.value"].line == 10
    assert "a.yaml 第 10 行" in str(problems(changed("value: 30,", "value: 三十,")).popitem()[1])


def test_all_mistakes_are_reported_together():
    text = GOOD.replace("value: 30,", "value: 三十,").replace("quota.day_kind", "quota.x").replace("330400", "1")
    assert set(problems(text)) == {
        "localities[0]", "versions[0].values.quota.required_days.value", "versions[0].values.quota.x"
    }  # fmt: skip


def test_a_key_written_twice_is_refused():
    found = problems(GOOD + "      quota.day_kind: {value: workday, article: 二, summary: 又一次}\n")
    assert "重复" in found["versions[0].values.quota.day_kind"].wrong


def two_versions(first, second):
    block = GOOD[GOOD.index("  - label") :]
    return (
        GOOD[: GOOD.index("  - label")]
        + block.replace("label: 原文", f"label: 甲\n    {first}")
        + block.replace("label: 原文", f"label: 乙\n    {second}")
    )


@pytest.mark.parametrize(
    "first, second",
    [
        ("valid_to: 2024-01-01", "valid_from: 2024-01-01"),
        ("valid_from: 2020-01-01", "valid_from: 2022-01-01"),
        ("valid_from: 2022-01-01", "valid_to: 2022-06-01"),
    ],
)
def test_overlapping_versions_are_refused(first, second):
    assert "有效期重叠" in problems(two_versions(first, second))["versions"].wrong


def test_versions_that_follow_each_other_are_read_oldest_first():
    pack = load_pack(two_versions("valid_from: 2024-01-02", "valid_to: 2024-01-01"))
    assert [version.label for version in pack.versions] == ["乙", "甲"]


def test_an_end_before_the_start_is_refused():
    text = changed("label: 原文", "label: 原文\n    valid_from: 2024-01-01\n    valid_to: 2023-01-01")
    assert "早于" in problems(text)["versions[0].valid_to"].wrong


def test_validity_clause_and_dates_must_agree():
    extra = "      validity.valid_to: {value: 2023-05-31, article: 一, summary: 有效期}\n"
    assert "不一致" in problems(GOOD + extra)["versions[0].valid_to"].wrong


@pytest.mark.parametrize(
    "extra, path",
    [
        (
            "      roles.types: {value: [{code: a, title: 甲, scope: unit}], article: 一, summary: 类型}\n"
            "      contract.term_years: {value: [{role: b, min: 1, max: 2}], article: 一, summary: 任期}\n",
            "versions[0].values.contract.term_years.value[0].role",
        ),
        (
            "      contract.term_years: {value: [{role: b, min: 3, max: 2}], article: 一, summary: 任期}\n",
            "versions[0].values.contract.term_years.value[0]",
        ),
        (
            "      evaluation.planner_weights:\n"
            "        {value: [{indicator: a, weight: 50}, {indicator: b, weight: 40}], article: 一, summary: 权重}\n",
            "versions[0].values.evaluation.planner_weights.value",
        ),
        (
            "      evaluation.cutoffs:\n"
            "        {value: [{grade: 合格, min_score: 0}, {grade: 优, min_score: 90}], article: 一, summary: 线}\n",
            "versions[0].values.evaluation.cutoffs.value",
        ),
        (
            "      roles.qualifications:\n"
            "        {value: [{role: '*', needs: {any: [{rank: {min: x}}]}}], article: 一, summary: 条件}\n",
            "versions[0].values.roles.qualifications.value[0].needs.any[0].rank",
        ),
        (
            "      work.chain: {value: [走访, 走访], article: 一, summary: 环节}\n",
            "versions[0].values.work.chain.value",
        ),
        (
            "      report.due: {value: ['02-30'], article: 一, summary: 期限}\n",
            "versions[0].values.report.due.value[0]",
        ),
    ],
)
def test_values_that_do_not_fit_together_are_refused(extra, path):
    assert path in problems(GOOD + extra)


@pytest.mark.parametrize(
    "hostile, wrong",
    [
        ("", "不是“键: 值”"),
        ("- 1\n- 2\n", "不是“键: 值”"),
        ("just words", "不是“键: 值”"),
        ("a: [1, 2", "有效的 YAML"),
        ("a: b: c", "有效的 YAML"),
        ("\x00\x01", "有效的 YAML"),
        ("a: &x 1\nb: *x\n", "锚点"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "锚点"),
        ("a: " + "[" * 60 + "]" * 60, "嵌套过深"),
        ("a: 1\n---\nb: 2\n", "一份文档"),
        ("a: [" + "1," * 50_000 + "1]", "内容过多"),
        ("a: " + "x" * 600_000, "文件过大"),
        (b"\xff\xfe\x00\x01", "UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "UTF-8"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_hostile_input_gets_one_clear_problem(hostile, wrong):
    with pytest.raises(PolicyError) as caught:
        load_pack(hostile)
    assert wrong in caught.value.problems[0].wrong


def test_python_tags_are_never_built():
    found = problems(changed("title: 某地责任规划师制度", "title: !!python/object/apply:os.system ['true']"))
    assert found


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match="无法读取"):
            load_pack(Path(path))


def test_unquoted_codes_yes_and_dates_do_not_turn_into_something_else():
    assert load_pack(changed('["330400"]', "[330400]")).localities == ("330400",)
    extra = "      contract.yearly_signing: {value: yes, article: 一, summary: 签约}\n"
    assert "true（" in problems(GOOD + extra)["versions[0].values.contract.yearly_signing.value"].allowed


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_never_a_traceback(text):
    for load in (load_pack, load_supplement):
        with pytest.raises(PolicyError):
            load(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(CATALOGUE)), _json)
def test_any_json_as_a_value_is_read_or_refused(key, value):
    try:
        parsed = parse_values({key: {"value": value, "article": "一", "summary": "摘要"}}, {"一": "总则"})
    except PolicyError as error:
        assert error.problems
    else:
        assert parse_values(plain_values(parsed), {"一": "总则"}) == parsed


SUPPLEMENT = """\
schema: 1
supplements: somewhere
decision: {number: 某规〔2026〕1号, date: 2026-01-05, title: 补充规定, issuer: 某局, entered_by: 王某}
effective_from: 2026-02-01
values:
  quota.proration: {value: by_days, summary: 按天折算}
"""


def test_a_supplement_needs_its_decision_but_no_article():
    assert load_supplement(SUPPLEMENT).number == "某规〔2026〕1号"
    found = problems(SUPPLEMENT.replace("number: 某规〔2026〕1号, ", ""), load_supplement)
    assert list(found) == ["decision.number"]


def test_a_supplement_cannot_prolong_a_policy_unless_it_is_a_trial():
    text = SUPPLEMENT + "renewal: {label: 延期, valid_from: 2026-01-01}\n"
    assert "延长" in problems(text, load_supplement)["renewal"].wrong
