"""Every page of localities, units and organisations: who opens it, and for whom it does not exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from core.idempotency import new_key
from core.tests.access import answers
from districts.models import Contact, Division, Locality, Organisation, Unit
from factories import make_locality, make_organisation, make_unit

ROLES = ("bureau", "planner", "unit_officer", "other_unit_officer", "other_bureau", "sysadmin", "anonymous")
EVERYBODY = (200,) * 6 + (302,)
IN_LOCALITY = (200, 200, 200, 200, 404, 200, 302)
BUREAU = (200, 403, 403, 403, 404, 403, 302)

PAGES = {
    "list": EVERYBODY, "unit-list": EVERYBODY, "unit-export": EVERYBODY, "unit-lookup": EVERYBODY,
    "charge-lookup": EVERYBODY, "division-lookup": EVERYBODY, "organisation-list": EVERYBODY,
    "locality": IN_LOCALITY, "unit": (200, 200, 200, 404, 404, 200, 302),
    "unit-edit": (200, 403, 403, 404, 404, 403, 302), "contact-create": (200, 403, 200, 404, 404, 403, 302),
    "contact-edit": (200, 403, 200, 403, 404, 403, 302), "contact-reveal": (200, 200, 200, 403, 404, 403, 302),
    "organisation-edit": BUREAU, "unit-create": BUREAU, "organisation-create": BUREAU, "unit-streets": BUREAU,
    "locality-start": (200, 403, 403, 403, 200, 200, 302), "locality-streets": (403, 403, 403, 403, 403, 200, 302),
}  # fmt: skip


@pytest.fixture
def as_user(cast: Any) -> Any:
    """`as_user("bureau")`: a client logged in as that member of the cast; "anonymous" is nobody."""

    def client_of(who: str) -> Client:
        client = Client()
        if who != "anonymous":
            client.force_login(getattr(cast, who), backend=settings.AUTHENTICATION_BACKENDS[-1])
        return client

    return client_of


@pytest.fixture
def table(cast: Any) -> Any:
    Division.objects.create(code="11", name="北京市", level="province")
    Division.objects.create(code="1101", name="市辖区", level="city", parent_id="11")
    own = Division.objects.create(code="110101", name="东城区", level="county", parent_id="1101")
    Division.objects.create(code="110102", name="西城区", level="county", parent_id="1101")
    for code, name in (("110101001", "东华门街道"), ("110101002", "景山街道"), ("110102001", "西长安街街道")):
        Division.objects.create(code=code, name=name, level="street", parent_id=code[:6])
    Locality.objects.filter(pk=cast.locality.pk).update(division=own)
    cast.contact = Contact.objects.create(
        organisation=cast.unit.office, unit=cast.unit, duty="person", name="王示例", phone="13812345678"
    )
    return cast


def address(cast: Any, page: str) -> str:
    code, unit = cast.locality.code, cast.unit.pk
    args = {
        "locality": [code], "unit-create": [code], "organisation-create": [code], "unit-streets": [code],
        "unit": [unit], "unit-edit": [unit], "contact-create": [unit], "contact-edit": [cast.contact.pk],
        "contact-reveal": [cast.contact.pk], "organisation-edit": [cast.unit.office_id], "locality-streets": ["110102"],
    }  # fmt: skip
    return reverse(f"districts:{page}", args=args.get(page, []))


def test_page_access(table, as_user):
    assert answers(as_user, ROLES, {page: address(table, page) for page in PAGES}) == PAGES


@pytest.mark.parametrize("page", ["unit-list", "organisation-list"])
def test_lists_take_the_same_few_queries_for_one_row_and_for_thirty(
    table, as_user, django_assert_max_num_queries, page
):
    client, counts = as_user("bureau"), []
    for size in (1, 30):
        for _ in range(size):
            make_unit(table.locality, office=make_organisation(table.locality))
        with django_assert_max_num_queries(8) as counted:
            assert client.get(reverse(f"districts:{page}")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_the_overview_takes_the_same_queries_for_one_locality_and_for_nine(
    table, as_user, django_assert_max_num_queries
):
    client, counts = as_user("bureau"), []
    for codes in (["110199"], [f"11018{n}" for n in range(8)]):
        for code in codes:
            make_locality(code, f"地方{code}", parent=table.locality)
        with django_assert_max_num_queries(11) as counted:
            assert client.get(reverse("districts:list")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_search_and_export_hold_what_one_may_see(table, as_user):
    make_unit(table.other_locality, name="绝密街道")
    make_organisation(table.other_locality, name="绝密单位")
    for who in ("bureau", "planner", "unit_officer", "leader", "sysadmin"):
        client = as_user(who)
        for page in ("unit-list", "organisation-list", "list", "unit-lookup", "charge-lookup"):
            assert "绝密" not in client.get(reverse(f"districts:{page}")).content.decode()
    own = as_user("unit_officer").get(reverse("districts:unit-lookup")).json()["results"]
    assert [row["text"] for row in own] == ["景山街道"]
    assert [
        row["text"] for row in as_user("unit_officer").get(reverse("districts:charge-lookup")).json()["results"]
    ] == ["景山街道"]


@pytest.mark.parametrize("words", ["景山", "jingshan", "js", "JS"])
def test_units_are_found_by_name_pinyin_and_initials(table, as_user, words):
    found = as_user("bureau").get(reverse("districts:unit-lookup"), {"q": words}).json()["results"]
    assert [row["text"] for row in found] == ["景山街道"]


@pytest.mark.parametrize(
    ("words", "codes"),
    [("西城", ["110102"]), ("1101", ["1101", "110101", "110102"]), ("北京 东城", ["110101"]), ("", [])],
)
def test_divisions_are_found_by_name_place_and_code(table, as_user, words, codes):
    found = as_user("sysadmin").get(reverse("districts:division-lookup"), {"q": words}).json()["results"]
    assert [row["id"] for row in found] == codes
    assert as_user("planner").get(reverse("districts:division-lookup"), {"q": words}).json()["results"] == []


def test_pages_show_phones_masked(table, as_user):
    for page in ("unit", "organisation-edit", "contact-edit"):
        content = as_user("bureau").get(address(table, page)).content.decode()
        assert "13812345678" not in content
    assert "138****5678" in as_user("bureau").get(address(table, "unit")).content.decode()
    answer = as_user("bureau").post(address(table, "contact-reveal"), {"reason": "约定走访"})
    assert "13812345678" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert (
        "13812345678" not in as_user("bureau").post(address(table, "contact-reveal"), {"reason": ""}).content.decode()
    )


def test_an_empty_box_keeps_the_number_that_is_registered(table, as_user):
    client = as_user("unit_officer")
    client.post(address(table, "contact-edit"), {"duty": "person", "name": "李示例", "is_active": "on", "phone": ""})
    table.contact.refresh_from_db()
    assert (table.contact.name, table.contact.phone) == ("李示例", "13812345678")
    client.post(
        address(table, "contact-edit"), {"duty": "person", "name": "李示例", "is_active": "on", "remove_phone": "on"}
    )
    table.contact.refresh_from_db()
    assert table.contact.phone == ""


def test_a_unit_is_made_on_its_page_once(table, as_user):
    client, url = as_user("bureau"), address(table, "unit-create")
    data = {
        "submission_key": new_key(), "name": "皇城根组团", "kind": "cluster", "origin": "division",
        "parts": ["110101001", "110101002"], "parts-110101001": "南河沿大街以西", "parts-110101002": "",
    }  # fmt: skip
    first, second = client.post(url, data), client.post(url, data)
    assert first.url == second.url
    unit = Unit.objects.get(name="皇城根组团")
    assert set(unit.parts.values_list("division_id", "portion")) == {("110101001", "南河沿大街以西"), ("110101002", "")}


def test_errors_of_a_unit_stand_beside_their_fields(table, as_user):
    client, url = as_user("bureau"), address(table, "unit-create")
    common = {"submission_key": new_key(), "name": "甲", "kind": "park"}
    answer = client.post(url, {**common, "origin": "document"})
    assert "source" in answer.context["form"].errors
    answer = client.post(url, {**common, "origin": "division"})
    assert "至少选择一个" in answer.context["form"].errors["parts"][0]
    answer = client.post(url, {**common, "origin": "division", "parts": ["110102001"]})
    assert "不在本地方" in answer.context["form"].errors["parts"][0]


def test_a_locality_is_started_in_two_steps(table, as_user):
    client = as_user("sysadmin")
    step = client.post(reverse("districts:locality-start"), {"division": "110102"})
    assert step.url == reverse("districts:locality-streets", args=["110102"])
    page = client.get(step.url)
    data = {"submission_key": page.context["form"]["submission_key"].value(), "streets": ["110102001"]}
    assert client.post(step.url, data).status_code == 302
    made = Locality.objects.get(code="110102")
    assert [unit.name for unit in made.unit_set.all()] == ["西长安街街道"]
    again = client.post(reverse("districts:locality-start"), {"division": "110102"})
    assert "已启用" in again.content.decode()


def test_another_localitys_office_cannot_be_chosen(table, as_user):
    foreign = make_organisation(table.other_locality)
    data = {
        "submission_key": new_key(), "name": "乙", "kind": "street", "origin": "division", "parts": ["110101001"],
        "office": foreign.pk,
    }  # fmt: skip
    answer = as_user("bureau").post(address(table, "unit-create"), data)
    assert "office" in answer.context["form"].errors
    assert not Organisation.objects.filter(pk=foreign.pk, units__name="乙").exists()
