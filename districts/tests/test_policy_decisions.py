"""Local decisions: prepared, tried, put in force; what they change, whom they bind, and two officers at once."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from accounts.roles import Role
from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from districts.forms_policy import AmendmentForm
from districts.models import PolicyDecision, PolicyPack, PolicyVersion
from districts.policy.schema import load_supplement
from districts.policy.values import merge
from districts.services.decisions import (
    changes_of,
    create_decision,
    discard_decision,
    enforce_decision,
    fingerprint,
    left_behind,
    record_trial,
    update_decision,
)
from districts.services.policies import (
    apply_demo_overlay,
    load_policy_files,
    policy_for_version,
    policy_in_force,
    remove_demo_overlay,
    version_in_force,
)
from districts.services.policy_loading import add_supplement, shipped_overlays, shipped_packs
from factories import make_locality, make_membership, make_user

pytestmark = pytest.mark.django_db
HEAD = {
    "number": "某规发〔2026〕3号", "title": "服务时间的决定", "issuer": "某区规划分局",
    "date": dt.date(2026, 2, 1), "effective_from": dt.date(2026, 3, 1), "effective_to": None,
}  # fmt: skip
DAYS = {"quota.required_days": {"value": "40", "summary": "每年四十天"}}
NOTICE = {"contract.notice_months": {"value": 6, "summary": "提前六个月", "article": "第二条"}}
SHARED = """\
schema: 1
supplements: beijing-core
decision: {number: 共用1号, date: 2026-01-05, title: 折算规定, issuer: 某局, entered_by: 某人}
effective_from: 2026-01-05
values:
  quota.proration: {value: by_days, summary: 按天}
