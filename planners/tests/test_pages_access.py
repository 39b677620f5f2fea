"""Every page of the registry: who opens it, who is told why not, and for whom it does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from core.idempotency import new_key
from core.tests.access import answers
from factories import make_contract, make_planner, make_team
from planners.models import Assignment, Contract, Institution, Planner, Team, TeamMember

ROLES = ("bureau", "planner", "unit_officer", "other_unit_officer", "other_bureau", "sysadmin", "anonymous")
READ_PLANNER = (200, 200, 200, 404, 404, 200, 302)
READ_CONTRACT = (200, 200, 200, 404, 404, 404, 302)
READ_TEAM = (200, 200, 200, 200, 404, 200, 302)
EDIT_PLANNER = (200, 403, 403, 404, 404, 403, 302)
EDIT_CONTRACT = (200, 403, 403, 404, 404, 404, 302)
EDIT_TEAM = (200, 403, 403, 403, 404, 403, 302)
ONLY_BUREAU = (200, 403, 403, 403, 404, 403, 302)

DRAFT = (200, 404, 404, 404, 404, 404, 302)


def address(cast: Any, name: str) -> str:
    """The address of a page, with the cast's objects where it needs one."""
    draft, _ = Contract.objects.get_or_create(
        number="草稿", locality=cast.locality,
        defaults={
            "policy_version": cast.contract.policy_version, "party_kind": "team", "team": cast.team, "state": "draft",
            "signer": cast.contract.signer, "start": cast.contract.start,
            "end": cast.contract.end, "role_type": "member",
        },
    )  # fmt: skip
    args: dict[str, list[Any]] = {
        "planner": [cast.colleague_planner.pk], "planner-edit": [cast.colleague_planner.pk],
        "planner-login": [cast.colleague_planner.pk],
        "planner-create": [cast.locality.code], "team-create": [cast.locality.code],
        "contract-create": [cast.locality.code], "team": [cast.team.pk], "team-edit": [cast.team.pk],
        "team-lead": [cast.team.pk], "group-create": [cast.team.pk], "member-add": [cast.team.pk],
        "member-end": [TeamMember.objects.get(planner=cast.own_planner).pk], "contract": [cast.contract.pk],
        "contract-end": [cast.contract.pk], "signing-create": [cast.contract.pk],
        "assignment-create": [cast.contract.pk], "contract-edit": [draft.pk], "contract-sign": [draft.pk],
        "contract-cancel": [draft.pk], "assignment-end": [cast.assignment.pk],
        "institution-edit": [cast.institution.pk],
        "member-role": [TeamMember.objects.get(planner=cast.own_planner).pk],
        "qualification": [cast.colleague_planner.pk], "credential-create": [cast.colleague_planner.pk],
        # The first of the conditions for a member that a person judges.
        "qualification-judge": [cast.colleague_planner.pk, "member", 6],
        "qualification-override": [cast.contract.pk, cast.colleague_planner.pk],
        "contract-people": [cast.locality.code],
    }  # fmt: skip
    return reverse(f"planners:{name}", args=args.get(name, []))


PAGES = {
    "planner": READ_PLANNER, "planner-edit": EDIT_PLANNER, "planner-login": EDIT_PLANNER,
    "planner-create": ONLY_BUREAU, "team-create": ONLY_BUREAU,
    "contract-create": ONLY_BUREAU, "team": READ_TEAM, "team-edit": EDIT_TEAM, "team-lead": EDIT_TEAM,
    "group-create": EDIT_TEAM, "member-add": EDIT_TEAM, "member-end": EDIT_TEAM, "contract": READ_CONTRACT,
    "contract-end": EDIT_CONTRACT, "signing-create": EDIT_CONTRACT, "assignment-create": EDIT_CONTRACT,
    "contract-edit": DRAFT, "contract-sign": DRAFT, "contract-cancel": DRAFT,
    "assignment-end": (200, 403, 403, 404, 404, 403, 302),
    "list": (200,) * 6 + (302,), "team-list": (200,) * 6 + (302,), "contract-list": (200,) * 6 + (302,),
    "institution-list": (200,) * 6 + (302,), "export": (200,) * 6 + (302,), "contract-export": (200,) * 6 + (302,),
    "planner-lookup": (200,) * 6 + (302,), "team-lookup": (200,) * 6 + (302,), "group-lookup": (200,) * 6 + (302,),
    "institution-lookup": (200,) * 6 + (302,), "institution-create": (200, 403, 403, 403, 200, 403, 302),
    "institution-edit": (200, 403, 403, 403, 200, 403, 302),
    "member-role": EDIT_TEAM, "qualification": EDIT_PLANNER, "credential-create": EDIT_PLANNER,
    "qualification-judge": EDIT_PLANNER, "qualification-override": EDIT_CONTRACT, "contract-people": ONLY_BUREAU,
}  # fmt: skip


