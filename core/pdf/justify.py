"""Straight right edges for Chinese: the rest of a justified line is spread between its characters.

WeasyPrint stretches spaces only, and a Chinese line has none. This replaces one function of its layout
(`weasyprint.layout.inline.justify_line`) and gives text boxes a layout that remembers its extra spacing; it leans on
the internals of WeasyPrint 70 and is kept to this module. A test measures the edges.

Only Chinese characters, full-width punctuation and spaces take part: Latin words and numbers keep their own spacing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import weasyprint
from weasyprint.formatting_structure import boxes
from weasyprint.layout import inline
from weasyprint.text import line_break
from weasyprint.text.ffi import TO_UNITS, ffi, pango

SUPPORTED = "70."
# Spread lines that are Chinese to at least this share; others keep WeasyPrint's own way.
SHARE = 1 / 3
# More than this (in em) between characters would read worse than a ragged line.
LARGEST_GAP = 0.5

_CJK = (
    "\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003fffd"
    "\u2014\u2026\u2018-\u201d"
)
_SPREAD = re.compile(f"[{_CJK} \u00a0]+")
_CHINESE = re.compile(f"[{_CJK}]")
# Marks that share the place of the character before them.
_NO_PLACE = re.compile("[\u0300-\u036f\u200b-\u200f\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")


class SpreadLayout(line_break.Layout):
    """A text layout that is drawn with extra spacing after its Chinese characters."""

    spread = 0.0

    def reactivate(self, style: Any) -> None:
        super().reactivate(style)
        text = self.text
        attributes = pango.pango_layout_get_attributes(self.layout)
        if attributes == ffi.NULL:
            attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
        base = 0 if style["letter_spacing"] == "normal" else style["letter_spacing"]
        spacing = int((base + self.spread) * TO_UNITS)
        for found in _SPREAD.finditer(text):
            attribute = pango.pango_attr_letter_spacing_new(spacing)
            attribute.start_index = len(text[: found.start()].encode())
            attribute.end_index = attribute.start_index + len(found.group().encode())
            pango.pango_attr_list_change(attributes, attribute)
        pango.pango_layout_set_attributes(self.layout, attributes)


class _Piece:
    """A text box of the line, or (without text) an atomic box: how many places it has to put spacing."""

    __slots__ = ("box", "first", "inside", "last")

    def __init__(self, box: Any, text: str) -> None:
        self.box = box
        # Pango puts half of the spacing on each side of a character, and none at the two ends of a text.
        self.first = 0.5 if _SPREAD.match(text) else 0.0
        self.last = 0.5 if text and _SPREAD.match(text[-1]) else 0.0
        places = sum(len(_NO_PLACE.sub("", found.group())) for found in _SPREAD.finditer(text))
        self.inside = places - self.first - self.last


def _pieces(box: Any) -> Iterator[_Piece]:
    if isinstance(box, boxes.TextBox):
        if box.text:
            yield _Piece(box, box.text)
    elif isinstance(box, (boxes.LineBox, boxes.InlineBox)):
        for child in box.children:
            if child.is_in_normal_flow():
                yield from _pieces(child)
    else:
        yield _Piece(box, "")


def justify_line(context: Any, line: Any, extra_width: float) -> None:
    """Fill a line to its width: Chinese between its characters, other text by its spaces."""
    if line.style["direction"] == "rtl":
        _by_spaces(context, line, extra_width)
        return
    pieces = list(_pieces(line))
    text = "".join(piece.box.text for piece in pieces if isinstance(piece.box, boxes.TextBox))
    total = sum(piece.inside for piece in pieces)
    total += sum(one.last + other.first for one, other in pairwise(pieces))
    gap = extra_width / total if total > 0 else 0.0
    chinese = len(_CHINESE.findall(text))
    if not text or chinese < len(text) * SHARE or gap <= 0 or gap > LARGEST_GAP * line.style["font_size"]:
        _by_spaces(context, line, extra_width)
        return
    inside: dict[int, float] = {}
    before: dict[int, float] = {}
    previous = None
    for piece in pieces:
        inside[id(piece.box)] = piece.inside * gap
        before[id(piece.box)] = 0.0 if previous is None else (previous.last + piece.first) * gap
        previous = piece
    _spread(line, gap, inside, before, 0.0)


def _spread(box: Any, gap: float, inside: dict[int, float], before: dict[int, float], advance: float) -> float:
    """Move and widen the boxes of a line; returns how far what follows has to move."""
    if isinstance(box, boxes.TextBox):
        advance += before.get(id(box), 0.0)
        box.position_x += advance
        if wider := inside.get(id(box), 0.0):
            box.width += wider
            box.pango_layout.__class__ = SpreadLayout
            box.pango_layout.spread = gap
        return advance + wider
    if isinstance(box, (boxes.LineBox, boxes.InlineBox)):
        box.position_x += advance
        start = advance
        for child in box.children:
            if child.is_in_normal_flow():
                advance = _spread(child, gap, inside, before, advance)
        box.width += advance - start
        return advance
    advance += before.get(id(box), 0.0)
    box.translate(advance, 0)
    return advance


_by_spaces = inline.justify_line


def install() -> None:
    """Put this module's `justify_line` in place; again does nothing. Raises RuntimeError on another WeasyPrint."""
    if not weasyprint.__version__.startswith(SUPPORTED):
        raise RuntimeError(f"core.pdf.justify was made for WeasyPrint {SUPPORTED}x, not {weasyprint.__version__}")
    if inline.justify_line is not justify_line:
        inline.justify_line = justify_line
