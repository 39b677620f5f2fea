"""How people type what the portal knows by other names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

YES = {"是", "有", "√", "✓", "✔", "y", "yes", "1", "true", "已会见", "会见"}
NO = {"", "否", "无", "没有", "×", "✗", "x", "n", "no", "0", "false", "未会见", "-", "—"}
_DOTS = re.compile(r"[•‧・･.．∙⋅·]")
_SPACES = re.compile(r"\s+")
_BETWEEN = re.compile(r"[、,，;；/\n]+")


# Kept: a column names the same few people and places, and is one of the same few words, thousands of times.
@lru_cache(maxsize=10_000)
def name_key(name: str) -> str:
    """People type full-width letters, spaces inside names, and any of seven dots."""
    return _SPACES.sub("", _DOTS.sub("·", unicodedata.normalize("NFKC", name)))


@lru_cache(maxsize=1000)
def word_key(text: str) -> str:
    """A word of a fixed list without spaces and full-width letters; 其它 is 其他."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text)).replace("其它", "其他")


@lru_cache(maxsize=1000)
def yes_or_no(text: str) -> bool | None:
    """True, False (empty counts as no), or None when it is neither."""
    word = unicodedata.normalize("NFKC", text).strip().lower()
    return True if word in YES else False if word in NO else None


def several(text: str) -> list[str]:
    """The entries of a list in one cell, however they are parted."""
    return [part.strip() for part in _BETWEEN.split(text) if part.strip()]


def tail_key(text: str) -> str:
    """The last four of an identity number; a spreadsheet drops the zeros in front of a number."""
    return unicodedata.normalize("NFKC", text).strip().upper().rjust(4, "0")
