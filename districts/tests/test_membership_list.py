"""The list of who may do what: who reads it, what it holds, what it costs."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from accounts.roles import Role
from core.models import AuditEntry
from districts.services.memberships import end_membership
from factories import make_membership, make_unit, make_user

URL, EXPORT = "/districts/memberships/", "/districts/memberships/export/"
MATRIX = [
    (None, 302), ("bureau", 403), ("unit_officer", 403), ("department", 403), ("lead", 403), ("planner", 403),
    ("leader", 403), ("city", 403), ("finance", 403), ("evaluator", 403), ("sysadmin", 200), ("secadmin", 200),
    ("auditor", 200),
]  # fmt: skip


@pytest.mark.parametrize("address", [URL, EXPORT])
@pytest.mark.parametrize("who, status", MATRIX)
def test_list_is_for_the_three_administrators(cast, as_user, address, who, status):
    client = as_user(getattr(cast, who) if who else None)
    assert client.get(address).status_code == status


def exported(client, query=""):
    response = client.get(EXPORT + query)
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_list_and_export_hold_exactly_ones_own_locality(cast, as_user):
    client = as_user(cast.auditor)
    page = client.get(URL).content.decode()
    own = set(
        cast.bureau.memberships.model.objects.filter(locality=cast.locality).values_list("user__username", flat=True)
    )
    assert {row["用户名"] for row in exported(client)} == own
    assert all(f">{name}<" in page for name in own)
    for stranger in (cast.other_bureau, cast.foreign):
        assert f">{stranger.username}<" not in page
        assert stranger.name not in page


def test_filters_of_another_locality_show_nothing(cast, as_user):
    client = as_user(cast.secadmin)
    page = client.get(URL, {"q": cast.other_bureau.username}).content.decode()
    assert "没有符合条件的身份" in page
    assert cast.other_bureau.name not in client.get(URL, {"locality": "110112"}).content.decode()


def test_buttons_are_the_security_administrators(cast, as_user):
    link = f"/districts/memberships/{cast.planner.memberships.get().pk}/end/"
    own = f"/districts/memberships/{cast.secadmin.memberships.get().pk}/end/"
    page = as_user(cast.secadmin).get(URL).content.decode()
    assert link in page
    assert own not in page
    assert "/memberships/grant/" in page
    for who in ("sysadmin", "auditor"):
        page = as_user(getattr(cast, who)).get(URL).content.decode()
        assert link not in page
        assert "/memberships/grant/" not in page


def test_filters_find_by_role_state_and_words(cast, as_user):
    client = as_user(cast.secadmin)
    today = timezone.localdate()
    end_membership(cast.planner.memberships.get(), actor=cast.secadmin, reason="调离")
    make_membership(cast.colleague, Role.LEAD, cast.locality, valid_from=today + timedelta(days=3))

    def names(**query):
        rows = client.get(URL, query).context["table"].rows
        return sorted({row[0] for row in rows})

    assert names(role="planner") == ["欧阳明"]
    assert names(role="planner", state="over") == ["单小雨"]
    assert names(state="coming") == ["欧阳明"]
    assert names(q="景山") == ["景山专人"]
    assert names(q=cast.bureau.username) == ["分局干部"]
    assert set(names(state="all")) == {*names(), "单小雨"}
    assert len(names(role="nonsense", state="\x00", locality="x")) == len(names())


def test_export_tells_the_standing_and_is_audited(cast, as_user):
    end_membership(cast.planner.memberships.get(), actor=cast.secadmin, reason="=调离()")
    rows = exported(as_user(cast.auditor), "?state=over")
    assert [(row["姓名"], row["状态"], row["结束原因"], row["结束经办人"]) for row in rows] == [
        ("单小雨", "已结束", "=调离()", "安全管理员")
    ]
    entry = AuditEntry.objects.get(action="membership.export")
    assert (entry.actor_id, entry.detail) == (cast.auditor.pk, {"rows": 1, "filters": "state=over"})


def test_list_costs_the_same_for_one_row_and_for_fifty(cast, as_user, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = as_user(cast.secadmin)

    def cost(**query):
        client.get(URL, query)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL, query).status_code == 200
        return len(queries)

    for number in range(60):
        person = make_user(f"成员{number}")
        make_membership(person, Role.UNIT, cast.locality, unit=make_unit(cast.locality))
    one, many = cost(q=cast.bureau.username), cost()
    assert one <= 8
    assert many - one <= 1  # the count beside the pager, once there is a second page


def test_pages_follow_each_other_without_gap(cast, as_user):
    for number in range(60):
        make_membership(make_user(f"成员{number}"), Role.PLANNER, cast.locality)
    client = as_user(cast.secadmin)
    first = client.get(URL + "?sort=user")
    second = client.get(URL + first.context["page"].next_url)
    seen = [row[1] for response in (first, second) for row in response.context["table"].rows]
    assert len(seen) == len(set(seen)) == cast.locality.membership_set.count()


# --- looking people up -------------------------------------------------------------------------------


def looked_up(client, words):
    return {row["text"] for row in client.get("/districts/memberships/people/", {"q": words}).json()["results"]}


def test_people_are_found_by_security_administrators_in_their_locality(cast, as_user):
    make_user("干部甲", locality_code=cast.locality.code, is_active=False)
    visitor = make_user("外来干部", locality_code=cast.other_locality.code)
    make_membership(visitor, Role.EVALUATOR, cast.locality)
    assert looked_up(as_user(cast.secadmin), "干部") == {"分局干部", "委办局干部", "外来干部"}
    assert looked_up(as_user(cast.secadmin), "安全管理员") == set()


@pytest.mark.parametrize("who", ["bureau", "planner", "sysadmin", "auditor", "city"])
def test_others_find_nobody(cast, as_user, who):
    assert looked_up(as_user(getattr(cast, who)), "干部") == set()


def test_organisations_are_found_in_ones_own_locality(cast, as_user):
    from factories import make_organisation

    make_organisation(cast.other_locality, name="通州分局")
    found = as_user(cast.secadmin).get("/districts/organisations/lookup/", {"q": "分局"}).json()["results"]
    assert [row["text"] for row in found] == ["东城分局"]


def test_the_second_sheet_says_what_each_role_may_do(cast, as_user):
    book = load_workbook(io.BytesIO(b"".join(as_user(cast.secadmin).get(EXPORT).streaming_content)))
    _, *rows = book.worksheets[1].iter_rows(values_only=True)
    assert [row[0] for row in rows] == [role.label for role in Role]
    assert all(row[1] for row in rows)
