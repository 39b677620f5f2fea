"""A department answers an opinion of five items, one refused and one half adopted with reasons, in twelve clicks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from factories import make_project
from factories_review import make_consultation, make_consultee, make_opinion
from projects.models import Consultation, ItemAnswer

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

MOST_CLICKS = 12
REASON = "与已批复的道路红线不符。"


@pytest.fixture
def request_of_five(cast) -> Consultation:
    today = timezone.localdate()
    project = make_project(cast.locality, name="雄安路口公共空间提升", units=[cast.unit], stage="scheme")
    made = make_consultation(
        project, asker=cast.department.memberships.get().organisation, asked_by=cast.department, state="answered",
        asked_on=today - timedelta(days=10), due_on=today - timedelta(days=1), answered_on=today,
        feedback_due_on=today + timedelta(days=10),
    )  # fmt: skip
    make_opinion(make_consultee(made, cast.own_planner, state="answered"), items=5)
    return made


@pytest.mark.parametrize("device", ["desk", "phone"])
def test_an_opinion_of_five_items_is_answered_in_twelve_clicks(cast, request_of_five, browse, hand, device):
    page = browse(cast.department, *([] if device == "desk" else [device]))
    page.goto("/home/")
    mouse = hand(page)
    mouse.click(".todo a:has-text('去反馈')")
    page.wait_for_url("**/adoption/")
    mouse.write("#id_owner", "设计管理科")
    mouse.click("#id_due_on")
    page.fill("#id_due_on", (timezone.localdate() + timedelta(days=60)).isoformat())
    one, two, *_ = (item.pk for item in request_of_five.consultees.get().opinions.get().items.order_by("position"))
    mouse.click(f"label[for=id_decision_{one}_2]")
    mouse.write(f"#id_reason_{one}", REASON)
    mouse.click(f"label[for=id_decision_{two}_1]")
    mouse.write(f"#id_reason_{two}", "限高须维持。")
    mouse.click("button:has-text('其余全部采纳')")
    mouse.click("button:has-text('提交反馈')")
    expect(page.locator(".messages")).to_contain_text("各条意见均有了答复")
    assert mouse.clicks <= MOST_CLICKS, mouse.clicks
    decisions = list(ItemAnswer.objects.order_by("item__position").values_list("decision", "owner"))
    assert decisions == [("refused", ""), ("partly", "设计管理科"), *[("adopted", "设计管理科")] * 3]
    request_of_five.refresh_from_db()
    assert request_of_five.state == "settled"
    expect(page.locator(f"text={REASON}").first).to_be_visible()
    page.goto("/home/")
    expect(page.locator(".todo >> text=待反馈采纳情况")).to_have_count(0)


def test_what_is_typed_is_kept_when_the_page_is_left(cast, request_of_five, browse, hand):
    page = browse(cast.department)
    page.goto(f"/projects/consultations/{request_of_five.pk}/adoption/")
    first = request_of_five.consultees.get().opinions.get().items.earliest("position").pk
    page.click(f"label[for=id_decision_{first}_2]")
    page.fill(f"#id_reason_{first}", REASON)
    expect(page.locator("[data-autosave-status]")).to_contain_text("已自动保存", timeout=10000)
    page.goto("/home/")
    page.goto(f"/projects/consultations/{request_of_five.pk}/adoption/")
    page.click("button:has-text('恢复草稿')")
    expect(page.locator(f"#id_reason_{first}")).to_have_value(REASON)
    expect(page.locator(f"#id_decision_{first}_2")).to_be_checked()
