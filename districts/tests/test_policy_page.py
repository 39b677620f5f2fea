"""The policy page that a leader reads."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from districts.services.policies import apply_demo_overlay, load_policy_files
from districts.templatetags.policy_tags import origin_html
from factories import make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db


def page(client, locality, role=Role.LEADER, query="", home=None):
    user = make_user()
    make_membership(user, role, home or locality)
    client.force_login(user)
    return client.get(reverse("districts:policy", args=[locality.code]) + query)


@pytest.fixture
def tongzhou():
    locality = make_locality("110112", "通州区")
    load_policy_files(only={"tongzhou"})
    return locality


def test_it_shows_each_value_with_its_clause_and_what_is_unset(client, tongzhou):
    html = page(client, tongzhou).content.decode()
    assert "中途退出提前申请" in html and "3 个月" in html and "三(四)1" in html
    assert 'class="origin origin-clause"' in html
    assert "每年最低服务时间：未设定" in html
    assert "示例补充规定" not in html


def test_overlay_is_visibly_marked(client, tongzhou):
    apply_demo_overlay()
    html = page(client, tongzhou).content.decode()
    assert "含示例补充规定" in html
    assert "origin-demo" in html and "40 工作日" in html


def test_a_lapsed_policy_says_so(client):
    city = make_locality("371500", "聊城市")
    load_policy_files()
    html = page(client, city).content.decode()
    assert "已于 2023年5月31日失效" in html
    assert "不能据此签订新合同" in html


def test_a_second_hand_policy_says_so(client):
    city = make_locality("510100", "成都市")
    load_policy_files()
    assert "论文转述" in page(client, city).content.decode()


def test_no_policy_is_an_answer_too(client):
    assert "还没有制度方案" in page(client, make_locality("110105", "朝阳区")).content.decode()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.UNIT])
def test_everybody_of_the_locality_may_read_it(client, tongzhou, role):
    assert page(client, tongzhou, role).status_code == 200


def test_nobody_else_may(client, tongzhou):
    assert client.get(reverse("districts:policy", args=["110112"])).status_code == 302
    assert page(client, tongzhou, home=make_locality()).status_code == 404


def test_an_earlier_version_can_be_read_and_a_made_up_one_not(client, tongzhou):
    assert page(client, tongzhou, query="?version=1").status_code == 200
    for wrong in ("9", "x", "", "%00", "1' or 1"):
        assert page(client, tongzhou, query=f"?version={wrong}").status_code == 404


def test_number_of_queries_does_not_grow_with_the_policy(client, tongzhou, django_assert_max_num_queries):
    page(client, tongzhou)
    apply_demo_overlay()
    client.get(reverse("districts:policy", args=["110112"]))
    with django_assert_max_num_queries(14):
        client.get(reverse("districts:policy", args=["110112"]))


def test_origin_badge_escapes_and_words_each_origin(tongzhou):
    from districts.policy.values import PolicyValue

    clause = PolicyValue("quota.required_days", 30, "clause", "<b>文件</b>", "五(一)", "摘要")
    assert "&lt;b&gt;" in origin_html(clause) and "条款" in origin_html(clause)
    unset = origin_html(PolicyValue("deduction.formula"))
    assert "未设定" in unset and "财政" in unset
    assert "未设定" in origin_html(PolicyValue("deduction.formula").clause)
