"""`{% icon "map-pin" %}`: one inlined SVG of the icon set, read at first use and kept."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class UnknownIcon(ValueError):
    """The template names an icon that the set does not hold, or a name that is not a plain one."""


@lru_cache(maxsize=512)
def _shapes(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnknownIcon(name)
    path = Path(settings.NODE_MODULES) / "@tabler/icons/icons/outline" / f"{name}.svg"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise UnknownIcon(name) from exc
    found = _BODY.search(text)
    if found is None:
        raise UnknownIcon(name)
    body = found.group(1).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
    return re.sub(r"\s+", " ", body).strip()


@lru_cache(maxsize=1024)
def render_icon(name: str, label: str = "", css: str = "") -> SafeString:
    """The SVG markup: hidden from screen readers unless `label` gives it a name. Raises UnknownIcon."""
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return mark_safe(  # noqa: S308 - its parts are escaped
        f'<svg class="icon {escape(css)}" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        f' stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" focusable="false" {spoken}>'
        f"{_shapes(name)}</svg>"
    )


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    return render_icon(name, label, css)
