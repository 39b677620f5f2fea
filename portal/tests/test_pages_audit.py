"""Every page that a role's menu leads to, its first record and the forms behind it: seen at a desk and on a phone."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve
from playwright.sync_api import TimeoutError
from pytest_django.live_server_helper import LiveServer

from core.nav import entries_for
from portal.tests.site import ROLES, role_of, seeded, session_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ALWAYS = ("/notifications/", "/accounts/me/", "/accounts/password/change/")
LEFT_OUT = re.compile(r"/photos/|\.xlsx|/export/|/pdf/")  # files, not pages
# Written in capitals the world over.
KNOWN_WORDS = {"PDF", "ZIP", "CSV", "XLSX", "SHA", "A4", "HT"}

FACTS = """() => {
  const seen = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility({visibilityProperty: true}) &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && !e.closest('.visually-hidden'));
  const small = seen.filter(e => parseFloat(getComputedStyle(e).fontSize) < 12);
  const words = 'h1,h2,h3,h4,th[scope=col],button,.btn,legend,summary,label,.tab,.sidebar a';
  return {
    wide: document.documentElement.scrollWidth - window.innerWidth,
    widest: [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > window.innerWidth &&
      !e.closest('.table-wrap')).slice(-3)
      .map(e => e.tagName + '.' + e.className + ': ' + (e.innerText || '').slice(0, 30)),
    small: small.slice(0, 3).map(e => e.className + ': ' + e.innerText.slice(0, 30)),
    dates: [...document.querySelectorAll('input[type=date][value]')].filter(e => e.getAttribute('value') && !e.value)
      .map(e => e.name + '=' + e.getAttribute('value')),
    title: document.title,
    heading: document.querySelectorAll('main h1').length,
    labels: [...document.querySelectorAll(words)].filter(e => e.checkVisibility()).map(e => e.innerText || ''),
  };
}"""
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
# The frame is looked at on the home page, the rest of the pages within it; and what a narrow window cannot change is
# not asked twice. No rule that is on reads the text of style sheets, so that they are not fetched for it.
AXE = """([where, rules]) => axe.run(where, {resultTypes: ['violations'], preload: false, ...rules})
  .then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
  .map(v => v.id + ' ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')))"""

NARROW = ["target-size", "scrollable-region-focusable", "label", "empty-table-header"]


@dataclass
class Site:
    """The portal with one locality, one browser context (so that style sheets are fetched once), and who is in it."""

    url: str
    people: dict[str, Any]
    page: Any
    client: Client = field(default_factory=Client)
    complaints: list[str] = field(default_factory=list)

    def enter(self, role: str) -> None:
        session = session_of(self.people[role])
        self.client.cookies[settings.SESSION_COOKIE_NAME] = session
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}
        self.page.context.clear_cookies()
        self.page.context.add_cookies([cookie])

    def read(self, path: str) -> tuple[int, str]:
        """Status and text of the page, without drawing it."""
        response = self.client.get(path)
        return response.status_code, response.content.decode() if response.status_code == 200 else ""

    def look(self, path: str, *, thoroughly: bool) -> list[str]:
        """What is wrong with the page at both widths; `thoroughly`: by the rules of accessibility too."""
        self.complaints.clear()
        self.page.set_viewport_size(DESK)
        self.page.goto(self.url + path, wait_until="domcontentloaded")
        wrong = self._seen("desk", thoroughly)
        self.page.set_viewport_size(PHONE)
        with suppress(
            TimeoutError
        ):  # charts are drawn anew after the window has changed; what stays wide is told below
            self.page.wait_for_function(FITS, timeout=15000)
        return wrong + self._seen("phone", thoroughly) + [f"console: {line}" for line in self.complaints]

    def _seen(self, width: str, thoroughly: bool) -> list[str]:
        found = problems_of(self.page.evaluate(FACTS))
        if thoroughly:
            framed = "/home/" in self.page.url or not self.page.locator("main").count()
            # Colours are the same at both widths, but for the bar at the foot of a phone.
            rules = {} if width == "desk" else {"runOnly": [*NARROW, "color-contrast"] if framed else NARROW}
            where = "html" if framed else "main"
            found += [f"axe: {finding}" for finding in self.page.evaluate(AXE, [where, rules])]
        return [f"{width}: {problem}" for problem in found]


def problems_of(facts: dict[str, Any]) -> list[str]:
    found = []
    if facts["wide"] > 0:
        found.append(f"{facts['wide']} px too wide: {facts['widest']}")
    if facts["small"]:
        found.append(f"text under 12 px: {facts['small']}")
    if facts["dates"]:
        found.append(f"date that no browser shows: {facts['dates']}")
    if not re.search(r"[\u4e00-\u9fff].* · ", facts["title"]):
        found.append(f"title is “{facts['title']}”")
    if facts["heading"] != 1:
        found.append(f"{facts['heading']} first headings")
    for label in facts["labels"]:
        words = set(re.findall(r"(?<![A-Za-z0-9-])[A-Za-z]{2,}(?![0-9-])", label)) - KNOWN_WORDS
        if words:
            found.append(f"not Chinese: “{label.strip()[:40]}”")
    return found


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any, chromium: Any) -> Iterator[Site]:
    with seeded(django_db_blocker) as people:
        server = LiveServer("localhost")
        context = chromium.new_context(locale="zh-CN")
        context.add_init_script(path=Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js")
        page = context.new_page()
        found = Site(server.url, people, page)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", lambda line: found.complaints.append(line.text) if line.type == "error" else None)
        try:
            yield found
        finally:
            context.close()
            server.stop()
            # Each still holds its connection until it has seen that the browser is gone.
            for thread in threading.enumerate():
                if "process_request_thread" in thread.name:
                    thread.join(timeout=5)


# Pages drawn already, by what they are made of: of two roles that are shown the same page one sees it drawn.
_drawn: set[frozenset[str]] = set()
# How often each view has been: the first time by the rules of accessibility too, and no more than LOOKS times.
_looked: Counter[str] = Counter()
LOOKS = 2


def view_of(path: str) -> str:
    return resolve(path.split("?")[0]).view_name


def links_of(html: str) -> list[str]:
    """Where the page's own part leads, in order, without downloads."""
    links = re.findall(r"<a ([^>]*)href=\"(/[^\"]*)\"([^>]*)>", html.partition("<main")[2])
    return [
        unescape(url) for before, url, after in links if "download" not in before + after and not LEFT_OUT.search(url)
    ]


