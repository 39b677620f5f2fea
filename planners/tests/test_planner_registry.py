"""The register: rare names, document numbers, namesakes, and what nobody reads without a reason."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from core.crypto import blind_index
from core.errors import Refused
from core.models import AuditEntry
from factories import make_planner, make_team
from planners.filters import PlannerFilter
from planners.models import Group, Planner
from planners.services.registry import NamesakeFound, create_planner, reveal, update_planner
from planners.services.teams import add_group, add_member, end_member, move_member, set_lead
from planners.validators import clean_resident_number

GOOD = "11010519491231002X"
NAMES = [
    "龚䶮",
    "𠮷田示例",
    "㛃示例",
    "买买提·吐尔逊",
    "单示例",
    "阿卜杜热合曼·阿卜杜克里木·阿卜杜外力·买买提明·托合提",
]


def found(user, words: str) -> list[str]:
    return [planner.name for planner in PlannerFilter({"q": words}, Planner.objects.visible_to(user), user=user).qs]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_kept_and_found_exactly_as_written(cast, name):
    made = create_planner(cast.locality, actor=cast.bureau, name=name, confirm_namesake=True)
    assert Planner.objects.get(pk=made.pk).name == name
    assert name in found(cast.bureau, name)
    assert name in found(cast.bureau, name[:1])


def test_names_are_found_by_pinyin_initials_and_surname_reading(cast):
    create_planner(cast.locality, actor=cast.bureau, name="单于飞", confirm_namesake=True)
    create_planner(cast.locality, actor=cast.bureau, name="仇示例")
    assert found(cast.bureau, "ouyangming") == ["欧阳明"]
    assert found(cast.bureau, "oym") == ["欧阳明"]
    assert found(cast.bureau, "shanxiaoyu") == ["单小雨"]
    assert found(cast.bureau, "QIU") == ["仇示例"]
    assert found(cast.bureau, "GY") == ["龚䶮"]


def test_the_list_is_sorted_by_pinyin_with_surnames_read_as_surnames(cast):
    for name in ("曾示例", "安示例", "仇示例"):
        create_planner(cast.locality, actor=cast.bureau, name=name)
    assert found(cast.bureau, "") == ["安示例", "龚䶮", "欧阳明", "仇示例", "单小雨", "曾示例"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("110105194912310021", "校验位不正确"), ("11010519491331002X", "出生日期不存在"), ("1101051949123100", "应为 18 位"),
        ("11010520991231002X", "出生日期不合理"),
    ],
)  # fmt: skip
def test_a_mistyped_resident_number_is_refused_with_what_is_wrong(cast, number, words):
    with pytest.raises(ValidationError) as refused:
        create_planner(cast.locality, actor=cast.bureau, name="王示例", identity_number=number)
    assert words in refused.value.message_dict["identity_number"][0]


@pytest.mark.parametrize("typed", [" 11010519491231002x ", "１１０１０５１９４９１２３１００２Ｘ"])
def test_a_number_is_read_as_people_type_it(typed):
    assert clean_resident_number(typed) == GOOD


def test_another_kind_of_document_is_taken_without_the_check(cast):
    made = create_planner(
        cast.locality, actor=cast.bureau, name="外籍示例", identity_kind="passport", identity_number="e12345678"
    )
    assert (made.identity_number, made.identity_tail) == ("E12345678", "5678")


def test_the_number_is_not_readable_in_the_database(cast):
    made = create_planner(cast.locality, actor=cast.bureau, name="王示例", identity_number=GOOD, phone="13800138000")
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_number, phone, identity_index FROM planners_planner WHERE id = %s", [made.pk])
        number, phone, index = cursor.fetchone()
    assert GOOD not in number
    assert "13800138000" not in phone
    assert index == blind_index(GOOD)


def test_one_number_is_registered_once_in_a_locality(cast):
    create_planner(cast.locality, actor=cast.bureau, name="王示例", identity_number=GOOD)
    with pytest.raises(ValidationError, match="该证件号码已登记（王示例）"):
        create_planner(cast.locality, actor=cast.bureau, name="王二示例", identity_number=GOOD.lower())
    create_planner(cast.other_locality, actor=cast.other_bureau, name="王示例", identity_number=GOOD)


def test_a_namesake_is_shown_and_has_to_be_confirmed(cast):
    with pytest.raises(NamesakeFound) as asked:
        create_planner(cast.locality, actor=cast.bureau, name=" 欧阳明 ")
    assert asked.value.others == [cast.colleague_planner]
    made = create_planner(cast.locality, actor=cast.bureau, name="欧阳明", confirm_namesake=True)
    assert Planner.objects.filter(locality=cast.locality, name="欧阳明").count() == 2
    # Nobody is asked again about a name that does not change.
    assert update_planner(made, actor=cast.bureau, profession="建筑学").profession == "建筑学"


def test_a_namesake_elsewhere_is_nobodys_business(cast):
    assert create_planner(cast.locality, actor=cast.bureau, name="外区规划师").pk


def test_what_changed_is_kept_but_never_a_number(cast):
    made = create_planner(cast.locality, actor=cast.bureau, name="王示例", identity_number=GOOD, phone="13800138000")
    update_planner(made, actor=cast.bureau, phone="13900139000", title="senior")
    entry = AuditEntry.objects.filter(action="planner.update").latest("pk")
    assert entry.detail["changed"]["title"] == ["none", "senior"]
    everything = str(list(AuditEntry.objects.values_list("detail", "object_label")))
    for secret in (GOOD, "13800138000", "13900139000"):
        assert secret not in everything


def test_reading_a_number_needs_a_reason_and_leaves_an_entry(cast):
    made = create_planner(cast.locality, actor=cast.bureau, name="王示例", identity_number=GOOD)
    with pytest.raises(ValidationError, match="请写明查看原因"):
        reveal(made, "identity_number", actor=cast.bureau, reason=" ")
    assert reveal(made, "identity_number", actor=cast.bureau, reason="签订聘用合同") == GOOD
    entry = AuditEntry.objects.get(action="planner.unmask")
    assert entry.detail["reason"] == "签订聘用合同"
    assert GOOD not in str(entry.detail)


@pytest.mark.parametrize(
    "who", ["planner", "lead", "unit_officer", "other_bureau", "leader", "department", "sysadmin", "auditor"]
)
def test_identity_numbers_are_for_the_bureau_and_the_person(cast, who):
    with pytest.raises(Refused):
        reveal(cast.colleague_planner, "identity_number", actor=getattr(cast, who), reason="好奇")
    assert reveal(cast.colleague_planner, "identity_number", actor=cast.colleague, reason="核对本人信息") == ""


@pytest.mark.parametrize(
    ("who", "may"),
    [("bureau", True), ("unit_officer", True), ("lead", True), ("colleague", True), ("other_unit_officer", False),
     ("planner", False), ("other_bureau", False), ("leader", False), ("sysadmin", False)],
)  # fmt: skip
def test_phones_are_for_those_who_work_with_the_person(cast, who, may):
    if may:
        assert reveal(cast.colleague_planner, "phone", actor=getattr(cast, who), reason="联系工作") == ""
    else:
        with pytest.raises(Refused):
            reveal(cast.colleague_planner, "phone", actor=getattr(cast, who), reason="联系工作")


def test_a_member_is_in_one_place_of_a_team_at_a_time_and_can_move(cast):
    team = make_team(cast.locality)
    first, second = (add_group(team, actor=cast.bureau, name=name) for name in ("第一组", "第二组"))
    planner = make_planner(cast.locality)
    member = add_member(team, planner, actor=cast.bureau, start=date(2026, 1, 1), group=first)
    with pytest.raises(ValidationError, match="已在“第一组”"):
        add_member(team, planner, actor=cast.bureau, start=date(2026, 5, 1), group=second)
    moved = move_member(member, second, actor=cast.bureau, on=date(2026, 5, 1))
    member.refresh_from_db()
    assert (member.end, moved.start, moved.group) == (date(2026, 4, 30), date(2026, 5, 1), second)


def test_members_come_from_the_locality_and_groups_from_the_team(cast):
    elsewhere = Group.objects.create(team=make_team(cast.locality), name="别组")
    planner = make_planner(cast.locality)
    with pytest.raises(ValidationError, match="不在本地方登记"):
        add_member(cast.team, cast.foreign_planner, actor=cast.bureau, start=date(2026, 1, 1))
    with pytest.raises(ValidationError, match="不属于本团队"):
        add_member(cast.team, planner, actor=cast.bureau, start=date(2026, 1, 1), group=elsewhere)


def test_the_lead_is_a_member_of_the_day(cast):
    assert set_lead(cast.team, cast.own_planner, actor=cast.bureau, on=date(2026, 1, 1)).lead == cast.own_planner
    outsider = make_planner(cast.locality)
    with pytest.raises(ValidationError, match="不是本团队成员"):
        set_lead(cast.team, outsider, actor=cast.bureau, on=date(2026, 1, 1))
    row = cast.team.members.get(planner=cast.colleague_planner)
    with pytest.raises(ValidationError):
        end_member(row, actor=cast.bureau, on=date(2019, 1, 1))
