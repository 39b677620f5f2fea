"""A month's page: forty logs in three clicks, remarks beside what deserves a look, and nobody else's months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from core.files import store_generated
from core.models import Notification
from districts.models import Charge
from factories import make_log, make_membership, make_organisation, make_project, make_unit, make_user
from worklogs.models import LogPhoto, MonthClosing, WorkLog
from worklogs.services.checks import check_all

MONTH = date(2026, 3, 1)


@pytest.fixture
def address(cast) -> str:
    return f"/worklogs/months/{cast.unit.charge_id}/2026/3/"


def logs_of(cast, count: int, **extra) -> list[WorkLog]:
    return [
        make_log(
            cast.own_planner,
            cast.unit.charge,
            cast.contract,
            MONTH + timedelta(days=n % 28),
            content=f"第{n}处",
            **extra,
        )
        for n in range(count)
    ]


def test_month_forty_logs_confirmed_and_closed_with_one_request(client, cast, address):
    logs = logs_of(cast, 40)
    client.force_login(cast.unit_officer)
    page = client.get(address).content.decode()
    # Everything is ticked already: what the form would send is every log.
    assert page.count('name="logs"') == 40 == page.count(" checked data-tick ")
    response = client.post(f"{address}confirm/", {"logs": [log.pk for log in logs], "close": "1"}, follow=True)
    assert "已确认 40 条，2026年3月已锁定" in response.content.decode()
    assert set(WorkLog.objects.values_list("state", "confirmed_by")) == {("confirmed", cast.unit_officer.pk)}
    assert MonthClosing.objects.get().charge == cast.unit.charge
    assert Notification.objects.filter(user=cast.planner, kind="worklog.confirmed").count() == 1


def test_month_unticked_logs_stay_and_keep_it_open(client, cast, address):
    logs = logs_of(cast, 3)
    client.force_login(cast.unit_officer)
    response = client.post(f"{address}confirm/", {"logs": [logs[0].pk], "close": "1"}, follow=True)
    assert "还有 2 条记录待确认" in response.content.decode()
    assert not WorkLog.objects.filter(state="confirmed").exists()
    client.post(f"{address}confirm/", {"logs": [logs[0].pk]})
    assert [log.state for log in WorkLog.objects.order_by("pk")] == ["confirmed", "submitted", "submitted"]


@pytest.mark.parametrize(
    "who, page, act",
    [("unit_officer", 200, 302), ("bureau", 200, 302), ("leader", 200, 403), ("city", 200, 403), ("planner", 403, 403),
     ("lead", 403, 403), ("other_unit_officer", 404, 404), ("other_bureau", 404, 404), ("sysadmin", 403, 403)],
)  # fmt: skip
def test_month_by_role(client, cast, address, who, page, act):
    log = logs_of(cast, 1)[0]
    client.force_login(getattr(cast, who))
    assert client.get(address).status_code == page
    assert client.post(f"{address}confirm/", {"logs": [log.pk], "close": "1"}).status_code == act
    assert MonthClosing.objects.exists() is (act == 302)


def test_month_takes_only_its_own_logs(client, cast, address):
    other = make_log(cast.own_planner, cast.other_unit.charge, cast.contract, MONTH)
    client.force_login(cast.bureau)
    client.post(f"{address}confirm/", {"logs": [other.pk]})
    other.refresh_from_db()
    assert other.state == "submitted"


def test_month_of_a_responsible_project_is_its_organisations(client, cast):
    office = make_organisation(cast.locality, "department", name="示例园区管委会")
    charge = Charge.objects.create(kind=Charge.Kind.PROJECT, locality=cast.locality, name="老城更新示范项目")
    make_project(cast.locality, charge=charge, owner=office, name="老城更新示范项目")
    log = make_log(cast.own_planner, charge, cast.contract, MONTH)
    owner = make_user("园区专人")
    make_membership(owner, Role.DEPARTMENT, cast.locality, organisation=office)
    for who, status in ((owner, 302), (cast.department, 404), (cast.unit_officer, 404)):
        client.force_login(who)
        assert client.post(f"/worklogs/{log.pk}/confirm/").status_code == status
    client.force_login(owner)
    assert client.get(f"/worklogs/months/{charge.pk}/2026/3/").status_code == 200
    log.refresh_from_db()
    assert log.confirmed_by == owner


def test_month_remarks_on_what_deserves_a_look(client, cast, address):
    workday, holiday = date(2026, 3, 4), date(2026, 3, 7)
    logs = {
        "plain": make_log(cast.own_planner, cast.unit.charge, cast.contract, workday, slot="am", content="甲"),
        "rest": make_log(cast.own_planner, cast.unit.charge, cast.contract, holiday, content="乙"),
        "twice": make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 5), slot="am", content="丙"),
        "again": make_log(
            cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 5), slot="full", content="丁"
        ),
        "same": make_log(cast.colleague_planner, cast.unit.charge, cast.contract, workday, content="戊"),
        "words": make_log(cast.colleague_planner, cast.unit.charge, cast.contract, date(2026, 3, 6), content="戊"),
    }
    stored = store_generated(b"x", name="a.jpg", mime="image/jpeg", actor=None, purpose="worklog")
    elsewhere = make_log(cast.own_planner, cast.other_unit.charge, cast.contract, MONTH)
    for log in (logs["plain"], elsewhere):
        LogPhoto.objects.create(log=log, file=stored, picture_hash="f" * 32)
    check_all()
    client.force_login(cast.unit_officer)
    view = client.get(address).context["view"]
    assert view.marks == {logs["rest"].pk: ["非工作日"]}
    assert {pk: [one.label for one in found] for pk, found in view.findings.items()} == {
        logs["plain"].pk: ["照片与其他记录相同"],
        logs["twice"].pk: ["一天合计超过一天"],
        logs["again"].pk: ["一天合计超过一天"],
        logs["same"].pk: ["内容与其他记录相同"],
        logs["words"].pk: ["内容与其他记录相同"],
    }


def test_month_waiting_lists_what_one_is_asked_to_confirm(client, cast, address):
    logs_of(cast, 3)
    make_log(cast.own_planner, cast.other_unit.charge, cast.contract, MONTH)
    client.force_login(cast.unit_officer)
    months = client.get("/worklogs/waiting/").context["months"]
    assert [(charge.name, month, count) for charge, month, count in months] == [("景山街道", MONTH, 3)]


def test_month_waiting_is_in_the_order_people_look_names_up(client, cast):
    for name in ("体育馆路街道", "安定门街道"):
        unit = make_unit(cast.locality, name=name)
        make_log(cast.own_planner, unit.charge, cast.contract, MONTH)
    client.force_login(cast.bureau)
    names = [charge.name for charge, _, _ in client.get("/worklogs/waiting/").context["months"]]
    assert names == ["安定门街道", "体育馆路街道"]


def test_month_that_is_not_over_says_why_it_stays_open(client, cast, address):
    today = timezone.localdate()
    client.force_login(cast.unit_officer)
    page = client.get(f"/worklogs/months/{cast.unit.charge_id}/{today.year}/{today.month}/").content.decode()
    assert "该月尚未结束" in page
    assert (
        client.post(
            f"/worklogs/months/{cast.unit.charge_id}/{today.year}/{today.month}/confirm/", {"close": "1"}
        ).status_code
        == 403
    )


@pytest.mark.parametrize("path", ["0/2026/3", "1/1999/3", "1/2026/13", "99999999999999999999/2026/3"])
def test_month_that_does_not_exist_is_not_found(client, cast, path):
    client.force_login(cast.bureau)
    assert client.get(f"/worklogs/months/{path}/").status_code == 404
