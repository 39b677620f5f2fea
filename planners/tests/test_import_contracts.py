"""Import of contracts: drafts under the policy of their day; what was signed is not touched."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.imports import batches
from core.models import ImportBatch
from core.tests.sheets import sheet
from districts.models import PolicyScope
from districts.services.policies import policy_for_version
from factories import make_contract, make_planner, make_team
from planners.models import Contract
from planners.services.contracts import sign_contract
from planners.services.imports import CONTRACTS

pytestmark = pytest.mark.django_db
HEADINGS = (
    "合同编号", "规划师类型", "受聘方类别", "受聘方", "证件号后四位", "聘用方", "聘期起", "聘期止", "年服务费", "付费方式",
    "选聘方式", "签订日期", "工作内容",
)  # fmt: skip
GOOD = {
    "合同编号": "HT-1", "规划师类型": "成员", "受聘方": "单小雨", "聘用方": "东城分局", "聘期起": "2025年1月1日",
    "聘期止": "2027/12/31", "年服务费": "60,000", "签订日期": 45658,
}  # fmt: skip


def imported(cast, *rows, partial=False):
    table = batches.read_table(CONTRACTS, sheet(*rows, headings=HEADINGS), filename="合同.xlsx", place="110101")
    return batches.import_table(
        CONTRACTS, table, place="110101", actor=cast.bureau, filename="合同.xlsx", partial=partial
    )


def first_role(cast) -> str:
    policy = cast.contract.policy_version
    return policy_for_version(policy).value("roles.types")[-1]["title"]


@pytest.fixture
def good(cast):
    return {**GOOD, "规划师类型": first_role(cast)}


def test_import_makes_drafts_under_the_policy_of_their_day(cast, good):
    team = make_team(cast.locality, name="二队")
    report = imported(
        cast,
        good,
        {**good, "合同编号": "HT-2", "受聘方": "二队"},
        {**good, "合同编号": "HT-3", "受聘方": "示例规划设计院"},
    )
    assert [(p.column, p.reason) for p in report.problems] == []
    one = Contract.objects.get(number="HT-1")
    assert (one.state, one.party_kind, one.planner, one.annual_fee, str(one.end)) == (
        "draft", "person", cast.own_planner, Decimal("60000"), "2027-12-31",
    )  # fmt: skip
    assert one.policy_version == cast.contract.policy_version
    assert Contract.objects.get(number="HT-2").team == team
    assert Contract.objects.get(number="HT-3").institution == cast.institution
    # What came in is an ordinary draft: it can be signed.
    one.departure_note = "补录"
    one.save()
    assert sign_contract(one, actor=cast.bureau).state == "signed"


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("合同编号", "", "不能为空"),
        ("规划师类型", "总工程师", "制度方案中没有这个类型"),
        ("受聘方", "查无此人", "没有登记这个受聘方"),
        ("受聘方类别", "政府", "只能填：个人、团队、设计单位"),
        ("聘用方", "火星管委会", "没有登记这个单位"),
        ("聘期止", "2024-01-01", "不能早于聘期起"),
        ("聘期起", "某日", "无法识别日期"),
        ("年服务费（元）", "面议", "不是数字"),
        ("年服务费（元）", "-5", "不能为负数"),
        ("选聘方式", "抽签", "可填：公开招聘"),
    ],
)
def test_import_names_what_is_wrong(cast, good, column, value, words):
    heading = "年服务费" if column.startswith("年服务费") else column
    report = imported(cast, {**good, heading: value})
    assert [p.column for p in report.problems] == [column]
    assert words in report.problems[0].reason
    assert not Contract.objects.filter(number="HT-1").exists()


def test_import_needs_a_policy_in_force_on_the_day_of_signing(cast, good):
    PolicyScope.objects.all().delete()
    report = imported(cast, good)
    assert [p.column for p in report.problems] == ["签订日期"]
    assert "没有生效的制度方案" in report.problems[0].reason


def test_import_changes_a_draft_and_leaves_signed_contracts_alone(cast, good):
    imported(cast, good)
    report = imported(cast, {**good, "年服务费": 70000})
    assert [(c.column, c.before, c.after) for o in report.of("changed") for c in o.changes] == [
        ("年服务费（元）", "60000.00", "70000.00")
    ]
    assert imported(cast, {**good, "年服务费": 70000}).as_json()["existing"] == 1
    Contract.objects.filter(number="HT-1").update(state="signed")
    report = imported(cast, {**good, "年服务费": 80000})
    assert "不能再修改：年服务费（元）" in report.problems[0].reason
    # Saying what is signed once more is no fault.
    assert imported(cast, {**good, "年服务费": 70000}).refused == []


def test_import_asks_which_namesake_is_meant(cast, good):
    make_planner(cast.locality, name="王伟", identity_tail="123X")
    other = make_planner(cast.locality, name="王伟", identity_tail="0042")
    report = imported(cast, {**good, "受聘方": "王伟"})
    assert "有 2 位同名" in report.problems[0].reason
    imported(cast, {**good, "受聘方": "王伟", "证件号后四位": 42})
    assert Contract.objects.get(number="HT-1").planner == other


def test_import_is_taken_back_unless_a_contract_was_signed(cast, good):
    drafted = make_contract(cast.locality, planner=cast.own_planner, number="HT-9", state="draft", annual_fee=1)
    imported(cast, good, {**good, "合同编号": "HT-9"})
    batch = ImportBatch.objects.get()
    one = Contract.objects.get(number="HT-1")
    Contract.objects.filter(pk=one.pk).update(annual_fee=5)
    assert any("HT-1" in words and "又被修改" in words for words in CONTRACTS.obstacles(batch))
    Contract.objects.filter(pk=one.pk).update(annual_fee=60000)
    Contract.objects.filter(pk=one.pk).update(state="signed")
    assert any("HT-1" in words and "已登记签订" in words for words in CONTRACTS.obstacles(batch))
    Contract.objects.filter(pk=one.pk).update(state="draft")
    batches.undo_batch(batch, actor=cast.bureau, reason="重来")
    drafted.refresh_from_db()
    assert (drafted.annual_fee, Contract.objects.filter(number="HT-1").exists()) == (Decimal("1.00"), False)
