"""Qualifications on the page and in appointing: items with their ground, judged by name, overridden in writing."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from core.errors import Refused
from core.idempotency import new_key
from core.models import AuditEntry
from districts.services.policies import policy_in_force
from factories import make_contract, make_planner
from planners.models import Contract, Credential, Planner, QualificationCheck, QualificationVerdict
from planners.services.assigning import assign
from planners.services.contracts import policy_of, sign_contract
from planners.services.qualifications import assess, check_contract_people, override, record_verdict, settle

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def policy(cast):
    return policy_in_force(cast.locality)


@pytest.fixture
def weak(cast) -> Planner:
    """Somebody who can meet none of the alternatives for a member: no title, certificate, years or degree."""
    return make_planner(cast.locality, name="初来人", practising_since=date(2025, 1, 1), education="本科")


def number_of(planner, role, words, policy) -> int:
    root = assess(planner, role, policy=policy, on=date(2026, 6, 1)).root
    return next(node.number for node in root.leaves() if words in node.words)


def draft(cast, planner, **extra) -> Contract:
    return make_contract(cast.locality, planner=planner, state="draft", signed_on=None, departure_note="补录", **extra)


def test_page_shows_each_item_with_its_ground_and_clause(as_user, cast, weak):
    page = as_user("bureau").get(f"/planners/{weak.pk}/qualification/?role=member").content.decode()
    for words in (
        "以下符合一项即可", "以下各项均须符合", "没有登记这项执业资格", "登记的职称等级：无", "2025-01-01 起从业", "由人判断，尚未记录",
        "三(二)", "判断",
    ):  # fmt: skip
        assert words in page
    assert "不符合" in page


def test_page_lists_the_paper_behind_an_item(as_user, cast):
    planner = make_planner(cast.locality, name="有证人", registrations=["registered_planner"])
    client = as_user("bureau")
    body = {
        "kind": "certificate", "code": "registered_planner", "name": "注册城乡规划师证书", "number": "示例001",
        "upload": SimpleUploadedFile("证书.pdf", PDF), "submission_key": new_key(),
    }  # fmt: skip
    assert client.post(f"/planners/{planner.pk}/credentials/new/", body).status_code == 302
    paper = Credential.objects.get()
    page = client.get(f"/planners/{planner.pk}/qualification/?role=member").content.decode()
    assert page.count("注册城乡规划师证书") >= 2 and f"/planners/credentials/{paper.pk}/file/" in page
    assert b"".join(client.get(f"/planners/credentials/{paper.pk}/file/").streaming_content) == PDF
    client.post(f"/planners/credentials/{paper.pk}/withdraw/")
    assert client.post(f"/planners/credentials/{paper.pk}/withdraw/").status_code == 403
    assert (
        client.get(f"/planners/{planner.pk}/qualification/?role=member").content.decode().count("注册城乡规划师证书")
        < 3
    )


def test_officer_judges_by_name_with_evidence_and_the_latest_counts(as_user, cast, policy):
    planner = make_planner(cast.locality, name="有证人", registrations=["registered_planner"])
    number = number_of(planner, "member", "老城", policy)
    client = as_user("bureau")
    url = f"/planners/{planner.pk}/qualification/member/{number}/judge/"
    assert "依据" in client.post(url, {"verdict": "met", "evidence": "", "submission_key": new_key()}).content.decode()
    for verdict, evidence in (("not_met", "没有提交材料"), ("preferred", "参与过示例老城项目")):
        client.post(url, {"verdict": verdict, "evidence": evidence, "submission_key": new_key()})
    assert list(QualificationVerdict.objects.values_list("verdict", flat=True)) == ["preferred", "not_met"]
    found = assess(planner, "member", policy=policy, on=date(2026, 6, 1))
    item = next(node for node in found.root.leaves() if node.number == number)
    assert (item.state, item.verdict.by) == ("met", str(cast.bureau))
    assert "参与过示例老城项目" in item.reason
    entry = AuditEntry.objects.filter(action="qualification.judge").order_by("pk").last()
    assert (entry.actor, entry.detail["evidence"]) == (cast.bureau, "参与过示例老城项目")
    # What a figure tells cannot be judged.
    computed = number_of(planner, "member", "注册规划师", policy)
    assert client.get(f"/planners/{planner.pk}/qualification/member/{computed}/judge/").status_code == 404
    with pytest.raises(ValidationError):
        record_verdict(
            planner,
            actor=cast.bureau,
            role="member",
            number=computed,
            verdict="met",
            evidence="任意写的",
            policy=policy,
        )


def test_nobody_judges_themselves(cast, policy):
    planner = make_planner(cast.locality, name="兼职人", user=cast.bureau)
    number = number_of(planner, "member", "老城", policy)
    with pytest.raises(Refused, match="自己"):
        record_verdict(
            planner, actor=cast.bureau, role="member", number=number, verdict="met", evidence="本人自述", policy=policy
        )


def test_not_met_stops_signing_until_somebody_says_why(as_user, cast, weak):
    contract = draft(cast, weak)
    client = as_user("bureau")
    refused = client.post(f"/planners/contracts/{contract.pk}/sign/", {"signed_on": "2026-01-05"}).content.decode()
    assert "初来人的任职条件不符合" in refused
    contract.refresh_from_db()
    assert (contract.state, QualificationCheck.objects.count()) == ("draft", 0)
    url = f"/planners/contracts/{contract.pk}/qualification/{weak.pk}/override/"
    assert "不少于 5 个字" in client.post(url, {"reason": "好"}).content.decode()
    assert client.post(url, {"reason": "本地急需，已请示领导同意"}).status_code == 302
    assert client.post(f"/planners/contracts/{contract.pk}/sign/", {"signed_on": "2026-01-05"}).status_code == 302
    contract.refresh_from_db()
    assert contract.state == "signed"
    kept = QualificationCheck.objects.get()
    assert (kept.state, kept.overridden_by, kept.items["op"]) == ("not_met", cast.bureau, "all")
    for page in (f"/planners/contracts/{contract.pk}/", f"/planners/{weak.pk}/", f"/planners/{weak.pk}/qualification/"):
        assert "本地急需，已请示领导同意" in client.get(page).content.decode()
    # For ever after: also when the person has become qualified since.
    weak.registrations = ["registered_planner"]
    weak.save()
    assert "本地急需，已请示领导同意" in client.get(f"/planners/contracts/{contract.pk}/").content.decode()
    objects = AuditEntry.objects.filter(action="qualification.override").values_list("object_type", flat=True)
    assert set(objects) == {"planners.contract", "planners.planner"}


def test_not_known_is_shown_and_does_not_stop(as_user, cast):
    planner = make_planner(cast.locality, name="待核人", registrations=["registered_planner"])
    contract = draft(cast, planner)
    assert "待核实" in as_user("bureau").get(f"/planners/contracts/{contract.pk}/sign/").content.decode()
    sign_contract(contract, actor=cast.bureau, signed_on=date(2026, 1, 5))
    assert QualificationCheck.objects.get().state == "unknown"


def test_override_is_for_the_bureau_once_and_only_where_something_lacks(cast, weak):
    contract = draft(cast, weak)
    policy = policy_of(contract)
    with pytest.raises(Refused):
        override(contract, weak, actor=cast.leader, reason="领导同意破格聘任", policy=policy)
    override(contract, weak, actor=cast.bureau, reason="本地急需破格聘任", policy=policy)
    with pytest.raises(ValidationError, match="已有人"):
        override(contract, weak, actor=cast.bureau, reason="再写一次理由", policy=policy)
    fit = make_planner(cast.locality, name="合格人", registrations=["registered_planner"])
    with pytest.raises(ValidationError, match="无需"):
        override(draft(cast, fit), fit, actor=cast.bureau, reason="其实没有必要", policy=policy)


def test_somebody_sent_later_under_a_signed_contract_is_looked_at_too(cast, weak):
    contract = make_contract(cast.locality, institution=cast.institution)
    Planner.objects.filter(pk=weak.pk).update(institution=cast.institution)
    weak.refresh_from_db()
    with pytest.raises(ValidationError, match="初来人的任职条件不符合"):
        assign(contract, cast.other_unit.charge, actor=cast.bureau, start=contract.start, planner=weak)
    override(contract, weak, actor=cast.bureau, reason="本地急需破格聘任", policy=policy_of(contract))
    assign(contract, cast.other_unit.charge, actor=cast.bureau, start=contract.start, planner=weak)
    assert contract.assignments.count() == 1


def test_of_a_team_the_lead_alone_has_the_contracts_type(as_user, cast):
    contract = cast.contract
    Contract.objects.filter(pk=contract.pk).update(role_type="lead")
    contract.refresh_from_db()

    def roles() -> dict[Planner, str]:
        found = check_contract_people(contract, policy=policy_of(contract), on=date(2026, 6, 1))
        return {each.now.planner: each.now.role for each in found}

    assert roles() == {cast.lead_planner: "lead", cast.own_planner: "", cast.colleague_planner: ""}
    page = as_user("bureau").get(f"/planners/contracts/{contract.pk}/").content.decode()
    assert "没有登记在团队中的类型，未作核对" in page
    row = cast.team.members.get(planner=cast.own_planner)
    assert as_user("unit_officer").post(f"/planners/members/{row.pk}/role/", {"role_type": "member"}).status_code == 403
    as_user("bureau").post(f"/planners/members/{row.pk}/role/", {"role_type": "member"})
    assert roles()[cast.own_planner] == "member"
    assert "骨干成员" in as_user("bureau").get(f"/planners/teams/{cast.team.pk}/").content.decode()


def test_a_team_is_looked_at_member_by_member_in_as_many_queries(cast, django_assert_max_num_queries):
    contract = cast.contract
    with django_assert_max_num_queries(7):
        found = check_contract_people(contract, policy=policy_of(contract), on=date(2026, 6, 1))
    assert {each.now.planner for each in found} == {cast.lead_planner, cast.own_planner, cast.colleague_planner}


def test_what_the_pack_leaves_unset_is_not_judged(cast, weak, policy):
    from dataclasses import replace

    silent = replace(policy, values={k: v for k, v in policy.values.items() if k != "roles.qualifications"})
    found = assess(weak, "member", policy=silent, on=date(2026, 6, 1))
    assert (found.state, found.root, found.stops) == ("unset", None, False)
    contract = draft(cast, weak)
    settle(contract, [weak], policy=silent, on=date(2026, 6, 1))
    assert not QualificationCheck.objects.exists()


def test_who_reads_and_who_records(as_user, cast, policy):
    planner = cast.own_planner
    number = number_of(planner, "member", "老城", policy)
    paper = Credential.objects.create(planner=planner, kind="title", name="职称证", recorded_by=cast.bureau)
    contract = draft(cast, planner)
    reads = {"bureau", "leader", "city", "planner"}
    urls = {
        "page": f"/planners/{planner.pk}/qualification/",
        "judge": f"/planners/{planner.pk}/qualification/member/{number}/judge/",
        "paper": f"/planners/{planner.pk}/credentials/new/",
        "override": f"/planners/contracts/{contract.pk}/qualification/{planner.pk}/override/",
    }
    for who in (
        "bureau",
        "leader",
        "city",
        "planner",
        "colleague",
        "lead",
        "unit_officer",
        "finance",
        "department",
        "sysadmin",
    ):
        client = as_user(who)
        assert (client.get(urls["page"]).status_code == 200) == (who in reads), who
        for name in ("judge", "paper", "override"):
            assert (client.get(urls[name]).status_code == 200) == (who == "bureau"), (who, name)
        assert (client.post(f"/planners/credentials/{paper.pk}/withdraw/").status_code == 302) == (who == "bureau")
        Credential.objects.update(withdrawn_on=None)
    other = as_user("other_bureau")
    assert {other.get(url).status_code for url in urls.values()} == {404}


def people_part(client, **chosen) -> str:
    answer = client.get("/planners/contracts/new/110101/people/", chosen)
    assert answer.status_code == 200
    return answer.content.decode()


def test_form_of_a_draft_holds_the_party_against_the_conditions_before_anything_is_saved(as_user, cast, weak):
    client = as_user("bureau")
    assert "contracts/new/110101/people/" in client.get("/planners/contracts/new/110101/").content.decode()
    assert "选择规划师类型和受聘方后" in people_part(client)
    asked = people_part(client, role_type="member")
    assert "骨干成员须具备" in asked and "三(二)" in asked and "选择受聘方后" in asked
    part = people_part(client, role_type="member", party_kind="person", planner=weak.pk, signed_on="2026-06-01")
    assert "初来人" in part and "不符合" in part
    team = people_part(client, role_type="lead", party_kind="team", team=cast.team.pk)
    assert cast.lead_planner.name in team and cast.own_planner.name in team
    assert not Contract.objects.filter(planner=weak).exists()


def test_party_of_another_locality_is_not_looked_up(as_user, cast):
    part = people_part(as_user("bureau"), role_type="member", party_kind="person", planner=cast.foreign_planner.pk)
    assert cast.foreign_planner.name not in part


@pytest.mark.parametrize("signed_on", ["昨天", "2199-13-40", "", "1990-01-01"])
def test_conditions_part_bears_any_date(as_user, cast, signed_on):
    people_part(as_user("bureau"), role_type="member", party_kind="person", signed_on=signed_on, planner="x")


def test_conditions_part_is_the_bureaus(as_user, cast):
    assert as_user("unit_officer").get("/planners/contracts/new/110101/people/").status_code == 403
