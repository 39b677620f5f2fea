"""A form that saves itself, as a person sees it."""

from __future__ import annotations

from typing import Any

import pytest

from core.models import Draft

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = [
    pytest.mark.browser, pytest.mark.urls("core.tests.urls_autosave"), pytest.mark.django_db(transaction=True),
]  # fmt: skip


def test_typed_text_is_saved_offered_again_and_forgotten_once_sent(browse: Any, person: Any) -> None:
    page = browse(person, "phone")
    page.goto("/example/")
    page.get_by_label("内容").fill("走访龚䶮同志")
    page.get_by_label("类别").select_option("b")
    page.get_by_label("会见负责人").check()
    expect(page.get_by_text("已自动保存")).to_be_visible()
    assert Draft.objects.get().data == {"content": "走访龚䶮同志", "kind": "b", "met": ["on"]}

    page.goto("/example/")
    expect(page.get_by_label("内容")).to_have_value("")
    page.get_by_role("button", name="恢复草稿").click()
    expect(page.get_by_label("内容")).to_have_value("走访龚䶮同志")
    expect(page.get_by_label("类别")).to_have_value("b")
    expect(page.get_by_label("会见负责人")).to_be_checked()

    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/done/")
    assert not Draft.objects.exists()
    page.goto("/example/")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("button", name="恢复草稿")).to_have_count(0)


def test_refused_form_keeps_its_draft(browse: Any, person: Any) -> None:
    page = browse(person)
    page.goto("/example/")
    page.get_by_label("内容").fill("短")
    expect(page.get_by_text("已自动保存")).to_be_visible()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert Draft.objects.get().data["content"] == "短"


def test_without_a_connection_the_text_waits_in_the_browser(browse: Any, person: Any) -> None:
    page = browse(person)
    page.goto("/example/")
    # As with no network: the request never leaves. (Chromium would report a lost connection as a page error.)
    page.evaluate("() => { window.fetch = function () { return Promise.reject(new TypeError('no network')); }; }")
    page.get_by_label("内容").fill("在地下室写的")
    expect(page.get_by_text("网络不通")).to_be_visible()
    assert not Draft.objects.exists()
    page.reload()
    page.get_by_role("button", name="恢复草稿").click()
    expect(page.get_by_label("内容")).to_have_value("在地下室写的")
    expect(page.get_by_text("已自动保存")).to_be_visible()
    assert Draft.objects.get().data["content"] == "在地下室写的"
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('draft:')).length") == 0


def test_unwanted_draft_is_thrown_away(browse: Any, person: Any) -> None:
    Draft.objects.create(user=person, form_key="example", data={"content": "旧的", "kind": "a", "met": []})
    page = browse(person)
    page.goto("/example/")
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="不用了").click()
    expect(page.get_by_role("button", name="恢复草稿")).to_have_count(0)
    assert not Draft.objects.exists()
