"""Which version counts, and how policies come in: loading, supplements, amendments, the trial overlay."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError

from accounts.roles import Role
from core.errors import Refused
from districts.models import PolicyPack, PolicyScope, PolicyVersion
from districts.policy.schema import load_supplement, parse_version
from districts.services.policies import (
    apply_demo_overlay,
    attach_packs,
    load_policy_files,
    policy_for_contract,
    policy_for_version,
    policy_in_force,
    policy_to_read,
    remove_demo_overlay,
    version_in_force,
)
from districts.services.policy_loading import add_supplement, amend_policy, document_hash
from factories import make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db
DAY = dt.date(2025, 6, 1)
SUPPLEMENT = """\
schema: 1
supplements: tongzhou
decision: {number: 通责双办〔2025〕3号, date: 2025-02-20, title: 服务时间补充规定, issuer: 工作组办公室, entered_by: 张某}
effective_from: 2025-03-01
values:
  quota.required_days: {value: 40, summary: 每年四十天}
  quota.day_kind: {value: workday, summary: 以工作日计}
"""


@pytest.fixture
def tongzhou():
    locality = make_locality("110112", "通州区")
    load_policy_files()
    return locality


@pytest.fixture
def officer(tongzhou):
    user = make_user("分局干部")
    make_membership(user, Role.BUREAU, tongzhou)
    return user


@pytest.fixture
def original(tongzhou):
    return PolicyVersion.objects.get(pack__slug="tongzhou", kind="original")


def contract_under(version, locality):
    return SimpleNamespace(policy_version_id=version.pk, locality_id=locality.pk, locality=locality)


def amended(original, start, days):
    document = parse_version(original.document)
    values = dict(document.values)
    values["quota.required_days"] = replace(values["contract.notice_months"], value=days, summary="修订后的天数")
    return replace(document, label="修订", valid_from=start, values=values)


def test_loading_twice_changes_nothing(tongzhou):
    before = list(PolicyVersion.objects.order_by("pk").values_list("pk", "source_hash"))
    done = load_policy_files()
    assert (done.created, done.corrected, len(done.unchanged)) == ([], [], 14)
    assert list(PolicyVersion.objects.order_by("pk").values_list("pk", "source_hash")) == before


def test_a_corrected_file_is_taken_unless_something_hangs_on_the_version(original, officer):
    PolicyVersion.objects.filter(pk=original.pk).update(source_hash="old")
    assert load_policy_files().corrected == ["tongzhou"]
    add_supplement(original, actor=officer, supplement=load_supplement(SUPPLEMENT))
    PolicyVersion.objects.filter(pk=original.pk).update(source_hash="old")
    assert load_policy_files().kept == ["tongzhou"]


def test_a_pack_serves_the_localities_that_it_names_when_they_start(tongzhou):
    east = make_locality("110101", "东城区")
    assert policy_in_force(east, DAY) is None
    attach_packs([east])
    assert policy_in_force(east, DAY).slug == "beijing-core"
    assert policy_in_force(make_locality("110105", "朝阳区"), DAY) is None


def test_a_citys_pack_serves_its_counties_unless_they_have_their_own():
    city = make_locality("140500", "晋城市")
    county = make_locality("140525", "泽州县", parent=city)
    load_policy_files()
    assert policy_in_force(county, DAY).slug == "jincheng"
    PolicyScope.objects.create(pack=PolicyPack.objects.get(slug="tongzhou"), locality=county)
    assert policy_in_force(county, DAY).slug == "tongzhou"
    assert policy_in_force(city, DAY).slug == "jincheng"


def test_a_lapsed_pack_binds_old_contracts_and_no_new_ones():
    city = make_locality("371500", "聊城市")
    load_policy_files()
    version = version_in_force(city, dt.date(2023, 5, 31))
    assert version.pack.slug == "liaocheng"
    assert version_in_force(city, dt.date(2023, 6, 1)) is None
    assert policy_in_force(city, dt.date(2023, 6, 1)) is None
    assert policy_for_contract(contract_under(version, city), dt.date(2024, 5, 1)).value("quota.required_days") == 30
    assert policy_to_read(city, DAY).lapsed_on(DAY)


def test_a_supplement_reaches_contracts_under_the_version_from_its_date(tongzhou, original, officer):
    contract = contract_under(original, tongzhou)
    row = add_supplement(original, actor=officer, supplement=load_supplement(SUPPLEMENT))
    assert (row.number, row.entered_by, row.is_demo) == (2, officer, False)
    assert policy_for_contract(contract, dt.date(2025, 2, 28)).value("quota.required_days") is None
    value = policy_for_contract(contract, dt.date(2025, 3, 1)).get("quota.required_days")
    assert (value.value, value.origin, value.document) == (40, "decision", "通责双办〔2025〕3号")
    assert policy_in_force(tongzhou, DAY).value("quota.required_days") == 40


def test_an_amendment_reaches_new_contracts_alone(tongzhou, original, officer):
    old = contract_under(original, tongzhou)
    start = dt.date(2026, 1, 1)
    row = amend_policy(original.pack, actor=officer, version=amended(original, start, 50))
    new = contract_under(row, tongzhou)
    assert policy_for_contract(old, dt.date(2026, 6, 1)).value("quota.required_days") is None
    assert policy_for_contract(new, dt.date(2026, 6, 1)).value("quota.required_days") == 50
    assert version_in_force(tongzhou, dt.date(2025, 12, 31)).pk == original.pk
    assert version_in_force(tongzhou, start).pk == row.pk


def test_a_supplement_of_the_old_version_does_not_reach_the_amended_one(tongzhou, original, officer):
    add_supplement(original, actor=officer, supplement=load_supplement(SUPPLEMENT))
    document = replace(parse_version(original.document), label="修订", valid_from=dt.date(2026, 1, 1))
    row = amend_policy(original.pack, actor=officer, version=document)
    assert policy_for_version(row, dt.date(2026, 6, 1)).value("quota.required_days") is None
    assert policy_for_version(original, dt.date(2026, 6, 1)).value("quota.required_days") == 40


def test_versions_never_overlap(original, officer):
    amend_policy(original.pack, actor=officer, version=amended(original, dt.date(2026, 1, 1), 50))
    with pytest.raises(ValidationError, match="晚于"):
        amend_policy(original.pack, actor=officer, version=amended(original, dt.date(2025, 1, 1), 60))
    with pytest.raises(ValidationError, match="施行日期"):
        amend_policy(original.pack, actor=officer, version=amended(original, None, 60))


def test_a_supplement_may_not_change_what_is_set(original, officer):
    wrong = load_supplement(SUPPLEMENT.replace("quota.required_days: {value: 40", "contract.notice_months: {value: 1"))
    with pytest.raises(ValidationError, match="原文已有规定"):
        add_supplement(original, actor=officer, supplement=wrong)
    add_supplement(original, actor=officer, supplement=load_supplement(SUPPLEMENT))
    with pytest.raises(ValidationError, match="已补充"):
        add_supplement(original, actor=officer, supplement=load_supplement(SUPPLEMENT.replace("3号", "4号")))


def test_only_the_bureau_of_all_the_localities_reached_may_enter(tongzhou, original):
    leader, stranger = make_user(), make_user()
    make_membership(leader, Role.LEADER, tongzhou)
    make_membership(stranger, Role.BUREAU, make_locality("110101", "东城区"))
    for user in (leader, stranger):
        with pytest.raises(Refused):
            add_supplement(original, actor=user, supplement=load_supplement(SUPPLEMENT))


def test_one_of_two_localities_may_supplement_for_itself_alone():
    east, west = make_locality("110101", "东城区"), make_locality("110102", "西城区")
    load_policy_files()
    user = make_user()
    make_membership(user, Role.BUREAU, east)
    version = PolicyVersion.objects.get(pack__slug="beijing-core")
    text = """\
