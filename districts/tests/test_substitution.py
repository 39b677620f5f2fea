"""Standing in for a colleague: who may hand over what to whom, what it gives, and that it ends by itself."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.roles import Role
from core.audit import record
from core.errors import Refused, StaleState
from core.models import AuditEntry, Notification
from districts.access import access_of, forget_access, persons_behind
from districts.models import Membership
from districts.permissions import can_hand_over
from districts.services.memberships import end_membership
from districts.services.substitutions import end_substitution, substitute
from districts.services.switching import switch_membership
from factories import make_membership, make_organisation, make_unit, make_user


def day(days=0):
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def office(cast):
    """景山街道办事处 with a second unit, whose officer is the colleague of the first one's."""
    annex = make_unit(cast.locality, name="景山二片", office=cast.unit.office)
    colleague = make_user("同事小赵", username="xiao.zhao", locality_code=cast.locality.code)
    make_membership(colleague, Role.UNIT, cast.locality, unit=annex)
    return colleague


def own(user):
    return Membership.objects.get(user=user, stands_in_for=None)


def hand_over(user, to, *, actor=None, start=0, end=7, reason="休年假"):
    return substitute(
        own(user), person=to, actor=actor or user, valid_from=day(start), valid_to=day(end), reason=reason
    )


def work_as(user, membership):
    forget_access(user)
    switch_membership(user, membership_id=membership.pk, actor=user)
    return user


def test_officer_hands_over_and_the_colleague_works_signed_for_both(cast, office, as_user):
    person = as_user(cast.unit_officer)
    page = person.get("/districts/substitutions/").content.decode()
    url = f"/districts/memberships/{own(cast.unit_officer).pk}/substitute/"
    assert url in page
    assert "同事小赵" in person.get(url).content.decode()
    form = {"person": office.pk, "valid_from": day(), "valid_to": day(7), "reason": "休年假"}
    form["submission_key"] = str(uuid4())
    assert [person.post(url, form).status_code for _ in range(2)] == [302, 302]
    made = Membership.objects.get(stands_in_for=own(cast.unit_officer))
    assert (made.user, made.role, made.unit, made.valid_to, made.reason) == (
        office,
        "unit",
        cast.unit,
        day(7),
        "休年假",
    )
    entry = AuditEntry.objects.get(action="membership.substitute")
    assert (entry.actor, entry.detail["user"], entry.detail["for"]) == (
        cast.unit_officer, "xiao.zhao", cast.unit_officer.username,
    )  # fmt: skip
    assert "您代理 景山专人" in Notification.objects.get(user=office).text

    colleague = as_user(office)
    assert colleague.get(f"/districts/units/{cast.unit.pk}/contacts/new/").status_code in {403, 404}
    colleague.post("/accounts/switch/", {"membership": made.pk})
    assert colleague.get(f"/districts/units/{cast.unit.pk}/contacts/new/").status_code == 200
    assert "代 景山专人 · 景山街道" in colleague.get("/home/").content.decode()
    office.refresh_from_db()
    forget_access(office)
    assert record("x.y", actor=office, obj=cast.unit).actor_label == "同事小赵 代 景山专人"
    assert record("x.y", actor=office, obj=office).actor_label == "同事小赵", "one's own account is one's own"
    assert persons_behind(office) == {office.pk, cast.unit_officer.pk}


def test_it_ends_by_itself_and_begins_on_its_day(cast, office):
    made = hand_over(cast.unit_officer, office, start=2, end=4)
    for days, stands_in in ((1, False), (2, True), (4, True), (5, False)):
        with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
            forget_access(office)
            office.active_membership_id = made.pk
            assert (access_of(office).principal == "景山专人") is stands_in, days


def test_it_never_outlives_what_it_is_of(cast, office):
    role = own(cast.unit_officer)
    Membership.objects.filter(pk=role.pk).update(valid_to=day(5))
    with pytest.raises(ValidationError, match="代理不能更晚"):
        hand_over(cast.unit_officer, office, end=6)
    made = hand_over(cast.unit_officer, office, end=5)
    end_membership(role, actor=cast.secadmin, reason="调离", last_day=day(2))
    made.refresh_from_db()
    assert made.last_day == day(2)
    assert made.end_reason == "被代理的身份已结束"


def test_account_that_is_shut_takes_the_substitution_with_it(cast, office):
    made = work_as(office, hand_over(cast.unit_officer, office))
    assert access_of(made).unit_id == cast.unit.pk
    cast.unit_officer.is_active = False
    cast.unit_officer.save()
    forget_access(office)
    assert access_of(office).principal == ""


@pytest.mark.parametrize("who, why", [
    ("planner", "须由本人履职"), ("lead", "须由本人履职"), ("evaluator", "须由本人履职"), ("city", "须由本人履职"),
    ("leader", "没有所在单位"), ("sysadmin", "管理员身份不能"), ("secadmin", "管理员身份不能"), ("auditor", "管理员身份不能"),
])  # fmt: skip
def test_what_cannot_be_handed_over(cast, office, as_user, who, why):
    user = getattr(cast, who)
    assert why in can_hand_over(user, own(user)).reason
    with pytest.raises(Refused):
        hand_over(user, office)
    assert as_user(user).get(f"/districts/memberships/{own(user).pk}/substitute/").status_code == 403


