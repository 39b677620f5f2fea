"""One line of text by which a name is found: as written, in full pinyin, by initials."""

from __future__ import annotations

from core.names import initials, syllables


def search_text(name: str, *, limit: int = 500) -> str:
    """欧阳明 → "欧阳明 ouyangming oym": lower case, at most `limit` characters."""
    spelled = "".join(part for part in syllables(name) if part.isascii())
    return f"{name} {spelled} {initials(name)}".lower()[:limit]