def test_page_access(cast, as_user: Callable[[str], Any]):
    assert answers(as_user, ROLES, {page: address(cast, page) for page in PAGES}) == PAGES


def test_every_address_of_the_registry_stands_in_the_matrix():
    from planners.urls import urlpatterns

    own_tests = {
        "planner-reveal", "credential-file", "credential-withdraw", "coverage", "coverage-export", "reselection-list",
    }  # fmt: skip
    assert {pattern.name for pattern in urlpatterns} - set(PAGES) == own_tests


@pytest.mark.parametrize("what", ["identity", "phone"])
def test_reveal_page_access(cast, as_user, what):
    url = reverse("planners:planner-reveal", args=[cast.colleague_planner.pk, what])
    unit = 200 if what == "phone" else 403
    found = {who: as_user(who).get(url).status_code for who in ROLES}
    assert found == dict(zip(ROLES, (200, 403, unit, 404, 404, 403, 302), strict=True))
    assert as_user("bureau").get(url.replace(f"/{what}/", "/note/")).status_code == 404


def test_a_refusal_says_why(cast, as_user):
    answer = as_user("planner").get(address(cast, "planner-edit"))
    assert "仅本地方的规划主管部门" in answer.content.decode()


@pytest.mark.parametrize(
    "make, page",
    [
        (lambda cast, n: make_planner(cast.locality, institution=cast.institution), "list"),
        (
            lambda cast, n: make_contract(
                cast.locality, team=make_team(cast.locality), policy_version=cast.contract.policy_version
            ),
            "contract-list",
        ),
        (lambda cast, n: make_team(cast.locality, members=(make_planner(cast.locality),)), "team-list"),
        (lambda cast, n: Institution.objects.create(name=f"设计院{n}"), "institution-list"),
    ],
    ids=["planners", "contracts", "teams", "institutions"],
)  # fmt: skip
def test_lists_take_the_same_few_queries_for_one_row_and_for_thirty(
    cast, as_user, django_assert_max_num_queries, make, page
):
    client, counts = as_user("bureau"), []
    for size in (1, 30):
        for number in range(size):
            make(cast, size * 100 + number)
        with django_assert_max_num_queries(8) as counted:
            assert client.get(reverse(f"planners:{page}")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_lists_lookups_and_exports_hold_what_one_may_see_and_nothing_else(cast, as_user):
    stranger = make_planner(cast.other_locality, name="绝密示例")
    make_contract(cast.other_locality, planner=stranger, number="绝密合同", policy_version=cast.contract.policy_version)
    make_team(cast.other_locality, name="绝密团队")
    for who in ("bureau", "planner", "unit_officer", "lead", "leader"):
        client = as_user(who)
        for page in ("list", "contract-list", "team-list", "planner-lookup", "team-lookup", "group-lookup"):
            assert "绝密" not in client.get(reverse(f"planners:{page}")).content.decode()
            found = client.get(reverse(f"planners:{page}"), {"q": "绝密"})
            shown = found.json()["results"] if page.endswith("lookup") else found.context["page"].rows
            assert shown == []
    names = {row["text"] for row in as_user("bureau").get(reverse("planners:planner-lookup")).json()["results"]}
    assert names == set(Planner.objects.filter(locality=cast.locality).values_list("name", flat=True))
    served = {
        row["text"] for row in as_user("other_unit_officer").get(reverse("planners:planner-lookup")).json()["results"]
    }
    assert served == set()


def test_a_unit_sees_nobody_who_stands_only_in_a_draft(cast, as_user):
    Contract.objects.filter(pk=cast.contract.pk).update(state="draft")
    client = as_user("unit_officer")
    assert client.get(reverse("planners:planner-lookup")).json()["results"] == []
    assert client.get(address(cast, "contract")).status_code == 404
    assert as_user("planner").get(address(cast, "contract")).status_code == 404


@pytest.mark.parametrize("what", ["list", "planner", "planner-edit", "export", "planner-lookup"])
def test_no_page_carries_a_whole_number(cast, as_user, what):
    planner = cast.colleague_planner
    planner.identity_number, planner.phone = "11010519491231002X", "13812345678"
    planner.save()
    content = b"".join(as_user("bureau").get(address(cast, what)))
    assert b"11010519491231002X" not in content
    assert b"13812345678" not in content


def form_of(client: Any, url: str) -> dict[str, Any]:
    """What the browser would send back: the key of this showing of the form."""
    return {"submission_key": client.get(url).context["form"]["submission_key"].value()}


def test_a_double_click_registers_one_planner(cast, as_user):
    client = as_user("bureau")
    url = address(cast, "planner-create")
    data = {**form_of(client, url), "name": "王示例", "identity_kind": "resident", "title": "none"}
    first, second = client.post(url, data), client.post(url, data)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.url == second.url
    assert Planner.objects.filter(name="王示例").count() == 1


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(cast, as_user):
    client = as_user("bureau")
    data = {
        "submission_key": new_key(), "name": "王示例", "identity_kind": "resident", "title": "senior",
        "identity_number": "110105194912310021", "profession": "建筑学",
    }  # fmt: skip
    answer = client.post(address(cast, "planner-create"), data)
    assert answer.status_code == 200
    assert answer.context["form"].errors["identity_number"] == ["身份证号码校验位不正确，请核对是否输错。"]
    assert 'value="建筑学"' in answer.content.decode()
    assert not Planner.objects.filter(name="王示例").exists()


def test_a_namesake_is_shown_with_a_box_to_tick(cast, as_user):
    client = as_user("bureau")
    data = {"submission_key": new_key(), "name": "欧阳明", "identity_kind": "resident", "title": "none"}
    asked = client.post(address(cast, "planner-create"), data)
    assert "本地方已有同名规划师" in asked.content.decode()
    assert "示例规划设计院" in asked.content.decode()
    assert client.post(address(cast, "planner-create"), {**data, "confirm_namesake": "on"}).status_code == 302
    assert Planner.objects.filter(name="欧阳明").count() == 2


def test_fields_that_the_form_has_not_cannot_be_posted(cast, as_user):
    client = as_user("bureau")
    data = {
        "submission_key": new_key(), "name": "王示例", "identity_kind": "resident", "title": "none",
        "locality": cast.other_locality.pk, "user": cast.bureau.pk, "sort_key": "aaa",
    }  # fmt: skip
    client.post(address(cast, "planner-create"), data)
    made = Planner.objects.get(name="王示例")
    assert (made.locality, made.user, made.sort_key.startswith("wang")) == (cast.locality, None, True)


def test_the_whole_thread_through_the_pages(cast, as_user):
    """Draft, assignment, signing, a year, the end: each by its page."""
    client = as_user("bureau")
    url = address(cast, "contract-create")
    data = {
        **form_of(client, url), "number": "HT-9", "role_type": "member", "appointment_mode": "open",
        "party_kind": "team", "team": cast.team.pk, "signer": cast.contract.signer_id, "start": "2026-01-01",
        "end": "2027年12月31日", "annual_fee": "50000", "pay_mode": "yearly", "signed_on": "2025/12/20",
        "departure_note": "分局代区政府签订",
    }  # fmt: skip
    made = client.post(url, data)
    contract = Contract.objects.get(number="HT-9")
    assert (made.status_code, contract.state) == (302, "draft")
    url = reverse("planners:assignment-create", args=[contract.pk])
    data = {
        **form_of(client, url),
        "charge": cast.other_unit.charge_id,
        "holder": f"team-{cast.team.pk}",
        "start": "2026-01-01",
    }
    assert client.post(url, data).status_code == 302
    assert client.post(url, data).status_code == 302
    assert Assignment.objects.filter(contract=contract).count() == 1
    assert (
        client.post(reverse("planners:contract-sign", args=[contract.pk]), {"signed_on": "2025-12-20"}).status_code
        == 302
    )
    contract.refresh_from_db()
    assert contract.state == "signed"
    again = client.post(reverse("planners:contract-sign", args=[contract.pk]), {"signed_on": "2025-12-20"})
    assert again.status_code == 409
    assert client.get(reverse("planners:contract-edit", args=[contract.pk])).status_code == 403
    url = reverse("planners:signing-create", args=[contract.pk])
    data = {
        **form_of(client, url),
        "start": "2026-01-01",
        "end": "2026-12-31",
        "signed_on": "2026-01-05",
        "fee": "50000",
    }
    assert client.post(url, data).status_code == 302
    assert "2026-01-05 签约" in client.get(reverse("planners:contract", args=[contract.pk])).content.decode()
    ended = client.post(
        reverse("planners:contract-end", args=[contract.pk]), {"ended_on": "2026-10-31", "reason": "协商一致"}
    )
    assert ended.status_code == 302
    assert Team.objects.get(pk=cast.team.pk).contracts.get(number="HT-9").state == "ended"
