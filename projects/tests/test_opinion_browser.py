"""In a real browser: items are added and taken out, kept as one types, restored when the connection was away."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from factories import make_cast
from projects.models import Opinion
from projects.tests.review_cases import of_planner

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def written(browse):
    cast = make_cast()
    row = of_planner(cast, day=timezone.localdate())
    page = browse(cast.planner)
    page.goto(reverse("projects:opinion-write", args=[row.consultees.get().pk]))
    return page


def fill(page, number, text, basis="导则第 12 条"):
    page.fill(f"[name=items-{number}-text]", text)
    page.fill(f"[name=items-{number}-basis]", basis)


def texts():
    return list(Opinion.objects.get().items.order_by("position").values_list("text", flat=True))


def kept(page):
    """Within: what is done leads to a save that is answered well."""
    return page.expect_response(lambda answer: answer.url.endswith("/autosave/") and answer.ok)


def test_what_is_typed_is_kept_and_handed_in_in_few_clicks(written):
    page = written
    with kept(page):
        fill(page, 0, "首层应开放。")
    expect(page.locator("[data-autosave-status]")).to_contain_text("已自动保存")
    assert texts() == ["首层应开放。"]
    with kept(page):
        page.get_by_role("button", name="增加一条").click()
        expect(page.locator("[name=items-3-text]")).to_be_focused()
        fill(page, 3, "另加一条。")
    # Typed on from there: the row that was added is saved again though it stands as it was.
    with kept(page):
        page.fill("[name=summary]", "大体可行")
    assert texts() == ["首层应开放。", "另加一条。"]
    with kept(page):
        page.locator("[data-item]").first.get_by_role("button", name="删除本条").click()
    assert texts() == ["另加一条。"]
    page.get_by_label("修改后同意").check()
    page.get_by_role("button", name="提交").click()
    page.locator("dialog").get_by_role("button", name="提交").click()
    page.wait_for_url("**/projects/opinions/*/")
    opinion = Opinion.objects.get()
    assert (opinion.state, opinion.summary, opinion.verdict) == ("submitted", "大体可行", "agree_after")


def test_without_a_connection_the_words_stay_in_the_browser_and_come_back(written):
    page = written
    with kept(page):
        fill(page, 0, "先存一次。")
    page.evaluate("() => { window.fetch = function () { return Promise.reject(new TypeError('no network')); }; }")
    page.get_by_role("button", name="增加一条").click()
    fill(page, 3, "断网时写的。")
    expect(page.locator("[data-autosave-status]")).to_contain_text("暂存在本机")
    assert texts() == ["先存一次。"]
    with kept(page):
        page.reload()
    assert texts() == ["先存一次。", "断网时写的。"]
