"""PDF: one wrapper over WeasyPrint (`render_pdf`), issuing with number, hash and QR (`issue_document`), verification.

Names are loaded when first asked for: a web process that only verifies never loads the layout engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .charts import bar_chart, donut, progress
    from .issue import IssueMark, canonical_hash, issue_document, mark_of, qr_svg, revoke_document
    from .render import PdfError, PdfResult, render_html, render_pdf
    from .verify import Verdict, find_document, verify_bytes

_HOMES = {
    "charts": ("bar_chart", "donut", "progress"),
    "issue": ("IssueMark", "canonical_hash", "issue_document", "mark_of", "qr_svg", "revoke_document"),
    "render": ("PdfError", "PdfResult", "render_html", "render_pdf"),
    "verify": ("Verdict", "find_document", "verify_bytes"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "IssueMark", "PdfError", "PdfResult", "Verdict", "bar_chart", "canonical_hash", "donut", "find_document",
    "issue_document", "mark_of", "progress", "qr_svg", "render_html", "render_pdf", "revoke_document", "verify_bytes",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
