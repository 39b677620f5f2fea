"""One wrapper over WeasyPrint: shared fonts, parsed styles, straight edges, nothing from outside."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetchingError

from core.pdf import justify
from core.pdf.fetch import BASE_URL, Fetcher, ForbiddenSource
from core.pdf.linebreaks import keep_names_whole
from core.pdf.titles import balance_titles

# Archival, with real characters behind every glyph and tags for screen readers.
VARIANT = "pdf/a-3b"
STYLES = ("gongwen.css",)

# WeasyPrint's fonts and styles are shared by the whole process, and one document is laid out at a time in it.
_ONE_AT_A_TIME = threading.Lock()


class PdfError(Exception):
    """The document cannot be made; the message is technical."""


@dataclass(frozen=True, slots=True)
class PdfResult:
    """A finished PDF: its bytes, its number of pages and the SHA-256 of the bytes (64 hex digits)."""

    content: bytes
    pages: int
    sha256: str

    def __bytes__(self) -> bytes:
        return self.content


@lru_cache(maxsize=1)
def font_configuration() -> FontConfiguration:
    """One for the process: a new one for each document costs hundreds of megabytes."""
    return FontConfiguration()


@lru_cache(maxsize=16)
def _style(name: str, stamp: float) -> CSS:
    text = _style_path(name).read_text(encoding="utf-8")
    return CSS(string=text, font_config=font_configuration(), url_fetcher=Fetcher(), base_url=BASE_URL)


def _style_path(name: str) -> Path:
    return Path(settings.BASE_DIR) / "templates" / "pdf" / name


def render_html(
    html: str, *, assets: Mapping[str, bytes] | None = None, styles: Sequence[str] = STYLES,
    pdf_variant: str | None = VARIANT, tags: bool = True,
) -> PdfResult:  # fmt: skip
    """The PDF of an HTML text. `assets`: name → bytes, for `src="asset:name"`. Raises PdfError."""
    justify.install()
    options: dict[str, Any] = {"pdf_tags": tags}
    if pdf_variant is not None:
        options["pdf_variant"] = pdf_variant
    try:
        with _ONE_AT_A_TIME:
            sheets = [_style(name, _style_path(name).stat().st_mtime) for name in styles]
            source = HTML(string=keep_names_whole(balance_titles(html)), base_url=BASE_URL, url_fetcher=Fetcher(assets))
            document = source.render(font_config=font_configuration(), stylesheets=sheets, **options)
            content = document.write_pdf(**options)
    except (ForbiddenSource, URLFetchingError, OSError, ValueError) as exc:
        raise PdfError(str(exc)) from exc
    return PdfResult(content, len(document.pages), hashlib.sha256(content).hexdigest())


def render_pdf(
    template: str,
    context: Mapping[str, Any],
    *,
    title: str,
    author: str,
    lang: str = "zh-CN",
    pdf_variant: str | None = VARIANT,
    assets: Mapping[str, bytes] | None = None,
    keywords: str = "",
    created: str = "",
) -> PdfResult:
    """The PDF of a template that extends `pdf/base.html`; about half a second for eight pages.

    `title`, `author`, `keywords`, `created` (ISO 8601) become metadata of the file. Raises PdfError when the document
    asks for anything but static files and `assets`.
    """
    known = {
        "pdf_title": title, "pdf_author": author, "pdf_lang": lang, "pdf_keywords": keywords, "pdf_created": created,
    }  # fmt: skip
    html = render_to_string(template, {**known, **context})
    return render_html(html, assets=assets, pdf_variant=pdf_variant)
