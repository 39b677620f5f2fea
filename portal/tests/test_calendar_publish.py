"""A system administrator pastes the notice, looks at the year and publishes it; everybody's figures follow."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import AuditEntry, CalendarDay, CalendarNotice, CalendarYear
from core.tests.test_calendar_publishing import HOLIDAYS, MAKEUP
from factories import Cast, make_assignment, make_cast, make_contract, make_log
from portal.todo import todos_for
from worklogs.models import FigureTouch

NOTICE = """一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（周五）至11日（周四）放假调休，共7天。2月20日（周六）上班。
三、清明节：4月3日（周六）至5日（周一）放假，共3天。
四、劳动节：5月1日（周六）至5日（周三）放假调休，共5天。5月8日（周六）上班。
五、端午节：6月9日（周三）放假1天。
六、中秋节：9月15日（周三）放假1天。
七、国庆节：10月1日（周五）至7日（周四）放假调休，共7天。9月26日（周日）、10月9日（周六）上班。"""
ADDRESS = "/calendar/2027/publish/"
MARK = "尚未公布，暂按法定节假日推算"


@pytest.fixture
def cast(db) -> Cast:
    """In one transaction: nothing here needs a worker."""
    return make_cast()


def sent(page, **changes):
    """What the form on this page sends, with changes."""
    form = page.context["form"]
    fields = {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    looked_at = form.digest if page.context["may_publish"] else ""
    return {**fields, "looked_at": looked_at, "notice_number": "国办发明电〔2026〕1号", **changes}


def test_notice_is_pasted_looked_at_and_published(client, cast):
    client.force_login(cast.planner)
    assert MARK in client.get("/worklogs/calendar/2027/2/").content.decode()
    client.force_login(cast.sysadmin)
    assert f"{2027}年放假安排尚未录入" in "".join(t.text for t in todos_for(cast.sysadmin, today=date(2026, 11, 20)))

    wrong = client.post(ADDRESS, sent(client.get(ADDRESS), text=NOTICE.replace("共7天", "共8天"), act="publish"))
    assert "写明共 8 天，所列日期是 7 天。" in wrong.content.decode()
    assert NOTICE.splitlines()[2] in wrong.content.decode()

    checked = client.post(ADDRESS, sent(wrong, text=NOTICE, act="check"))
    assert "法定节假日齐全" in checked.content.decode()
    assert (checked.context["read"].holidays, checked.context["read"].makeup) == (HOLIDAYS, MAKEUP)
    # What was changed after looking is looked at again.
    other = client.post(
        ADDRESS, sent(checked, text=NOTICE.replace("10月9日（周六）", "10月10日（周日）"), act="publish")
    )
    assert "请再核对一遍" in other.content.decode()
    assert not CalendarNotice.objects.exists()

    done = client.post(ADDRESS, sent(checked, act="publish"))
    assert (done.status_code, done["Location"]) == (302, "/calendar/2027/")
    again = client.post(ADDRESS, sent(checked, act="publish"))
    assert (again.status_code, CalendarNotice.objects.count()) == (302, 1)
    assert (AuditEntry.objects.get(action="calendar.publish").actor, CalendarYear.objects.get(pk=2027).status) == (
        cast.sysadmin, "published",
    )  # fmt: skip
    page = client.get("/calendar/2027/").content.decode()
    assert ("国办发明电〔2026〕1号" in page, "2月5日至11日" in page, MARK in page) == (True, True, False)
    client.force_login(cast.planner)
    assert MARK not in client.get("/worklogs/calendar/2027/2/").content.decode()


def test_correction_starts_from_what_holds_and_keeps_both(client, cast):
    client.force_login(cast.sysadmin)
    start = client.get("/calendar/2026/publish/")
    assert "2026-02-14 上班 春节" in start.content.decode()
    text = start.context["form"]["text"].value().replace("2026-01-04 上班 元旦", "2026-01-10 上班 元旦")
    address = "/calendar/2026/publish/"
    checked = client.post(address, sent(start, text=text, act="check"))
    refused = client.post(address, sent(checked, act="publish"))
    assert refused.context["form"].errors["reason"] == ["这一年的安排已经公布，请写明更正原因。"]
    assert (
        client.post(address, sent(checked, act="publish", reason="通知调整", submission_key="k" * 20)).status_code
        == 302
    )
    kinds = dict(CalendarDay.objects.filter(date__in=["2026-01-04", "2026-01-10"]).values_list("date", "kind"))
    assert kinds == {date(2026, 1, 4): "weekend", date(2026, 1, 10): "makeup"}
    stale = client.post(address, sent(checked, act="publish", reason="通知调整", submission_key="m" * 20))
    assert (stale.status_code, CalendarNotice.objects.count()) == (409, 1)


def test_days_that_were_read_can_be_mended_one_by_one(client, cast):
    client.force_login(cast.sysadmin)
    page = client.post(ADDRESS, sent(client.get(ADDRESS), text=NOTICE, act="table"))
    assert page.context["form"]["text"].value().splitlines()[0] == "2027-01-01 放假 元旦"


def test_what_rests_on_the_year_is_recounted(client, cast):
    contract = make_contract(cast.locality, planner=cast.own_planner)
    make_assignment(contract, cast.other_unit.charge, planner=cast.own_planner)
    make_log(cast.own_planner, cast.other_unit.charge, contract, date(2026, 3, 5), state="confirmed")
    FigureTouch.objects.all().delete()
    client.force_login(cast.sysadmin)
    start = client.get("/calendar/2026/publish/")
    checked = client.post("/calendar/2026/publish/", sent(start, act="check"))
    client.post("/calendar/2026/publish/", sent(checked, act="publish", reason="核对"))
    touched = set(FigureTouch.objects.values_list("contract_id", "year"))
    assert {(contract.pk, 2025), (contract.pk, 2026), (cast.contract.pk, 2026)} <= touched


@pytest.mark.parametrize("who", ["sysadmin", "planner", "bureau", "auditor", "secadmin"])
def test_everybody_reads_the_calendar_and_system_administrators_enter_it(client, cast, who):
    client.force_login(getattr(cast, who))
    assert client.get("/calendar/").status_code == client.get("/calendar/2026/").status_code == 200
    assert client.get(ADDRESS).status_code == (200 if who == "sysadmin" else 403)
    assert client.post(ADDRESS, {"text": NOTICE}).status_code == (200 if who == "sysadmin" else 403)
    assert ("录入2027年" in client.get("/calendar/").content.decode()) == (who == "sysadmin")


def test_addresses_of_no_year_answer_404_and_lists_ask_few_questions(client, cast):
    client.force_login(cast.sysadmin)
    for address in (
        "/calendar/1999/",
        "/calendar/2050/publish/",
        "/calendar/99999999999/",
        "/calendar/2026/notices/1/scan/",
    ):
        assert client.get(address).status_code == 404, address
    for address in ("/calendar/", "/calendar/2026/?version=x"):
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        assert len(asked) <= 11, [q["sql"][:90] for q in asked]
