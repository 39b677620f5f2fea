"""Where a Chinese line must not break, and the layout engine would: before the dot of a name (买买提·吐尔逊)."""

from __future__ import annotations

import re

_HAN = "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
_DOT = re.compile(f"(?<={_HAN})·(?={_HAN})")
_AROUND = re.compile(f"{_HAN}·{_HAN}(?:·{_HAN})*")
# Tags, and elements whose text is no text of the page.
_APART = re.compile(r"(<(?:title|style|script|svg)\b.*?</(?:title|style|script|svg)>|<[^>]*>)", re.S | re.I)


def keep_names_whole(html: str) -> str:
    """`html` with each dot between two Chinese characters tied to both of them; texts and tags stay as they are."""
    if not _DOT.search(html):
        return html
    pieces = _APART.split(html)
    # Every other piece is what the pattern caught: left alone.
    pieces[::2] = [_AROUND.sub(r'<span class="tied">\g<0></span>', piece) for piece in pieces[::2]]
    return "".join(pieces)
