"""Units: of streets, of parts of streets, or from a document; their charge follows them."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused
from core.models import AuditEntry
from districts.models import Charge, Division, Locality, Membership, Unit
from districts.services.localities import add_street_units, locality_name, start_locality, streets_without_unit
from districts.services.organisations import add_contact, reveal_contact_phone, update_contact
from districts.services.units import PartGiven, create_unit, kind_of, retire_unit, update_unit
from factories import make_locality, make_membership, make_user

LEVELS = {2: "province", 4: "city", 6: "county", 9: "street"}


def divide(code: str, name: str, parent: str | None = None) -> Division:
    return Division.objects.create(code=code, name=name, level=LEVELS[len(code)], parent_id=parent)


@pytest.fixture
def table(cast):
    """A small division table, with 东城区 standing on it."""
    divide("11", "北京市")
    divide("1101", "市辖区", "11")
    own = divide("110101", "东城区", "1101")
    divide("110112", "通州区", "1101")
    for code, name in (("110101001", "东华门街道"), ("110101002", "景山街道"), ("110112101", "宋庄镇")):
        divide(code, name, code[:6])
    Locality.objects.filter(pk=cast.locality.pk).update(division=own)
    cast.locality.refresh_from_db()
    divide("37", "山东省")
    divide("3715", "聊城市", "37")
    divide("371502", "东昌府区", "3715")
    divide("371503", "茌平区", "3715")
    for code, name in (
        ("371502001", "古楼街道"),
        ("371502400", "开发区街道"),
        ("371503001", "振兴街道"),
        ("371502002", "振兴街道"),
    ):
        divide(code, name, code[:6])
    return cast


def part(code: str, portion: str = "") -> PartGiven:
    return PartGiven(Division.objects.get(code=code), portion)


def test_a_unit_covers_several_streets_or_part_of_one(table):
    unit = create_unit(
        table.locality, actor=table.bureau, name="皇城根组团", kind="cluster", origin="division",
        parts=[part("110101001", "南河沿大街以西"), part("110101002")],
    )  # fmt: skip
    assert [str(row) for row in unit.parts.order_by("division")] == ["东华门街道（南河沿大街以西）", "景山街道"]
    assert (unit.charge.kind, unit.charge.name, unit.charge.locality) == ("unit", "皇城根组团", table.locality)
    assert AuditEntry.objects.filter(action="unit.create", object_id=str(unit.pk)).exists()


def test_a_unit_from_a_document_names_the_document(table):
    with pytest.raises(ValidationError) as refused:
        create_unit(table.locality, actor=table.bureau, name="嘉明开发区", kind="park", origin="document")
    assert "文件依据" in str(refused.value)
    assert not Charge.objects.filter(name="嘉明开发区").exists()
    made = create_unit(
        table.locality, actor=table.bureau, name="嘉明开发区", kind="park", origin="document", source="制度 二(一)"
    )
    assert made.parts.count() == 0


@pytest.mark.parametrize(
    ("parts", "words"),
    [([], "至少选择一个"), (["110101001", "110101001"], "只需选择一次"), (["110112101"], "不在本地方的行政区划内")],
)
def test_wrong_parts_are_refused_in_words(table, parts, words):
    with pytest.raises(ValidationError, match=words):
        create_unit(
            table.locality, actor=table.bureau, name="甲", kind="street", origin="division",
            parts=[part(code) for code in parts],
        )  # fmt: skip


def test_two_current_units_of_one_name_are_refused_and_a_retired_name_is_free(table):
    with pytest.raises(ValidationError, match="本地方已有同名的责任单元"):
        create_unit(
            table.locality,
            actor=table.bureau,
            name=" 景山街道 ",
            kind="street",
            origin="division",
            parts=[part("110101002")],
        )
    retire_unit(table.unit, actor=table.bureau, on=date(2026, 6, 30))
    create_unit(
        table.locality, actor=table.bureau, name="景山街道", kind="street", origin="division", parts=[part("110101002")]
    )


def test_a_renamed_unit_takes_its_charge_along(table):
    update_unit(table.unit, actor=table.bureau, parts=[part("110101002")], name="景山责任街区")
    table.unit.refresh_from_db()
    assert table.unit.charge.name == "景山责任街区"
    assert table.unit.sort_key.startswith("jing")
    entry = AuditEntry.objects.get(action="unit.update")
    assert entry.detail["name"] == ["景山街道", "景山责任街区"]


def test_a_retired_unit_takes_nothing_new(table):
    retire_unit(table.unit, actor=table.bureau, on=date(2026, 6, 30))
    assert not Charge.objects.get(pk=table.unit.charge_id).is_active


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "other_bureau", "leader", "sysadmin", "department"])
def test_only_the_bureau_keeps_units(table, who):
    user = getattr(table, who)
    with pytest.raises(Refused):
        create_unit(table.locality, actor=user, name="甲", kind="street", origin="division", parts=[part("110101001")])
    with pytest.raises(Refused):
        update_unit(table.unit, actor=user, name="乙")


def test_a_locality_starts_from_the_table_with_a_unit_for_each_chosen_street(table):
    county = Division.objects.get(code="371502")
    streets = list(Division.objects.filter(code__in=["371502001", "371502400"]).select_related("parent"))
    made = start_locality(county, actor=table.sysadmin, streets=streets)
    assert (made.code, made.name, made.parent) == ("371502", "东昌府区", None)
    assert set(made.unit_set.values_list("name", "kind")) == {("古楼街道", "street"), ("开发区街道", "street")}
    assert Membership.objects.filter(user=table.sysadmin, locality=made, role="sysadmin").exists()
    with pytest.raises(ValidationError, match="已启用"):
        start_locality(county, actor=table.sysadmin)


def test_a_city_takes_the_counties_that_were_there_before_it(table):
    county = start_locality(Division.objects.get(code="371502"), actor=table.sysadmin)
    streets = list(Division.objects.filter(name="振兴街道").select_related("parent"))
    city = start_locality(Division.objects.get(code="3715"), actor=table.sysadmin, streets=streets)
    county.refresh_from_db()
    assert (city.code, county.parent) == ("371500", city)
    # Two streets of one name in two counties are told apart.
    assert set(city.unit_set.values_list("name", flat=True)) == {"东昌府区振兴街道", "茌平区振兴街道"}
    assert locality_name(Division.objects.select_related("parent").get(code="1101")) == "北京市"


def test_a_bureau_starts_what_lies_below_it_and_nothing_else(table):
    city = make_locality("371500", "聊城市", division=Division.objects.get(code="3715"))
    user = make_user()
    make_membership(user, "bureau", city)
    assert start_locality(Division.objects.get(code="371502"), actor=user).parent == city
    for code in ("3715", "110112"):
        with pytest.raises(Refused, match="下级"):
            start_locality(Division.objects.get(code=code), actor=user)


@pytest.mark.parametrize("who", ["planner", "unit_officer", "leader", "secadmin", "auditor", "city"])
def test_others_start_nothing(table, who):
    with pytest.raises(Refused):
        start_locality(Division.objects.get(code="371502"), actor=getattr(table, who))


def test_streets_that_have_a_unit_are_not_proposed_again(table):
    assert [street.name for street in streets_without_unit(table.locality)] == ["东华门街道", "景山街道"]
    add_street_units(
        table.locality, actor=table.bureau, streets=[Division.objects.select_related("parent").get(code="110101001")]
    )
    assert [street.name for street in streets_without_unit(table.locality)] == ["景山街道"]
    assert Unit.objects.get(name="东华门街道").parts.get().division_id == "110101001"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("古楼街道", "street"),
        ("宋庄镇", "town"),
        ("于家务回族乡", "town"),
        ("经济技术开发区", "park"),
        ("良种场", "other"),
    ],
)
def test_kinds_are_read_from_names(name, kind):
    assert kind_of(Division(name=name)) == kind


def test_contacts_are_named_and_their_phones_masked_audited_and_kept(table):
    contact = add_contact(
        table.unit.office, actor=table.unit_officer, unit=table.unit, duty="person", name="王示例", phone="13812345678"
    )
    assert reveal_contact_phone(contact, actor=table.planner, reason="约定走访时间") == "13812345678"
    assert AuditEntry.objects.get(action="contact.unmask").detail["reason"] == "约定走访时间"
    update_contact(contact, actor=table.bureau, phone="13900000000")
    told = str(AuditEntry.objects.get(action="contact.update").detail)
    assert "139*" not in told and "1390" not in told
    for who in ("other_unit_officer", "other_bureau", "sysadmin", "finance"):
        with pytest.raises(Refused):
            reveal_contact_phone(contact, actor=getattr(table, who), reason="好奇")
    for who in ("other_unit_officer", "planner", "other_bureau"):
        with pytest.raises(Refused):
            update_contact(contact, actor=getattr(table, who), name="改名")