schema: 1
supplements: beijing-core
decision: {number: 东规〔2025〕1号, date: 2025-01-05, title: 折算规定, issuer: 东城分局, entered_by: 李某}
effective_from: 2025-01-05
values:
  quota.proration: {value: by_days, summary: 按天}
"""
    with pytest.raises(Refused, match="其他地方"):
        add_supplement(version, actor=user, supplement=load_supplement(text))
    add_supplement(version, actor=user, supplement=replace(load_supplement(text), localities=("110101",)))
    assert policy_in_force(east, DAY).value("quota.proration") == "by_days"
    assert policy_in_force(west, DAY).value("quota.proration") is None


def test_overlay_goes_on_and_off_and_leaves_the_pack_as_published(tongzhou):
    city = make_locality("371500", "聊城市")
    attach_packs([city])
    apply_demo_overlay()
    rows = PolicyVersion.objects.count()
    apply_demo_overlay()
    assert PolicyVersion.objects.count() == rows
    assert policy_in_force(tongzhou, DAY).get("quota.required_days").is_demo
    assert policy_in_force(tongzhou, DAY, demo=False).value("quota.required_days") is None
    assert policy_in_force(city, DAY).demo and version_in_force(city, DAY).is_demo
    remove_demo_overlay()
    assert policy_in_force(tongzhou, DAY).value("quota.required_days") is None
    assert policy_in_force(city, DAY) is None
    apply_demo_overlay()
    assert PolicyVersion.objects.count() == rows
    assert policy_in_force(tongzhou, DAY).demo


def test_a_second_hand_policy_is_marked():
    city = make_locality("510100", "成都市")
    load_policy_files()
    assert policy_in_force(city, DAY).second_hand


def test_reading_a_policy_costs_the_same_few_queries_on_every_page(tongzhou, original, django_assert_num_queries):
    apply_demo_overlay()
    policy_in_force(tongzhou, DAY)
    with django_assert_num_queries(2):
        policy_in_force(tongzhou, DAY)
    with django_assert_num_queries(1):
        policy_for_contract(contract_under(original, tongzhou), DAY)


def test_a_changed_row_is_never_answered_from_memory(tongzhou, original):
    assert policy_in_force(tongzhou, DAY).value("contract.notice_months") == 3
    document = original.document
    document["values"]["contract.notice_months"]["value"] = 6
    PolicyVersion.objects.filter(pk=original.pk).update(document=document, source_hash=document_hash(document))
    assert policy_in_force(tongzhou, DAY).value("contract.notice_months") == 6
