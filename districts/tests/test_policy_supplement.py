"""The bureau enters a local decision on the page, field by field or as a file; it counts when it is put in force."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from core.idempotency import new_key
from districts.models import PolicyDecision, PolicyVersion
from districts.services.decisions import enforce_decision, fingerprint, record_trial
from districts.services.policies import load_policy_files, policy_in_force
from factories import make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db
HEAD = {
    "number": "通规发〔2025〕3号", "title": "服务时间补充规定", "issuer": "工作组办公室", "date": "2025年2月20日",
    "effective_from": "2025-03-01",
}  # fmt: skip


@pytest.fixture
def tongzhou():
    locality = make_locality("110112", "通州区")
    load_policy_files(only={"tongzhou"})
    return locality


@pytest.fixture
def as_role(client, tongzhou):
    def login(role=Role.BUREAU, locality=tongzhou):
        user = make_user()
        make_membership(user, role, locality)
        client.force_login(user)
        client.user = user
        return client

    return login


def url(code="110112", query=""):
    return reverse("districts:policy-supplement", args=[code]) + query


def post(client, query="", **data):
    return client.post(url(query=query), {"submission_key": new_key(), **data})


def supplements():
    return PolicyVersion.objects.filter(kind="supplement", is_demo=False)


def put_in_force(user):
    """The latest decision, its dry run read."""
    decision = PolicyDecision.objects.latest("pk")
    read = record_trial(
        decision, actor=user, fingerprint_seen=fingerprint(decision), summary=[], url="/", year=2025
    )  # fmt: skip
    return enforce_decision(read, actor=user)


def test_open_values_are_filled_and_count_from_then_on(as_role, tongzhou):
    data = {
        **HEAD, "v-quota.required_days": "40", "v-quota.day_kind": "workday", "v-quota.needs_confirmation": "true",
        "v-visits.log_kinds": ["survey", "on_site"], "v-deduction.cap": "0.3", "v-report.due": "12-20\n",
    }  # fmt: skip
    client = as_role()
    response = post(client, **data)
    assert response.status_code == 302
    assert policy_in_force(tongzhou).value("quota.required_days") is None
    put_in_force(client.user)
    policy = policy_in_force(tongzhou)
    assert policy.get("quota.required_days").display == "40 工作日"
    assert policy.value("quota.needs_confirmation") is True
    assert policy.value("visits.log_kinds") == ("survey", "on_site")
    assert policy.get("deduction.cap").display == "30%"
    assert policy.get("report.due").display == "每年12月20日"
    assert policy.get("quota.required_days").document == "通规发〔2025〕3号"


def test_what_the_document_says_has_no_field(as_role):
    html = as_role().get(url()).content.decode()
    assert 'name="v-quota.required_days"' in html
    assert 'name="v-contract.notice_months"' not in html
    response = post(as_role(), **HEAD, **{"v-contract.notice_months": "1", "v-quota.required_days": "40"})
    assert "原文已有规定，补充规定不能改变：中途退出提前申请" in response.content.decode()
    assert not PolicyDecision.objects.exists()


def test_the_second_of_two_decisions_on_one_value_is_told(as_role):
    client = as_role()
    assert post(client, **HEAD, **{"v-quota.required_days": "40"}).status_code == 302
    put_in_force(client.user)
    response = post(client, **HEAD, **{"v-quota.required_days": "50"})
    assert "“服务时间补充规定”已补充：每年最低服务时间" in response.content.decode()


@pytest.mark.parametrize(
    "data, words",
    [
        ({}, "至少填写一项"),
        ({"v-quota.required_days": "四十"}, "输入一个数字"),
        ({"v-quota.required_days": "4000"}, "366"),
        ({"v-quota.day_kind": "weekday"}, "weekday"),
        ({"v-report.due": "02-30"}, "02-30"),
        ({"v-quota.required_days": "40", "effective_to": "2024-01-01"}, "早于"),
        ({"v-quota.required_days": "40", "date": "昨天"}, "昨天"),
        ({"v-work.monitoring_aspects": "甲\n甲"}, "重复"),
    ],
)
def test_mistakes_are_named_and_nothing_is_kept(as_role, data, words):
    response = post(as_role(), **{**HEAD, **data})
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not PolicyDecision.objects.exists()


def test_the_same_submission_twice_makes_one_decision(as_role):
    client = as_role()
    data = {**HEAD, "v-quota.required_days": "40", "submission_key": new_key()}
    assert [client.post(url(), data).status_code for _ in range(2)] == [302, 302]
    assert PolicyDecision.objects.count() == 1


FILE = """\
schema: 1
supplements: tongzhou
decision: {number: 通规发〔2025〕9号, date: 2025-05-01, title: 权重, issuer: 某局, entered_by: 某人}
effective_from: 2025-05-01
values:
  evaluation.planner_weights:
    value: [{indicator: daily, weight: 50}, {indicator: outcome, weight: 50}]
    summary: 各半
"""


def upload(client, content, name="w.yaml"):
    content = content if isinstance(content, bytes) else content.encode()
    return post(client, "?by=file", file=SimpleUploadedFile(name, content))


def test_tables_come_by_file(as_role, tongzhou):
    client = as_role()
    assert upload(client, FILE).status_code == 302
    put_in_force(client.user)
    assert policy_in_force(tongzhou).get("evaluation.planner_weights").display == "日常表现，50；工作成果，50"
    assert supplements().get().document["decision"]["entered_by"] != "某人"


@pytest.mark.parametrize(
    "content, words",
    [
        (FILE.replace("weight: 50}]", "weight: 40}]"), "合计"),
        (FILE.replace("supplements: tongzhou", "supplements: jincheng"), "本方案"),
        (FILE.replace("evaluation.planner_weights", "evaluation.weights"), "未知键"),
        (FILE[: FILE.index("  evaluation")] + "  evaluation.disclosure: {value: [聘用], summary: x}\n", "仅由制度文件"),
        (FILE.replace("indicator: daily", "indicator: x"), "没有定义"),
        (b"\xff\x00", "UTF-8"),
        ("a: &x [*x]", "锚点"),
        ("x" * 600_000, "过大"),
    ],
    ids=["weights", "other-pack", "unknown-key", "reserved", "unknown-code", "binary", "alias", "huge"],
)
def test_a_bad_file_is_explained_and_changes_nothing(as_role, content, words):
    response = upload(as_role(), content)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not PolicyDecision.objects.exists()


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.UNIT, Role.BUREAU)])
def test_only_the_bureau_may(as_role, role):
    client = as_role(role)
    assert client.get(url()).status_code == 403
    assert post(client, **HEAD, **{"v-quota.required_days": "40"}).status_code == 403
    assert not PolicyDecision.objects.exists()
    assert "录入补充规定" not in client.get(reverse("districts:policy", args=["110112"])).content.decode()


def test_another_bureau_does_not_even_see_it(as_role, client):
    assert client.get(url()).status_code == 302
    assert as_role(Role.BUREAU, make_locality("110101", "东城区")).get(url()).status_code == 404


def test_a_shared_pack_is_supplemented_for_ones_own_locality(as_role, client):
    east, west = make_locality("110101", "东城区"), make_locality("110102", "西城区")
    load_policy_files()
    client = as_role(Role.BUREAU, east)
    data = {"submission_key": new_key(), **HEAD, "v-quota.proration": "by_days"}
    assert client.post(url("110101"), data).status_code == 302
    put_in_force(client.user)
    assert policy_in_force(east).value("quota.proration") == "by_days"
    assert policy_in_force(west).value("quota.proration") is None
