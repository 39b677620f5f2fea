"""The frame and its pieces in a real browser: keyboard, phone, screen reader rules, content policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.urls("accounts.tests.ui_example"),
    pytest.mark.django_db(transaction=True),
]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
SERIOUS = """axe.run().then(r => r.violations.filter(v => ['serious', 'critical', 'moderate'].includes(v.impact))
  .map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | ')))"""
FOCUS = "document.activeElement.id"


@pytest.fixture
def page(request: Any, chromium: Any, live_server: Any) -> Iterator[Any]:
    """A page on the example, logged in; anything the browser complains of fails the test."""
    User.objects.create_user("wang.shi", password=PASSWORD, name="王示例")
    width, height = SIZES[getattr(request, "param", "phone")]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda e: complaints.append(str(e)))
    opened.goto(f"{live_server.url}/accounts/login/?next=/example/")
    opened.fill("#id_login", "wang.shi")
    opened.fill("#id_password", PASSWORD)
    opened.keyboard.press("Enter")
    opened.wait_for_selector(".user-button")
    yield opened
    context.close()
    assert complaints == []


def findings(page: Any) -> list[str]:
    page.evaluate((Path(settings.NODE_MODULES) / "axe-core/axe.min.js").read_text())
    return page.evaluate(SERIOUS)


@pytest.mark.slow
@pytest.mark.parametrize("page", list(SIZES), indirect=True)
def test_pages_pass_axe_and_do_not_scroll_sideways(page, live_server):
    for path in ("/example/?state=sent&q=x", "/accounts/me/", "/accounts/password/change/", "/accounts/2fa/"):
        page.goto(live_server.url + path)
        assert findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        small = page.evaluate("""[...document.querySelectorAll('body *')].filter(e => e.innerText &&
            e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 12).length""")
        assert small == 0, path


def test_login_page_passes_axe(chromium, live_server):
    for width, height in SIZES.values():
        opened = chromium.new_page(viewport={"width": width, "height": height})
        opened.goto(live_server.url + "/accounts/login/")
        assert findings(opened) == []
        opened.close()


def test_lookup_is_worked_by_keyboard(page):
    page.fill("#unit-text", "门")
    page.wait_for_selector("#unit-list [role=option]")
    assert page.get_attribute("#unit-text", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#unit-text", "aria-activedescendant") == "unit-list-0"
    page.keyboard.press("Enter")
    assert (page.input_value("#unit"), page.input_value("#unit-text")) == ("3", "安定门街道")
    page.fill("#unit-text", "安定门街道二")
    page.keyboard.press("Tab")
    playwright.expect(page.locator("#unit-text")).to_have_value("安定门街道")
    assert page.input_value("#unit") == "3"


def test_confirm_dialog_stops_until_said_yes(page):
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    page.click("#form >> text=删除")
    assert page.inner_text("#confirm-text") == "删除后不能恢复，确定删除这条草稿吗？"
    page.keyboard.press("Escape")
    page.wait_for_selector("#confirm-dialog", state="hidden")
    assert sent == []
    page.click("#form >> text=删除")
    with page.expect_navigation():
        page.click("#confirm-ok")
    assert len(sent) == 1


def test_double_click_sends_once_and_errors_take_the_focus(page):
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    with page.expect_navigation():
        page.dblclick("#form button:has-text('提交')", no_wait_after=True)
    page.wait_for_selector("[data-error-summary]")
    assert len(sent) == 1
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    page.click("[data-error-summary] a[href='#id_what']")
    assert page.evaluate(FOCUS) == "id_what"


def test_menus_close_by_escape_and_give_the_focus_back(page):
    page.click(".user-button")
    assert page.is_visible("text=退出登录")
    page.focus(".menu-panel a")
    page.keyboard.press("Escape")
    assert not page.is_visible(".menu-panel")
    assert page.evaluate("document.activeElement.classList.contains('user-button')")


def test_skip_link_is_the_first_stop(page, live_server):
    page.goto(live_server.url + "/accounts/me/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "main"


def test_demo_role_fills_the_user_name_and_no_password(chromium, live_server, settings):
    settings.DEMO = True
    opened = chromium.new_page()
    opened.goto(live_server.url + "/accounts/login/")
    opened.click("[data-place=tz]")
    opened.click("[data-role=unit]")
    assert (opened.input_value("#id_login"), opened.input_value("#id_password")) == ("unit-tz", "")
    assert opened.evaluate(FOCUS) == "id_password"
    opened.close()
