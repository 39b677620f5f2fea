"""The planner in the street, phone in hand: a visit is logged in seconds, and nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core.models import Draft
from factories import make_log
from portal.tests.conftest import picture
from worklogs.models import LogPhoto, WorkLog

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

WORDS = "走访黄化门街，核对架空线入地后的路面恢复情况。"
MOST_TAPS = 8


def test_visit_is_logged_within_eight_taps_though_the_page_was_reloaded_and_the_button_hit_twice(cast, browse, hand):
    page = browse(cast.planner, "phone")
    page.goto("/home/")
    finger = hand(page)
    finger.click(".tabbar >> text=记一笔")
    finger.click("label:has-text('上午')")
    finger.click("label:has-text('调研走访')")
    finger.write("#id_content", WORDS)
    page.wait_for_selector("text=已自动保存")
    page.reload()
    assert page.input_value("#id_content") == ""
    finger.click("text=恢复草稿")
    expect(page.locator("#id_content")).to_have_value(WORDS)
    expect(page.get_by_label("上午")).to_be_checked()
    finger.attach("label:has-text('选照片')", picture())
    page.wait_for_selector("text=已选 1 张")
    finger.twice(".form-actions button:has-text('提交')")
    page.wait_for_url(re.compile(r"/worklogs/\d+/$"))
    assert finger.clicks <= MOST_TAPS
    log = WorkLog.objects.get()
    assert (log.state, log.slot, log.kind, log.content) == ("submitted", "am", "survey", WORDS)
    assert (log.charge_id, log.planner_id) == (cast.unit.charge_id, cast.own_planner.pk)
    assert LogPhoto.objects.filter(log=log).count() == 1
    expect(page.get_by_alt_text("现场照片 1")).to_be_visible()
    # What was sent is offered no more.
    assert not Draft.objects.filter(user=cast.planner).exists()
    page.goto("/worklogs/new/")
    page.wait_for_load_state("networkidle")
    assert page.locator("text=恢复草稿").count() == 0


def test_refused_form_keeps_words_and_photo_and_puts_the_focus_on_what_is_wrong(cast, browse, hand):
    page = browse(cast.planner, "phone")
    page.goto("/worklogs/new/")
    finger = hand(page)
    finger.write("#id_content", WORDS)
    finger.attach("label:has-text('选照片')", picture(), picture("第二张.jpg", "seagreen"))
    finger.click(".form-actions button:has-text('提交')")
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("请选择上午、下午或全天")
    expect(page.locator("#id_content")).to_have_value(WORDS)
    expect(page.get_by_alt_text("刚上传的照片 2")).to_be_visible()
    assert not WorkLog.objects.exists()
    finger.click("label:has-text('下午')")
    finger.click("label:has-text('施工巡查')")
    finger.click(".form-actions button:has-text('提交')")
    page.wait_for_url(re.compile(r"/worklogs/\d+/$"))
    assert LogPhoto.objects.filter(log=WorkLog.objects.get()).count() == 2


def test_last_visit_is_repeated_in_four_taps(cast, browse, hand):
    from django.utils import timezone

    first = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate().replace(day=1), slot="pm")
    page = browse(cast.planner, "phone")
    page.goto("/home/")
    finger = hand(page)
    finger.click(".tabbar >> text=记一笔")
    finger.click("text=复制上次")
    page.wait_for_url("**/new/?copy=last")
    finger.click("label:has-text('上午')")
    finger.click(".form-actions button:has-text('提交')")
    page.wait_for_url(re.compile(r"/worklogs/\d+/$"))
    assert finger.clicks <= 4
    copy = WorkLog.objects.exclude(pk=first.pk).get()
    assert (copy.content, copy.slot, copy.date) == (first.content, "am", timezone.localdate())
