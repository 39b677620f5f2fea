"""A duty report's PDF against WeasyPrint alone on the same HTML, with the same fonts, styles and variant."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from unittest import mock

import django
from django.apps import apps

if not apps.ready:  # in the processes that the soak starts
    django.setup()

from weasyprint import CSS, HTML
from weasyprint.layout import inline

from bench.report import Figure, by_turns, told
from core.pdf import PdfResult, justify, render
from evaluations.models import DutyReport
from evaluations.services import documents

ROUNDS = 7


def renderer() -> Callable[[], PdfResult]:
    """Renders the demo's first finished report, as a worker does. Raises RuntimeError without one."""
    report = documents.ROWS.filter(state=DutyReport.State.FROZEN).order_by("pk").first()
    if report is None:
        raise RuntimeError("the demo has no finished duty report")
    context = documents._context(report, report.facts)
    assets = documents._assets(report.facts)
    return lambda: render.render_pdf(documents.TEMPLATE, context, title="基准", author="基准", assets=assets)


@lru_cache(maxsize=1)
def warm() -> Callable[[], PdfResult]:
    """The renderer of this process, with its fonts read."""
    call = renderer()
    call()
    return call


def one(number: int) -> int:
    return warm()().pages


def measure() -> list[Figure]:
    ours = renderer()
    with mock.patch.object(render, "render_html", wraps=render.render_html) as seen:
        count = ours().pages
    html, assets = str(seen.call_args.args[0]), seen.call_args.kwargs["assets"]
    sheets = [
        CSS(
            string=render._style_path(name).read_text(),
            font_config=render.font_configuration(),
            base_url=render.BASE_URL,
        )
        for name in render.STYLES
    ]

    def bare() -> None:
        inline.justify_line = justify._by_spaces  # as WeasyPrint came; our own wrapper puts it back
        options: dict[str, Any] = {"pdf_variant": render.VARIANT, "pdf_tags": True}
        source = HTML(string=html, base_url=render.BASE_URL, url_fetcher=render.Fetcher(assets))
        source.render(font_config=render.font_configuration(), stylesheets=sheets, **options).write_pdf(**options)

    with told(f"PDF（{count} 页）"):
        spent = by_turns({"ours": ours, "bare": bare}, rounds=ROUNDS)
    return [Figure(f"述职报告 PDF（{count} 页） / 同一 HTML 的 WeasyPrint", spent["ours"], spent["bare"], "s", 1.2)]
