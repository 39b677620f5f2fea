"""The street's officer at the end of a month: look it over, return what is thin, confirm and close."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.models import Notification
from factories import make_log
from worklogs.models import MonthClosing, WorkLog

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

MOST_CLICKS = 3
REASON = "请补充会见人员和现场照片。"


@pytest.fixture
def month(cast) -> date:
    """Last month, with forty logs of two planners waiting, each about something else."""
    first = (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=1)
    days = monthrange(first.year, first.month)[1]
    for number in range(40):
        planner = (cast.own_planner, cast.colleague_planner)[number % 2]
        on = first + timedelta(days=(number // 2) % days)
        make_log(planner, cast.unit.charge, cast.contract, on, content=f"走访第{number + 1}处，逐项核对。")
    return first


def test_month_of_forty_logs_is_confirmed_and_closed_in_three_clicks(cast, month, browse, hand):
    page = browse(cast.unit_officer)
    page.goto("/home/")
    mouse = hand(page)
    mouse.click(".todo .btn-primary")
    page.wait_for_url(f"**/months/{cast.unit.charge_id}/{month.year}/{month.month}/")
    mouse.click("button:has-text('确认并锁定本月')")
    mouse.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("已确认 40 条")
    assert mouse.clicks <= MOST_CLICKS
    assert set(WorkLog.objects.values_list("state", "confirmed_by")) == {("confirmed", cast.unit_officer.pk)}
    closing = MonthClosing.objects.get()
    assert (closing.charge_id, closing.month, closing.closed_by) == (cast.unit.charge_id, month, cast.unit_officer)
    assert page.locator("button:has-text('锁定本月')").count() == 0
    page.goto("/home/")
    expect(page.locator("text=履职记录待确认")).to_have_count(0)


def test_one_log_is_returned_with_its_reason_and_the_rest_confirmed(cast, month, browse, hand):
    thin = WorkLog.objects.filter(planner=cast.own_planner).order_by("date").first()
    page = browse(cast.unit_officer)
    page.goto(f"/worklogs/months/{cast.unit.charge_id}/{month.year}/{month.month}/")
    mouse = hand(page)
    mouse.click(f"a[href='/worklogs/{thin.pk}/']")
    mouse.click(".page-actions >> text=退回")
    mouse.click("form button:has-text('退回')")
    expect(page.locator("#id_reason_error")).to_be_visible()
    mouse.write("#id_reason", REASON)
    mouse.click("form button:has-text('退回')")
    expect(page.locator(".messages")).to_contain_text("退回")
    thin.refresh_from_db()
    assert (thin.state, thin.return_reason) == ("returned", REASON)
    assert Notification.objects.filter(user=cast.planner).exists()
    page.goto(f"/worklogs/months/{cast.unit.charge_id}/{month.year}/{month.month}/")
    page.click("button:has-text('确认并锁定本月')")
    page.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("已确认 39 条")
    assert MonthClosing.objects.count() == 1

    phone = browse(cast.planner, "phone")
    phone.goto("/home/")
    finger = hand(phone)
    finger.click(".todo a:has-text('去修改')")
    finger.click(f"a[href='/worklogs/{thin.pk}/']")
    expect(phone.locator(f"text={REASON}").first).to_be_visible()