def test_nobody_hands_on_what_they_do_not_hold(cast, office, as_user):
    role = own(cast.unit_officer)
    for who, status in (("bureau", 404), ("other_unit_officer", 404), ("sysadmin", 403), ("auditor", 403)):
        actor = getattr(cast, who)
        with pytest.raises(Refused):
            hand_over(cast.unit_officer, office, actor=actor)
        assert as_user(actor).post(f"/districts/memberships/{role.pk}/substitute/", {}).status_code == status
    made = hand_over(cast.unit_officer, office)
    with pytest.raises(Refused, match="不能再交给他人"):
        substitute(made, person=cast.other_unit_officer, actor=office, valid_from=day(), valid_to=day(1), reason="转交")


def test_only_colleagues_of_the_office_and_never_an_administrator(cast, office):
    for stranger in (cast.other_unit_officer, cast.bureau, make_user("无身份")):
        with pytest.raises(ValidationError, match="同一单位在岗的同事"):
            hand_over(cast.unit_officer, stranger)
    # An administrator's role that begins within the time is in the way too, also when security arranges it.
    make_membership(office, Role.AUDITOR, cast.locality, valid_from=day(3))
    for actor in (cast.unit_officer, cast.secadmin):
        with pytest.raises(ValidationError, match="不能兼任或代理"):
            hand_over(cast.unit_officer, office, actor=actor)
    assert hand_over(cast.unit_officer, office, end=2).valid_to == day(2)


def test_security_administrator_arranges_it_for_whoever_is_away(cast, as_user):
    deputy = make_user("副手", username="fu.shou", locality_code=cast.locality.code)
    made = hand_over(cast.unit_officer, deputy, actor=cast.secadmin)
    assert {row.user for row in Notification.objects.filter(kind="membership")} == {deputy, cast.unit_officer}
    page = as_user(cast.secadmin).get("/districts/memberships/?kind=substitution").content.decode()
    assert "责任单元主管部门（代 景山专人）" in page
    end_membership(made, actor=cast.secadmin, reason="提前返岗")
    forget_access(deputy)
    assert access_of(deputy).role is None


def test_one_at_a_time_with_a_reason_and_days_in_order(cast, office):
    for extra, match in (
        ({"start": -1}, "不能早于今天"), ({"start": 3, "end": 2}, "不能早于起始"), ({"reason": " "}, "写明代理原因"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=match):
            hand_over(cast.unit_officer, office, **extra)
    hand_over(cast.unit_officer, office)
    with pytest.raises(ValidationError, match="已由 同事小赵 代理"):
        hand_over(cast.unit_officer, office, start=7, end=9)
    assert hand_over(cast.unit_officer, office, start=8, end=9).valid_from == day(8)


@pytest.mark.parametrize("who, reason", [("principal", "被代理人收回"), ("deputy", "代理人交回")])
def test_either_ends_it_early_once(cast, office, as_user, who, reason):
    made = hand_over(cast.unit_officer, office)
    actor = {"principal": cast.unit_officer, "deputy": office}[who]
    assert as_user(cast.other_unit_officer).post(f"/districts/substitutions/{made.pk}/end/").status_code == 404
    assert as_user(cast.auditor).post(f"/districts/substitutions/{made.pk}/end/").status_code == 403
    assert as_user(actor).post(f"/districts/substitutions/{made.pk}/end/").status_code == 302
    made.refresh_from_db()
    assert (made.ended_from, made.end_reason, made.ended_by) == (day(), reason, actor)
    with pytest.raises(StaleState):
        end_substitution(made, actor=actor)
    with pytest.raises(Refused):
        end_substitution(own(office), actor=office)


def test_list_of_a_chosen_day_names_who_stood_in_for_whom(cast, office, as_user):
    with time_machine.travel("2026-03-02T02:00:00Z", tick=False):
        hand_over(cast.unit_officer, office, end=3)
    with time_machine.travel("2026-06-01T02:00:00Z", tick=False):
        client = as_user(cast.auditor)
        then = client.get("/districts/memberships/?on=2026-03-04&q=xiao.zhao").content.decode()
        now = client.get("/districts/memberships/?q=xiao.zhao").content.decode()
        assert ("（代 景山专人）" in then, "（代 景山专人）" in now) == (True, False)
        sheet = client.get("/districts/memberships/export/?on=2026-03-04")
        assert "2026-03-04" in sheet["Content-Disposition"]
        rows = read_sheet(b"".join(sheet))
        found = [row for row in rows if row["用户名"] == "xiao.zhao"]
        assert [(row["代理谁"], row["代理原因"], row["状态"]) for row in found] == [
            ("", "", "有效"),
            ("景山专人", "休年假", "有效"),
        ]
        assert found[1]["最后一天"] == date(2026, 3, 5)


def read_sheet(content):
    import io

    from python_calamine import CalamineWorkbook

    heads, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_database_refuses_a_substitution_without_end(cast, office):
    with pytest.raises(ValidationError, match="截止日期和原因"):
        Membership(
            user=office, role="unit", locality=cast.locality, unit=cast.unit, valid_from=day(),
            stands_in_for=own(cast.unit_officer),
        ).full_clean()  # fmt: skip


def test_role_of_an_organisation_stays_in_it(cast):
    """Two officers of one bureau: the second one signs for the first, with the same reach."""
    second = make_user("分局同事", locality_code=cast.locality.code)
    bureau = own(cast.bureau).organisation
    make_membership(second, Role.BUREAU, cast.locality, organisation=bureau)
    make_membership(
        make_user("别的单位"),
        Role.DEPARTMENT,
        cast.locality,
        organisation=make_organisation(cast.locality, "department"),
    )
    made = hand_over(cast.bureau, second)
    assert access_of(work_as(second, made)).organisation_id == bureau.pk
    assert record("x.y", actor=second).actor_label == "分局同事 代 分局干部"
