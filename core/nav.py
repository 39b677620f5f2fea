"""The portal's navigation: each app lists its entries in `<app>/nav.py`, this module gathers and shows them by role.

An app writes `NAV = [NavItem("履职记录", "worklogs:list", "notebook", roles={"planner"}, order=20)]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import module_has_submodule
from django.utils.safestring import SafeString

from core.templatetags.icons import UnknownIcon, render_icon


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry.

    `roles`: role values that see it; empty means everybody with a role. `order`: place in the list, ascending.
    `group`: heading it stands under. `tab`: also a button of the bottom bar on a phone (the first four by order;
    without any marked, the first four entries). `short`: label of that button. `owns`: the paths under which the entry
    counts as current, as patterns from the start of the path (default: its own URL); the longest match wins, and a
    page that no pattern names marks nothing.
    """

    label: str
    url_name: str
    icon: str
    roles: frozenset[str] = field(default_factory=frozenset)
    order: int = 100
    group: str = ""
    tab: bool = False
    short: str = ""
    owns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", frozenset(str(role) for role in self.roles))


@dataclass(frozen=True, slots=True)
class Entry:
    """A navigation entry ready to show."""

    label: str
    short: str
    url: str
    icon: str
    group: str
    tab: bool
    owns: tuple[re.Pattern[str], ...]


@lru_cache(maxsize=1)
def collect() -> tuple[NavItem, ...]:
    """Every entry that any installed app declares, in order."""
    items: list[NavItem] = []
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "nav"):
            found = getattr(import_module(f"{config.name}.nav"), "NAV", None)
            if found is not None and all(isinstance(item, NavItem) for item in found):
                items.extend(found)
    return tuple(sorted(items, key=lambda item: item.order))


@lru_cache(maxsize=64)
def entries_for(role: str) -> tuple[Entry, ...]:
    """What `role` sees, with addresses resolved once per process; an unresolvable name is a check error, not a 500."""
    found = []
    for item in collect():
        if item.roles and role not in item.roles:
            continue
        try:
            url = reverse(item.url_name)
        except NoReverseMatch:
            continue
        owns = tuple(re.compile(pattern) for pattern in (item.owns or (re.escape(url),)))
        found.append(Entry(item.label, item.short or item.label, url, item.icon, item.group, item.tab, owns))
    return tuple(found)


def tabs_for(role: str) -> tuple[Entry, ...]:
    """The entries of `role` in the bottom bar on a phone."""
    return tabs_of(entries_for(role))


def tabs_of(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The up to four entries of the bottom bar on a phone."""
    return (tuple(entry for entry in entries if entry.tab) or entries)[:4]


def current_entry(entries: Iterable[Entry], path: str) -> Entry | None:
    """The entry that owns the longest beginning of `path`; of two alike the first."""
    found, length = None, 0
    for entry in entries:
        owned = max((m.end() for m in (pattern.match(path) for pattern in entry.owns) if m), default=0)
        if owned > length:
            found, length = entry, owned
    return found


def grouped(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """Entries by heading, headings in the order of their first entry."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    return list(groups.items())


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of every page needs. Costs no query until the template asks for the bell."""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {"DEMO": settings.DEMO, "PORTAL_NAME": settings.PORTAL_NAME}
    if user is None or not user.is_authenticated:
        return context
    membership = getattr(request, "membership", None)
    role = str(membership.role) if membership else ""
    entries = entries_for(role)
    current = current_entry(entries, request.path)
    context.update(
        nav_sidebar=partial(shown, "partials/sidebar.html", entries, current),
        nav_tabbar=partial(shown, "partials/tabbar.html", entries, current),
        unread_count=SimpleLazyObject(lambda: _unread(user)),
    )
    return context


def shown(template: str, entries: tuple[Entry, ...], current: Entry | None) -> SafeString:
    """The navigation as HTML. A role's is the same on every page but for the current entry, so it is kept."""
    return (_render if settings.DEBUG else _kept)(template, entries, current)


def _render(template: str, entries: tuple[Entry, ...], current: Entry | None) -> SafeString:
    context = {
        "nav_groups": grouped(entries),
        "nav_tabs": tabs_of(entries),
        "nav_current": current,
        "PORTAL_NAME": settings.PORTAL_NAME,
    }
    return render_to_string(template, context)


_kept = lru_cache(maxsize=1024)(_render)


def _unread(user: Any) -> int:
    from core.notifications import unread_count

    return unread_count(user)


@register("portal")
def check_navigation(**kwargs: Any) -> list[CheckMessage]:
    """Every entry leads somewhere and has its icon."""
    problems: list[CheckMessage] = []
    for item in collect():
        try:
            reverse(item.url_name)
            render_icon(item.icon)
        except NoReverseMatch:
            problems.append(Error(f"Navigation entry “{item.label}”: no URL named {item.url_name}.", id="core.E101"))
        except UnknownIcon:
            problems.append(Error(f"Navigation entry “{item.label}”: no icon named {item.icon}.", id="core.E102"))
    return problems