def makings_of(html: str) -> frozenset[str]:
    """Elements with their classes, headings and buttons: what decides how the page looks."""
    main = html.partition("<main")[2].partition("</main>")[0]
    pieces = re.findall(r"<(\w+)[^>]*?class=\"([^\"]*)\"", main)
    words = re.findall(r"<(?:h\d|th|button|legend|summary)\b[^>]*>(.*?)</", main, re.S)
    return frozenset(" ".join(piece) for piece in pieces) | frozenset(re.sub(r"\d|<[^>]*>", "", word) for word in words)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_the_menu_and_what_it_leads_to_is_fit_to_be_seen(site: Site, role: str):
    site.enter(role)
    waiting = [entry.url for entry in entries_for(role_of(site.people[role]))] + list(ALWAYS)
    assert len(waiting) > len(ALWAYS)
    seen: set[str] = set()
    wrong: dict[str, list[str]] = {}
    while waiting:
        path = waiting.pop(0)
        name = view_of(path)
        if name in seen:
            continue
        seen.add(name)
        status, html = site.read(path)
        if status == 302:
            waiting.insert(0, site.client.get(path)["Location"])
            continue
        if status != 200:
            wrong[path] = [f"answers {status}"]
            continue
        waiting += [link for link in links_of(html) if view_of(link) not in seen]
        makings = makings_of(html) if name != "portal:home" else frozenset({role})
        home = name == "portal:home"
        if makings in _drawn or (_looked[name] == LOOKS and not home):
            continue
        _drawn.add(makings)
        if found := site.look(path, thoroughly=home or not _looked[name]):
            wrong[path] = found
        _looked[name] += 1
    assert wrong == {}, "\n".join(f"{path}\n  " + "\n  ".join(lines) for path, lines in wrong.items())