"""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def officer_of(*places, name="分局干部"):
    user = make_user(name)
    for place in places:
        make_membership(user, Role.BUREAU, place)
    return user


@pytest.fixture
def tongzhou():
    locality = make_locality("110112", "通州区")
    load_policy_files(only={"tongzhou"})
    return locality


@pytest.fixture
def officer(tongzhou):
    return officer_of(tongzhou)


@pytest.fixture
def base(tongzhou):
    return PolicyVersion.objects.select_related("pack").get(pack__slug="tongzhou")


def prepare(locality, officer, base, kind="supplement", values=DAYS, **extra):
    return create_decision(
        locality, actor=officer, kind=kind, base=base, values=values,
        removed=extra.pop("removed", ()), scan=extra.pop("scan", None), **{**HEAD, **extra},
    )  # fmt: skip


def read(decision, officer):
    return record_trial(
        decision, actor=officer, fingerprint_seen=fingerprint(decision), summary=["不变"], url="/t/", year=2026
    )


def in_force(decision, officer):
    return enforce_decision(read(decision, officer), actor=officer)


# --- from draft to force -----------------------------------------------------------------------------------------


def test_nothing_counts_before_its_dry_run_was_read_and_it_was_put_in_force(tongzhou, officer, base):
    second = officer_of(tongzhou, name="另一干部")
    decision = prepare(tongzhou, officer, base)
    assert policy_in_force(tongzhou).value("quota.required_days") is None
    with pytest.raises(StaleState, match="拟稿"):
        enforce_decision(decision, actor=officer)
    decision = in_force(decision, officer)
    value = policy_in_force(tongzhou).get("quota.required_days")
    assert (value.value, value.origin, value.document) == (Decimal(40), "decision", HEAD["number"])
    assert (decision.state, decision.made.supplements_id, decision.made.entered_by) == ("in_force", base.pk, officer)
    assert [n.user for n in Notification.objects.filter(kind="policy.in_force")] == [second]
    assert AuditEntry.objects.filter(action="policydecision.enforce").count() == 1


def test_what_was_changed_after_reading_must_be_tried_again(tongzhou, officer, base):
    decision = read(prepare(tongzhou, officer, base), officer)
    changed = update_decision(
        decision, actor=officer, seen=decision.updated, values={"quota.required_days": {"value": "45", "summary": "改"}},
        **HEAD,
    )  # fmt: skip
    assert (changed.state, changed.trial) == ("draft", {})
    with pytest.raises(StaleState):
        enforce_decision(changed, actor=officer)


def test_a_dry_run_of_other_values_cannot_be_read(tongzhou, officer, base):
    decision = prepare(tongzhou, officer, base)
    with pytest.raises(StaleState, match="重新试算"):
        record_trial(decision, actor=officer, fingerprint_seen="0" * 64, summary=[], url="/", year=2026)


def test_the_second_of_two_editors_is_told(tongzhou, officer, base):
    decision = prepare(tongzhou, officer, base)
    seen = decision.updated
    update_decision(decision, actor=officer, seen=seen, values=DAYS, **{**HEAD, "title": "先改的"})
    with pytest.raises(StaleState, match="已被他人处理"):
        update_decision(decision, actor=officer, seen=seen, values=DAYS, **{**HEAD, "title": "后改的"})
    assert PolicyDecision.objects.get().title == "先改的"


def test_a_decision_tried_against_rules_that_have_changed_since_is_refused(tongzhou, officer, base):
    other = {"quota.proration": {"value": "by_days", "summary": "按天"}}
    first, second = (
        read(prepare(tongzhou, officer, base, number=f"{n}号", values=v), officer) for n, v in ((1, DAYS), (2, other))
    )
    enforce_decision(first, actor=officer)
    with pytest.raises(StaleState, match="重新试算"):
        enforce_decision(second, actor=officer)
    assert in_force(second, officer).state == "in_force"


def test_a_discarded_or_enforced_decision_is_final(tongzhou, officer, base):
    gone = discard_decision(prepare(tongzhou, officer, base), actor=officer)
    done = in_force(prepare(tongzhou, officer, base), officer)
    for decision in (gone, done):
        with pytest.raises(Refused, match="不能再修改"):
            update_decision(decision, actor=officer, seen=decision.updated, values=DAYS, **HEAD)
        with pytest.raises(StaleState):
            discard_decision(decision, actor=officer)


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.UNIT, Role.BUREAU)])
def test_only_the_bureau_decides(tongzhou, officer, base, role):
    user = make_user()
    make_membership(user, role, tongzhou)
    decision = read(prepare(tongzhou, officer, base), officer)
    for act in (enforce_decision, discard_decision):
        with pytest.raises(Refused):
            act(decision, actor=user)
    with pytest.raises(Refused):
        prepare(tongzhou, user, base)
    assert not PolicyDecision.objects.visible_to(user).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_officers_put_two_decisions_in_force_at_once(tongzhou, officer, base):
    """Both have been tried against the same rules: one counts, the other is told to try again. On real connections."""
    officers = [officer, officer_of(tongzhou, name="另一干部")]
    values = [DAYS, {"quota.required_days": {"value": "60", "summary": "每年六十天"}}]
    decisions = [
        read(prepare(tongzhou, who, base, number=f"{n}号", values=value), who)
        for n, (who, value) in enumerate(zip(officers, values, strict=True))
    ]
    barrier, results = threading.Barrier(2), [None, None]

    def run(number):
        try:
            barrier.wait(10)
            results[number] = enforce_decision(decisions[number], actor=officers[number])
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(type(result).__name__ for result in results) == ["PolicyDecision", "StaleState"]
    assert PolicyVersion.objects.filter(kind="supplement").count() == 1
    winner = next(number for number, result in enumerate(results) if isinstance(result, PolicyDecision))
    assert policy_in_force(tongzhou).get("quota.required_days").document == f"{winner}号"


# --- amendments ----------------------------------------------------------------------------------------------------


def test_an_amendment_changes_what_it_names_and_keeps_every_other_clause(tongzhou, officer, base):
    before = policy_for_version(base)
    decision = in_force(prepare(tongzhou, officer, base, "amendment", NOTICE, removed=("quota.on_site",)), officer)
    after = policy_in_force(tongzhou, dt.date(2026, 3, 1))
    value = after.get("contract.notice_months")
    assert (value.value, value.origin, value.document, value.article) == (6, "decision", HEAD["number"], "第二条")
    assert value.decision.issuer == HEAD["issuer"]
    assert not after.get("quota.on_site").is_set
    changed = {"contract.notice_months", "quota.on_site", "validity.valid_from", "validity.valid_to"}
    for key, kept in before.values.items():
        assert key in changed or after.get(key).as_json() == kept.as_json()
    assert policy_in_force(tongzhou, dt.date(2026, 2, 28)).value("contract.notice_months") == 3
    assert (decision.made.title, decision.made.document_number) == (HEAD["title"], HEAD["number"])


def test_the_changes_are_shown_with_both_origins_before_and_after_it_is_in_force(tongzhou, officer, base):
    decision = prepare(tongzhou, officer, base, "amendment", NOTICE, removed=("quota.on_site",))

    def shown(decision):
        return {one.key: (one.what, one.before.origin, one.after.origin) for one in changes_of(decision)}

    expected = {
        "contract.notice_months": ("修改", "clause", "decision"),
        "quota.on_site": ("改为未设定", "clause", "unset"),
        "validity.valid_from": ("新增", "unset", "decision"),
    }
    assert shown(decision) == expected
    assert shown(in_force(decision, officer)) == expected


def test_an_amendment_carries_supplements_of_all_along_and_names_those_it_leaves_behind():
    east, west = make_locality("110101", "东城区"), make_locality("110102", "西城区")
    load_policy_files(only={"beijing-core"})
    city = make_locality("110000", "北京市")
    for place in (east, west):
        place.parent = city
        place.save()
    both, one = officer_of(city), officer_of(east, name="东城干部")
    base = PolicyVersion.objects.select_related("pack").get(pack__slug="beijing-core")
    alone = {"deduction.cap": {"value": "0.3", "summary": "至多三成"}}
    add_supplement(base, actor=both, supplement=load_supplement(SHARED))
    in_force(prepare(east, one, base, values=alone, number="东城1号"), one)
    with pytest.raises(Refused, match="其他地方"):
        prepare(east, one, base, "amendment", {"quota.required_days": {"value": "36", "summary": "三十六"}})
    decision = prepare(east, both, base, "amendment", {"quota.required_days": {"value": "36", "summary": "三十六"}},
                       effective_from=dt.date(2026, 6, 1))  # fmt: skip
    assert [row.title for row in left_behind(decision)] == [HEAD["title"]]
    in_force(decision, both)
    after = policy_in_force(east, dt.date(2026, 6, 1))
    assert after.value("quota.required_days") == 36
    assert after.get("quota.proration").document == "共用1号"
    assert not after.get("deduction.cap").is_set


def test_an_amendment_of_a_trial_goes_when_the_trial_is_withdrawn(tongzhou, officer, base):
    apply_demo_overlay()
    in_force(prepare(tongzhou, officer, base, "amendment", NOTICE), officer)
    day = dt.date(2026, 6, 1)
    assert policy_in_force(tongzhou, day).value("contract.notice_months") == 6
    assert policy_in_force(tongzhou, day).get("quota.required_days").is_demo
    remove_demo_overlay()
    assert policy_in_force(tongzhou, day).value("contract.notice_months") == 3
    assert policy_in_force(tongzhou, day).value("quota.required_days") is None


def test_a_real_supplement_comes_before_what_the_trial_filled(tongzhou, officer, base):
    apply_demo_overlay()
    in_force(
        prepare(tongzhou, officer, base, values={"quota.required_days": {"value": "55", "summary": "五十五"}}), officer
    )
    value = policy_in_force(tongzhou, dt.date(2026, 6, 1)).get("quota.required_days")
    assert (value.value, value.is_demo) == (55, False)


def test_a_lapsed_policy_goes_on_by_a_decision_without_new_values():
    city = make_locality("371500", "聊城市")
    load_policy_files(only={"liaocheng"})
    officer = officer_of(city)
    base = PolicyVersion.objects.select_related("pack").get(pack__slug="liaocheng")
    assert version_in_force(city, dt.date(2026, 4, 1)) is None
    decision = prepare(city, officer, base, "amendment", {}, effective_to=dt.date(2027, 12, 31))
    in_force(decision, officer)
    policy = policy_in_force(city, dt.date(2026, 4, 1))
    assert policy.get("quota.required_days").as_json() == policy_for_version(base).get("quota.required_days").as_json()
    assert (policy.valid_from, policy.valid_to) == (HEAD["effective_from"], dt.date(2027, 12, 31))
    assert policy_in_force(city, dt.date(2028, 1, 1)) is None
    base.refresh_from_db()
    assert base.valid_to == dt.date(2023, 5, 31)


@pytest.mark.parametrize(
    "kind, values, extra, words",
    [
        ("supplement", {}, {}, "至少填写一项"),
        ("supplement", {"contract.notice_months": {"value": 1, "summary": "一"}}, {}, "原文已有规定"),
        ("supplement", DAYS, {"effective_to": dt.date(2026, 1, 1)}, "截止日期早于开始日期"),
        ("amendment", {"quota.required_days": {"value": "9999", "summary": "多"}}, {}, "366"),
        ("amendment", {"pay.unpaid_roles": {"value": ["nobody"], "summary": "无"}}, {}, "没有定义|未在"),
        ("adoption", {}, {}, "至少选择一项"),
    ],
)
def test_what_would_be_refused_later_is_refused_while_it_is_prepared(
    tongzhou, officer, base, kind, values, extra, words
):
    with pytest.raises(ValidationError, match=words):
        prepare(tongzhou, officer, base, kind, values, **extra)
    assert not PolicyDecision.objects.exists()


def test_an_amendment_must_follow_the_last_version(tongzhou, officer, base):
    in_force(prepare(tongzhou, officer, base, "amendment", NOTICE), officer)
    now = PolicyVersion.objects.select_related("pack").get(kind="amendment")
    with pytest.raises(ValidationError) as refused:
        prepare(tongzhou, officer, now, "amendment", NOTICE, effective_from=dt.date(2026, 2, 1))
    assert list(refused.value.message_dict) == ["effective_from"]


# --- adoption ------------------------------------------------------------------------------------------------------


@pytest.fixture
def chengdu():
    city = make_locality("510100", "成都市")
    load_policy_files(only={"chengdu"})
    return city


def adopt(city, officer, keys, **extra):
    paper = PolicyVersion.objects.select_related("pack").get(pack__slug="chengdu")
    plain = paper.document["values"]
    values = {key: {"value": plain[key]["value"], "summary": "采用"} for key in keys}
    return prepare(city, officer, paper, "adoption", values, **extra)


def test_what_a_paper_reports_binds_once_adopted_value_by_value(chengdu):
    officer = officer_of(chengdu)
    paper = policy_in_force(chengdu)
    first, second = list(paper.values)[:2]
    assert paper.second_hand
    in_force(adopt(chengdu, officer, [first]), officer)
    own = policy_in_force(chengdu, dt.date(2026, 3, 1))
    assert not own.second_hand
    assert (own.get(first).value, own.get(first).document) == (paper.get(first).value, HEAD["number"])
    assert not own.get(second).is_set
    assert PolicyPack.objects.get(slug="chengdu").second_hand
    in_force(adopt(chengdu, officer, [second], number="再采用1号", effective_from=dt.date(2026, 5, 1)), officer)
    own = policy_in_force(chengdu, dt.date(2026, 5, 1))
    assert [own.get(key).document for key in (first, second)] == [HEAD["number"], "再采用1号"]


def test_only_the_bureau_of_the_place_that_it_binds_adopts(chengdu):
    stranger = officer_of(make_locality("110112", "通州区"))
    with pytest.raises(Refused, match="本地方"):
        adopt(chengdu, stranger, [next(iter(policy_in_force(chengdu).values))])


# --- pages -----------------------------------------------------------------------------------------------------------


def post_head(**extra):
    plain = {name: str(value) for name, value in HEAD.items() if value is not None}
    return {"submission_key": new_key(), **plain, **extra}


def fields_of(form):
    """What the browser would send back if nobody touched the form."""
    sent = {}
    for bound in form:
        value = bound.value()
        columns = getattr(bound.field, "columns", None)
        if columns is not None:
            rows = list(value or [])
            sent[f"{bound.html_name}-rows"] = str(len(rows))
            for number, row in enumerate(rows):
                sent |= {f"{bound.html_name}-{number}-{name}": row.get(name, "") for name in columns}
        elif value is not None and bound.name not in HEAD and bound.name not in ("scan", "submission_key"):
            sent[bound.html_name] = value
    return {name: "" if value is None else value for name, value in sent.items()}


def test_the_amendment_form_starts_from_what_counts_and_takes_only_what_was_changed(client, tongzhou, officer, base):
    client.force_login(officer)
    url = reverse("districts:policy-amend", args=["110112"])
    response = client.get(url)
    assert "三(四)1" in response.content.decode()
    sent = {**fields_of(response.context["form"]), **post_head()}
    sent |= {"v-contract.notice_months": "6", "a-contract.notice_months": "第二条", "v-quota.on_site": ""}
    response = client.post(url, sent)
    assert response.status_code == 302, response.context["form"].errors
    decision = PolicyDecision.objects.get()
    assert decision.values == {
        "contract.notice_months": {"value": 6, "summary": f"由{HEAD['number']}修订", "article": "第二条"}
    }
    assert decision.removed == ["quota.on_site"]
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "3 个月" in page and "6 个月" in page and "改为未设定" in page
    # Opened again the form holds the decision's own values, and saves them unchanged.
    edit = reverse("districts:decision-edit", args=[decision.pk])
    again = fields_of(client.get(edit).context["form"])
    assert (str(again["v-contract.notice_months"]), again.get("v-quota.on_site", "")) == ("6", "")
    assert client.post(edit, {**again, **post_head()}).status_code == 302
    kept = PolicyDecision.objects.get()
    assert (kept.values, kept.removed) == (decision.values, decision.removed)


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda pack: pack.slug)
def test_an_untouched_form_changes_nothing_whatever_the_pack_holds(pack):
    overlays = [overlay for overlay in shipped_overlays() if overlay.pack == pack.slug]
    policy = merge(pack, pack.versions[0], overlays, on_date=dt.date(2026, 1, 1))
    form = AmendmentForm({**fields_of(AmendmentForm(policy=policy)), **post_head()}, policy=policy)
    assert form.is_valid(), form.errors
    assert (form.values, form.removed) == ({}, ())
    # Only the and/or trees of qualifications have no field.
    assert {key.name for key in form.by_file} <= {"roles.qualifications"}


def test_tables_are_edited_row_by_row_and_their_mistakes_named(client, tongzhou, officer, base):
    client.force_login(officer)
    url = reverse("districts:policy-amend", args=["110112"])
    sent = {**fields_of(client.get(url).context["form"]), **post_head(), "v-pay.tail_ratios-rows": "2"}
    cells = {"0-grade": "优秀", "0-ratio": "1", "1-grade": "合格", "1-ratio": "三"}
    sent |= {f"v-pay.tail_ratios-{name}": value for name, value in cells.items()}
    response = client.post(url, sent)
    assert "第 2 行“支付比例”" in response.content.decode()
    assert client.post(url, {**sent, "v-pay.tail_ratios-1-ratio": "0.8"}).status_code == 302
    assert PolicyDecision.objects.get().values["pay.tail_ratios"]["value"] == [
        {"grade": "优秀", "ratio": "1"}, {"grade": "合格", "ratio": "0.8"},
    ]  # fmt: skip


def test_the_adoption_page_offers_each_value_and_takes_what_is_ticked(client, chengdu):
    officer = officer_of(chengdu)
    client.force_login(officer)
    page = client.get(reverse("districts:policy", args=["510100"])).content.decode()
    assert "采用为本地制度" in page and "录入修订" not in page
    url = reverse("districts:policy-adopt", args=["510100"])
    first = next(iter(policy_in_force(chengdu).values))
    assert "论文转述" in client.get(url).content.decode()
    assert "至少选择一项" in client.post(url, post_head()).content.decode()
    assert client.post(url, post_head(keys=[first])).status_code == 302
    assert list(PolicyDecision.objects.get().values) == [first]


def test_a_scan_is_kept_and_shown_to_those_who_may_see_the_decision(client, tongzhou, officer, base):
    client.force_login(officer)
    url = reverse("districts:policy-supplement", args=["110112"])
    assert "涉密信息不得上传" in client.get(url).content.decode()
    sent = post_head(**{"v-quota.required_days": "40"})
    wrong = client.post(url, {**sent, "scan": SimpleUploadedFile("决定.pdf", b"MZ not a pdf")})
    assert (wrong.status_code, PolicyDecision.objects.count()) == (200, 0)
    assert client.post(url, {**sent, "scan": SimpleUploadedFile("决定.pdf", PDF)}).status_code == 302
    decision = PolicyDecision.objects.get()
    scan = reverse("districts:decision-scan", args=[decision.pk])
    assert b"".join(client.get(scan).streaming_content) == PDF
    leader = make_user()
    make_membership(leader, Role.LEADER, tongzhou)
    client.force_login(leader)
    assert client.get(scan).status_code == 404
    in_force(decision, officer)
    assert client.get(scan).status_code == 200
    # The decision is theirs to read; what its dry run said of colleagues is not.
    assert "试算" not in client.get(decision.get_absolute_url()).content.decode().split("办理记录")[0]
    client.force_login(officer_of(make_locality("110101", "东城区")))
    assert client.get(scan).status_code == 404


def test_any_two_versions_are_compared(client, tongzhou, officer, base):
    in_force(prepare(tongzhou, officer, base, number="补1号"), officer)
    in_force(prepare(tongzhou, officer, base, "amendment", NOTICE, effective_from=dt.date(2026, 6, 1)), officer)
    client.force_login(officer)
    url = reverse("districts:policy-versions", args=["110112"])
    by_kind = {row.kind: row.pk for row in PolicyVersion.objects.all()}

    def changed(a, b):
        found = client.get(url, {"a": by_kind[a], "b": by_kind[b]}).context["changes"]
        return {one.key for one in found if not one.key.startswith("validity")}

    assert changed("original", "supplement") == {"quota.required_days"}
    assert changed("supplement", "amendment") == {"contract.notice_months"}
    assert changed("original", "amendment") == {"quota.required_days", "contract.notice_months"}
    assert "没有不同" in client.get(url, {"a": by_kind["original"], "b": by_kind["original"]}).content.decode()


def test_a_lapsed_policy_says_what_still_runs_under_it(client):
    from factories import make_contract, make_planner

    city = make_locality("371500", "聊城市")
    load_policy_files(only={"liaocheng"})
    version = PolicyVersion.objects.get(pack__slug="liaocheng")
    make_contract(city, planner=make_planner(city), policy_version=version, end=dt.date(2099, 12, 31))
    client.force_login(officer_of(city))
    page = client.get(reverse("districts:policy", args=["371500"])).content.decode()
    assert "1 份聘用合同" in page
    assert "延续或修订" in page
